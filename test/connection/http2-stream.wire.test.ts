/*
 * One stream of HTTP/2 as an exchange sees it: the calls of its handler, in their order.
 */
import {constants} from 'node:http2';
import {Readable} from 'node:stream';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {Connections} from '../../src/connection/connections.ts';
import {Http2Stream} from '../../src/connection/http2-stream.ts';
import type {
	ResponseController,
	ResponseHandler,
	WireRequest,
} from '../../src/connection/request-connection.ts';
import type {Route} from '../../src/connection/route.ts';
import {createFixture, type Fixture} from '../support/fixture.ts';
import {type H2Server, respondWith, startH2Server} from '../support/h2-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** What a handler was told, and the promise of its end. */
class Recorder implements ResponseHandler {
	readonly calls: string[] = [];
	readonly heads: [status: number, headers: Record<string, unknown>, raw: readonly unknown[]][] =
		[];
	readonly chunks: Buffer[] = [];
	trailers: Record<string, unknown> = {};
	controller: ResponseController | undefined;
	onChunk = () => {};
	readonly ended = Promise.withResolvers<void>();
	readonly #stream: Http2Stream;

	constructor(stream: Http2Stream) {
		this.#stream = stream;
		this.ended.promise.catch(() => {});
	}

	onRequestStart(): void {
		this.#stream.begin();
		this.calls.push('start');
	}

	onRequestSent(): void {
		this.calls.push('sent');
	}

	onResponseStart(
		controller: ResponseController,
		status: number,
		headers: Record<string, string | string[] | undefined>,
	): void {
		this.controller = controller;
		this.calls.push(`head ${status}`);
		this.heads.push([status, {...headers}, controller.rawHeaders ?? []]);
	}

	onResponseData(_: ResponseController, chunk: Buffer): void {
		if (this.chunks.length === 0) this.calls.push('data');
		this.chunks.push(chunk);
		this.onChunk();
	}

	onResponseEnd(_: ResponseController, trailers: Record<string, unknown>): void {
		this.calls.push('end');
		this.trailers = {...trailers};
		this.#stream.complete({status: 200, keepAlive: undefined, requestBytes: 0}, () =>
			this.ended.resolve(),
		);
	}

	onResponseError(_: unknown, error: Error): void {
		this.calls.push('error');
		void this.#stream.destroy();
		this.ended.reject(error);
	}

	get body(): Buffer {
		return Buffer.concat(this.chunks);
	}
}

async function connectionsTo(server: H2Server) {
	const {cert, key} = fixture.alice;
	const connections = new Connections({cert, key, ca: fixture.pki.ca}, {logger: false});
	onTestFinished(() => connections.destroy());
	const route: Route = {
		snapshot: await connections.identities.selector.at(server.origin),
		secure: true,
		host: 'localhost',
		port: server.port,
		presentCertificate: true,
		proxy: undefined,
		alpn: 'h2',
	};
	const open = () => new Http2Stream(connections.http2.take(route, {}));
	const send = (request: Partial<WireRequest> = {}) => {
		const stream = open();
		const recorder = new Recorder(stream);
		stream.send({method: 'GET', path: '/', headers: [], body: null, ...request}, recorder);
		return {stream, recorder};
	};
	return {connections, open, send};
}

describe('a handler gets', () => {
	test('the calls of one request in their order, on a session that is new or kept', async () => {
		const {send} = await connectionsTo(await startH2Server(fixture.pki));
		const calls = ['start', 'sent', 'head 200', 'data', 'end'];
		for (const reused of [false, true]) {
			const {recorder, stream} = send();
			await recorder.ended.promise;
			expect(recorder.calls).toEqual(calls);
			expect([stream.httpVersion, stream.reason, stream.reused]).toEqual(['2.0', '', reused]);
		}
		const {recorder} = send({method: 'POST', body: Buffer.from('text')});
		await recorder.ended.promise;
		expect(recorder.calls).toEqual(calls);
	});

	test('interim responses before the final one, each with its own fields', async () => {
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/': (request) => {
					request.stream.additionalHeaders({':status': 103, link: '</style.css>'});
					respondWith(request);
				},
			},
		});
		const {recorder} = (await connectionsTo(server)).send();
		await recorder.ended.promise;
		expect(recorder.heads.map(([status]) => status)).toEqual([103, 200]);
		const [[, interim, raw] = [], [, final] = []] = recorder.heads;
		expect(interim).toEqual({link: '</style.css>'});
		expect(raw).toEqual([':status', '103', 'link', '</style.css>']);
		expect(final).not.toHaveProperty('link');
	});

	test('the trailers of a response at its end', async () => {
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/': ({stream, ended}) =>
					ended.then(() => {
						stream.respond({':status': 200}, {waitForTrailers: true});
						const send = () => stream.sendTrailers({'x-checksum': 'abc'});
						// Node's own listener, which is there by now, would send others.
						stream.removeAllListeners('wantTrailers').once('wantTrailers', send);
						stream.end('body');
					}),
			},
		});
		const {recorder} = (await connectionsTo(server)).send();
		await recorder.ended.promise;
		expect(recorder.body.toString()).toBe('body');
		expect(recorder.trailers).toEqual({'x-checksum': 'abc'});
		expect(recorder.controller?.rawTrailers).toEqual(['x-checksum', 'abc']);
	});

	test('no more data than the windows hold while it is paused, and the rest after that', async () => {
		const large = Buffer.alloc(8 * 1024 * 1024, 'x');
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/': ({stream}) => {
					stream.respond({':status': 200});
					stream.end(large);
				},
			},
			maxSessionMemory: 100,
		});
		const {send} = await connectionsTo(server);
		const {recorder} = send();
		const paused = Promise.withResolvers<void>();
		recorder.onChunk = () => {
			recorder.controller?.pause();
			paused.resolve();
		};
		await paused.promise;
		// Another request is answered meanwhile.
		const {recorder: other} = send({path: '/other'});
		await other.ended.promise;
		expect(recorder.body.length).toBeLessThan(200_000);
		expect(recorder.calls).not.toContain('end');
		recorder.onChunk = () => {};
		recorder.controller?.resume();
		await recorder.ended.promise;
		expect(recorder.body.equals(large)).toBe(true);
	});
});

test('a stream is sent as it is read, while its response arrives', async () => {
	const server = await startH2Server(fixture.pki, {
		pages: {
			'/echo': ({stream}) => {
				stream.respond({':status': 200});
				stream.pipe(stream);
			},
		},
	});
	const {send} = await connectionsTo(server);
	const source = new Readable({read() {}});
	const {recorder} = send({method: 'POST', path: '/echo', body: source});
	for (const part of ['one ', 'two ', 'three']) {
		const arrived = new Promise<void>((resolve) => {
			recorder.onChunk = resolve;
		});
		source.push(part);
		await arrived;
	}
	source.push(null);
	await recorder.ended.promise;
	expect(recorder.body.toString()).toBe('one two three');
});

test('a head has what HTTP/2 allows: fields in lower case, Host as the authority, and `te` for trailers alone', async () => {
	const {send} = await connectionsTo(await startH2Server(fixture.pki));
	const headers = [
		...['Host', 'other.test', 'X-One', '1', 'X-One', '2', 'TE', 'trailers', 'Cookie', 'a=b'],
		...['Connection', 'close', 'Keep-Alive', 'timeout=5', 'Transfer-Encoding', 'chunked'],
		...['Upgrade', 'h2c', 'Proxy-Connection', 'close', 'Proxy-Authorization', 'Basic s3cret'],
		...['HTTP2-Settings', 'x'],
	];
	const [{recorder}, {recorder: other}] = [send({headers}), send({headers: ['te', 'gzip']})];
	await Promise.all([recorder.ended.promise, other.ended.promise]);
	expect(JSON.parse(recorder.body.toString()).headers).toEqual({
		':authority': 'other.test',
		':method': 'GET',
		':path': '/',
		':scheme': 'https',
		'x-one': '1, 2',
		te: 'trailers',
		cookie: 'a=b',
	});
	expect(JSON.parse(other.body.toString()).headers).not.toHaveProperty('te');
});

test.each([
	['a path', {path: '/a\r\nb'}, 'ERR_UNESCAPED_CHARACTERS'],
	['a value of a header', {headers: ['x', 'a\r\nb']}, 'ERR_INVALID_CHAR'],
	['a name of a header', {headers: ['x y', '1']}, 'ERR_INVALID_HTTP_TOKEN'],
])('%s that HTTP cannot carry fails before anything is sent', async (_, request, code) => {
	const server = await startH2Server(fixture.pki);
	const {send, connections} = await connectionsTo(server);
	const {recorder} = send(request);
	await expect(recorder.ended.promise).rejects.toMatchObject({name: 'TypeError', code});
	expect(recorder.calls).toEqual(['error']);
	expect(server.requests).toEqual([]);
	await send().recorder.ended.promise;
	expect(connections.counts).toEqual({active: 0, idle: 1, queued: 0});
});

describe('a stream that is destroyed', () => {
	test('before it is sent gives its place back, and is not sent', async () => {
		const server = await startH2Server(fixture.pki);
		const {open, connections} = await connectionsTo(server);
		const stream = open();
		expect(connections.counts).toEqual({active: 0, idle: 0, queued: 1});
		await stream.destroy();
		const recorder = new Recorder(stream);
		stream.send({method: 'GET', path: '/', headers: [], body: null}, recorder);
		await expect.poll(() => connections.counts).toEqual({active: 0, idle: 0, queued: 0});
		expect(recorder.calls).toEqual([]);
		expect(server.requests).toEqual([]);
	});

	test('while its session is connected leaves the session to others', async () => {
		const server = await startH2Server(fixture.pki);
		const {send, connections} = await connectionsTo(server);
		const [gone, stays] = [send({path: '/gone'}), send()];
		await gone.stream.destroy();
		await stays.recorder.ended.promise;
		expect(gone.recorder.calls).toEqual([]);
		expect(server.requests.map(({path}) => path)).toEqual(['/']);
		expect(connections.counts).toEqual({active: 0, idle: 1, queued: 0});
	});

	test('in the middle of its response is reset, and its handler hears no more', async () => {
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/': ({stream}) => {
					stream.respond({':status': 200});
					stream.write('some');
				},
			},
		});
		const {send, connections} = await connectionsTo(server);
		const {recorder, stream} = send();
		await new Promise<void>((resolve) => {
			recorder.onChunk = resolve;
		});
		await stream.destroy();
		expect(await server.requests[0]?.closed).toBe(constants.NGHTTP2_CANCEL);
		expect(recorder.calls).toEqual(['start', 'sent', 'head 200', 'data']);
		expect(connections.counts).toEqual({active: 0, idle: 1, queued: 0});
	});
});
