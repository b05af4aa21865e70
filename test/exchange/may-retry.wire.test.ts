import {once} from 'node:events';
import type {Socket} from 'node:net';
import {Readable} from 'node:stream';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {replayLimitBytes} from '../../src/exchange/outgoing/request-body.ts';
import type {MtlsClient} from '../../src/index.ts';
import type {MtlsServer, RequestHandler} from '../../src/testing/index.ts';
import {expectCanceled} from '../support/cancelling.ts';
import {createFixture, exchanges, type Fixture, failureOf} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** Answers the first request of each connection, and does `last` with the next. */
function tired(last: RequestHandler = (request) => request.socket.destroy()): RequestHandler {
	const served = new WeakSet<object>();
	return (request, response, recorded) => {
		if (served.has(request.socket)) {
			last(request, response, recorded);
			return true;
		}
		served.add(request.socket);
		return false;
	};
}

/** Leaves `count` connections idle. */
async function idle(client: MtlsClient, {url}: MtlsServer, count = 1) {
	const requests = Array.from({length: count}, () => client.get(url('/whoami')));
	await Promise.all(requests);
	// Node lets go of a connection a moment after its answer.
	await vi.waitFor(() =>
		expect(client.mtls.stats().sockets).toEqual({active: 0, idle: count, queued: 0}),
	);
}

function delivered({requests}: MtlsServer, url: string): number {
	return requests.filter((request) => request.url === url).length;
}

const hungUp = {code: 'ECONNRESET', name: 'Error', isAxiosError: true};

describe.each(exchanges)('over %s', (_, options) => {
	test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])(
		'a %s that meets a stale connection is answered on a new one',
		async (method) => {
			const server = await fixture.server({handler: tired()});
			const client = fixture.client(options);
			await idle(client, server, 3);
			const data = method === 'PUT' ? {data: 'the body'} : {};
			const response = await client.request({url: server.url('/echo'), method, ...data});
			expect(response.status).toBe(200);
			expect(response.request.reusedSocket).toBe(false);
			expect(response.tls?.resumed).toBe(true);
			expect(response.config.method).toBe(method.toLowerCase());
			// Of the three that were idle one was tried, and none of the other two.
			expect(server.connections).toHaveLength(4);
			const [first, second, ...more] = server.requests.slice(3);
			expect(second).toMatchObject({method, url: '/echo', rawHeaders: first?.rawHeaders});
			expect(more).toEqual([]);
			if (method === 'PUT') expect(response.data).toMatchObject({body: 'the body'});
		},
	);

	test.each(['POST', 'PATCH'])('a %s is delivered once, and fails', async (method) => {
		const server = await fixture.server({handler: tired()});
		const client = fixture.client(options);
		await idle(client, server);
		const request = client.request({url: server.url('/echo'), method, data: 'x'});
		expect(await failureOf(request)).toMatchObject({
			...hungUp,
			message: expect.stringMatching(
				new RegExp(
					`^\\S.*: the server closed this kept-alive .*; the ${method} was not sent again`,
				),
			),
		});
		expect(delivered(server, '/echo')).toBe(1);
		expect(server.connections).toHaveLength(1);
	});

	test('a second hang-up is the answer', async () => {
		const server = await fixture.server({
			handler: (request) => request.url === '/x' && request.socket.destroy(),
		});
		const client = fixture.client(options);
		await idle(client, server);
		const error = await failureOf(client.get(server.url('/x')));
		expect(error.code).toBe('ECONNRESET');
		expect(error.request.reusedSocket).toBe(false);
		expect(delivered(server, '/x')).toBe(2);
	});

	test('a hang-up on a new connection is the answer', async () => {
		const server = await fixture.server({handler: (request) => request.socket.destroy()});
		expect((await failureOf(fixture.client(options).get(server.url('/x')))).code).toBe(
			'ECONNRESET',
		);
		expect(delivered(server, '/x')).toBe(1);
	});

	test.each<[string, RequestHandler]>([
		[
			'half a head',
			({socket}) => {
				socket.write('HTTP/1.1 200 OK\r\nContent-', () => socket.destroy());
			},
		],
		[
			'an early hint',
			({socket}) => {
				socket.write('HTTP/1.1 103 Early Hints\r\n\r\n', () => socket.destroy());
			},
		],
		[
			'half a body',
			({socket}) => {
				socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour', () => socket.destroy());
			},
		],
	])('a server that gave %s before it hung up is not asked again', async (_title, last) => {
		const server = await fixture.server({handler: tired(last)});
		const client = fixture.client(options);
		await idle(client, server);
		await failureOf(client.get(server.url('/x')));
		expect(delivered(server, '/x')).toBe(1);
		expect(server.connections).toHaveLength(1);
	});

	test('a request that is cancelled is not sent again', async () => {
		const controller = new AbortController();
		const server = await fixture.server({
			handler: tired(({socket}) => {
				controller.abort();
				socket.destroy();
			}),
		});
		const client = fixture.client(options);
		await idle(client, server);
		await expectCanceled(client.get(server.url('/x'), {signal: controller.signal}));
		expect(delivered(server, '/x')).toBe(1);
	});

	test('a request that is sent again has what is left of its time', async () => {
		const server = await fixture.server({
			handler: (request) => {
				if (request.url === '/whoami') return false;
				if (delivered(server, '/x') === 1) request.socket.destroy();
				return true;
			},
		});
		const client = fixture.client(options);
		await idle(client, server);
		const timeouts = {firstByteMs: 60};
		expect(await failureOf(client.get(server.url('/x'), {timeouts}))).toMatchObject({
			code: 'ERR_MTLS_FIRST_BYTE_TIMEOUT',
		});
		expect(delivered(server, '/x')).toBe(2);
	});

	test('a server that has gone is reported as unreachable', async () => {
		const server = await fixture.server();
		const client = fixture.client(options);
		await idle(client, server);
		await server.close();
		const error = await failureOf(client.get(server.url('/x')));
		expect(error).toMatchObject({name: 'Error', code: 'ECONNREFUSED'});
	});

	test('a request through a stale tunnel is sent again through a new one', async () => {
		const [server, proxy] = await Promise.all([
			fixture.server({handler: tired()}),
			fixture.proxy(),
		]);
		const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
		await idle(client, server, 2);
		expect((await client.get(server.url('/echo'))).status).toBe(200);
		expect(proxy.tunnels).toHaveLength(3);
	});

	test.each([
		['directly', false],
		['through a proxy', true],
	])('a request over plain http %s is resent by the same rules', async (_way, proxied) => {
		const served = new WeakSet<object>();
		const server = await startPlainHttp(({socket}, response) => {
			if (served.has(socket)) return socket.destroy();
			served.add(socket);
			response.end('plain');
		});
		const proxy = proxied && {host: '127.0.0.1', port: server.port};
		const client = fixture.client({...options, proxy});
		const url = proxied ? 'http://a.test/' : server.origin;
		await Promise.all([client.get(url), client.get(url)]);
		expect(await failureOf(client.post(url, 'x'))).toMatchObject({code: 'ECONNRESET'});
		expect((await client.get(url)).data).toBe('plain');
		expect(server.requests.map(({method}) => method)).toEqual(['GET', 'GET', 'POST', 'GET', 'GET']);
		expect(server.sockets).toHaveLength(3);
	});
});

// undici lets one turn of the event loop go by before it writes to a connection that was idle, so that
// it learns of one that was closed: by then nothing of the request has been sent.
test.each(['POST', 'PATCH'])(
	'a %s of which nothing was sent is sent on a new one',
	async (method) => {
		const sockets: Socket[] = [];
		const server = await fixture.server({
			handler: ({socket}) => {
				sockets.push(socket);
			},
		});
		const client = fixture.client();
		await idle(client, server);
		const closed = sockets.map((socket) => once(socket.destroy(), 'close'));
		await Promise.all(closed);
		// It is closed, and we have yet to be told.
		expect(client.mtls.stats().sockets.idle).toBe(1);
		const response = await client.request({url: server.url('/echo'), method, data: 'the body'});
		expect(response.data).toMatchObject({method, body: 'the body'});
		expect(response.request.reusedSocket).toBe(false);
		expect(delivered(server, '/echo')).toBe(1);
		expect(server.connections).toHaveLength(2);
	},
);

describe('a streamed body', () => {
	const small = () => Readable.from([Buffer.from('some '), Buffer.from('bytes')]);

	test.each([
		['redirects', {}],
		['a limit', {maxBodyLength: 1_000}],
	])('a streamed body is sent again as far as it was kept, with %s', async (_, config) => {
		const server = await fixture.server({handler: tired()});
		const client = fixture.client();
		await idle(client, server);
		const {data} = await client.put(server.url('/echo'), small(), config);
		expect(data).toMatchObject({body: 'some bytes'});
		expect(delivered(server, '/echo')).toBe(2);
	});

	test('a streamed body that was not kept is not sent again, and the first error stays', async () => {
		const last: RequestHandler = (request) => {
			let bytes = 0;
			request.on('data', (chunk: Buffer) => {
				bytes += chunk.length;
				if (bytes > replayLimitBytes) request.socket.destroy();
			});
		};
		const server = await fixture.server({handler: tired(last)});
		const client = fixture.client();
		await idle(client, server);
		const chunk = Buffer.alloc(1024 * 1024);
		const large = Readable.from(Array.from({length: 12}, () => chunk));
		expect(await failureOf(client.put(server.url('/echo'), large))).toMatchObject({
			code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/),
		});
		expect(delivered(server, '/echo')).toBe(1);
	});
});
