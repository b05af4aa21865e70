import {beforeAll, describe, expect, test} from 'vitest';
import type {ClientConfig, MtlsClient} from '../../src/index.ts';
import type {MtlsServer, RequestHandler} from '../../src/testing/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	redirect,
} from '../support/fixture.ts';
import {separateConcurrentTests} from '../support/on-test-finished.ts';
import {startTcp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});
// Each waits for its timeout.
separateConcurrentTests();

const timeout = 250;
/** A handshake fits in on a machine that is busy with other tests. */
const longTimeout = 1_000;
/** As axios says it. */
const late = (ms: number) => ({
	name: 'AxiosError',
	code: 'ECONNABORTED',
	message: expect.stringMatching(new RegExp(`^timeout of ${ms}ms exceeded(: .+)?$`)),
});
const timedOut = late(timeout);
const silence = {handler: ({url}: {url?: string | undefined}) => url !== '/whoami'};
const halfBody: RequestHandler = (request, response) => {
	if (request.url === '/whoami') return false;
	response.writeHead(200, {'content-type': 'text/plain', 'content-length': 10}).write('some');
	return true;
};

/** A client with a connection: the timeout of its next request covers no handshake. */
async function connected(server: MtlsServer, config: ClientConfig = {}): Promise<MtlsClient> {
	const client = fixture.client(config);
	await client.get(server.url('/whoami'), {timeout: 20_000});
	return client;
}

describe.each(exchanges)('over %s', {concurrent: true}, (_, options) => {
	test('a proxy that says nothing', async () => {
		const [server, proxy] = await Promise.all([
			fixture.server(),
			fixture.proxy({verdict: 'silence'}),
		]);
		const client = fixture.client({
			...options,
			timeout: longTimeout,
			proxy: {host: '127.0.0.1', port: proxy.port},
		});
		expect(await failureOf(client.get(server.url()))).toMatchObject(late(longTimeout));
		expect(proxy.tunnels).toHaveLength(1);
		expect(server.connections).toEqual([]);
	});

	test('a server that never answers', async () => {
		const server = await fixture.server(silence);
		const client = fixture.client({...options, timeout: longTimeout});
		expect(await failureOf(client.get(server.url()))).toMatchObject(late(longTimeout));
		await allClosed(server);
		expect(server.connections).toMatchObject([{secure: true, authorized: true}]);
		expect(server.requests).toHaveLength(1);
	});

	test('a server that never answers, on a connection that has served before', async () => {
		const server = await fixture.server({
			handler: (request) => request.url === '/silence',
		});
		const client = fixture.client(options);
		await client.get(server.url('/whoami'));
		const request = client.get(server.url('/silence'), {timeout});
		expect(await failureOf(request)).toMatchObject(timedOut);
		await allClosed(server);
		expect(server.connections).toHaveLength(1);
		// The client is as good as before.
		expect((await client.get(server.url('/whoami'))).status).toBe(200);
	});

	test.each([
		['a body that does not end, without redirects', {maxRedirects: 0}, timedOut],
		// With them axios has follow-redirects close the socket: test/parity holds us to its words.
		['a body that does not end', {}, {message: expect.stringContaining('aborted'), status: 200}],
	])('the timeout of axios strikes for %s', async (_title, redirects, expected) => {
		const server = await fixture.server({handler: halfBody});
		const client = await connected(server, {...options, timeout, ...redirects});
		expect(await failureOf(client.get(server.url()))).toMatchObject(expected);
		await allClosed(server);
	});

	// Seen: each request with a `timeout` of more than 24.8 days, which says that there is none, failed at
	// once. Why: Node's timers take no more, and fire. Now: it is as long as one can be.
	test.each([2 ** 31 - 1, 2 ** 31, Number.MAX_SAFE_INTEGER])(
		'a request with a timeout of %d ms has time enough',
		async (ms) => {
			const server = await fixture.server();
			const client = fixture.client({...options, timeout: ms});
			expect((await client.get(server.url('/whoami'))).status).toBe(200);
		},
	);

	test('the timeout of axios strikes for the sum of redirects, though each of them is quick', async () => {
		const server = await fixture.server({
			handler: (request, response) => {
				if (request.url === '/whoami') return false;
				setTimeout(() => redirect(`${request.url}x`)(request, response), timeout / 4);
				return true;
			},
		});
		const client = await connected(server, {...options, timeout: longTimeout, maxRedirects: 1000});
		expect(await failureOf(client.get(server.url('/x')))).toMatchObject({
			...late(longTimeout),
			config: {url: server.url('/x'), timeout: longTimeout},
		});
		expect(server.requests.length).toBeGreaterThan(2);
		await allClosed(server);
	});

	test.each([
		['timeoutErrorMessage', {timeoutErrorMessage: 'too slow'}, {message: 'too slow'}],
		[
			'transitional.clarifyTimeoutError',
			{transitional: {clarifyTimeoutError: true}},
			{...timedOut, code: 'ETIMEDOUT'},
		],
	])('the option %s changes the message of a timeout', async (_title, words, expected) => {
		const server = await fixture.server(silence);
		const client = fixture.client({...options, timeout, ...words});
		expect(await failureOf(client.get(server.url()))).toMatchObject(expected);
	});

	test('a timeout that is long enough leaves the answer and the connection alone', async () => {
		const server = await fixture.server();
		const client = fixture.client({...options, timeout: 10_000});
		for (let count = 0; count < 3; count += 1) {
			expect((await client.get(server.url('/whoami'))).status).toBe(200);
		}
		expect(server.connections).toHaveLength(1);
	});
});

describe.each(exchanges)('over %s', {concurrent: true}, (_, options) => {
	/** What the message says after axios's words. */
	async function stageOf(url: string, config: object, client = fixture.client(options)) {
		const {message} = await failureOf(client.get(url, {timeout, ...config}));
		const [begin, ...stage] = message.split(': ');
		expect(begin).toBe(`timeout of ${timeout}ms exceeded`);
		return stage.join(': ');
	}

	test('the timeout of a request without a TCP connection says so', async () => {
		const stage = await stageOf('https://silent.test/', {lookup: () => {}});
		expect(stage).toMatch(/^there is no (TCP )?connection to silent\.test:443 yet$/);
	});

	test('the timeout of a request whose server says nothing after it was sent says so', async () => {
		const server = await fixture.server(silence);
		const {host} = new URL(server.origin);
		expect(await stageOf(server.url(), {}, await connected(server, options))).toBe(
			`the request was sent to ${host}, and no response has begun`,
		);
	});

	test('the timeout of a body that stops says how far it had come', async () => {
		const server = await fixture.server({handler: halfBody});
		const {host} = new URL(server.origin);
		const client = await connected(server, options);
		expect(await stageOf(server.url(), {maxRedirects: 0}, client)).toMatch(
			`the head of the response (200) has arrived from ${host}, and `,
		);
	});
});

test.concurrent('the timeout of a handshake that stops says that there is a TCP connection', async () => {
	const mute = await startTcp();
	const client = fixture.client({timeout});
	expect((await failureOf(client.get(`https://localhost:${mute.port}/`))).message).toBe(
		`timeout of ${timeout}ms exceeded: there is a TCP connection to localhost:${mute.port}, and the TLS handshake is not complete`,
	);
});

test.concurrent('the timeout of a proxy that says nothing names the proxy', async () => {
	const proxy = await fixture.proxy({verdict: 'silence'});
	const client = fixture.client({timeout, proxy: {host: '127.0.0.1', port: proxy.port}});
	expect((await failureOf(client.get('https://origin.test/'))).message).toBe(
		`timeout of ${timeout}ms exceeded: there is no connection to origin.test:443 through the proxy http://127.0.0.1:${proxy.port} yet`,
	);
});

test.concurrent('the timeout of a body that stops, with redirects, says how many bytes have arrived', async () => {
	const server = await fixture.server({handler: halfBody});
	const {host} = new URL(server.origin);
	const client = await connected(server, {timeout});
	const error = await failureOf(client.get(server.url()));
	expect(error).toMatchObject({
		code: 'ERR_BAD_RESPONSE',
		message: `stream has been aborted: nothing came for ${timeout} ms (\`timeout\`): the head of the response (200) has arrived from ${host}, and 4 bytes of its body`,
	});
});
