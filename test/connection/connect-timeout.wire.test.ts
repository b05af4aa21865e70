import dns from 'node:dns';
import type {ServerResponse} from 'node:http';
import {buffer} from 'node:stream/consumers';
import {AxiosError} from 'axios';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {type ClientConfig, CookieJar} from '../../src/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
	redirect,
} from '../support/fixture.ts';
import {separateConcurrentTests} from '../support/on-test-finished.ts';
import {startPlainHttp, startTcp} from '../support/plain-server.ts';
import {printed} from '../support/secrets.ts';
import {SilentStore} from '../support/silent-store.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});
// Each waits for a timeout.
separateConcurrentTests();

const limit = 60;
const patient = {connectMs: 20_000, handshakeMs: 20_000, firstByteMs: 20_000, requestMs: 20_000};

/** No name is ever found. */
function silenceDns(): void {
	// Of the whole process: not while other tests run.
	const spy = vi.spyOn(dns, 'lookup').mockImplementation((() => {}) as never);
	onTestFinished(() => spy.mockRestore());
}

/** An AxiosError that is no MtlsError, and nothing that axios would call a timeout or a cancel. */
function late(code: string, missing: string, limitMs = limit) {
	const begin = `${missing} within ${limitMs} ms`;
	// That of `requestMs` also says how far the request had come.
	const message =
		code === 'ERR_MTLS_REQUEST_TIMEOUT' ? expect.stringContaining(`${begin}: `) : begin;
	return {name: 'TimeoutError', isAxiosError: true, code, message};
}

describe.each(exchanges)('over %s', (_, options) => {
	test.each(['https', 'http'])(
		'a name that is never resolved fails by connectMs, for %s',
		async (scheme) => {
			silenceDns();
			const client = fixture.client({...options, timeouts: {connectMs: limit}});
			const error = await failureOf(client.get(`${scheme}://slow.test/x`));
			const port = scheme === 'https' ? 443 : 80;
			expect(error).toMatchObject(
				late('ERR_MTLS_CONNECT_TIMEOUT', `no connection to slow.test:${port}`),
			);
			expect(error.config?.url).toBe(`${scheme}://slow.test/x`);
			expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
		},
	);
});

describe.each(exchanges)('over %s', {concurrent: true}, (_, options) => {
	test('a proxy that says nothing fails by connectMs as a proxy timeout', async () => {
		const proxy = await fixture.proxy({verdict: 'silence'});
		const client = fixture.client({
			...options,
			timeouts: {connectMs: limit},
			proxy: {host: '127.0.0.1', port: proxy.port},
		});
		const {failure, ...error} = await mtlsFailureOf(client.get('https://a.test/'));
		expect(failure).toMatchObject({kind: 'proxy-timeout', side: 'proxy', phase: 'tunnel'});
		expect(error).toMatchObject({
			code: 'ERR_PROXY_TIMEOUT',
			message: expect.stringContaining(`127.0.0.1:${proxy.port}`),
		});
	});

	test('a server that accepts TCP and says nothing fails by handshakeMs', async () => {
		const mute = await startTcp();
		const client = fixture.client({...options, timeouts: {handshakeMs: limit}});
		const error = await failureOf(client.get(`https://localhost:${mute.port}/`));
		expect(error).toMatchObject(
			late('ERR_MTLS_HANDSHAKE_TIMEOUT', `no TLS handshake with localhost:${mute.port}`),
		);
		await mute.closed();
	});

	test('a silent server behind a tunnel fails by handshakeMs', async () => {
		const [mute, proxy] = await Promise.all([startTcp(), fixture.proxy()]);
		const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
		const timeouts = {...patient, handshakeMs: limit};
		const error = await failureOf(client.get(`https://localhost:${mute.port}/`, {timeouts}));
		expect(error).toMatchObject(
			late('ERR_MTLS_HANDSHAKE_TIMEOUT', `no TLS handshake with localhost:${mute.port}`),
		);
		await mute.closed();
	});

	test.each(['https', 'http'])(
		'a server that never answers over %s fails by firstByteMs',
		async (scheme) => {
			const secure = scheme === 'https';
			const server = await (secure
				? fixture.server({handler: () => true})
				: startPlainHttp(() => {}));
			// The server, in the same process as other tests, is to have read the request by then.
			const firstByteMs = 8 * limit;
			const client = fixture.client({...options, timeouts: {...patient, firstByteMs}});
			const error = await failureOf(client.post(`${scheme}://localhost:${server.port}/`, 'x'));
			expect(error).toMatchObject(
				late('ERR_MTLS_FIRST_BYTE_TIMEOUT', `no answer from localhost:${server.port}`, firstByteMs),
			);
			expect(server.requests).toHaveLength(1);
			await ('closed' in server ? server.closed() : allClosed(server));
		},
	);

	test('each hop has its own time for the answer', async () => {
		const server = await fixture.server({
			handler: (request, response) => {
				if (request.url === '/xxxxxxxxx') return false;
				setTimeout(() => redirect(`${request.url}x`)(request, response), 250);
				return true;
			},
		});
		// Less than seven answers take, and long enough for one on a machine that is busy.
		const client = fixture.client({...options, timeouts: {firstByteMs: 1_700}});
		const error = await failureOf(client.get(server.url('/x')));
		expect(error).toMatchObject({code: 'ERR_BAD_REQUEST', status: 404});
		expect(server.requests).toHaveLength(9);
	});

	describe('the whole request', () => {
		const timeouts = {...patient, requestMs: limit};
		const whole = (port: number) =>
			late('ERR_MTLS_REQUEST_TIMEOUT', `no whole answer from localhost:${port}`);

		test('a request that waits for a jar fails by requestMs', async () => {
			const server = await fixture.server();
			const client = fixture.client({...options, jar: new CookieJar(new SilentStore())});
			expect(await failureOf(client.get(server.url(), {timeouts}))).toMatchObject(
				whole(server.port),
			);
			expect(server.connections).toEqual([]);
		});

		test('a request that is still connecting fails by requestMs', async () => {
			const mute = await startTcp();
			const client = fixture.client(options);
			const request = client.get(`https://localhost:${mute.port}/`, {timeouts});
			expect(await failureOf(request)).toMatchObject(whole(mute.port));
			await mute.closed();
		});

		test('a request that is redirected again and again fails by requestMs', async () => {
			const server = await fixture.server({
				handler: (request, response) => {
					if (request.url === '/whoami') return false;
					setTimeout(() => redirect(`${request.url}x`)(request, response), limit / 4);
					return true;
				},
			});
			const client = fixture.client({...options, maxRedirects: 1_000});
			await client.get(server.url('/whoami'));
			const requestMs = 10 * limit;
			const error = await failureOf(client.get(server.url('/x'), {timeouts: {requestMs}}));
			expect(error).toMatchObject({
				...late(
					'ERR_MTLS_REQUEST_TIMEOUT',
					`no whole answer from localhost:${server.port}`,
					requestMs,
				),
				config: {url: server.url('/x')},
			});
			expect(server.requests.length).toBeGreaterThan(2);
			await allClosed(server);
		});

		test('a request whose body drips fails by requestMs', async () => {
			const server = await fixture.server({handler: dripping});
			const client = fixture.client({...options, timeouts});
			expect(await failureOf(client.get(server.url()))).toMatchObject(whole(server.port));
			await allClosed(server);
		});

		test('a request with requestMs can be cancelled before it strikes', async () => {
			const server = await fixture.server({handler: () => true});
			const client = fixture.client({...options, timeouts: {requestMs: 20_000}});
			const signal = AbortSignal.timeout(limit);
			expect(await failureOf(client.get(server.url(), {signal}))).toMatchObject({
				name: 'CanceledError',
				code: 'ERR_CANCELED',
			});
			await allClosed(server);
		});

		test('the deadline of a request ends with its response, and leaves the connection to the next one', async () => {
			const server = await fixture.server();
			const client = fixture.client({...options, timeouts: patient});
			for (let count = 0; count < 3; count += 1) {
				expect((await client.get(server.url('/whoami'))).status).toBe(200);
			}
			expect(server.connections).toHaveLength(1);
		});
	});
});

// Apart from the others, whose time the work for a large upload would take.
describe.each(exchanges)('over %s', {concurrent: true}, (_, options) => {
	test('an upload that takes its time is not waiting for an answer', async () => {
		const server = await fixture.server({
			handler: (request, response) => {
				request.pause();
				setTimeout(() => request.resume(), 900);
				request.once('end', () => response.end('thanks'));
				return true;
			},
		});
		const client = fixture.client({...options, timeouts: {firstByteMs: 700}});
		const {data} = await client.post(server.url(), Buffer.alloc(16 * 1024 * 1024));
		expect(data).toBe('thanks');
	});
});

/** Answers with a body that never ends, a piece at a time. */
function dripping(_: unknown, response: ServerResponse): boolean {
	response.writeHead(200, {'content-type': 'text/plain'});
	const timer = setInterval(() => response.write('drop'), 10);
	response.once('close', () => clearInterval(timer));
	return true;
}

describe('a streamed answer', {concurrent: true}, () => {
	// Its head is to be there before the deadline, which covers no handshake.
	const longer = 20 * limit;
	async function connected(config: ClientConfig) {
		const server = await fixture.server({
			handler: (request, response) => request.url !== '/whoami' && dripping(request, response),
		});
		const client = fixture.client({timeouts: {requestMs: longer}, ...config});
		await client.get(server.url('/whoami'), {timeouts: patient});
		return {server, client};
	}

	test.each([
		['a body as it came', {}],
		['a body that axios passes on', {onDownloadProgress() {}}],
	])('the stream of %s is destroyed with the error of requestMs', async (_, config) => {
		const {server, client} = await connected(config);
		const {data} = await client.get(server.url(), {responseType: 'stream'});
		const error = await buffer(data).catch((reason: unknown) => reason);
		expect(error).toBeInstanceOf(AxiosError);
		expect(error).toMatchObject(
			late('ERR_MTLS_REQUEST_TIMEOUT', `no whole answer from localhost:${server.port}`, longer),
		);
		await allClosed(server);
	});

	test('a streamed response is destroyed with an error that prints no secret', async () => {
		const {server, client} = await connected({});
		const headers = {Authorization: 'Bearer t0p-s3cret'};
		const {data} = await client.get(server.url(), {responseType: 'stream', headers});
		const error = await buffer(data).catch((reason: unknown) => reason);
		expect(error).toMatchObject({code: 'ERR_MTLS_REQUEST_TIMEOUT'});
		expect(printed(error)).not.toContain('t0p-s3cret');
	});

	test('a streamed response without listeners is destroyed, and nothing is uncaught', async () => {
		const {server, client} = await connected({onDownloadProgress() {}});
		const {data} = await client.get(server.url(), {responseType: 'stream'});
		await allClosed(server);
		expect(data.destroyed).toBe(true);
	});

	test('a streamed response of a status that is not accepted is destroyed too', async () => {
		const {server, client} = await connected({});
		const {response} = await failureOf(
			client.get(server.url(), {responseType: 'stream', validateStatus: () => false}),
		);
		expect(response?.status).toBe(200);
		await allClosed(server);
	});

	test('a streamed response that is read in time is complete', async () => {
		const server = await fixture.server();
		const client = fixture.client({timeouts: {requestMs: 20_000}});
		const {data} = await client.get(server.url('/whoami'), {responseType: 'stream'});
		expect((await buffer(data)).toString()).toContain('alice');
	});

	test('a streamed response is ended by the signal of the app', async () => {
		const server = await fixture.server({handler: dripping});
		const client = fixture.client({timeouts: {requestMs: 20_000}});
		const controller = new AbortController();
		const {signal} = controller;
		const {data} = await client.get(server.url(), {responseType: 'stream', signal});
		const read = buffer(data);
		controller.abort();
		await expect(read).rejects.toMatchObject({code: 'ERR_CANCELED'});
		await allClosed(server);
	});
});
