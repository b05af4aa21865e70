import {describe, expect, test} from 'vitest';
import type {SessionOptions} from '../../src/index.ts';
import {LoginFailure} from '../../src/login/login-error.ts';
import {FakeLoginLock, jarWith} from '../support/fake-login-lock.ts';
import {simulateLogin} from '../support/simulated-login.ts';

function member(lock: FakeLoginLock, options?: Partial<SessionOptions>) {
	return simulateLogin(jarWith(lock), options);
}

const leaseMs = 35_000;

test('the first process takes the lease, looks once more, logs in and says so', async () => {
	const lock = new FakeLoginLock();
	const {session, logins} = member(lock);
	expect(await session.after(undefined)).toEqual({generation: 1, adopted: false});
	expect(logins.count).toBe(1);
	expect(lock.asked).toEqual([
		'generation',
		`acquire ${leaseMs}`,
		'generation',
		'complete',
		'generation',
	]);
});

test('a login of another process is taken over without one', async () => {
	const lock = new FakeLoginLock();
	lock.generations = 7;
	const {session, logins} = member(lock);
	expect(await session.after(undefined)).toEqual({generation: 7, adopted: true});
	expect(logins.count).toBe(0);
	expect(lock.asked).toEqual(['generation']);
});

test('eight processes at once log in once, and once more when that session is over', async () => {
	const lock = new FakeLoginLock();
	const all = Array.from({length: 8}, () => member(lock));
	const total = () => all.reduce((sum, {logins}) => sum + logins.count, 0);
	const first = await Promise.all(all.map(({session}) => session.after(undefined)));
	expect(first.map(({generation}) => generation)).toEqual(Array(8).fill(1));
	expect(first.filter(({adopted}) => !adopted)).toHaveLength(1);
	expect(total()).toBe(1);

	const next = await Promise.all(all.map(({session}, index) => session.after(first[index])));
	expect(next.map(({generation}) => generation)).toEqual(Array(8).fill(2));
	expect(total()).toBe(2);
	expect(lock.generations).toBe(2);
});

test('a login that another process made before the lease was taken is adopted, and the lease given back', async () => {
	const lock = new FakeLoginLock();
	const acquire = lock.acquire.bind(lock);
	lock.acquire = (ms) => {
		lock.generations = 4;
		return acquire(ms);
	};
	const {session, logins} = member(lock);
	expect(await session.after(undefined)).toEqual({generation: 4, adopted: true});
	expect(logins.count).toBe(0);
	expect(lock.asked.at(-1)).toBe('release');
	expect(await acquire(1)).toBeDefined();
});

test('a store that lost its data begins anew: its smaller number is a login too', async () => {
	const lock = new FakeLoginLock();
	lock.generations = 9;
	const {session, logins} = member(lock);
	const old = await session.after(undefined);
	lock.generations = 0;
	await member(lock).session.after(undefined);
	expect(await session.after(old)).toEqual({generation: 1, adopted: true});
	lock.generations = 0;
	expect(await session.after(session.current)).toEqual({generation: 1, adopted: false});
	expect(logins.count).toBe(1);
});

describe('while another process has the lease', () => {
	test('a lease that another process has is asked for every 100 ms, until that process has logged in', async () => {
		const lock = new FakeLoginLock();
		const lease = await lock.acquire(1);
		const {session, clock, logins} = member(lock);
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
		const lock = new FakeLoginLock();
		const lease = await lock.acquire(1);
		const {session, clock, logins} = member(lock);
		clock.onPoll = () => {
			if (how === 'expire') lock.expire();
			else void lease?.release();
		};
		expect(await session.after(undefined)).toEqual({generation: 1, adopted: false});
		expect(logins.count).toBe(1);
	});

	test('a login gives up after waiting for two leases of another process', async () => {
		const lock = new FakeLoginLock();
		await lock.acquire(1);
		const {session, clock} = member(lock);
		await expect(session.after(undefined)).rejects.toMatchObject({
			code: 'ERR_MTLS_LOGIN_FAILED',
			message: `another process has been logging in for ${2 * leaseMs} ms`,
		});
		expect(clock.time).toBe(2 * leaseMs);
	});

	test('closing the client ends the wait for the lease of another process', async () => {
		const lock = new FakeLoginLock();
		await lock.acquire(1);
		const {session, clock, closing} = member(lock);
		clock.onPoll = () => closing.abort();
		await expect(session.after(undefined)).rejects.toBeInstanceOf(LoginFailure);
		expect(clock.time).toBe(100);
	});
});

test('a login that fails gives the lease back, and the next process tries', async () => {
	const lock = new FakeLoginLock();
	const failing = member(lock, {login: () => Promise.reject(new Error('SECRET'))});
	await expect(failing.session.after(undefined)).rejects.toMatchObject({
		code: 'ERR_MTLS_LOGIN_FAILED',
		message: 'the login failed',
	});
	expect(lock.asked.at(-1)).toBe('release');
	expect(lock.generations).toBe(0);
	expect(await member(lock).session.after(undefined)).toMatchObject({generation: 1});
});

describe('a lock that fails', () => {
	test('a lock that fails to take a lease back does not fail a login of another process', async () => {
		const lock = new FakeLoginLock();
		lock.failing = ['release'];
		const acquire = lock.acquire.bind(lock);
		lock.acquire = (ms) => {
			lock.generations = 4;
			return acquire(ms);
		};
		const {session} = member(lock);
		expect(await session.after(undefined)).toEqual({generation: 4, adopted: true});
	});

	test.each([
		['generation', 'the last login could not be read from the shared store'],
		['acquire', 'the login lock of the shared store could not be acquired'],
		['complete', 'the login could not be recorded in the shared store'],
	])(
		'a lock that fails at %s is an error of its own, with a pause after it',
		async (word, what) => {
			const lock = new FakeLoginLock();
			lock.failing = [word];
			const {session} = member(lock);
			const failure = await session.after(undefined).catch((error) => error);
			expect(failure).toBeInstanceOf(LoginFailure);
			expect(failure).toMatchObject({
				code: 'ERR_MTLS_LEDGER_FAILED',
				message: `${what} (ECONNREFUSED)`,
				cause: {message: 'away, SECRET'},
			});
			expect(session.retryAfterMs).toBe(1_000);
			await expect(session.after(undefined)).rejects.toBe(failure);
		},
	);

	test('a lock that fails to take a lease back does not hide a failed login', async () => {
		const lock = new FakeLoginLock();
		lock.failing = ['release'];
		const {session} = member(lock, {
			login: () => {
				throw new Error('no');
			},
		});
		await expect(session.after(undefined)).rejects.toMatchObject({code: 'ERR_MTLS_LOGIN_FAILED'});
	});
});
