/*
 * HTTP/2 through proxies: always in a tunnel by CONNECT (RFC 9110 §9.3.6), also for `http://`.
 */
import {createServer, type IncomingHttpHeaders} from 'node:http2';
import {connect, createServer as createTcpServer, type Socket} from 'node:net';
import {pipeline} from 'node:stream';
import type {AxiosRequestConfig} from 'axios';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {createFixture, type Fixture, failureOf, mtlsFailureOf} from '../support/fixture.ts';
import {resets, respondWith, startH2Server} from '../support/h2-server.ts';
import {listening} from '../support/listening.ts';
import {closedPort} from '../support/plain-server.ts';
import {frames, settingsFrame} from '../support/raw-h2-server.ts';
import {tempFile} from '../support/temp-file.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const http2 = {httpVersion: 2} as const;
const login = {user: 'alice', password: 'hunter2'};
const basic = `Basic ${Buffer.from('alice:hunter2').toString('base64')}`;

/** Options whose requests go to the stream at once, and options whose requests go through axios's adapter. */
const ways: readonly [string, AxiosRequestConfig][] = [
	['a plain request', {}],
	['a request with progress', {onDownloadProgress() {}}],
];

/** A server of plain HTTP/2, and the heads that reached it. */
async function plainServer() {
	const heads: IncomingHttpHeaders[] = [];
	const server = createServer();
	server.on('stream', (stream, head) => {
		heads.push(head);
		stream.respond({':status': head[':path'] === '/407' ? 407 : 200});
		stream.end(`plain ${head[':path']}`);
	});
	const port = await listening(server);
	return {heads, port, url: (path = '/') => `http://127.0.0.1:${port}${path}`};
}

describe.each(ways)('%s', (_, config) => {
	test('requests through a proxy share one tunnel, and the server sees the certificate', async () => {
		const [server, proxy] = await Promise.all([startH2Server(fixture.pki), fixture.proxy()]);
		const client = fixture.client({...http2, ...config, proxy: proxy.url});

		const responses = await Promise.all(
			Array.from({length: 10}, (_, n) => client.post(server.url(`/?n=${n}`), `secret ${n}`)),
		);

		expect(responses.map(({data}) => data.body)).toEqual(
			Array.from({length: 10}, (_, n) => `secret ${n}`),
		);
		for (const {data, tls} of responses) {
			expect(data.client).toBe('alice');
			expect(tls).toMatchObject({authorized: true, identity: {subject: 'CN=alice'}});
		}
		expect(proxy.tunnels).toMatchObject([{target: `localhost:${server.port}`, verdict: 'allow'}]);
		expect(Buffer.concat([...proxy.heard]).includes('secret')).toBe(false);
		expect(server.connections).toHaveLength(1);
		expect(client.mtls.stats()).toMatchObject({
			sockets: {active: 0, idle: 1, queued: 0},
			handshakes: {full: 1, resumed: 0},
		});
	});

	test('the credentials of the proxy go to the proxy alone', async () => {
		const proxy = await fixture.proxy({credentials: login});
		const server = await startH2Server(fixture.pki);
		const auth = {username: login.user, password: login.password};
		const client = fixture.client({
			...http2,
			...config,
			proxy: {host: '127.0.0.1', port: proxy.port, auth},
		});

		const {data} = await client.get(server.url(), {headers: {'Proxy-Authorization': 'Basic own'}});

		expect(proxy.tunnels.map(({headers}) => headers['proxy-authorization'])).toEqual([basic]);
		expect(data.headers).not.toHaveProperty('proxy-authorization');
	});

	test.each(['https', 'http'])(
		"the app's own Proxy-Authorization of an %s request goes to the CONNECT, and not to the server",
		async (scheme) => {
			const proxy = await fixture.proxy({credentials: login});
			const [secure, plain] = [await startH2Server(fixture.pki), await plainServer()];
			const client = fixture.client({...http2, ...config, proxy: proxy.url});
			const headers = {'Proxy-Authorization': basic, 'X-Kept': 'yes'};

			const response = await client.get((scheme === 'https' ? secure : plain).url(), {headers});

			const [head] = scheme === 'https' ? secure.requests.map((each) => each.headers) : plain.heads;
			expect(proxy.tunnels).toMatchObject([{verdict: 'allow'}]);
			expect(head).toMatchObject({'x-kept': 'yes'});
			expect(head).not.toHaveProperty('proxy-authorization');
			expect(response.config.headers.get('Proxy-Authorization')).toBe(basic);
		},
	);

	test('http:// goes through a tunnel too, and never as HTTP/1.1', async () => {
		const [server, proxy] = await Promise.all([plainServer(), fixture.proxy()]);
		const client = fixture.client({...http2, ...config, proxy: proxy.url});

		const {data} = await client.get(server.url('/a?b'));

		expect(data).toBe('plain /a?b');
		expect(server.heads).toMatchObject([
			{':path': '/a?b', ':scheme': 'http', ':authority': `127.0.0.1:${server.port}`},
		]);
		expect(proxy.forwarded).toEqual([]);
		expect(proxy.tunnels).toMatchObject([{target: `127.0.0.1:${server.port}`}]);
		expect(Buffer.concat([...proxy.heard]).toString('latin1')).toMatch(/^PRI \* HTTP\/2\.0\r\n/);
	});

	test('a 407 in a tunnel is the response of the server', async () => {
		const [server, proxy] = await Promise.all([plainServer(), fixture.proxy()]);
		const client = fixture.client({
			...http2,
			...config,
			proxy: proxy.url,
			validateStatus: null,
		});
		expect(await client.get(server.url('/407'))).toMatchObject({status: 407, data: 'plain /407'});
	});

	test('a socketPath leads to the server, and no proxy before it', async () => {
		const {path, server, proxy} = await socketServer();
		const client = fixture.client({...http2, ...config, socketPath: path, proxy: proxy.url});

		const {data, tls} = await client.get('https://localhost/a');

		expect(data).toMatchObject({path: '/a', client: 'alice', headers: {':authority': 'localhost'}});
		expect(tls).toMatchObject({authorized: true});
		expect(server.connections).toHaveLength(1);
		expect(proxy.connectionCount).toBe(0);
	});

	test('the certificate at a socketPath is verified for the host of the URL', async () => {
		const {path, server} = await socketServer();
		const client = fixture.client({...http2, ...config, socketPath: path});

		const {failure} = await mtlsFailureOf(client.post('https://bank.test/', 'secret'));

		expect(failure).toMatchObject({kind: 'wrong-name', side: 'server'});
		expect(server.connections).toMatchObject([{plaintextBytes: 0}]);
	});
});

/** A server of HTTP/2 behind a Unix socket, and a proxy that it does not need. */
async function socketServer() {
	const [server, proxy] = await Promise.all([startH2Server(fixture.pki), fixture.proxy()]);
	const path = tempFile('h2.sock');
	const relay = createTcpServer((near) => relayTo(server.port, near));
	onTestFinished(() => void relay.close());
	await new Promise<void>((resolve) => relay.listen(path, resolve));
	return {path, server, proxy};
}

function relayTo(port: number, near: Socket): void {
	const far = connect(port, '127.0.0.1');
	pipeline(near, far, near, () => {});
}

describe('a proxy that gives no tunnel', () => {
	test.each([
		[
			'asks for a login',
			{credentials: login},
			{kind: 'proxy-auth-required', code: 'ERR_PROXY_AUTH_REQUIRED'},
		],
		['refuses', {verdict: 403}, {kind: 'proxy-refused', code: 'ERR_PROXY_REFUSED'}],
		[
			'does not speak HTTP',
			{verdict: {raw: 'SSH-2.0-OpenSSH\r\n'}},
			{kind: 'proxy-bad-reply', code: 'ERR_PROXY_BAD_REPLY'},
		],
	] as const)(
		'fails an HTTP/2 request as one of HTTP/1.1 where it %s',
		async (_, how, expected) => {
			const [server, plain] = await Promise.all([startH2Server(fixture.pki), plainServer()]);
			const proxy = await fixture.proxy(how);
			const client = fixture.client({...http2, proxy: proxy.url});
			const {kind, code} = expected;

			for (const url of [server.url(), plain.url()]) {
				const error = await mtlsFailureOf(client.post(url, 'secret'));
				expect(error).toMatchObject({code, failure: {kind, side: 'proxy', certain: true}});
			}
			expect(server.connections).toEqual([]);
			expect(plain.heads).toEqual([]);
			expect(proxy.tunnels.map(({early}) => early.length)).toEqual([0, 0]);
			expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
		},
	);

	test('a proxy that cannot be reached is named in the failure of an HTTP/2 request', async () => {
		const client = fixture.client({...http2, proxy: `http://127.0.0.1:${await closedPort()}`});
		for (const url of ['https://localhost/', 'http://localhost/']) {
			const {failure, code} = await mtlsFailureOf(client.get(url));
			expect([failure.kind, code]).toEqual(['proxy-unreachable', 'ECONNREFUSED']);
		}
	});

	test.each([
		['timeouts.connectMs', {timeouts: {connectMs: 30}}, 'ERR_PROXY_TIMEOUT'],
		['timeout', {timeout: 30}, 'ECONNABORTED'],
	])('a proxy that says nothing to HTTP/2 fails within %s', async (_, config, code) => {
		const proxy = await fixture.proxy({verdict: 'silence'});
		const client = fixture.client({...http2, ...config, proxy: proxy.url});
		for (const url of ['https://localhost/', 'http://localhost/']) {
			expect(await failureOf(client.get(url))).toMatchObject({code});
		}
		expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
	});

	test('a request that is cancelled while its tunnel is made ends the attempt', async () => {
		const proxy = await fixture.proxy({verdict: 'silence'});
		const client = fixture.client({...http2, proxy: proxy.url});
		const controller = new AbortController();
		const request = failureOf(client.get('https://localhost/', {signal: controller.signal}));
		await expect.poll(() => proxy.tunnels.length).toBe(1);
		controller.abort();
		expect(await request).toMatchObject({code: 'ERR_CANCELED'});
		await expect.poll(() => client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
	});
});

describe('what is behind the proxy', () => {
	test('a server of another CA gets no byte of an HTTP/2 request', async () => {
		const other = await createFixture();
		const [impostor, proxy] = await Promise.all([startH2Server(other.pki), fixture.proxy()]);
		const client = fixture.client({...http2, proxy: proxy.url});

		const {failure} = await mtlsFailureOf(client.post(impostor.url(), 'secret'));

		expect(failure).toMatchObject({side: 'server', phase: 'verify'});
		expect(proxy.tunnels).toHaveLength(1);
		expect(impostor.requests).toEqual([]);
		for (const {plaintextBytes} of impostor.connections) expect(plaintextBytes).toBe(0);
	});

	test('a server without HTTP/2 is a protocol mismatch, and gets no byte of the request', async () => {
		const [server, proxy] = await Promise.all([fixture.recordingServer(), fixture.proxy()]);
		const client = fixture.client({...http2, proxy: proxy.url});

		const {failure, code} = await mtlsFailureOf(client.post(server.url('/'), 'secret'));

		expect(failure).toMatchObject({kind: 'protocol-mismatch'});
		expect(code).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
		expect(server.requests).toEqual([]);
		expect(server.connections).toMatchObject([{plaintextBytes: 0}]);
	});

	test('a request that the server refuses is sent again through a new tunnel', async () => {
		let refusals = 0;
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/': (request) => {
					refusals += 1;
					if (refusals === 1) resets('NGHTTP2_REFUSED_STREAM')(request);
					else void request.ended.then(() => respondWith(request));
				},
			},
		});
		const proxy = await fixture.proxy();
		const client = fixture.client({...http2, proxy: proxy.url});

		expect((await client.post(server.url(), 'body')).data.body).toBe('body');
		expect(proxy.tunnels).toHaveLength(2);
	});

	test('a kept session whose tunnel the proxy has cut is found out by a GET, which is sent again', async () => {
		const [server, proxy] = await Promise.all([startH2Server(fixture.pki), fixture.proxy()]);
		const client = fixture.client({...http2, proxy: proxy.url});
		await client.get(server.url());
		server.sessions[0]?.destroy();
		expect((await client.get(server.url())).status).toBe(200);
		expect(proxy.tunnels).toHaveLength(2);
	});
});

/** RFC 9113 §6.2: type and flags of the head of a GET, with or without a priority, and its stream. */
const headsOfFirstStream = [0x05, 0x25].map((flags) => Buffer.from([1, flags, 0, 0, 0, 1]));

function answerFirstStream(socket: Socket): void {
	socket.on('data', (chunk: Buffer) => {
		if (!headsOfFirstStream.some((head) => chunk.includes(head))) return;
		socket.write(Buffer.concat([frames.head(1), frames.data(1, 'early', true)]));
	});
}

describe('a server that sends first', () => {
	/** A proxy that accepts each tunnel in one packet with the settings of HTTP/2. */
	async function eagerProxy() {
		const heard: Buffer[] = [];
		const proxy = createTcpServer((socket) => {
			socket
				.on('error', () => {})
				.once('data', () => {
					socket.write(
						Buffer.concat([Buffer.from('HTTP/1.1 200 Connected\r\n\r\n'), settingsFrame]),
					);
					socket.on('data', (chunk: Buffer) => {
						heard.push(chunk);
						if (!headsOfFirstStream.some((head) => chunk.includes(head))) return;
						socket.write(Buffer.concat([frames.head(1), frames.data(1, 'early', true)]));
					});
				});
		});
		return {heard, url: `http://127.0.0.1:${await listening(proxy)}`};
	}

	test('bytes of the server that come with the acceptance of SOCKS are read over http://', async () => {
		const granted = Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
		const proxy = createTcpServer((socket) => {
			socket
				.on('error', () => {})
				.once('data', () => {
					socket.write(Buffer.from([5, 0]));
					socket.once('data', () => {
						socket.write(Buffer.concat([granted, settingsFrame]));
						answerFirstStream(socket);
					});
				});
		});
		const url = `socks5h://127.0.0.1:${await listening(proxy)}`;
		const client = fixture.client({...http2, proxy: url, timeout: 5_000});
		expect((await client.get('http://plain.test/')).data).toBe('early');
	});

	test('bytes of the server that come with the acceptance of CONNECT are read over http://', async () => {
		const proxy = await eagerProxy();
		const client = fixture.client({...http2, proxy: proxy.url, timeout: 5_000});
		expect((await client.get('http://plain.test/')).data).toBe('early');
	});

	test('bytes that come with the acceptance of CONNECT are refused over https://, where the client sends first', async () => {
		const proxy = await eagerProxy();
		const client = fixture.client({...http2, proxy: proxy.url});
		const {failure} = await mtlsFailureOf(client.get('https://plain.test/'));
		expect(failure).toMatchObject({kind: 'proxy-bad-reply', side: 'proxy'});
		expect(proxy.heard).toEqual([]);
	});
});

test('HTTP/2 goes through a SOCKS proxy, to https and to http', async () => {
	const [secure, plain, proxy] = await Promise.all([
		startH2Server(fixture.pki),
		plainServer(),
		fixture.socksProxy(),
	]);
	const client = fixture.client({...http2, proxy: `socks5h://127.0.0.1:${proxy.port}`});
	const headers = {'Proxy-Authorization': basic};

	expect((await client.post(secure.url(), 'body', {headers})).data).toMatchObject({body: 'body'});
	expect((await client.get(plain.url('/a'), {headers})).data).toBe('plain /a');

	expect(proxy.requests.map(({port}) => port)).toEqual([secure.port, plain.port]);
	for (const head of [secure.requests[0]?.headers, plain.heads[0]]) {
		expect(head).not.toHaveProperty('proxy-authorization');
	}
});

test('an https proxy is verified, and gets the tunnel of HTTP/2 inside its TLS', async () => {
	const {cert, key} = await fixture.pki.server();
	const proxy = await fixture.proxy({tls: {cert, key, ca: fixture.pki.ca}});
	const [server, plain] = await Promise.all([startH2Server(fixture.pki), plainServer()]);
	const ca = {proxy: {ca: fixture.pki.ca}};
	const client = fixture.client({...http2, mtls: ca, proxy: `https://localhost:${proxy.port}`});

	const {data, tls} = await client.get(server.url());
	const other = await client.get(plain.url());

	expect(data.client).toBe('alice');
	expect(tls).toMatchObject({identity: {subject: 'CN=alice'}});
	expect([other.data, other.tls]).toEqual(['plain /', undefined]);
	expect(proxy.tunnels).toHaveLength(2);
	expect(proxy.shown).toEqual([undefined, undefined]);
});

test('a proxy of the environment is used for HTTP/2, unless it is switched off', async () => {
	const [server, proxy] = await Promise.all([startH2Server(fixture.pki), fixture.proxy()]);
	const client = fixture.client({...http2, proxy: undefined as never});
	process.env.HTTPS_PROXY = proxy.url;
	try {
		await client.get(server.url());
		await client.get(server.url(), {proxy: false});
	} finally {
		delete process.env.HTTPS_PROXY;
	}
	expect(proxy.tunnels).toHaveLength(1);
	expect(server.connections).toHaveLength(2);
});

test('sessions are shared by requests with the same proxy and login, and by no others', async () => {
	const [server, one, other] = await Promise.all([
		startH2Server(fixture.pki),
		fixture.proxy(),
		fixture.proxy(),
	]);
	const client = fixture.client(http2);
	const proxies = [one.url, one.url, other.url, one.url.replace('//', '//user:pass@'), false];
	for (const proxy of proxies) await client.get(server.url(), {proxy} as AxiosRequestConfig);
	expect(one.tunnels).toHaveLength(2);
	expect(other.tunnels).toHaveLength(1);
	expect(server.connections).toHaveLength(4);
});

test('maxSockets counts the HTTP/2 session in a tunnel, and requests share it', async () => {
	const [server, proxy] = await Promise.all([startH2Server(fixture.pki), fixture.proxy()]);
	const client = fixture.client({...http2, maxSockets: 1, proxy: proxy.url});
	await Promise.all(Array.from({length: 5}, () => client.get(server.url())));
	await client.get(server.url());
	expect(proxy.connectionCount).toBe(1);
});
