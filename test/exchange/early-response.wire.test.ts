/*
 * Responses that come before their request is out (RFC 9112 §9.3): what becomes of the call, of the
 * connection and of the next request. For the call axios is the oracle.
 */
import https from 'node:https';
import {Readable} from 'node:stream';
import axios, {type AxiosResponse} from 'axios';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {MtlsAgent} from '../../src/index.ts';
import {type Answers, type EarlyAnswer, startEarlyServer} from '../support/early-server.ts';
import {createFixture, exchanges, type Fixture, failureOf} from '../support/fixture.ts';
import {iterations, sample} from '../support/iterations.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const megabyte = Buffer.alloc(1_000_000);
/** More than the system takes that nobody reads. */
const large = Buffer.alloc(iterations({usual: 12_000_000, short: 8_000_000, long: 30_000_000}));
const veryLarge = iterations({usual: 64_000_000, short: 32_000_000});
const timeout = 10_000;

async function early(answer: EarlyAnswer | Answers) {
	const {cert, key} = await fixture.pki.server();
	const secure = {cert, key, ca: fixture.pki.ca, requestCert: true};
	const server = await startEarlyServer(answer, secure);
	const url = (path = '/') => `https://localhost:${server.port}${path}`;
	return Object.assign(server, {url});
}

/** axios itself, with connections kept alive. */
function plainAxios() {
	const {cert, key} = fixture.alice;
	const httpsAgent = new https.Agent({cert, key, ca: fixture.pki.ca, keepAlive: true});
	onTestFinished(() => httpsAgent.destroy());
	return axios.create({httpsAgent, proxy: false, timeout});
}

/** What a call comes to, as far as an app sees it. */
async function endOf(call: Promise<AxiosResponse>) {
	try {
		const {status, data} = await call;
		// Which connection has answered is not a part of it.
		return {status, data: /^\d+$/.test(data) ? 'next' : data};
	} catch (error) {
		if (!axios.isAxiosError(error)) throw error;
		const {code, message, response} = error;
		return {code, message, status: response?.status, data: response?.data};
	}
}

/** Resolves once no connection of `client` carries a request. */
async function atRest({mtls}: {mtls: {stats(): {sockets: object}}}, idle: number) {
	const sockets = {active: 0, idle, queued: 0};
	await expect.poll(() => mtls.stats().sockets, {timeout: 5_000}).toEqual(sockets);
}

const nexts = ['reads on', 'stops reading', 'closes'] as const;
const sizes = [
	['1 kB', Buffer.alloc(1_000)],
	['1 MB', megabyte],
	['many MB', large],
] as const;
// In this order a sample has each size with each end of the server.
const matrix = nexts.flatMap((next) =>
	sizes.flatMap(([size, data]) =>
		[413, 303, 401, 200].map((status) => ({status, size, data, next})),
	),
);
const odd: readonly [string, EarlyAnswer][] = [
	['a 204', {status: 204, next: 'stops reading'}],
	['a 304', {status: 304, next: 'stops reading'}],
	[
		'chunks that break off',
		{status: 200, next: 'closes', raw: 'Transfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n'},
	],
	['half a body', {status: 200, next: 'closes', raw: 'Content-Length: 9\r\n\r\nearly'}],
	['a body up to the end', {status: 413, next: 'closes', raw: '\r\nearly'}],
];

describe.each(exchanges)('over %s', (_, options) => {
	test.each(sample(matrix))(
		'a $status before an upload of $size ends the call as in axios, and the next request is answered, where the server $next',
		async ({status, size, data, next}) => {
			const server = await early({status, next});
			const theirs = await endOf(plainAxios().post(server.url(), data, options));
			expect(theirs.status, 'axios itself').toBe(status === 303 ? 200 : status);
			const client = fixture.client({timeout, ...options});

			expect(await endOf(client.post(server.url(), data))).toEqual(theirs);

			// Whether a megabyte was read, or lies in the buffers of the system, cannot be seen.
			if (status === 200 && size === '1 MB' && next === 'stops reading') return;
			expect((await client.get(server.url('/next'))).status).toBe(200);
		},
	);

	test.each(sample(odd))(
		'a response %s before a large upload ends the call as in axios, and the next request is answered',
		async (_title, answer) => {
			const server = await early(answer);
			const theirs = await endOf(plainAxios().post(server.url(), large, options));
			const client = fixture.client({timeout, ...options});
			expect(await endOf(client.post(server.url(), large))).toEqual(theirs);
			expect((await client.get(server.url('/next'))).status).toBe(200);
		},
	);

	test('an upload that is cut off is answered or broken, and the next request is answered', async () => {
		const server = await early({status: 413, next: 'cuts it off'});
		const client = fixture.client({timeout, ...options});
		const {code} = await failureOf(client.post(server.url(), large));
		// Who closes with bytes unread may take the response back (RFC 9112 §9.6).
		expect(code).toMatch(/^(ERR_BAD_REQUEST|ECONNRESET|EPIPE)$/);
		expect((await client.get(server.url('/next'))).status).toBe(200);
	});

	test.each(sample(['reads on', 'stops reading'] as const, 2))(
		'the connection of an upload that is not out is ended, where the server %s',
		async (next) => {
			const server = await early({status: 413, next});
			const client = fixture.client({timeout, ...options});
			// A server that reads on takes 2 MB in each turn of the event loop, and the end needs some.
			const upload = Buffer.alloc(next === 'reads on' ? veryLarge : 24_000_000);
			await failureOf(client.post(server.url(), upload));
			await atRest(client, 0);
			const [request] = server.requests;
			// Else it would not see the end.
			request?.socket.resume();
			await expect.poll(() => server.open).toBe(0);
			expect(request?.bytes).toBeLessThan(upload.length);
		},
	);

	// A refusal says that the body was not wanted, and 64 kB come along with the head of a request.
	test.each(
		sample([
			[413, 65_535, 1],
			[413, 65_536, 1],
			[413, 65_537, 2],
			[303, 65_536, 1],
			[303, 65_537, 2],
			[300, 65_537, 2],
			[299, 65_537, 1],
			[200, 1_000_000, 1],
		]),
	)(
		'the request after a %i to an upload of %i bytes that is read is on connection %i',
		async (status, bytes, connection) => {
			const server = await early({status, next: 'reads on'});
			const client = fixture.client({timeout, validateStatus: null, ...options});
			await client.post(server.url(), Buffer.alloc(bytes));
			await expect.poll(() => client.mtls.stats().sockets.active).toBe(0);
			expect((await client.get(server.url('/next'))).data).toBe(connection);
		},
	);

	test('uploads of a megabyte that are read leave their connection to the next one', async () => {
		const server = await early(() => undefined);
		const client = fixture.client({timeout, ...options});
		for (let n = 0; n < 10; n += 1) {
			expect((await client.post(server.url(), megabyte)).data).toBe(1);
			// Node frees a connection a moment after its answer.
			await atRest(client, 1);
		}
		expect(server.requests).toHaveLength(10);
	});

	test.each(sample(nexts))(
		'an upload that an early 307 sends elsewhere arrives there whole, where the server %s',
		async (next) => {
			const server = await early((head) =>
				head.startsWith('POST / ') ? {status: 307, next} : undefined,
			);
			const client = fixture.client({timeout, ...options});
			expect((await client.post(server.url(), large)).data).toBe(2);
			const [first, second] = server.requests;
			expect(first?.head).toMatch(/^POST \/ /);
			expect(second).toMatchObject({connection: 2, bytes: large.length});
			expect(second?.head).toMatch(/^POST \/next /);
		},
	);

	test('an early 401 in a session is answered by a login, and the upload is sent once more', async () => {
		let loggedIn = false;
		const server = await early((head) => {
			if (head.startsWith('GET /login ')) loggedIn = true;
			else if (!loggedIn) return {status: 401, next: 'stops reading'};
			return undefined;
		});
		const client = fixture.client({
			timeout,
			jar: true,
			session: {login: (http) => http.get(server.url('/login')), loginTimeoutMs: 5_000},
			...options,
		});
		await client.get(server.url('/login'));
		loggedIn = false;
		expect((await client.post(server.url(), large)).status).toBe(200);
		expect(server.requests.at(-1)).toMatchObject({bytes: large.length});
	});

	test.each(
		sample(
			[
				['a tunnel', false],
				['a tunnel of an https proxy', true],
			] as const,
			2,
		),
	)('an early 413 through %s does not block the next request', async (_title, secure) => {
		const {cert, key} = await fixture.pki.server();
		const {port} = await fixture.proxy(secure ? {tls: {cert, key}} : {});
		const server = await early({status: 413, next: 'stops reading'});
		const client = fixture.client({
			timeout,
			proxy: {protocol: secure ? 'https' : 'http', host: 'localhost', port},
			mtls: {proxy: {ca: fixture.pki.ca}},
			...options,
		});
		expect((await failureOf(client.post(server.url(), large))).response?.status).toBe(413);
		expect((await client.get(server.url('/next'))).data).toBe(2);
		await atRest(client, 1);
	});

	test('an early response over plain http through a proxy does not block the next request', async () => {
		const proxy = await startEarlyServer({status: 413, next: 'stops reading'});
		const client = fixture.client({
			timeout,
			proxy: {host: '127.0.0.1', port: proxy.port},
			...options,
		});
		const {response} = await failureOf(client.post('http://a.test/', large));
		expect(response?.status).toBe(413);
		expect((await client.get('http://a.test/next')).data).toBe(2);
	});

	test('a stuck upload is ended by timeout, and the next request is answered', async () => {
		const server = await early({next: 'stops reading'});
		const client = fixture.client(options);
		// The timeout covers no handshake.
		expect((await client.get(server.url('/next'), {timeout})).data).toBe(1);
		const error = await failureOf(client.post(server.url(), large, {timeout: 300}));
		expect(error).toMatchObject({
			code: 'ECONNABORTED',
			message: expect.stringMatching(/^timeout of 300ms exceeded: /),
		});
		expect((await client.get(server.url('/next'), {timeout})).data).toBe(2);
	});

	test('a stuck upload that is cancelled does not block the next request', async () => {
		const server = await early({next: 'stops reading'});
		const client = fixture.client({timeout, ...options});
		const controller = new AbortController();
		const {signal} = controller;
		const upload = failureOf(client.post(server.url(), large, {signal}));
		await expect.poll(() => server.requests.length, {timeout: 5_000}).toBe(1);
		controller.abort();
		expect((await upload).code).toBe('ERR_CANCELED');
		expect((await client.get(server.url('/next'))).data).toBe(2);
	});
});

describe('a streamed upload', () => {
	/** Says when it was read to its end. */
	function source(chunks: number) {
		const stream = Readable.from(Array.from({length: chunks}, () => megabyte));
		return {stream, closed: new Promise((resolve) => stream.once('close', resolve))};
	}

	test.each(sample(nexts))(
		'a streamed upload that an early 413 overtakes is drained, and the next request is answered, where the server %s',
		async (next) => {
			const server = await early({status: 413, next});
			const client = fixture.client({timeout});
			const {stream, closed} = source(30);
			const {response} = await failureOf(client.post(server.url(), stream));
			expect(response?.data).toBe('early');
			expect((await client.get(server.url('/next'))).status).toBe(200);
			await closed;
			expect(stream.readableEnded).toBe(true);
			await atRest(client, 1);
		},
	);

	test('a streamed upload that an early 307 redirects arrives complete', async () => {
		const server = await early((head) =>
			head.startsWith('POST / ') ? {status: 307, next: 'stops reading'} : undefined,
		);
		const {stream} = source(8);
		const headers = {'Content-Length': 8 * megabyte.length};
		await fixture.client({timeout}).post(server.url(), stream, {headers});
		expect(server.requests.at(-1)).toMatchObject({connection: 2, bytes: 8 * megabyte.length});
	});

	// The response has begun, and is not complete: both go on.
	test('a streamed upload goes on while its response has begun', async () => {
		const server = await fixture.server({
			handler: (request, response, {ended}) => {
				if (request.method !== 'POST') return false;
				response.write('begun ');
				void ended.then(() => response.end('done'));
				return true;
			},
		});
		const client = fixture.client({timeout});
		const {stream} = source(12);
		const {data} = await client.post(server.url('/x'), stream, {responseType: 'stream'});
		let text = '';
		for await (const chunk of data) text += chunk;
		expect(text).toBe('begun done');
		expect(server.requests[0]?.body).toHaveLength(12 * megabyte.length);
		await atRest(client, 1);
		await client.post(server.url('/echo'), source(1).stream);
		expect(server.connections).toHaveLength(1);
	});
});

test('an early 413 in axios itself with an MtlsAgent does not block the next request', async () => {
	const {cert, key} = fixture.alice;
	const httpsAgent = new MtlsAgent({cert, key, ca: fixture.pki.ca}, {proxy: false, logger: false});
	onTestFinished(() => httpsAgent.destroy());
	const client = axios.create({httpsAgent, proxy: false, timeout});
	const server = await early({status: 413, next: 'stops reading'});
	expect((await failureOf(client.post(server.url(), large))).response?.status).toBe(413);
	expect((await client.get(server.url('/next'))).data).toBe(2);
});
