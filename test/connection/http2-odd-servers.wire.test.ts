/*
 * Servers of HTTP/2 that do what they should not, or seldom do.
 */
import {constants} from 'node:http2';
import {createServer, type TLSSocket} from 'node:tls';
import {beforeAll, describe, expect, test} from 'vitest';
import {
	allClosed,
	createFixture,
	type Fixture,
	failureOf,
	mtlsFailureOf,
} from '../support/fixture.ts';
import {type H2Request, respondWith, startH2Server} from '../support/h2-server.ts';
import {listening} from '../support/listening.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const http2 = {httpVersion: 2} as const;

/** RFC 9113 §6.5: a frame of settings, with none in it. */
const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

/** A server that agrees to HTTP/2, and then does what `play` does. */
async function raw(play: (socket: TLSSocket) => void): Promise<string> {
	const {cert, key} = await fixture.pki.server();
	const server = createServer(
		{
			cert,
			key,
			ca: fixture.pki.ca,
			requestCert: true,
			ALPNProtocols: ['h2'],
			// Its end of a connection stays open until the test is over.
			allowHalfOpen: true,
		},
		(socket) => {
			socket.on('error', () => {}).on('data', () => {});
			play(socket);
		},
	);
	return `https://localhost:${await listening(server)}/`;
}

describe('a server that agrees to HTTP/2', () => {
	// As one does that verifies clients after its first flight (RFC 8446 §4.4.4), or by hand.
	test('a server that hangs up on the first HTTP/2 request has most likely refused the certificate', async () => {
		const url = await raw((socket) => {
			socket.write(settings);
			let bytes = 0;
			socket.on('data', (chunk: Buffer) => {
				bytes += chunk.length;
				// More than the preface, the settings and the window.
				if (bytes > 120) socket.destroy();
			});
		});
		const client = fixture.client(http2);

		const errors = await Promise.all([1, 2].map(() => mtlsFailureOf(client.get(url))));

		for (const {failure, code} of errors) {
			expect(failure).toMatchObject({
				kind: 'client-certificate-refused',
				side: 'client',
				certain: false,
				phase: 'response',
			});
			expect(code).toBe('ECONNRESET');
		}
	});

	test('a server that hangs up with its HTTP/2 settings has most likely refused the certificate', async () => {
		const url = await raw((socket) => socket.write(settings, () => socket.destroy()));
		const {failure} = await mtlsFailureOf(fixture.client(http2).post(url, 'secret'));
		expect(failure).toMatchObject({kind: 'client-certificate-refused', certain: false});
	});

	test('a server that agrees to HTTP/2 and says nothing fails in time', async () => {
		const url = await raw(() => {});
		const client = fixture.client({...http2, timeouts: {handshakeMs: 50}});
		expect(await failureOf(client.get(url))).toMatchObject({
			code: 'ERR_MTLS_HANDSHAKE_TIMEOUT',
			message: `no HTTP/2 settings from ${new URL(url).host} within 50 ms`,
		});
		expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
	});

	test('a server that agrees to HTTP/2 and says nothing fails each request by its own timeout', async () => {
		const url = await raw(() => {});
		const client = fixture.client(http2);
		const errors = await Promise.all(
			[20, 40].map((timeout) => failureOf(client.get(url, {timeout}))),
		);
		const stage = expect.stringMatching(
			/: there is (no TCP|a TCP|a TLS) connection to localhost:\d+/,
		);
		expect(errors).toMatchObject([{message: stage}, {message: stage}]);
		expect(errors.map(({message}) => message.split(':')[0])).toEqual([
			'timeout of 20ms exceeded',
			'timeout of 40ms exceeded',
		]);
		expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
	});

	test('a server that never closes its HTTP/2 session is not waited for', async () => {
		const url = await raw((socket) => socket.write(settings));
		const client = fixture.client({...http2, http2Options: {sessionTimeout: 1}});
		const cancel = new AbortController();
		const request = failureOf(client.get(url, {signal: cancel.signal}));
		await expect.poll(() => client.mtls.stats().sockets.active).toBe(1);
		cancel.abort();
		await request;
		await expect.poll(() => client.mtls.stats().sockets.idle).toBe(0);
		await client.mtls.close();
	});

	test('a server that agrees to HTTP/2 and speaks HTTP/1.1 is a protocol error', async () => {
		const url = await raw((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
		const error = await failureOf(fixture.client(http2).get(url));
		expect(error.code).toMatch(/^ERR_HTTP2_/);
		expect(error.name).not.toBe('MtlsError');
	});
});

test('an answer that comes before the upload is read is the answer', async () => {
	const server = await startH2Server(fixture.pki, {
		pages: {
			'/': ({stream}) => {
				stream.pause();
				stream.respond({':status': 413});
				stream.end('too large');
				stream.once('finish', () => stream.close(constants.NGHTTP2_NO_ERROR));
			},
		},
	});
	const client = fixture.client({...http2, validateStatus: null});

	const {status, data} = await client.post(server.url(), Buffer.alloc(5 * 1024 * 1024));

	expect([status, data]).toEqual([413, 'too large']);
	await expect.poll(() => client.mtls.stats().sockets).toEqual({active: 0, idle: 1, queued: 0});
});

test('an interim answer is not the answer', async () => {
	const server = await startH2Server(fixture.pki, {
		pages: {
			'/': (request) => {
				request.stream.additionalHeaders({':status': 103, link: '</style.css>'});
				respondWith(request);
			},
		},
	});
	const {status, headers} = await fixture.client(http2).get(server.url());
	expect(status).toBe(200);
	expect(headers).not.toHaveProperty('link');
});

test.each([
	['HEAD', 200],
	['GET', 304],
])(
	'a %s may have the Content-Length of a body that it does not send (%i)',
	async (method, status) => {
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/': ({stream}: H2Request) => {
					stream.respond({':status': status, 'content-length': 100});
					stream.end();
				},
			},
		});
		const response = await fixture
			.client({...http2, validateStatus: null})
			.request({url: server.url(), method});
		expect([response.status, response.headers['content-length'], response.data]).toEqual([
			status,
			'100',
			'',
		]);
	},
);

test('a head that is too large to send fails, and the session goes on', async () => {
	const server = await startH2Server(fixture.pki);
	const client = fixture.client(http2);
	await client.get(server.url());
	const error = await failureOf(
		client.get(server.url(), {headers: {'X-Large': 'x'.repeat(200_000)}}),
	);
	expect(error.code).toMatch(/^ERR_HTTP2_/);
	expect((await client.get(server.url())).status).toBe(200);
});

test('options that Node does not take fail the request, and leave no connection', async () => {
	const server = await startH2Server(fixture.pki);
	const client = fixture.client(http2);
	const http2Options = {settings: {initialWindowSize: -1}};
	expect(await failureOf(client.get(server.url(), {http2Options}))).toMatchObject({
		code: 'ERR_HTTP2_INVALID_SETTING_VALUE',
	});
	await allClosed(server);
	expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
});
