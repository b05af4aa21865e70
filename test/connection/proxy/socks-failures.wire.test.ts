import type {Socket} from 'node:net';
import {inspect} from 'node:util';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {expectCanceled, ways} from '../../support/cancelling.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
} from '../../support/fixture.ts';
import {onTestFinished, separateConcurrentTests} from '../../support/on-test-finished.ts';
import {closedPort, startPlainHttp, startTcp} from '../../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});
separateConcurrentTests();

const secret = 'pr0xyS3cret';
const auth = {username: 'user', password: secret};
const proxyAt = (port: number, login?: typeof auth) => ({
	protocol: 'socks5h',
	host: '127.0.0.1',
	port,
	...(login && {auth: login}),
});
/** What a request that fails at the proxy was to carry. */
const body = {headers: {Authorization: 'Bearer t', Cookie: 'own=1'}, jar: true} as const;

/** What the proxy does after each message of the client. */
type Script = readonly (readonly number[] | ((socket: Socket) => unknown))[];

/** A proxy that answers by a script, and records what it was sent. */
async function scripted(script: Script) {
	const heard: Buffer[] = [];
	const proxy = await startTcp((socket) => {
		const steps = script.values();
		socket.on('data', (chunk) => {
			heard.push(chunk);
			const {value: step} = steps.next();
			if (typeof step === 'function') step(socket);
			else if (step !== undefined) socket.write(Buffer.from(step));
		});
	});
	return {...proxy, heard};
}

const greeting = [5, 0];
const wantsLogin = [5, 2];
const loggedIn = [1, 0];
const granted = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const end = (socket: Socket) => socket.end();
const reset = (socket: Socket) => socket.resetAndDestroy();
const endWith =
	(...bytes: readonly number[]) =>
	(socket: Socket) =>
		socket.end(Buffer.from(bytes));
const text = (words: string) => [...Buffer.from(words)];

describe.each(exchanges)('over %s', (_, options) => {
	describe('a SOCKS proxy that refuses', () => {
		const replies = [
			[
				1,
				'general SOCKS server failure',
				'the proxy cannot reach the host',
				'check that localhost:',
			],
			[
				2,
				'connection not allowed by ruleset',
				'the rules of the proxy do not allow',
				"have 'localhost' allowed",
			],
			[3, 'network unreachable', 'no route to the host', 'check that localhost:'],
			[4, 'host unreachable', 'the proxy cannot look the name up', "check the name 'localhost'"],
			[5, 'connection refused', 'nothing listens on this port', 'check that localhost:'],
			[6, 'TTL expired', 'no route to the host', 'check that localhost:'],
			[
				7,
				'command not supported',
				'the proxy gives no outgoing connections',
				'have CONNECT allowed',
			],
			[8, 'address type not supported', 'the proxy knows no IPv6', 'check that localhost:'],
			[9, 'an unassigned reply', 'replies of its own', 'the operator of the proxy'],
			[255, 'an unassigned reply', 'replies of its own', 'the operator of the proxy'],
		] as const;

		test.each(replies)(
			'the SOCKS reply %i fails a request with the words: %s',
			async (reply, name, reason, hint) => {
				const [server, plain, proxy] = await Promise.all([
					fixture.recordingServer(),
					startPlainHttp(),
					fixture.socksProxy({reply, credentials: auth}),
				]);
				const client = fixture.client({...options, ...body, proxy: proxyAt(proxy.port, auth)});
				for (const {url, phase, port} of [
					{url: server.url('/echo?q=1'), phase: 'tunnel', port: server.port},
					{url: `${plain.origin}/echo?q=1`, phase: 'tunnel', port: plain.port},
				]) {
					const error = await mtlsFailureOf(client.post(url, 'the body'));
					const address = `127.0.0.1:${proxy.port}`;
					expect(error).toMatchObject({
						code: 'ERR_PROXY_REFUSED',
						summary: `the proxy socks5h://${address} refused a tunnel to localhost:${port}: ${name} (SOCKS reply ${reply})`,
						cause: {name: 'ProxyError', reply, status: undefined},
						failure: {
							kind: 'proxy-refused',
							side: 'proxy',
							phase,
							certain: true,
							host: 'localhost',
							port,
							url: `${url.split('?')[0]}?q=[redacted]`,
							proxy: {host: '127.0.0.1', port: proxy.port, reply},
							chain: [],
							hint: expect.stringContaining(hint),
						},
					});
					expect(error.failure.reasons.join()).toContain(reason);
					expect(error.failure.proxy).not.toHaveProperty('status');
					expect(error.response).toBeUndefined();
				}
				expect(server.connections).toEqual([]);
				expect(plain.sockets).toEqual([]);
				expect(proxy.requests).toHaveLength(2);
				await proxy.closed();
			},
		);

		test('a SOCKS proxy that refuses once does not spoil the next request', async () => {
			let reply = 2;
			const server = await fixture.server();
			const proxy = await fixture.socksProxy({
				reply: () => reply,
				route: (_, port) => ({host: '127.0.0.1', port}),
			});
			const client = fixture.client({...options, proxy: proxyAt(proxy.port)});
			await mtlsFailureOf(client.get(server.url('/whoami')));
			reply = 0;
			expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
			expect(proxy.requests).toHaveLength(2);
			expect(client.mtls.stats().tunnels).toBe(1);
		});

		test('a SOCKS proxy that cannot reach the server says so', async () => {
			const port = await closedPort();
			const proxy = await fixture.socksProxy();
			const client = fixture.client({...options, proxy: proxyAt(proxy.port)});
			const error = await mtlsFailureOf(client.get(`https://127.0.0.1:${port}/`));
			expect(error).toMatchObject({
				code: 'ERR_PROXY_REFUSED',
				failure: {kind: 'proxy-refused', proxy: {reply: 5}},
			});
		});
	});

	describe('the login at a SOCKS proxy', () => {
		const logins: [string, Script, typeof auth | undefined, string, string][] = [
			['none is set', [[5, 0xff]], undefined, 'wants a login', 'put user and password'],
			['none was offered', [wantsLogin], undefined, 'wants a login', 'put user and password'],
			[
				'another kind is wanted',
				[[5, 0xff]],
				auth,
				'accepts no login of this kind',
				'have them checked',
			],
			['it is wrong', [wantsLogin, [1, 1]], auth, 'did not accept the login', 'have them checked'],
			[
				'it is wrong, with another status and version',
				[wantsLogin, endWith(5, 255)],
				auth,
				'did not accept the login',
				'have them checked',
			],
		];
		test.each(logins)(
			'a login at a SOCKS proxy fails the request when %s',
			async (_title, script, login, what, hint) => {
				const server = await fixture.recordingServer();
				const proxy = await scripted(script);
				const client = fixture.client({...options, ...body, proxy: proxyAt(proxy.port, login)});
				const error = await mtlsFailureOf(client.post(server.url('/echo'), 'the body'));
				expect(error).toMatchObject({
					code: 'ERR_PROXY_AUTH_REQUIRED',
					summary: `the proxy socks5h://127.0.0.1:${proxy.port} ${what}`,
					failure: {
						kind: 'proxy-auth-required',
						side: 'proxy',
						phase: 'tunnel',
						certain: true,
						proxy: {host: '127.0.0.1', port: proxy.port},
						hint: expect.stringContaining(hint),
					},
				});
				const sent = Buffer.concat(proxy.heard);
				// Nothing is sent but what was asked for.
				const methods = login ? [5, 2, 0, 2] : [5, 1, 0];
				const asked =
					script.length === 2
						? [...methods, 1, 4, ...text('user'), secret.length, ...text(secret)]
						: methods;
				expect([...sent]).toEqual(asked);
				expect(server.connections).toEqual([]);
				await proxy.closed();
			},
		);

		test('a wrong password is refused by a proxy that checks it', async () => {
			const server = await fixture.recordingServer();
			const proxy = await fixture.socksProxy({credentials: {...auth, password: 'other'}});
			const client = fixture.client({...options, proxy: proxyAt(proxy.port, auth)});
			const error = await mtlsFailureOf(client.get(server.url()));
			expect(error).toMatchObject({
				code: 'ERR_PROXY_AUTH_REQUIRED',
				failure: {kind: 'proxy-auth-required', side: 'proxy'},
			});
			expect(proxy.requests).toEqual([]);
			expect(server.connections).toEqual([]);
		});
	});

	describe('a SOCKS proxy whose answer is none', () => {
		const cases: [string, Script, string, string][] = [
			['HTTP', [text('HTTP/1.1 400 Bad Request\r\n\r\n')], 'greeting', 'HTTP'],
			['another version', [[4, 0]], 'greeting', 'no version 5'],
			['garbage', [text('SSH-2.0-OpenSSH_9.9\r\n')], 'greeting', 'no version 5'],
			['a method that was not offered', [[5, 1]], 'greeting', 'method 1, which was not offered'],
			['a hang-up', [end], 'greeting', 'it hung up'],
			['a reset', [reset], 'greeting', 'it hung up (ECONNRESET)'],
			['half a greeting', [endWith(5)], 'greeting', 'it hung up'],
			['a hang-up at the login', [wantsLogin, end], 'login', 'it hung up'],
			['half an answer to the login', [wantsLogin, endWith(1)], 'login', 'it hung up'],
			['a hang-up after the login', [wantsLogin, loggedIn, end], 'request', 'it hung up'],
			['a hang-up at the request', [greeting, end], 'request', 'it hung up'],
			['a reset at the request', [greeting, reset], 'request', 'it hung up (ECONNRESET)'],
			['another version of the reply', [greeting, [4, 0]], 'request', 'no version 5'],
			...granted
				.slice(1)
				.map((_, length): [string, Script, string, string] => [
					`${length + 1} of 10 bytes of the reply`,
					[greeting, endWith(...granted.slice(0, length + 1))],
					'request',
					'it hung up',
				]),
			[
				'an address of no known type',
				[greeting, [5, 0, 0, 2, 0, 0, 0, 0, 0, 0]],
				'request',
				'an address of type 2',
			],
			[
				'bytes after its acceptance',
				[greeting, [...granted, 22]],
				'request',
				'bytes after its acceptance',
			],
			[
				'a reply before the request',
				[wantsLogin, [...loggedIn, ...granted]],
				'request',
				'bytes that it was not asked for',
			],
		];
		test.each(cases)(
			'a SOCKS proxy whose answer is %s fails the request with the reason',
			async (_title, script, stage, reason) => {
				const server = await fixture.recordingServer();
				const proxy = await scripted(script);
				const client = fixture.client({...options, ...body, proxy: proxyAt(proxy.port, auth)});
				const error = await mtlsFailureOf(client.post(server.url('/echo'), 'the body'));
				expect(error).toMatchObject({
					code: 'ERR_PROXY_BAD_REPLY',
					summary: `the proxy socks5h://127.0.0.1:${proxy.port} answered the SOCKS ${stage} wrongly: ${reason}`,
					cause: {name: 'ProxyError'},
					failure: {
						kind: 'proxy-bad-reply',
						side: 'proxy',
						phase: 'tunnel',
						certain: true,
						host: 'localhost',
						port: server.port,
						proxy: {host: '127.0.0.1', port: proxy.port},
						hint: 'check the host and port in `proxy`',
					},
				});
				expect(error.failure.proxy).not.toHaveProperty('reply');
				const sent = Buffer.concat(proxy.heard).toString('latin1');
				expect(sent).not.toMatch(/Bearer|own=1|the body|HTTP/);
				expect(server.connections).toEqual([]);
				await proxy.closed();
			},
		);

		test('a SOCKS proxy that hangs up after its acceptance leaves a handshake that ends', async () => {
			const proxy = await scripted([greeting, endWith(...granted)]);
			const client = fixture.client({...options, proxy: proxyAt(proxy.port)});
			const error = await mtlsFailureOf(client.get('https://origin.test/'));
			expect(error).toMatchObject({code: 'ECONNRESET', failure: {kind: 'reset', side: 'both'}});
			await proxy.closed();
		});
	});

	test('a SOCKS proxy that is not there is unreachable', async () => {
		const [server, port] = await Promise.all([fixture.server(), closedPort()]);
		const client = fixture.client({...options, proxy: proxyAt(port)});
		const error = await mtlsFailureOf(client.get(server.url()));
		expect(error).toMatchObject({
			code: 'ECONNREFUSED',
			cause: {message: `cannot reach the proxy socks5h://127.0.0.1:${port}: ECONNREFUSED`},
			failure: {
				kind: 'proxy-unreachable',
				side: 'proxy',
				certain: true,
				proxy: {host: '127.0.0.1', port},
			},
		});
		expect(server.connections).toEqual([]);
	});

	describe('a SOCKS proxy that says nothing', () => {
		const silences: [string, Script][] = [
			['to the greeting', []],
			['after half a greeting', [[5]]],
			['to the login', [wantsLogin]],
			['to the request', [wantsLogin, loggedIn]],
			['after half a reply', [greeting, [5, 0, 0, 1]]],
		];
		test.concurrent.each(silences)(
			'a SOCKS proxy that says nothing %s is ended by each timeout and by a cancellation',
			async (_title, script) => {
				const server = await fixture.recordingServer();
				const proxy = await scripted(script);
				const client = fixture.client({...options, proxy: proxyAt(proxy.port, auth)});

				const error = await mtlsFailureOf(client.get(server.url(), {timeouts: {connectMs: 100}}));
				expect(error).toMatchObject({
					code: 'ERR_PROXY_TIMEOUT',
					cause: {
						message: `no tunnel through the proxy socks5h://127.0.0.1:${proxy.port} within 100 ms`,
					},
					failure: {kind: 'proxy-timeout', side: 'proxy', phase: 'tunnel'},
				});
				expect(await failureOf(client.get(server.url(), {timeout: 100}))).toMatchObject({
					code: 'ECONNABORTED',
					message: expect.stringMatching(/^timeout of 100ms exceeded: /),
				});
				expect(
					await failureOf(client.get(server.url(), {timeouts: {requestMs: 100}})),
				).toMatchObject({code: 'ERR_MTLS_REQUEST_TIMEOUT'});
				for (const [, cancelling] of ways) {
					const {config, cancel} = cancelling();
					const arrived = proxy.sockets.length;
					const request = client.get(server.url(), config);
					await vi.waitFor(() => expect(proxy.sockets.length).toBe(arrived + 1));
					cancel();
					await expectCanceled(request);
				}
				await proxy.closed();
				expect(server.connections).toEqual([]);
				expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
			},
		);

		test('a SOCKS proxy that gives no tunnel within a minute is given up, also without a timeout', async () => {
			vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout']});
			onTestFinished(() => {
				vi.useRealTimers();
			});
			const proxy = await startTcp((socket) => {
				socket.once('data', () => vi.advanceTimersByTime(60_000));
			});
			const client = fixture.client({...options, proxy: proxyAt(proxy.port)});
			const error = await mtlsFailureOf(client.get('https://origin.test/'));
			expect(error).toMatchObject({
				code: 'ERR_PROXY_TIMEOUT',
				failure: {kind: 'proxy-timeout', side: 'proxy', phase: 'tunnel'},
			});
			await proxy.closed();
		});

		// The package has a limit of its own, which would end it after 30 seconds.
		test.each([
			[59_999, undefined],
			[119_999, {connectMs: 120_000}],
			[600_000, {connectMs: 0}],
		])(
			'a SOCKS proxy that answers after %i ms is in time with the timeouts %j',
			async (ms, timeouts) => {
				vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout']});
				onTestFinished(() => {
					vi.useRealTimers();
				});
				const proxy = await scripted([
					(socket) => {
						vi.advanceTimersByTime(ms);
						socket.write(Buffer.from(greeting));
					},
					[5, 2, 0, 1, 0, 0, 0, 0, 0, 0],
				]);
				const client = fixture.client({
					...options,
					proxy: proxyAt(proxy.port),
					...(timeouts && {timeouts}),
				});
				const error = await mtlsFailureOf(client.get('https://origin.test/'));
				expect(error).toMatchObject({code: 'ERR_PROXY_REFUSED', failure: {proxy: {reply: 2}}});
				await proxy.closed();
			},
		);
	});

	test('the handshake behind a SOCKS proxy has its own timeout', async () => {
		const silent = await startTcp();
		const proxy = await fixture.socksProxy({route: () => ({host: '127.0.0.1', port: silent.port})});
		const client = fixture.client({...options, proxy: proxyAt(proxy.port)});
		const error = await failureOf(
			client.get('https://origin.test/', {timeouts: {handshakeMs: 100}}),
		);
		expect(error).toMatchObject({
			code: 'ERR_MTLS_HANDSHAKE_TIMEOUT',
			message: 'no TLS handshake with origin.test:443 within 100 ms',
		});
		expect(proxy.requests).toHaveLength(1);
		await silent.closed();
		await proxy.closed();
	});

	test("a SOCKS proxy's password is shown nowhere", async () => {
		const server = await fixture.server();
		const proxy = await fixture.socksProxy({
			credentials: auth,
			reply: ({port}) => (port === server.port ? 2 : 0),
		});
		const logger = {error: vi.fn(), warn: vi.fn()};
		const client = fixture.client({...options, logger, proxy: proxyAt(proxy.port, auth)});
		const error = await failureOf(client.get(server.url('/echo')));
		const {agent} = client.mtls;
		const prints = [
			JSON.stringify(error),
			inspect(error, {depth: 8}),
			inspect(error.cause, {depth: 8, showHidden: true}),
			String(error.stack),
			inspect(logger.error.mock.calls, {depth: 8}),
			inspect(client.mtls, {depth: 8, showHidden: true}),
			inspect(agent, {depth: 8, showHidden: true}),
			JSON.stringify([agent.sockets, agent.freeSockets, agent.requests].map(Object.keys)),
		].join('\n');
		expect(logger.error).toHaveBeenCalledOnce();
		expect(prints).toContain("'proxy-refused'");
		expect(prints).not.toContain(secret);
		expect(proxy.requests).toMatchObject([{login: auth}]);
	});
});
