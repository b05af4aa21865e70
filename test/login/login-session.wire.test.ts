import {Readable} from 'node:stream';
import {text} from 'node:stream/consumers';
import {isCancel} from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import {CookieJar, type SessionError, type SessionOptions} from '../../src/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	pages,
	redirect,
} from '../support/fixture.ts';
import {printedForms} from '../support/printed-forms.ts';
import {loginAndGet, type SessionPages, startSessionPages} from '../support/session-pages.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

function memberOf({server}: SessionPages, options: Parameters<Fixture['client']>[0] = {}) {
	return fixture.client({baseURL: server.origin, jar: true, session: loginAndGet, ...options});
}

/** Options of a session that tries again at once, so that no test has to wait. */
const eager: SessionOptions = {...loginAndGet, backoffMs: 1e-6, maxBackoffMs: 1e-6};

describe.each(exchanges)('over %s', (_, options) => {
	test('the login runs once, before the first request, and again when the session is over', async () => {
		const members = await startSessionPages(fixture);
		const client = memberOf(members, options);
		expect(members.tries).toBe(0);

		expect((await client.get('/a')).data).toMatchObject({login: 1});
		expect((await client.get('/b')).data).toMatchObject({login: 1});
		members.end();
		expect((await client.post('/c', 'kept')).data).toEqual({login: 2, body: 'kept'});
		const asked = members.server.requests.map(({method, url}) => `${method} ${url}`);
		expect(asked).toEqual(['POST /login', 'GET /a', 'GET /b', 'POST /c', 'POST /login', 'POST /c']);
	});

	test('a second end of the session is given to the app as it is', async () => {
		const members = await startSessionPages(
			fixture,
			pages({'/never': (_, response) => response.writeHead(401).end('{"error":"never"}')}),
		);
		const client = memberOf(members, options);
		const error = await failureOf(client.get('/never'));
		expect(error).toMatchObject({
			name: 'AxiosError',
			code: 'ERR_BAD_REQUEST',
			status: 401,
			message:
				'Request failed with status code 401: after a login that succeeded, the request was sent again',
		});
		expect(error.response?.data).toEqual({error: 'never'});
		expect(members.tries).toBe(2);

		const {status} = await client.get('/never', {validateStatus: null});
		expect(status).toBe(401);
	});

	test('a stream that its redirects could have again is sent again', async () => {
		const members = await startSessionPages(fixture);
		const client = memberOf(members, options);
		await client.get('/first');
		members.end();
		const {data} = await client.post('/upload', Readable.from(['once ', 'more']));
		expect(data).toEqual({login: 2, body: 'once more'});
	});

	test('a stream that cannot be sent twice gets the response as it is, and no login begins', async () => {
		const members = await startSessionPages(fixture);
		const client = memberOf(members, options);
		await client.get('/first');
		members.end();
		const upload = client.post('/upload', Readable.from(['once']), {maxRedirects: 0});
		expect(await failureOf(upload)).toMatchObject({
			status: 401,
			message:
				'Request failed with status code 401: there was no other login, because the body cannot be sent twice',
		});
		expect(members.tries).toBe(1);
	});

	test('a stream that is given up leaves no connection behind', async () => {
		let asked = 0;
		const members = await startSessionPages(fixture, (_, response, {url}) => {
			if (url !== '/again') return false;
			asked += 1;
			if (asked > 1) return false;
			response.writeHead(401).write('an answer without an end');
			return true;
		});
		const client = memberOf(members, {...options, responseType: 'stream'});
		const {data} = await client.get('/again');
		expect(JSON.parse(await text(data))).toMatchObject({login: 2});
		await members.server.requests.find(({url}) => url === '/again')?.connection.closed;
	});
});

describe('the end of a session', () => {
	const toLogin = redirect('/login?next=%2Faccounts');
	async function startSite(session: Omit<SessionOptions, 'login'>) {
		let loggedIn = false;
		const server = await fixture.server({
			handler: pages({
				'/accounts': (request, response) => {
					if (loggedIn) response.end('accounts');
					else toLogin(request, response);
				},
				'/login?next=%2Faccounts': (_, response) => response.end('who are you?'),
				'/login': (_, response) => response.end('who are you?'),
				'/enter': (_, response) => {
					loggedIn = true;
					response.end();
				},
			}),
		});
		let logins = 0;
		const client = fixture.client({
			baseURL: server.origin,
			jar: true,
			session: {
				login: async (using) => {
					logins += 1;
					// The first leaves us outside, as one that is over.
					if (logins > 1) await using.post('/enter');
				},
				...session,
			},
		});
		return {client, logins: () => logins};
	}

	test.each([{}, {maxRedirects: 0, validateStatus: null}])(
		'a redirect to the login URL is the end of a session, with %j',
		async (config) => {
			const {client, logins} = await startSite({loginUrl: '/login'});
			expect((await client.get('/accounts', config)).data).toBe('accounts');
			expect(logins()).toBe(2);
		},
	);

	test('a redirect to another page, or a request for the login page, is not the end of a session', async () => {
		const {client, logins} = await startSite({loginUrl: '/elsewhere'});
		expect((await client.get('/accounts')).data).toBe('who are you?');
		const asked = await startSite({loginUrl: '/login'});
		expect((await asked.client.get('/login')).data).toBe('who are you?');
		expect([logins(), asked.logins()]).toEqual([1, 1]);
	});

	test.each([
		['at once', (over: boolean) => over],
		['later', (over: boolean) => Promise.resolve(over)],
	])(
		'isExpired decides %s on the end of a session, of a response with its data parsed',
		async (_, say) => {
			const members = await startSessionPages(
				fixture,
				pages({'/soft': (_, response) => response.end('{"error":"over"}')}),
			);
			const seen: unknown[] = [];
			const client = memberOf(members, {
				session: {
					...loginAndGet,
					isExpired(response) {
						seen.push([response.status, response.data, response.tls?.authorized]);
						return say(response.data.error === 'over');
					},
				},
			});
			await client.get('/fine');
			expect((await client.get('/soft')).data).toEqual({error: 'over'});
			await client.get('/fine');
			members.end();
			expect((await client.get('/hard')).data).toMatchObject({login: 3});
			expect(seen).toEqual([
				[200, {login: 1, body: ''}, true],
				[200, {error: 'over'}, true],
				[200, {error: 'over'}, true],
				[200, {login: 2, body: ''}, true],
				[401, {error: 'over'}, true],
				[200, {login: 3, body: ''}, true],
			]);
		},
	);

	test.each([
		['what came, where that cannot be transformed', 'no JSON', 'no JSON'],
		['what transformResponse makes of it', '[1, 2]', [1, 2]],
	])('the end of a session is decided by %s', async (_, sent, expected) => {
		const members = await startSessionPages(
			fixture,
			pages({'/page': (_, response) => response.end(sent)}),
		);
		const seen: unknown[] = [];
		const client = memberOf(members, {
			responseType: 'json',
			transitional: {silentJSONParsing: false},
			session: {
				...loginAndGet,
				isExpired: ({status, data}) => {
					seen.push([status, data]);
					return false;
				},
			},
		});
		const asked = client.get('/page');
		if (expected === sent) expect((await failureOf(asked)).code).toBe('ERR_BAD_RESPONSE');
		else expect((await asked).data).toEqual(expected);
		expect(seen).toEqual([[200, expected]]);
	});

	test.each([
		[
			'throws',
			() => {
				throw new Error('SECRET');
			},
		],
		['rejects', () => Promise.reject(new Error('SECRET'))],
	])('the end of a session is unknown when isExpired %s', async (_, isExpired) => {
		const members = await startSessionPages(fixture);
		const client = memberOf(members, {session: {...loginAndGet, isExpired}});
		const error = await failureOf(client.get('/a'));
		expect(error).toMatchObject({
			code: 'ERR_MTLS_EXPIRY_UNKNOWN',
			message: 'session.isExpired failed on an answer',
			config: {url: '/a'},
			status: 200,
			cause: {message: 'SECRET'},
		});
		expect(printedForms(error)).not.toContain('SECRET');
	});

	test('isExpired is not waited for longer than the timeout of the request', async () => {
		const members = await startSessionPages(fixture);
		const client = memberOf(members, {
			session: {...loginAndGet, isExpired: () => new Promise<boolean>(() => {})},
		});
		await failureOf(client.get('/', {timeout: 1}));
		const error = await failureOf(client.get('/a', {timeout: 400}));
		expect(error).toMatchObject({
			code: 'ECONNABORTED',
			message: expect.stringMatching(/^timeout of 400ms exceeded: .+ yet$/),
		});
	});
});

describe('a login that fails', () => {
	test('a failed login rejects all waiting requests, each with its own config, and nothing of the login', async () => {
		const members = await startSessionPages(fixture);
		members.mode = 'refusing';
		const client = memberOf(members);
		const errors = await Promise.all(
			Array.from({length: 50}, (_, index) => failureOf(client.get(`/${index}`))),
		);
		expect(members.tries).toBe(1);
		expect(members.server.requests).toHaveLength(1);
		for (const [index, error] of errors.entries()) {
			expect(error).toMatchObject({
				name: 'AxiosError',
				code: 'ERR_MTLS_LOGIN_FAILED',
				message: 'the login failed (ERR_BAD_REQUEST, status 403)',
				config: {url: `/${index}`},
				cause: {name: 'AxiosError', status: 403},
			});
			expect(error.response).toBeUndefined();
			expect(error.cause).toBe(errors[0]?.cause);
			expect((error as SessionError).retryAfterMs).toBeGreaterThan(900);
			expect((error as SessionError).retryAfterMs).toBeLessThanOrEqual(1_000);
			expect(printedForms(error)).not.toContain('SECRET');
		}
		expect(new Set(errors).size).toBe(50);
	});

	test('a failed login is not tried again before its pause is over, and requests fail at once meanwhile', async () => {
		const members = await startSessionPages(fixture);
		members.mode = 'refusing';
		const client = memberOf(members);
		await failureOf(client.get('/a'));
		members.mode = 'open';
		for (let again = 0; again < 20; again += 1) {
			expect(await failureOf(client.get('/b'))).toMatchObject({
				code: 'ERR_MTLS_LOGIN_FAILED',
				config: {url: '/b'},
			});
		}
		expect(members.tries).toBe(1);
		expect(members.server.requests).toHaveLength(1);
	});

	test('a failed login is tried again after the pause, and then requests go on', async () => {
		const members = await startSessionPages(fixture);
		members.mode = 'refusing';
		const client = memberOf(members, {session: eager});
		await failureOf(client.get('/a'));
		members.mode = 'open';
		expect((await client.get('/a')).data).toMatchObject({login: 1});
		expect(members.tries).toBe(2);
	});

	test('a failed login is logged once, whatever it failed with and however many requests waited', async () => {
		const members = await startSessionPages(fixture);
		for (const login of [
			loginAndGet.login,
			() => Promise.reject(new Error('SECRET')),
			() => {
				throw 'SECRET';
			},
		]) {
			members.mode = 'refusing';
			const told: string[] = [];
			const tell = (fields: object, message: string) => {
				told.push(message + JSON.stringify(fields));
			};
			const client = memberOf(members, {session: {login}, logger: {error: tell, warn: tell}});
			await Promise.all([1, 2, 3].map(() => failureOf(client.get('/a'))));
			await failureOf(client.get('/b'));
			expect(told).toHaveLength(1);
			expect(told[0]).not.toContain('SECRET');
		}
	});

	test('a login that never settles ends at its deadline, and its request is cancelled', async () => {
		const members = await startSessionPages(fixture);
		members.mode = 'silent';
		const client = memberOf(members, {session: {...loginAndGet, loginTimeoutMs: 40}});
		const error = await failureOf(client.get('/a'));
		expect(error).toMatchObject({
			code: 'ERR_MTLS_LOGIN_FAILED',
			message: 'the login took longer than 40 ms',
		});
		await Promise.all(members.server.connections.map(({closed}) => closed));
		expect(members.server.requests.map(({url}) => url)).toEqual(['/login']);
	});

	test('a login that uses the client that waits for it fails with that reason', async () => {
		const members = await startSessionPages(fixture);
		const client = memberOf(members, {
			session: {login: () => client.post('/login'), loginTimeoutMs: 40},
		});
		const error = await failureOf(client.get('/a'));
		expect(error).toMatchObject({
			code: 'ERR_MTLS_LOGIN_FAILED',
			cause: {message: expect.stringContaining('it must use the client that it is given')},
		});
		expect(members.tries).toBe(0);
	});
});

describe('a request that waits for the login', () => {
	test('a request that waits for the login can be cancelled, and the login goes on for the others', async () => {
		const members = await startSessionPages(fixture);
		let goOn = () => {};
		const held = new Promise<void>((resolve) => {
			goOn = resolve;
		});
		const client = memberOf(members, {
			session: {
				login: async (using) => {
					await using.post('/login');
					await held;
				},
			},
		});
		const controller = new AbortController();
		const cancelled = client.get('/cancelled', {signal: controller.signal});
		const late = client.get('/late', {timeout: 30});
		const patient = client.get('/patient');
		controller.abort();
		expect(isCancel(await failureOf(cancelled))).toBe(true);
		expect(await failureOf(late)).toMatchObject({code: 'ECONNABORTED', config: {url: '/late'}});
		goOn();
		expect((await patient).status).toBe(200);
		expect(members.server.requests.map(({url}) => url)).toEqual(['/login', '/patient']);
	});

	test('a request that is cancelled while isExpired decides does not begin a login', async () => {
		const members = await startSessionPages(fixture);
		const controller = new AbortController();
		const client = memberOf(members, {
			session: {
				...loginAndGet,
				isExpired() {
					controller.abort();
					return true;
				},
			},
		});
		const error = await failureOf(client.get('/a', {signal: controller.signal}));
		expect(isCancel(error)).toBe(true);
		expect(members.tries).toBe(1);
	});

	test('a request that waits for the login ends when the client is closed', async () => {
		const members = await startSessionPages(fixture);
		members.mode = 'silent';
		for (const login of [loginAndGet.login, () => new Promise(() => {})]) {
			const client = memberOf(members, {session: {login}});
			const waiting = failureOf(client.get('/a'));
			await (login === loginAndGet.login ? members.tried(1) : undefined);
			await client.mtls.close({deadlineMs: 1});
			expect(await waiting).toMatchObject({code: 'ERR_MTLS_CLIENT_CLOSED', config: {url: '/a'}});
		}
	});

	test('a request that began before the last login finished is sent again without another login', async () => {
		const held: (() => void)[] = [];
		const members = await startSessionPages(fixture, async (_, __, recorded) => {
			// Its first answer is the old session's, and comes when the new one stands.
			if (recorded.url !== '/slow' || held.length > 0) return false;
			await new Promise<void>((resolve) => held.push(resolve));
			return false;
		});
		const client = memberOf(members);
		await client.get('/first');
		members.end();
		const slow = client.get('/slow');
		await expect.poll(() => held.length).toBe(1);
		await client.get('/fast');
		expect(members.tries).toBe(2);
		held[0]?.();
		expect((await slow).data).toMatchObject({login: 2});
		expect(members.tries).toBe(2);
	});
});

describe('who is in the session', () => {
	test('a login sends with the defaults, jar and certificate of the client, without its interceptors', async () => {
		const members = await startSessionPages(fixture);
		const client = memberOf(members, {
			headers: {'X-Default': 'd'},
			session: {
				login: async (using) => {
					expect(using.mtls.jar).toBe(client.mtls.jar);
					await using.create({headers: {'X-Child': 'c'}}).post('/login');
				},
			},
		});
		client.interceptors.request.use((config) => {
			config.headers.set('X-Intercepted', 'i');
			return config;
		});
		await client.get('/a');
		const [login, page] = members.server.requests;
		expect(login?.headers).toMatchObject({'x-default': 'd', 'x-child': 'c'});
		expect(login?.headers).not.toHaveProperty('x-intercepted');
		expect(page?.headers).toMatchObject({'x-default': 'd', 'x-intercepted': 'i'});
		expect(login?.connection.clientCertificate?.subject).toBe('alice');
		expect(members.server.handshakes).toEqual({full: 1, resumed: 0});
	});

	test('instances that a client creates share its session, those with a jar of their own do not', async () => {
		const members = await startSessionPages(fixture);
		const client = memberOf(members);
		const child = client.create({proxy: false, baseURL: members.server.origin});
		await Promise.all([client.get('/a'), child.get('/b'), child.create().get('/c')]);
		expect(members.tries).toBe(1);

		for (const outside of [{session: false} as const, {jar: true}, {jar: new CookieJar()}]) {
			const other = client.create({proxy: false, ...outside});
			members.end();
			expect((await failureOf(other.get('/d'))).status).toBe(401);
		}
		expect(members.tries).toBe(1);

		const own = client.create({proxy: false, jar: true, session: loginAndGet});
		expect((await own.get('/e')).data).toMatchObject({login: 2});
		expect((await client.get('/f')).data).toMatchObject({login: 3});
	});

	test('a request with another jar, without one, or with `session: false` is outside of the session', async () => {
		const members = await startSessionPages(fixture);
		const client = memberOf(members);
		for (const request of [
			() => client.get('/a', {jar: new CookieJar()}),
			() => client.get('/a', {jar: false}),
			() => client.get('/a', {session: false}),
		]) {
			expect((await failureOf(request())).status).toBe(401);
		}
		expect(members.tries).toBe(0);
		expect((await client.get('/a')).data).toMatchObject({login: 1});
	});
});
