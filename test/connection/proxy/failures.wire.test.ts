import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import {inspect} from 'node:util';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import type {ConnectProxyOptions} from '../../support/connect-proxy.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
} from '../../support/fixture.ts';
import {closedPort, startTcp} from '../../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const secret = 'pr0xyS3cret';
const auth = {username: 'user', password: secret};
/** What a request that fails at the proxy was to carry. */
const body = {headers: {Authorization: 'Bearer t', Cookie: 'own=1'}, jar: true} as const;

describe.each(exchanges)('over %s', (_, options) => {
	describe('a proxy that answers with a refusal', () => {
		const refusals: [string, ConnectProxyOptions, string, string, number][] = [
			[
				'407',
				{credentials: {user: 'user', password: 'other'}},
				'proxy-auth-required',
				'ERR_PROXY_AUTH_REQUIRED',
				407,
			],
			['400', {verdict: 400}, 'proxy-refused', 'ERR_PROXY_REFUSED', 400],
			['403', {verdict: 403}, 'proxy-refused', 'ERR_PROXY_REFUSED', 403],
			['502', {verdict: 502}, 'proxy-refused', 'ERR_PROXY_REFUSED', 502],
			['503', {verdict: 503}, 'proxy-refused', 'ERR_PROXY_REFUSED', 503],
			[
				'302',
				{verdict: {raw: 'HTTP/1.1 302 Found\r\nLocation: https://login.test/\r\n\r\n'}},
				'proxy-refused',
				'ERR_PROXY_REFUSED',
				302,
			],
			[
				'HTTP/1.0',
				{verdict: {raw: 'HTTP/1.0 403 No\r\n\r\n'}},
				'proxy-refused',
				'ERR_PROXY_REFUSED',
				403,
			],
		];

		test.each(refusals)(
			'a proxy that answers CONNECT with a refusal (%s) fails the request by its kind',
			async (_status, proxyOptions, kind, code, status) => {
				const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy(proxyOptions)]);
				const client = fixture.client({
					...options,
					...body,
					proxy: {host: '127.0.0.1', port: proxy.port, auth},
				});
				const error = await mtlsFailureOf(client.post(server.url('/echo?q=1'), 'the body'));
				expect(error).toMatchObject({
					code,
					cause: {name: 'ProxyError', status},
					failure: {
						kind,
						side: 'proxy',
						phase: 'tunnel',
						certain: true,
						host: 'localhost',
						port: server.port,
						url: `${server.url('/echo')}?q=[redacted]`,
						proxy: {host: '127.0.0.1', port: proxy.port, status},
						chain: [],
					},
				});
				// What the proxy says is no answer of the server.
				expect(error.response).toBeUndefined();
				expect(error.failure.hint).not.toBe('');

				expect(server.connections).toEqual([]);
				expect(proxy.forwarded).toEqual([]);
				expect(proxy.tunnels).toHaveLength(1);
				expect(Object.keys(proxy.tunnels[0]?.headers ?? {})).toEqual([
					'host',
					'proxy-authorization',
				]);
				expect(proxy.tunnels[0]?.early).toHaveLength(0);
			},
		);

		test('a proxy that refuses once does not spoil the next request', async () => {
			let verdict: 403 | 'allow' = 403;
			const server = await fixture.server();
			const proxy = await fixture.proxy({verdict: () => verdict});
			const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
			await mtlsFailureOf(client.get(server.url('/whoami')));
			verdict = 'allow';
			expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
			expect(proxy.tunnels).toHaveLength(2);
			expect(server.connections).toHaveLength(1);
		});
	});

	describe('a proxy whose answer is none', () => {
		const say = (text: string) => (socket: Socket) => socket.write(text);
		const answers: [string, (socket: Socket) => unknown, string][] = [
			['garbage, and waits', say('SSH-2.0-OpenSSH_9.9\r\n'), 'no HTTP status line'],
			['HTTP/2, and waits', say('HTTP/2 200 OK\r\n\r\n'), 'no HTTP status line'],
			['no status', say('HTTP/1.1 OK\r\n\r\n'), 'no HTTP status line'],
			[
				'a head without an end',
				say(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(17_000)}`),
				'more than 16384 bytes without an end',
			],
			[
				'bytes after its acceptance',
				say('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK'),
				'bytes after its acceptance',
			],
			[
				'half a head, and hangs up',
				(socket) => socket.end('HTTP/1.1 200 OK\r\nX: y'),
				'it hung up before its answer was complete',
			],
			[
				'nothing, and hangs up',
				(socket) => socket.end(),
				'it hung up before its answer was complete',
			],
			['nothing, and resets', (socket) => socket.resetAndDestroy(), 'it hung up (ECONNRESET)'],
		];

		test.each(answers)(
			'a proxy whose answer to CONNECT is %s fails the request with the reason',
			async (_title, answer, reason) => {
				const server = await fixture.server();
				const heard: string[] = [];
				const proxy = await startTcp((socket) => {
					socket.once('data', (chunk) => {
						heard.push(String(chunk));
						answer(socket);
					});
				});
				const client = fixture.client({
					...options,
					...body,
					proxy: {host: '127.0.0.1', port: proxy.port},
				});
				const error = await mtlsFailureOf(client.post(server.url('/echo'), 'the body'));
				expect(error).toMatchObject({
					code: 'ERR_PROXY_BAD_REPLY',
					message: expect.stringMatching(
						/did not answer CONNECT as HTTP says|hung up on CONNECT without a byte|accepted CONNECT and sent more/,
					),
					cause: {
						name: 'ProxyError',
						message: `the proxy http://127.0.0.1:${proxy.port} answered CONNECT wrongly: ${reason}`,
					},
					failure: {
						kind: 'proxy-bad-reply',
						side: 'proxy',
						phase: 'tunnel',
						certain: true,
						proxy: {host: '127.0.0.1', port: proxy.port},
					},
				});
				expect(error.failure.proxy).not.toHaveProperty('status');
				const authority = `localhost:${server.port}`;
				expect(heard).toEqual([`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`]);
				expect(server.connections).toEqual([]);
				await proxy.closed();
			},
		);
	});

	test.each([
		[16_383, 'ERR_PROXY_REFUSED'],
		[16_384, 'ERR_PROXY_REFUSED'],
		[16_385, 'ERR_PROXY_BAD_REPLY'],
	])('an answer to CONNECT with a head of %i bytes ends in %s', async (length, code) => {
		const begin = 'HTTP/1.1 403 No\r\nX: ';
		const head = begin + 'x'.repeat(length - begin.length);
		const proxy = await startTcp((socket) => {
			socket.once('data', () => socket.write(`${head}\r\n\r\n`));
		});
		const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
		const error = await mtlsFailureOf(client.get('https://origin.test/'));
		expect(error.code).toBe(code);
		await proxy.closed();
	});

	test('a proxy that gives no tunnel within a minute is given up, also without a timeout', async () => {
		vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout']});
		onTestFinished(() => {
			vi.useRealTimers();
		});
		const proxy = await startTcp((socket) => {
			socket.once('data', () => vi.advanceTimersByTime(60_000));
		});
		const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
		const error = await mtlsFailureOf(client.get('https://origin.test/'));
		expect(error).toMatchObject({
			code: 'ERR_PROXY_TIMEOUT',
			failure: {kind: 'proxy-timeout', side: 'proxy', phase: 'tunnel'},
		});
		await proxy.closed();
	});

	test.each([
		['in pieces', ['HTTP/1.', '1 200 OK\r', '\n\r', '\n']],
		['with another 2xx', ['HTTP/1.1 204 Fine\r\n\r\n']],
		['with headers', ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nVia: x\r\n\r\n']],
		['without a reason', ['HTTP/1.1 200\r\n\r\n']],
	])('a tunnel that is granted %s stands', async (_title, pieces) => {
		const server = await fixture.server();
		const proxy = await startTcp(async (socket) => {
			await once(socket, 'data');
			for (const piece of pieces) {
				await new Promise((resolve) => socket.write(piece, resolve));
			}
			const origin = connect(server.port, '127.0.0.1');
			origin.on('error', () => {});
			socket.pipe(origin).pipe(socket);
		});
		const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
	});

	test('a proxy that is not there is unreachable', async () => {
		const [server, port] = await Promise.all([fixture.server(), closedPort()]);
		const client = fixture.client({...options, proxy: {host: '127.0.0.1', port}});
		const error = await mtlsFailureOf(client.get(server.url()));
		expect(error).toMatchObject({
			code: 'ECONNREFUSED',
			failure: {
				kind: 'proxy-unreachable',
				side: 'proxy',
				certain: true,
				proxy: {host: '127.0.0.1', port},
			},
		});
		expect(server.connections).toEqual([]);
	});

	test('what a proxy echoes in place of an error of Squid is shown nowhere', async () => {
		const echo = Buffer.from(`user:${secret}`).toString('base64');
		const words = [`Basic ${echo}`, `ERR_DNS_FAIL Basic ${echo}`, `ERR_DNS_FAIL 0 ${echo}`, echo];
		for (const squidError of words) {
			const [server, proxy] = await Promise.all([
				fixture.server(),
				fixture.proxy({
					verdict: {
						raw: `HTTP/1.1 503 No\r\nX-Squid-Error: ${squidError}\r\nContent-Length: 0\r\n\r\n`,
					},
				}),
			]);
			const logger = {error: vi.fn(), warn: vi.fn()};
			const client = fixture.client({
				...options,
				logger,
				proxy: {host: '127.0.0.1', port: proxy.port, auth},
			});
			const error = await mtlsFailureOf(client.get(server.url('/echo')));
			expect(error).toMatchObject({
				code: 'ERR_PROXY_REFUSED',
				failure: {kind: 'proxy-refused', proxy: {status: 503}},
			});
			const prints = [
				JSON.stringify(error),
				inspect(error, {depth: 8, showHidden: true}),
				inspect(error.cause, {depth: 8, showHidden: true}),
				inspect(logger.error.mock.calls, {depth: 8}),
			].join('\n');
			expect(logger.error).toHaveBeenCalledOnce();
			expect(prints).not.toContain(echo);
			expect(server.connections).toEqual([]);
		}
	});

	test("the proxy's password is shown nowhere", async () => {
		const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy({verdict: 403})]);
		const logger = {error: vi.fn(), warn: vi.fn()};
		const client = fixture.client({
			...options,
			logger,
			proxy: {host: '127.0.0.1', port: proxy.port, auth},
		});
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
			String(agent),
		].join('\n');
		expect(logger.error).toHaveBeenCalledOnce();
		expect(prints).toContain("'proxy-refused'");
		expect(prints).not.toContain(secret);
		expect(prints).not.toContain(Buffer.from(`user:${secret}`).toString('base64'));
		expect(proxy.tunnels[0]?.headers['proxy-authorization']).toBeDefined();
	});
});
