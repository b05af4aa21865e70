import {describe, expect, test} from 'vitest';
import type {SessionOptions} from '../../src/index.ts';
import {LoginProblem} from '../../src/login/login-error.ts';
import {FakeLoginLock, jarWith} from '../support/fake-login-lock.ts';
import {simulateLogin} from '../support/simulated-login.ts';

function member(ledger: FakeLoginLock, options?: Partial<SessionOptions>) {
	return simulateLogin(jarWith(ledger), options);
}

const leaseMs = 35_000;

test('the first process takes the lease, looks once more, logs in and says so', async () => {
	const ledger = new FakeLoginLock();
	const {session, logins} = member(ledger);
	expect(await session.after(undefined)).toEqual({generation: 1, adopted: false});
	expect(logins.count).toBe(1);
	expect(ledger.asked).toEqual([
		'generation',
		`acquire ${leaseMs}`,
		'generation',
		'complete',
		'generation',
	]);
});

test('a login of another process is taken over without one', async () => {
	const ledger = new FakeLoginLock();
	ledger.generations = 7;
	const {session, logins} = member(ledger);
	expect(await session.after(undefined)).toEqual({generation: 7, adopted: true});
	expect(logins.count).toBe(0);
	expect(ledger.asked).toEqual(['generation']);
});

test('eight processes at once log in once, and once more when that session is over', async () => {
	const ledger = new FakeLoginLock();
	const all = Array.from({length: 8}, () => member(ledger));
	const total = () => all.reduce((sum, {logins}) => sum + logins.count, 0);
	const first = await Promise.all(all.map(({session}) => session.after(undefined)));
	expect(first.map(({generation}) => generation)).toEqual(Array(8).fill(1));
	expect(first.filter(({adopted}) => !adopted)).toHaveLength(1);
	expect(total()).toBe(1);

	const next = await Promise.all(all.map(({session}, index) => session.after(first[index])));
	expect(next.map(({generation}) => generation)).toEqual(Array(8).fill(2));
	expect(total()).toBe(2);
	expect(ledger.generations).toBe(2);
});

test('a login that another process made before the lease was taken is adopted, and the lease given back', async () => {
	const ledger = new FakeLoginLock();
	const acquire = ledger.acquire.bind(ledger);
	ledger.acquire = (ms) => {
		ledger.generations = 4;
		return acquire(ms);
	};
	const {session, logins} = member(ledger);
	expect(await session.after(undefined)).toEqual({generation: 4, adopted: true});
	expect(logins.count).toBe(0);
	expect(ledger.asked.at(-1)).toBe('release');
	expect(await acquire(1)).toBeDefined();
});

test('a store that lost its data begins anew: its smaller number is a login too', async () => {
	const ledger = new FakeLoginLock();
	ledger.generations = 9;
	const {session, logins} = member(ledger);
	const old = await session.after(undefined);
	ledger.generations = 0;
	await member(ledger).session.after(undefined);
	expect(await session.after(old)).toEqual({generation: 1, adopted: true});
	ledger.generations = 0;
	expect(await session.after(session.current)).toEqual({generation: 1, adopted: false});
	expect(logins.count).toBe(1);
});

describe('while another process has the lease', () => {
	test('a lease that another process has is asked for every 100 ms, until that process has logged in', async () => {
		const ledger = new FakeLoginLock();
		const lease = await ledger.acquire(1);
		const {session, clock, logins} = member(ledger);
		let polls = 0;
		clock.onPoll = () => {
			polls += 1;
			if (polls === 3) void lease?.complete();
		};
		expect(await session.after(undefined)).toEqual({generation: 1, adopted: true});
		expect(clock.time).toBe(300);
		expect(logins.count).toBe(0);
	});

	test.each([
		['gives it back', 'release'],
		['is gone, and its lease has ended', 'expire'],
	] as const)('the login is made here once that process %s', async (_, how) => {
		const ledger = new FakeLoginLock();
		const lease = await ledger.acquire(1);
		const {session, clock, logins} = member(ledger);
		clock.onPoll = () => {
			if (how === 'expire') ledger.expire();
			else void lease?.release();
		};
		expect(await session.after(undefined)).toEqual({generation: 1, adopted: false});
		expect(logins.count).toBe(1);
	});

	test('a login gives up after waiting for two leases of another process', async () => {
		const ledger = new FakeLoginLock();
		await ledger.acquire(1);
		const {session, clock} = member(ledger);
		await expect(session.after(undefined)).rejects.toMatchObject({
			code: 'ERR_MTLS_LOGIN_FAILED',
			message: `another process has been logging in for ${2 * leaseMs} ms`,
		});
		expect(clock.time).toBe(2 * leaseMs);
	});

	test('closing the client ends the wait for the lease of another process', async () => {
		const ledger = new FakeLoginLock();
		await ledger.acquire(1);
		const {session, clock, closing} = member(ledger);
		clock.onPoll = () => closing.abort();
		await expect(session.after(undefined)).rejects.toBeInstanceOf(LoginProblem);
		expect(clock.time).toBe(100);
	});
});

test('a login that fails gives the lease back, and the next process tries', async () => {
	const ledger = new FakeLoginLock();
	const failing = member(ledger, {login: () => Promise.reject(new Error('SECRET'))});
	await expect(failing.session.after(undefined)).rejects.toMatchObject({
		code: 'ERR_MTLS_LOGIN_FAILED',
		message: 'the login failed',
	});
	expect(ledger.asked.at(-1)).toBe('release');
	expect(ledger.generations).toBe(0);
	expect(await member(ledger).session.after(undefined)).toMatchObject({generation: 1});
});

describe('a ledger that fails', () => {
	test('a lock that fails to take a lease back does not fail a login of another process', async () => {
		const ledger = new FakeLoginLock();
		ledger.failing = ['release'];
		const acquire = ledger.acquire.bind(ledger);
		ledger.acquire = (ms) => {
			ledger.generations = 4;
			return acquire(ms);
		};
		const {session} = member(ledger);
		expect(await session.after(undefined)).toEqual({generation: 4, adopted: true});
	});

	test.each([
		['generation', 'read'],
		['acquire', 'asked for a turn'],
		['complete', 'told of a login'],
	])(
		'a lock that fails at %s is an error of its own, with a pause after it',
		async (word, what) => {
			const ledger = new FakeLoginLock();
			ledger.failing = [word];
			const {session} = member(ledger);
			const failure = await session.after(undefined).catch((error) => error);
			expect(failure).toBeInstanceOf(LoginProblem);
			expect(failure).toMatchObject({
				code: 'ERR_MTLS_LEDGER_FAILED',
				message: `the ledger of logins could not be ${what} (ECONNREFUSED)`,
				cause: {message: 'away, SECRET'},
			});
			expect(session.retryAfterMs).toBe(1_000);
			await expect(session.after(undefined)).rejects.toBe(failure);
		},
	);

	test('a lock that fails to take a lease back does not hide a failed login', async () => {
		const ledger = new FakeLoginLock();
		ledger.failing = ['release'];
		const {session} = member(ledger, {
			login: () => {
				throw new Error('no');
			},
		});
		await expect(session.after(undefined)).rejects.toMatchObject({code: 'ERR_MTLS_LOGIN_FAILED'});
	});
});
