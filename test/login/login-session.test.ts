import {describe, expect, test} from 'vitest';
import type {SessionOptions} from '../../src/index.ts';
import {CookieJar, createAdapter, createClient, MtlsConfigError} from '../../src/index.ts';
import {LoginBackoff} from '../../src/login/backoff.ts';
import {simulateLogin} from '../support/simulated-login.ts';

describe('the pause after a login that failed', () => {
	test('the pause after failed logins begins with the first, doubles, and ends at the limit', () => {
		const backoff = new LoginBackoff({backoffMs: 1_000, maxBackoffMs: 5_000});
		const pauses = [];
		for (let now = 0; now < 60; now += 10) {
			backoff.failed(now);
			pauses.push(backoff.remainingMs(now));
		}
		expect(pauses).toEqual([1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
		backoff.succeeded();
		expect(backoff.remainingMs(60)).toBe(0);
		backoff.failed(60);
		expect(backoff.remainingMs(60)).toBe(1_000);
	});

	test('the pause after a failed login is over when its time has passed', () => {
		const backoff = new LoginBackoff({backoffMs: 1_000, maxBackoffMs: 5_000});
		expect(backoff.remainingMs(0)).toBe(0);
		backoff.failed(500);
		expect([1_499, 1_500, 1_501].map((now) => backoff.remainingMs(now))).toEqual([1, 0, 0]);
	});

	test('the pause after failed logins stays at the limit however often they fail', () => {
		const backoff = new LoginBackoff({backoffMs: 1, maxBackoffMs: 60_000});
		for (let again = 0; again < 2_000; again += 1) backoff.failed(0);
		expect(backoff.remainingMs(0)).toBe(60_000);
	});
});

describe('a session', () => {
	test('a session whose login failed fails requests at once until the pause is over', async () => {
		let works = false;
		const {session, clock} = simulateLogin(new CookieJar(), {
			login: () => {
				if (!works) throw new Error('no');
			},
		});
		const failure = await session.after(undefined).catch((error: unknown) => error);
		works = true;
		clock.time = 999;
		await expect(session.after(undefined)).rejects.toBe(failure);
		expect(session.retryAfterMs).toBe(1);
		clock.time = 1_000;
		expect(session.current).toBeUndefined();
		const login = await session.after(undefined);
		expect(session.current).toBe(login);
		// What failed before is not told again.
		session.markUseless(login);
		expect(await session.after(login)).not.toBe(login);
	});

	test('a session whose login was useless is not tried again until the pause is over', async () => {
		const {session, clock, logins} = simulateLogin(new CookieJar());
		const login = await session.after(undefined);
		session.markUseless(login);
		session.markUseless(login);
		expect([session.isUseless(login), session.retryAfterMs]).toEqual([true, 1_000]);
		clock.time = 1_000;
		expect(session.isUseless(login)).toBe(false);
		const next = await session.after(login);
		expect(logins.count).toBe(2);
		session.markUseless(next);
		expect(session.retryAfterMs).toBe(2_000);
		session.markValid(next);
		expect([session.isUseless(next), session.retryAfterMs]).toEqual([false, 0]);
	});

	test('a successful login of an earlier session does not end the pause', async () => {
		let works = true;
		const {session} = simulateLogin(new CookieJar(), {
			login: () => {
				if (!works) throw new Error('no');
			},
		});
		const login = await session.after(undefined);
		works = false;
		await session.after(login).catch(() => {});
		// A slow answer to a request that was sent while there was one.
		session.markValid(login);
		expect(session.retryAfterMs).toBe(1_000);
	});

	test('a session that has been proven valid is not marked useless', async () => {
		const {session} = simulateLogin(new CookieJar());
		const login = await session.after(undefined);
		session.markValid(login);
		session.markUseless(login);
		expect([session.isUseless(login), session.retryAfterMs]).toEqual([false, 0]);
	});

	test('all requests that find the same session ended share one login', async () => {
		const {session, logins} = simulateLogin(new CookieJar());
		const first = await session.after(undefined);
		expect(await session.after(undefined)).toBe(first);
		const [second, same] = await Promise.all([session.after(first), session.after(first)]);
		expect(same).toBe(second);
		expect(second).not.toBe(first);
		expect(await session.after(first)).toBe(second);
		expect(logins.count).toBe(2);
	});
});

describe('an option that cannot be used', () => {
	const login = () => {};
	const span = 'milliseconds, more than 0 and at most 2147483647';
	const refusal = (session: unknown, config = {}) => {
		try {
			createClient({jar: true, session: session as SessionOptions, ...config});
		} catch (error) {
			return error;
		}
		throw new Error('it was accepted');
	};

	test.each<[string, unknown, string]>([
		['session', 'login', 'expected an object with login(), or false, found string'],
		['session', null, 'expected an object with login(), or false, found null'],
		['session.login', {}, 'expected a function, found undefined'],
		['session.isExpired', {login, isExpired: true}, 'expected a function, found boolean'],
		['session.loginUrl', {login, loginUrl: 1}, 'expected a string, found number'],
		[
			'session.loginUrl',
			{login, loginUrl: '/login?token=SECRET'},
			"expected a URL, or a path and a `baseURL`, found '/login?token=[redacted]'",
		],
		['session.backoffMs', {login, backoffMs: '10'}, `expected ${span}, found string`],
		...[0, -1, Number.NaN, 2 ** 31].map((backoffMs): [string, unknown, string] => [
			'session.backoffMs',
			{login, backoffMs},
			`expected ${span}, found ${backoffMs}`,
		]),
	])('the session option %s of %j is refused with what was found', (option, session, reason) => {
		const error = refusal(session);
		expect(error).toBeInstanceOf(MtlsConfigError);
		expect(error).toMatchObject({
			code: 'ERR_MTLS_BAD_OPTION',
			option,
			message: `${option}: ${reason}`,
		});
	});

	test('an unknown session option is refused with the known ones', () => {
		expect(refusal({login, timeout: 1})).toMatchObject({
			code: 'ERR_MTLS_UNKNOWN_OPTION',
			option: 'session.timeout',
			message:
				'session.timeout: no such option; known are login, isExpired, loginUrl, loginTimeoutMs, backoffMs, maxBackoffMs',
		});
	});

	test('a session without a jar would not last', () => {
		expect(refusal({login}, {jar: false})).toMatchObject({
			code: 'ERR_MTLS_BAD_OPTION',
			option: 'session',
			message: 'session: expected a client with a jar, which keeps the session: give `jar` too',
		});
	});

	test('an adapter has no client to log in with', () => {
		const options = {jar: true, session: {login}};
		expect(() => createAdapter(options)).toThrow(
			expect.objectContaining({code: 'ERR_MTLS_UNKNOWN_OPTION', option: 'session'}),
		);
	});

	test('valid session options are accepted', () => {
		const all = {login, isExpired: () => false, loginUrl: '/login', loginTimeoutMs: 1};
		const limits = {backoffMs: 2 ** 31 - 1, maxBackoffMs: 0.5};
		const client = createClient({
			baseURL: 'https://a.test',
			jar: true,
			session: {...all, ...limits},
		});
		expect(client.create({session: false}).mtls.jar).toBe(client.mtls.jar);
	});
});
