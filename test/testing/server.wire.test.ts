import {execFile} from 'node:child_process';
import {EventEmitter, once} from 'node:events';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import tls, {type TLSSocket} from 'node:tls';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {
	type Credential,
	createTestPki,
	type MtlsServer,
	type MtlsServerOptions,
	type RecordedConnection,
	startMtlsServer,
	type TestPki,
} from '../../src/testing/index.ts';
import {startConnectProxy} from '../support/connect-proxy.ts';
import {startRecordingServer} from '../support/recording-server.ts';

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

let pki: TestPki;
let other: TestPki;
beforeAll(async () => {
	[pki, other] = await Promise.all([createTestPki(), createTestPki()]);
});

interface Reply {
	status: number | undefined;
	headers: http.IncomingHttpHeaders;
	body: string;
	resumed: boolean;
}

/** One HTTPS request; rejects with the client's verdict. */
function send(
	url: string,
	options: https.RequestOptions = {},
	body: string | Buffer = '',
): Promise<Reply> {
	return new Promise((resolve, reject) => {
		let resumed = false;
		const request = https.request(url, {agent: false, ca: pki.ca, ...options}, (response) => {
			const {statusCode: status, headers} = response;
			text(response).then((body) => resolve({status, headers, body, resumed}), reject);
		});
		request.on('socket', (socket: TLSSocket) => {
			socket.once('secureConnect', () => {
				resumed = socket.isSessionReused();
			});
		});
		request.on('error', reject);
		request.end(body);
	});
}

async function sendJson(url: string, options: https.RequestOptions, body?: unknown) {
	const headers = {...options.headers, 'content-type': 'application/json'};
	const reply = await send(
		url,
		{...options, headers},
		body === undefined ? '' : JSON.stringify(body),
	);
	return {status: reply.status, json: JSON.parse(reply.body) as unknown};
}

/** The client's verdict: the status of the answer, or the code of the error. */
async function verdictOf(url: string, options: https.RequestOptions): Promise<unknown> {
	try {
		return (await send(url, options)).status;
	} catch (error) {
		return error instanceof Error && 'code' in error ? error.code : error;
	}
}

async function start(options: MtlsServerOptions = {}): Promise<MtlsServer> {
	const server = await startMtlsServer({pki, ...options});
	onTestFinished(() => server.close());
	return server;
}

/** The record of the only connection, once it is final. */
async function onlyConnection({connections}: MtlsServer): Promise<RecordedConnection> {
	expect(connections).toHaveLength(1);
	const [connection] = connections;
	if (connection === undefined) throw new Error('no connection was recorded');
	await connection.closed;
	return connection;
}

describe.each(versions)('on %s', (maxVersion) => {
	test('a good client is accepted by both ends, and its bytes are counted', async () => {
		const server = await start({maxVersion});
		const {cert, key} = await pki.client({commonName: 'alice'});

		expect(await verdictOf(server.url('/whoami'), {cert, key})).toBe(200);

		const connection = await onlyConnection(server);
		expect(connection).toEqual({
			id: 1,
			remotePort: expect.any(Number),
			secure: true,
			protocol: maxVersion,
			servername: 'localhost',
			resumed: false,
			clientCertificate: {
				subject: 'alice',
				issuer: 'Test Root CA',
				fingerprint256: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
			},
			authorized: true,
			plaintextBytes: expect.any(Number),
			closed: expect.any(Promise),
		});
		expect(connection.plaintextBytes).toBeGreaterThan('GET /whoami HTTP/1.1'.length);
	});

	test.each<[string, string, () => Promise<Credential>]>([
		['expired', 'CERT_HAS_EXPIRED', () => pki.client({expired: true})],
		['not yet valid', 'CERT_NOT_YET_VALID', () => pki.client({notYetValid: true})],
		['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT', () => pki.client({selfSigned: true})],
		['a stranger to our CA', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', () => other.client()],
		['made for servers', 'INVALID_PURPOSE', () => pki.client({purposes: ['serverAuth']})],
		[
			'without its intermediate',
			'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
			async () => (await pki.intermediate()).client({omitIntermediates: true}),
		],
	])(
		'a client certificate that is %s is refused, and recorded as shown',
		async (_, error, issue) => {
			const server = await start({maxVersion});
			const {cert, key} = await issue();

			// Node hangs up without an alert; who is in the middle of writing sees EPIPE.
			expect(await verdictOf(server.url(), {cert, key})).toMatch(/^(ECONNRESET|EPIPE)$/);

			expect(await onlyConnection(server)).toMatchObject({
				secure: false,
				protocol: maxVersion,
				clientCertificate: {subject: 'client'},
				authorized: false,
				error,
				plaintextBytes: 0,
			});
			expect(server.requests).toEqual([]);
			expect(server.handshakes).toEqual({full: 0, resumed: 0});
		},
	);

	test('a client without a certificate is refused, and nothing is recorded as shown', async () => {
		const server = await start({maxVersion});

		expect(await verdictOf(server.url(), {})).toBe(
			maxVersion === 'TLSv1.2' ? 'EPROTO' : 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
		);

		const connection = await onlyConnection(server);
		expect(connection).toMatchObject({
			secure: false,
			authorized: false,
			error: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
			plaintextBytes: 0,
		});
		expect(connection.clientCertificate).toBeUndefined();
	});

	test.each<[string, string, () => Promise<Credential>]>([
		['expired', 'CERT_HAS_EXPIRED', () => pki.server({expired: true})],
		['not yet valid', 'CERT_NOT_YET_VALID', () => pki.server({notYetValid: true})],
		['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT', () => pki.server({selfSigned: true})],
		['for another name', 'ERR_TLS_CERT_ALTNAME_INVALID', () => pki.server({names: ['a.test']})],
		['of another CA', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', () => pki.server({issuer: other})],
		['made for clients', 'INVALID_PURPOSE', () => pki.server({purposes: ['clientAuth']})],
		[
			'without its intermediate',
			'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
			async () => (await pki.intermediate()).server({omitIntermediates: true}),
		],
	])('a Node client that refuses a server %s sends it no byte', async (_, error, issue) => {
		const server = await start({maxVersion, credential: await issue()});
		const {cert, key} = await pki.client();

		expect(await verdictOf(server.url(), {cert, key})).toBe(error);

		expect(await onlyConnection(server)).toMatchObject({plaintextBytes: 0});
		expect(server.requests).toEqual([]);
	});

	test('the alert of a client that refuses the server is recorded', async () => {
		const server = await start({maxVersion});
		const folder = await mkdtemp(join(tmpdir(), 'testing-server-'));
		onTestFinished(() => rm(folder, {recursive: true}));
		const ca = join(folder, 'ca.pem');
		await writeFile(ca, other.ca);

		// Node never sends this alert: it judges the server after the handshake. OpenSSL's client does.
		const client = execFile('openssl', [
			...['s_client', '-connect', `127.0.0.1:${server.port}`, '-verify_return_error'],
			...['-CAfile', ca, '-no-CApath', '-no-CAstore'],
		]);
		expect(await once(client, 'exit')).toEqual([1, null]);
		expect(await onlyConnection(server)).toMatchObject({
			secure: false,
			authorized: false,
			error: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
			plaintextBytes: 0,
		});
	});

	test('bytes that never become a request are counted', async () => {
		const server = await start({maxVersion});
		const {cert, key} = await pki.client();
		const client = tls.connect({port: server.port, servername: 'localhost', ca: pki.ca, cert, key});
		client.resume();
		client.end('GET /half-a-requ');

		const connection = await onlyConnectionOf(client, server);
		expect(connection).toMatchObject({secure: true, plaintextBytes: 'GET /half-a-requ'.length});
		expect(server.requests).toEqual([]);
	});

	test('a resumed session is counted, and keeps the client it was opened by', async () => {
		const server = await start({maxVersion});
		const {cert, key} = await pki.client({commonName: 'alice'});
		const agent = new https.Agent({ca: pki.ca, cert, key});

		const first = await send(server.url('/whoami'), {agent});
		const second = await send(server.url('/whoami'), {agent});

		expect([first.resumed, second.resumed]).toEqual([false, true]);
		expect(second.body).toBe(first.body);
		expect(server.connections.map(({resumed, authorized}) => ({resumed, authorized}))).toEqual([
			{resumed: false, authorized: true},
			{resumed: true, authorized: true},
		]);
		expect(server.handshakes).toEqual({full: 1, resumed: 1});
	});

	test('a server that only requests a certificate writes its verdict down', async () => {
		const server = await start({maxVersion, clientAuth: 'request'});
		const good = await pki.client({commonName: 'good'});
		const late = await pki.client({commonName: 'late', expired: true});

		for (const credential of [good, late, undefined]) {
			const {cert, key} = credential ?? {};
			const agent = new https.Agent({ca: pki.ca, ...(credential && {cert, key})});
			await send(server.url('/whoami'), {agent});
			// Node itself calls this one authorized on TLS 1.3, certificate or not.
			await send(server.url('/whoami'), {agent});
		}

		const seen = server.connections.map(({clientCertificate, authorized, error}) => [
			clientCertificate?.subject,
			authorized,
			error,
		]);
		expect(seen).toEqual([
			['good', true, undefined],
			['good', true, undefined],
			['late', false, 'CERT_HAS_EXPIRED'],
			['late', false, 'CERT_HAS_EXPIRED'],
			[undefined, false, undefined],
			[undefined, false, undefined],
		]);
		expect(server.handshakes).toEqual({full: 3, resumed: 3});
	});

	test('a server that asks for no certificate is shown none', async () => {
		const server = await start({maxVersion, clientAuth: 'none'});
		const {cert, key} = await pki.client();
		const {body} = await send(server.url('/whoami'), {cert, key});
		expect(JSON.parse(body)).toMatchObject({client: null, issuer: null, protocol: maxVersion});
	});
});

/** The same for a raw client, which may be connected on its side only. */
async function onlyConnectionOf(client: net.Socket, server: MtlsServer) {
	if (!client.closed) await once(client, 'close');
	return onlyConnection(server);
}

describe('a handshake that fails early', () => {
	test.each<[string, MtlsServerOptions, tls.ConnectionOptions, RegExp, string]>([
		[
			'version',
			{minVersion: 'TLSv1.3'},
			{maxVersion: 'TLSv1.2'},
			/ALERT_PROTOCOL_VERSION$/,
			'ERR_SSL_UNSUPPORTED_PROTOCOL',
		],
		[
			'cipher',
			{maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384'},
			{ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256'},
			// ERR_SSL_SSLV3_... or ERR_SSL_SSL/TLS_..., as Node's OpenSSL has it.
			/ALERT_HANDSHAKE_FAILURE$/,
			'ERR_SSL_NO_SHARED_CIPHER',
		],
	])(
		'a failed handshake is recorded when there is no %s in common',
		async (_, options, clientOptions, alert, error) => {
			const server = await start(options);
			const client = tls.connect({port: server.port, ca: pki.ca, ...clientOptions});
			expect(await once(client, 'error')).toMatchObject([{code: expect.stringMatching(alert)}]);
			expect(await onlyConnectionOf(client, server)).toMatchObject({secure: false, error});
		},
	);

	test('a failed handshake is recorded when the client speaks plain HTTP', async () => {
		const server = await start();
		const client = net.connect(server.port, '127.0.0.1');
		client.resume().write('GET / HTTP/1.1\r\n\r\n');
		expect(await onlyConnectionOf(client, server)).toMatchObject({
			secure: false,
			error: 'ERR_SSL_HTTP_REQUEST',
			plaintextBytes: 0,
		});
	});

	test('a failed handshake is recorded when the client hangs up before it sends anything', async () => {
		const server = await start();
		const client = net.connect(server.port, '127.0.0.1');
		client.resume().end();
		expect(await onlyConnectionOf(client, server)).toMatchObject({
			secure: false,
			error: 'ECONNRESET',
			plaintextBytes: 0,
		});
	});

	test('a failed handshake is recorded for the right one of many clients at once', async () => {
		const server = await start();
		const good = await pki.client();
		const bad = await pki.client({expired: true});
		const clients = Array.from({length: 12}, (_, index) => [good, bad, undefined][index % 3]);

		const verdicts = await Promise.all(
			clients.map((credential) =>
				verdictOf(server.url('/whoami'), {
					...(credential && {cert: credential.cert, key: credential.key}),
				}),
			),
		);
		await Promise.all(server.connections.map(({closed}) => closed));

		expect(verdicts.filter((verdict) => verdict === 200)).toHaveLength(4);
		const told = server.connections.map(({clientCertificate, error, secure}) =>
			[clientCertificate?.subject, error, secure].join(),
		);
		expect(told.sort()).toEqual([
			...Array(4).fill(',ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE,false'),
			...Array(4).fill('client,,true'),
			...Array(4).fill('client,CERT_HAS_EXPIRED,false'),
		]);
	});
});

describe('the routes', () => {
	let client: https.RequestOptions;
	beforeAll(async () => {
		const {cert, key} = await pki.client({commonName: 'till-7'});
		client = {cert, key};
	});

	const login = async (server: MtlsServer, type: string, body: string) =>
		send(server.url('/login'), {...client, method: 'POST', headers: {'content-type': type}}, body);

	test.each([
		['application/json', '{"user":"alice","password":"wonderland"}'],
		['application/x-www-form-urlencoded', 'user=alice&password=wonderland'],
	])(
		'the demo routes open a session for the right password in %s, and close it',
		async (type, body) => {
			const server = await start();
			const reply = await login(server, type, body);
			expect(reply.status).toBe(302);
			expect(reply.headers.location).toBe('/accounts');
			expect(reply.headers['set-cookie']).toEqual([
				expect.stringMatching(/^session=[\w-]{22}; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
			]);

			const cookie = reply.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
			const signedIn = {...client, headers: {cookie: `theme=dark; ${cookie}`}};
			expect(await sendJson(server.url('/accounts'), signedIn)).toMatchObject({
				status: 200,
				json: {user: 'alice', client: 'till-7', accounts: expect.any(Array)},
			});
			expect(await sendJson(server.url('/whoami'), signedIn)).toMatchObject({
				json: {user: 'alice', client: 'till-7', issuer: 'Test Root CA'},
			});

			const gone = await send(server.url('/logout'), {...signedIn, method: 'POST'});
			expect(gone.status).toBe(204);
			expect(gone.headers['set-cookie']?.[0]).toContain('Max-Age=0');
			expect(await sendJson(server.url('/accounts'), signedIn)).toEqual({
				status: 401,
				json: {error: 'no session'},
			});
		},
	);

	test.each([
		'{"user":"alice","password":"wrong"}',
		'{"user":"nobody","password":"wonderland"}',
		'{"user":"constructor"}',
		'{"user":7,"password":7}',
		'null',
		'{',
		'',
	])('the demo routes refuse the login %s without a cookie', async (body) => {
		const server = await start();
		const reply = await login(server, 'application/json', body);
		expect(reply.status).toBe(401);
		expect(JSON.parse(reply.body)).toEqual({error: 'wrong user or password'});
		expect(reply.headers['set-cookie']).toBeUndefined();
	});

	test('the demo routes know the given users, and only those', async () => {
		const server = await start({users: {bob: 'builder'}});
		const form = 'application/x-www-form-urlencoded';
		expect((await login(server, form, 'user=bob&password=builder')).status).toBe(302);
		expect((await login(server, form, 'user=alice&password=wonderland')).status).toBe(401);
	});

	test('the demo routes echo what was sent, with any method, and record it', async () => {
		const server = await start();
		const url = server.url('/echo?a=1');
		const reply = await send(url, {...client, method: 'PUT', headers: {'X-Trace': 'abc'}}, 'grüße');
		expect(JSON.parse(reply.body)).toMatchObject({
			method: 'PUT',
			url: '/echo?a=1',
			headers: {'x-trace': 'abc'},
			body: 'grüße',
		});
		const [request] = server.requests;
		expect(request).toMatchObject({method: 'PUT', url: '/echo?a=1', headers: {'x-trace': 'abc'}});
		expect(request?.rawHeaders).toContain('X-Trace');
		expect(request?.body.toString()).toBe('grüße');
		expect(await request?.ended).toBe(true);
		expect(request?.connection).toBe(server.connections[0]);
	});

	test('the demo routes answer 404 to unknown paths', async () => {
		const server = await start();
		expect(await sendJson(server.url('/login'), client)).toMatchObject({status: 404});
	});
});

describe('a handler', () => {
	test('a handler answers first, and leaves other requests to the routes', async () => {
		const server = await start({
			clientAuth: 'none',
			async handler(request, response, recorded) {
				if (request.url !== '/mine') return false;
				await recorded.ended;
				response.end(`got ${recorded.body}`);
				return true;
			},
		});
		expect((await send(server.url('/mine'), {method: 'POST'}, 'this')).body).toBe('got this');
		expect((await send(server.url('/whoami'))).status).toBe(200);
	});

	test('a handler that throws is answered with 500', async () => {
		const server = await start({
			clientAuth: 'none',
			handler() {
				throw new Error('broken on purpose');
			},
		});
		expect(await sendJson(server.url(), {})).toEqual({
			status: 500,
			json: {error: 'Error: broken on purpose'},
		});
	});

	test('a handler learns that a client broke off its body', async () => {
		const server = await start({clientAuth: 'none', handler: () => true});
		const client = tls.connect({port: server.port, servername: 'localhost', ca: pki.ca});
		client.resume();
		client.end('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf');
		await onlyConnectionOf(client, server);
		expect(await server.requests[0]?.ended).toBe(false);
		expect(server.requests[0]?.body.toString()).toBe('half');
	});
});

describe('close()', () => {
	test('close() cuts idle, busy and silent connections at once, and may be called twice', async () => {
		const bell = new EventEmitter();
		const server = await start({
			clientAuth: 'none',
			handler: ({url}) => url === '/never' && bell.emit('asked'),
		});
		const agent = new https.Agent({keepAlive: true, ca: pki.ca});
		await send(server.url('/whoami'), {agent});
		const silent = net.connect(server.port, '127.0.0.1').on('error', () => {});
		await once(silent, 'connect');
		const asked = once(bell, 'asked');
		const pending = expect(send(server.url('/never'))).rejects.toMatchObject({code: 'ECONNRESET'});
		await asked;

		const begun = performance.now();
		await Promise.all([server.close(), server.close()]);
		await server.close();

		// Node's own close() waits for the idle ones for 5 s, and for the others without end.
		expect(performance.now() - begun).toBeLessThan(1000);
		await pending;
		await Promise.all(server.connections.map(({closed}) => closed));
		expect(server.connections).toHaveLength(3);
		expect(await verdictOf(server.url(), {})).toBe('ECONNREFUSED');
	});

	test('close() is called at the end of a block', async () => {
		let url: string;
		{
			await using server = await startMtlsServer({pki});
			url = server.url();
		}
		expect(await verdictOf(url, {})).toBe('ECONNREFUSED');
	});
});

test('a server makes its own PKI when it is given none', async () => {
	const server = await startMtlsServer();
	onTestFinished(() => server.close());
	expect(server.ca).toBe(server.pki.ca);
	const {cert, key} = await server.pki.client();
	expect((await send(server.url('/whoami'), {ca: server.ca, cert, key})).status).toBe(200);
	expect(server.origin).toBe(`https://localhost:${server.port}`);
	expect(server.url('/a?b')).toBe(`${server.origin}/a?b`);
});

test('a server trusts the client CAs that it is given instead of its own', async () => {
	const server = await start({clientCa: [other.ca]});
	const theirs = await other.client();
	const ours = await pki.client();
	expect(await verdictOf(server.url('/whoami'), {cert: theirs.cert, key: theirs.key})).toBe(200);
	expect(await verdictOf(server.url('/whoami'), {cert: ours.cert, key: ours.key})).not.toBe(200);
});

test('a server opens an encrypted key of its own', async () => {
	// As one of the app's own, it needs no leaf apart.
	const {cert, key, passphrase = ''} = await pki.server({passphrase: 'geheim'});
	const server = await start({credential: {cert, key, passphrase}, clientAuth: 'none'});
	expect((await send(server.url('/whoami'))).status).toBe(200);
});

test('a server that cannot have its port says so', async () => {
	const {port} = await start();
	await expect(startMtlsServer({pki, port})).rejects.toMatchObject({code: 'EADDRINUSE'});
});

test('a recording server takes any certificate and records it', async () => {
	await using stranger = await startRecordingServer(pki);
	const {cert, key} = await other.client({commonName: 'leaked'});
	expect((await send(stranger.url('/x'), {cert, key})).body).toBe('stranger');
	expect((await send(stranger.url('/y'))).body).toBe('stranger');
	const shown = stranger.connections.map(({clientCertificate}) => clientCertificate?.subject);
	expect(shown).toEqual(['leaked', undefined]);
});

describe('a CONNECT proxy', () => {
	const headers = {'proxy-authorization': `Basic ${btoa('me:geheim')}`};

	/** The reply to a CONNECT, with the socket that goes on from there. */
	function connectThrough(port: number, target: string, more: http.RequestOptions = {}) {
		return new Promise<{status: number | undefined; socket: net.Socket}>((resolve, reject) => {
			const request = http.request({port, method: 'CONNECT', path: target, ...more});
			request.once('connect', ({statusCode: status}, socket: net.Socket) =>
				resolve({status, socket}),
			);
			request.once('error', reject);
			request.end();
		});
	}

	test('a CONNECT proxy routes a name to a local port, and TLS runs from end to end', async () => {
		const server = await start({credential: await pki.server({names: ['api.test']})});
		await using proxy = await startConnectProxy({
			credentials: {user: 'me', password: 'geheim'},
			route: () => ({host: '127.0.0.1', port: server.port}),
		});
		const {cert, key} = await pki.client({commonName: 'alice'});

		const {status, socket} = await connectThrough(proxy.port, 'api.test:443', {headers});
		expect(status).toBe(200);
		const createConnection = () =>
			tls.connect({socket, servername: 'api.test', ca: pki.ca, cert, key});
		const reply = await send('https://api.test/whoami', {agent: undefined, createConnection});

		expect(JSON.parse(reply.body)).toMatchObject({client: 'alice'});
		expect(proxy.tunnels).toMatchObject([{target: 'api.test:443', headers, verdict: 'allow'}]);
		expect(server.connections).toMatchObject([{servername: 'api.test', authorized: true}]);
	});

	test('a CONNECT proxy answers 407 to missing or wrong credentials', async () => {
		await using proxy = await startConnectProxy({credentials: {user: 'me', password: 'other'}});
		for (const more of [{}, {headers}]) {
			expect((await connectThrough(proxy.port, 'api.test:443', more)).status).toBe(407);
		}
		expect(proxy.tunnels.map(({verdict}) => verdict)).toEqual([407, 407]);
	});

	test('a CONNECT proxy refuses with a status, or with raw bytes', async () => {
		await using proxy = await startConnectProxy({
			verdict: ({target}) => (target === 'a.test:1' ? 403 : {raw: 'SSH-2.0\r\n\r\n'}),
		});
		expect((await connectThrough(proxy.port, 'a.test:1')).status).toBe(403);
		await expect(connectThrough(proxy.port, 'b.test:1')).rejects.toMatchObject({
			code: 'HPE_INVALID_CONSTANT',
		});
	});

	test('a CONNECT proxy can be silent until it is closed', async () => {
		const bell = new EventEmitter();
		await using proxy = await startConnectProxy({
			verdict() {
				bell.emit('asked');
				return 'silence';
			},
		});
		const asked = once(bell, 'asked');
		const silent = expect(connectThrough(proxy.port, 'a.test:1')).rejects.toMatchObject({
			code: 'ECONNRESET',
		});
		await asked;
		await Promise.all([proxy.close(), proxy.close()]);
		await silent;
	});

	test('a CONNECT proxy answers 502 where no server listens', async () => {
		const {port, close} = await start();
		await close();
		await using proxy = await startConnectProxy();
		expect((await connectThrough(proxy.port, `127.0.0.1:${port}`)).status).toBe(502);
	});

	test('a CONNECT proxy forwards a request in absolute form, without its own credentials', async () => {
		const seen: http.IncomingHttpHeaders[] = [];
		const origin = http.createServer((request, response) => {
			seen.push(request.headers);
			request.pipe(response);
		});
		await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
		onTestFinished(() => void origin.close());
		const address = origin.address();
		if (address === null || typeof address === 'string') throw new Error('no port');
		await using proxy = await startConnectProxy({
			credentials: {user: 'me', password: 'geheim'},
			route: () => ({host: '127.0.0.1', port: address.port}),
		});

		const path = 'http://plain.test/a?b';
		const body = await new Promise<string>((resolve, reject) => {
			const request = http.request({port: proxy.port, method: 'POST', path, headers}, (response) =>
				resolve(text(response)),
			);
			request.once('error', reject);
			request.end('hello');
		});

		expect(body).toBe('hello');
		expect(proxy.forwarded).toMatchObject([{method: 'POST', target: path, headers}]);
		expect(seen).toHaveLength(1);
		expect(seen[0]).not.toHaveProperty('proxy-authorization');
	});
});
