/*
 * Where we differ from axios's http adapter: section by section what axios does, and what ours does.
 * docs/differences-from-axios.md says the same; anything else that differs is a defect.
 */
import http from 'node:http';
import https from 'node:https';
import {Readable} from 'node:stream';
import axios, {type AxiosInstance, type AxiosRequestConfig, type AxiosResponse} from 'axios';
import {beforeEach, describe, expect, onTestFinished, test, vi} from 'vitest';
import {createAdapter} from '../../src/index.ts';
import {startMtlsServer} from '../../src/testing/index.ts';
import {startConnectProxy} from '../support/connect-proxy.ts';
import {
	type Answer,
	type ParityServers,
	redirect,
	startParityServers,
} from '../support/parity-server.ts';

let stage: ParityServers;
beforeEach(async () => {
	const opened = await startParityServers();
	stage = opened;
	onTestFinished(() => opened[Symbol.asyncDispose]());
});

/** What a request ends with, by axios's adapter and by ours. */
async function both(
	config: AxiosRequestConfig,
	answers: () => readonly Answer[] = () => [{}, {}, {}],
	extra: AxiosRequestConfig = {},
) {
	const theirs = axios.create({
		httpsAgent: new https.Agent({ca: stage.ca}),
		adapter: axios.getAdapter('http'),
		validateStatus: null,
	});
	const ours = axios.create({
		adapter: createAdapter({mtls: {ca: stage.ca}}),
		validateStatus: null,
		...extra,
	});
	stage.answers = [...answers()];
	const theirEnd = await endOf(theirs.request(config));
	const theirRequests = stage.requests.splice(0).map(({server, path}) => `${server} ${path}`);
	stage.answers = [...answers()];
	const ourEnd = await endOf(ours.request(config));
	const ourRequests = stage.requests.splice(0).map(({server, path}) => `${server} ${path}`);
	return {
		theirs: {...theirEnd, requests: theirRequests},
		ours: {...ourEnd, requests: ourRequests},
		again: () => endOf(ours.request(config)),
	};
}

async function endOf(request: Promise<AxiosResponse>) {
	try {
		const response = await request;
		return {
			status: response.status,
			statusText: response.statusText,
			data: response.data,
			responseUrl: response.request.res.responseUrl,
		};
	} catch (error) {
		const {code, message} = error as NodeJS.ErrnoException;
		return {code, message};
	}
}

const ok = 'HTTP/1.1 200 OK\r\n';

describe('on purpose', () => {
	test('axios follows a redirect from https to http, the client refuses it', async () => {
		const {theirs, ours} = await both({url: stage.url('s')}, () => [redirect(stage.url('a'))]);
		expect(theirs.requests).toEqual(['s /', 'a /']);
		expect(ours).toMatchObject({code: 'ERR_MTLS_INSECURE_REDIRECT', requests: ['s /']});
	});

	test.each([304, 305])(
		'a %i with a Location is followed by axios, and returned by the client',
		async (status) => {
			const raw = `HTTP/1.1 ${status} X\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n`;
			const {theirs, ours} = await both({url: stage.url('a')}, () => [{raw}, {status: 200}]);
			expect(theirs).toMatchObject({status: 200, requests: ['a /', 'a /2']});
			expect(ours).toMatchObject({status, requests: ['a /']});
		},
	);

	test('axios verifies the name of a Host header, the client the name of the URL', async () => {
		const config = {url: stage.url('s'), headers: {Host: 'virtual.test'}};
		const {theirs, ours} = await both(config, () => [{}]);
		expect(theirs).toMatchObject({code: 'ERR_TLS_CERT_ALTNAME_INVALID', requests: []});
		expect(ours).toMatchObject({status: 200, requests: ['s /']});
	});

	test('axios sends a relative redirect to the host of a Host header, the client stays', async () => {
		const config = {url: stage.url('a'), headers: {Host: `127.0.0.1:${stage.ports.b}`}};
		const {theirs, ours} = await both(config, () => [redirect('/2'), {}]);
		expect(theirs.requests).toEqual(['a /', 'b /2']);
		expect(ours.requests).toEqual(['a /', 'a /2']);
	});

	test('axios presents the certificate to the target of a redirect, the client does not', async () => {
		const stranger = await startMtlsServer({clientAuth: 'request'});
		onTestFinished(() => stranger.close());
		const bank = await startMtlsServer({
			pki: stranger.pki,
			handler: (_, response) => response.writeHead(302, {location: stranger.url('/whoami')}).end(),
		});
		onTestFinished(() => bank.close());
		const {cert, key} = await bank.pki.client({commonName: 'alice'});
		const {ca} = bank;
		await axios.get(bank.url(), {httpsAgent: new https.Agent({cert, key, ca})});
		await axios.get(bank.url(), {adapter: createAdapter({mtls: {cert, key, ca}})});
		expect(stranger.connections.map(({clientCertificate}) => clientCertificate?.subject)).toEqual([
			expect.stringContaining('alice'),
			undefined,
		]);
	});

	test('axios opens a tunnel for each request, the client one for all', async () => {
		await using proxy = await startConnectProxy();
		const settings = {proxy: {host: '127.0.0.1', port: proxy.port}};
		const theirs = axios.create({...settings, httpsAgent: new https.Agent({ca: stage.ca})});
		const ours = axios.create({...settings, adapter: createAdapter({mtls: {ca: stage.ca}})});
		stage.answers = Array.from({length: 6}, () => ({}));
		for (let i = 0; i < 3; i += 1) await theirs.get(stage.url('s'));
		expect(proxy.tunnels).toHaveLength(3);
		for (let i = 0; i < 3; i += 1) await ours.get(stage.url('s'));
		expect(proxy.tunnels).toHaveLength(4);
	});

	test('axios shows the request to a proxy that forwards, the client the one to the server', async () => {
		await using proxy = await startConnectProxy();
		const config = {
			url: stage.url('a', '/x'),
			proxy: {protocol: 'http', host: '127.0.0.1', port: proxy.port},
		};
		stage.answers = [{}, {}];
		const theirs = await axios.request({...config, adapter: axios.getAdapter('http')});
		const ours = await axios.request({...config, adapter: createAdapter()});
		expect(theirs.request).toMatchObject({host: '127.0.0.1', path: config.url});
		expect(ours.request).toMatchObject({host: 'localhost', path: '/x'});
		// Both ask the proxy for the whole URL.
		expect(proxy.forwarded.map(({target}) => target)).toEqual([config.url, config.url]);
	});

	test('axios opens a tunnel beside an https agent of the app, the client goes where the agent leads', async () => {
		await using proxy = await startConnectProxy();
		const httpsAgent = new https.Agent({ca: stage.ca});
		const settings = {httpsAgent, proxy: {host: '127.0.0.1', port: proxy.port}};
		stage.answers = [{}, {}];
		await axios.create(settings).get(stage.url('s'));
		expect(proxy.tunnels).toHaveLength(1);
		await axios.create({...settings, adapter: createAdapter()}).get(stage.url('s'));
		expect(proxy.tunnels).toHaveLength(1);
	});

	test('a refusal of the proxy is a response to axios, and an error of its own in the client', async () => {
		await using proxy = await startConnectProxy({verdict: 407});
		const config = {url: stage.url('s'), proxy: {host: '127.0.0.1', port: proxy.port}};
		const {theirs, ours} = await both(config);
		expect(theirs).toMatchObject({status: 407});
		expect(ours).toMatchObject({code: 'ERR_PROXY_AUTH_REQUIRED'});
	});

	test('axios shows user and password in responseUrl, the client does not', async () => {
		const {theirs, ours} = await both({
			url: stage.url('a', '/x'),
			auth: {username: 'me', password: 's3cret'},
		});
		expect(theirs.responseUrl).toBe(stage.url('a', '/x').replace('//', '//me:s3cret@'));
		expect(ours.responseUrl).toBe(stage.url('a', '/x'));
	});

	test('axios still sends after a cancellation in beforeRedirect, the client does not', async () => {
		const config = () => {
			const controller = new AbortController();
			return {
				url: stage.url('a'),
				signal: controller.signal,
				beforeRedirect: () => controller.abort(),
			};
		};
		stage.answers = [redirect('/2'), {}];
		const canceled = {code: 'ERR_CANCELED', message: 'canceled'};
		expect(await endOf(axios.request(config()))).toEqual(canceled);
		await vi.waitFor(() => {
			expect(stage.requests.map(({path}) => path)).toEqual(['/', '/2']);
		});
		stage.requests.length = 0;

		stage.answers = [redirect('/2'), {}];
		expect(await endOf(axios.request({...config(), adapter: createAdapter()}))).toEqual(canceled);
		await stage.quiet();
		expect(stage.requests.map(({path}) => path)).toEqual(['/']);
	});

	test('axios keeps Authorization where beforeRedirect changes the host, the client does not', async () => {
		const config = {
			url: stage.url('a'),
			headers: {Authorization: 'Bearer t'},
			beforeRedirect: (options: Record<string, unknown>) => {
				options.port = stage.ports.b;
			},
		};
		for (const [adapter, expected] of [
			[axios.getAdapter('http'), ['Authorization', 'Bearer t']],
			[createAdapter(), undefined],
		] as const) {
			stage.answers = [redirect('/2'), {}];
			await axios.request({...config, adapter});
			const [first, second] = stage.requests.splice(0);
			expect(first?.headers).toContainEqual(['Authorization', 'Bearer t']);
			expect(second?.server).toBe('b');
			expect(second?.headers.find(([name]) => name === 'Authorization')).toEqual(expected);
		}
	});

	test('axios shows the origin a Proxy-Authorization over https, the client does not', async () => {
		const config = {url: stage.url('s'), headers: {'Proxy-Authorization': 'Basic x', 'X-A': '1'}};
		const httpsAgent = new https.Agent({ca: stage.ca});
		for (const [client, expected] of [
			[axios.create({httpsAgent, adapter: axios.getAdapter('http')}), true],
			[axios.create({adapter: createAdapter({mtls: {ca: stage.ca}})}), false],
		] as const) {
			stage.answers = [{}];
			await client.request(config);
			const names = stage.requests.splice(0)[0]?.headers.map(([name]) => name);
			expect(names).toContain('X-A');
			expect(names?.includes('Proxy-Authorization')).toBe(expected);
		}
	});

	test('axios sends auth again on the way back from another origin, the client does not', async () => {
		const config = {url: stage.url('a'), auth: {username: 'me', password: 'pw'}};
		for (const [adapter, expected] of [
			[axios.getAdapter('http'), [true, false, true]],
			[createAdapter(), [true, false, false]],
		] as const) {
			stage.answers = [redirect(stage.url('b')), redirect(stage.url('a')), {}];
			await axios.request({...config, adapter});
			const sent = stage.requests
				.splice(0)
				.map(({headers}) => headers.some(([name]) => name === 'Authorization'));
			expect(sent).toEqual(expected);
		}
	});

	test('axios reports the old URL where beforeRedirect changes the path, the client the new', async () => {
		const config = {
			url: stage.url('a'),
			beforeRedirect: (options: Record<string, unknown>) => {
				options.path = '/changed';
			},
		};
		const {theirs, ours} = await both(config, () => [redirect('/2'), {}]);
		expect(theirs.requests).toEqual(['a /', 'a /changed']);
		expect(ours.requests).toEqual(theirs.requests);
		expect(theirs.responseUrl).toBe(stage.url('a', '/2'));
		expect(ours.responseUrl).toBe(stage.url('a', '/changed'));
	});

	test('a GET that meets a connection of which the server is done is sent on a new one', async () => {
		const askTwice = async (client: AxiosInstance) => {
			stage.answers = [{}, {raw: '', next: 'destroy'}, {}];
			await client.get(stage.url('a'));
			const {status, code} = await endOf(client.get(stage.url('a')));
			return {ends: status ?? code, requests: stage.requests.splice(0).length};
		};
		const httpAgent = new http.Agent({keepAlive: true});
		onTestFinished(() => httpAgent.destroy());
		const theirs = axios.create({httpAgent, adapter: axios.getAdapter('http')});
		expect(await askTwice(theirs)).toEqual({ends: 'ECONNRESET', requests: 2});
		const ours = axios.create({adapter: createAdapter()});
		expect(await askTwice(ours)).toEqual({ends: 200, requests: 3});
		// An agent of the app's own is left alone.
		const brings = axios.create({httpAgent, adapter: createAdapter()});
		expect(await askTwice(brings)).toEqual({ends: 'ECONNRESET', requests: 2});
	});

	test('an error of validateStatus reaches the caller', async () => {
		// By axios it reaches nobody: it is an uncaught exception, and the request never ends.
		const ours = axios.create({adapter: createAdapter()});
		const refused = ours.get(stage.url('a'), {
			validateStatus: () => {
				throw new TypeError('no verdict');
			},
		});
		await expect(refused).rejects.toThrow(new TypeError('no verdict'));
	});

	test('an answer that switches protocols unasked ends the request', async () => {
		// By axios the request never ends.
		stage.answers = [{raw: 'HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'}];
		const ours = axios.create({adapter: createAdapter()});
		expect(await endOf(ours.get(stage.url('a')))).toMatchObject({code: 'ERR_MTLS_PROTOCOL_SWITCH'});
	});

	test('an answer that switches to nothing ends the request', async () => {
		// By axios it is an answer.
		const {theirs, ours} = await both({url: stage.url('a')}, () => [
			{raw: 'HTTP/1.1 101 X\r\n\r\n'},
		]);
		expect(theirs).toMatchObject({status: 101});
		expect(ours).toMatchObject({code: 'ERR_MTLS_PROTOCOL_SWITCH'});
	});
});

/* undici reads answers a little otherwise than Node does, and that is seen too late to ask axios. */
describe('the client sends more than axios', () => {
	const transformRequest = (data: unknown) => data;
	test.each<[string, () => unknown, string]>([
		['a view of bytes', () => Uint8Array.from([104, 105, 33]).subarray(0, 2), 'hi'],
		['a web stream', () => new Blob(['web']).stream(), 'web'],
		['an async iterable', () => asyncTexts(), 'one two'],
		['an iterator', () => texts(), 'one two'],
		['URLSearchParams', () => new URLSearchParams({a: '1 2'}), 'a=1+2'],
	])('axios refuses %s that it has not transformed, the client sends it', async (_, make, body) => {
		const bodies: string[] = [];
		const config = {url: stage.url('a'), method: 'post', transformRequest};
		const {theirs} = await both({...config, data: make()});
		expect(theirs).toMatchObject({code: 'ERR_BAD_REQUEST', requests: []});

		stage.answers = [{}];
		const client = axios.create({adapter: createAdapter({})});
		await client.request({...config, data: make()});
		bodies.push(...stage.requests.splice(0).map((request) => request.body));
		expect(bodies).toEqual([body]);
	});
});

test.each<[string, () => unknown]>([
	['objects', () => ({a: 1})],
	['numbers', () => 1],
	['booleans', () => true],
	['ArrayBuffers', () => new ArrayBuffer(3)],
])('a stream of %s fails in the client, where axios may end the process', async (_, make) => {
	stage.answers = [{}];
	const client = axios.create({adapter: createAdapter({})});
	for (const chunks of [[make()], ['one', make()]]) {
		const sent = client.post(stage.url('a'), Readable.from(chunks, {objectMode: true}));
		await expect(sent).rejects.toMatchObject({
			isAxiosError: true,
			code: 'ERR_INVALID_ARG_TYPE',
			message: expect.stringMatching(/^expected text or bytes .* found an? /),
		});
	}
	expect(stage.requests.filter(({end}) => end === 'whole')).toEqual([]);
});

test('a stream of views is sent by their bytes', async () => {
	stage.answers = [{}];
	const client = axios.create({adapter: createAdapter({})});
	const views = [Uint16Array.from([0x6968]), new DataView(Uint8Array.from([120, 33]).buffer, 1)];
	await client.post(stage.url('a'), Readable.from(views));
	expect(stage.requests.map(({body}) => body)).toEqual(['hi!']);
});

function* texts() {
	yield 'one ';
	yield 'two';
}

async function* asyncTexts() {
	yield* texts();
}

test('axios ignores localAddress, the client connects from it', async () => {
	const {theirs, ours} = await both({url: stage.url('a'), localAddress: '203.0.113.1'});
	expect(theirs).toMatchObject({status: 200});
	expect(ours).toMatchObject({code: 'EADDRNOTAVAIL', requests: []});
});

test('axios sends a stream that is longer than its Content-Length, the client sends no more', async () => {
	const config = {url: stage.url('a'), method: 'post', headers: {'Content-Length': '3'}};
	stage.answers = [{}];
	const client = axios.create({adapter: createAdapter({})});
	const sent = client.request({...config, data: Readable.from(['four'])});
	await expect(sent).rejects.toMatchObject({code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH'});
	expect(stage.requests.filter(({body}) => body !== '')).toEqual([]);
});

test('axios says of a GET with an empty buffer that it has no body, the client says nothing', async () => {
	const config = {url: stage.url('a'), data: Buffer.alloc(0)};
	const {theirs, ours} = await both(config);
	expect(ours).toEqual(theirs);
});

describe('because undici reads the plain case', () => {
	const byAxios: AxiosRequestConfig = {onUploadProgress() {}};
	const cases: readonly [string, Answer, object, object][] = [
		[
			'a status below 100',
			{raw: 'HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\nok'},
			{status: 0},
			{code: 'HPE_INVALID_STATUS'},
		],
		[
			'a head that is broken after its Content-Length',
			{raw: `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`},
			{code: 'HPE_INVALID_TRANSFER_ENCODING'},
			{code: 'HPE_UNEXPECTED_CONTENT_LENGTH'},
		],
		[
			'a length that is too short',
			{raw: `${ok}Content-Length: 2\r\n\r\nok, and more`},
			{code: 'HPE_INVALID_CONSTANT'},
			{status: 200, data: 'ok'},
		],
		[
			'a body where there is none',
			{raw: 'HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nextra'},
			{code: 'HPE_INVALID_CONSTANT'},
			{status: 204, data: ''},
		],
	];
	test.each(cases)(
		"axios's parser and undici's differ on %s",
		async (_, answer, theirEnd, ourEnd) => {
			const {theirs, ours, again} = await both({url: stage.url('a')}, () => [answer]);
			expect(theirs).toMatchObject(theirEnd);
			expect(ours).toMatchObject(ourEnd);
			// A connection that said too much serves nobody else.
			stage.answers = [{body: 'next'}];
			expect(await again()).toMatchObject({status: 200, data: 'next'});
			const asAxios = await both({url: stage.url('a')}, () => [answer], byAxios);
			expect(asAxios.ours).toMatchObject(theirEnd);
		},
	);

	test('axios drops headers beyond a thousand, the client keeps them', async () => {
		const many = Array.from({length: 1001}, (_, i) => [`X${i}`, '1']).flat();
		stage.answers = [{headers: many}, {headers: many}];
		const theirs = await axios.get(stage.url('a'));
		const ours = await axios.get(stage.url('a'), {adapter: createAdapter()});
		expect(Object.keys(theirs.headers)).toHaveLength(1000);
		expect(Object.keys(ours.headers)).toHaveLength(1002);
	});

	test('the name of Content-Length is in lower case', async () => {
		stage.answers = [{}];
		const ours = axios.create({adapter: createAdapter()});
		const {request} = await ours.post(stage.url('a'), 'body');
		expect(request.getHeader('Content-Length')).toBe('4');
		expect(stage.requests[0]?.headers).toContainEqual(['content-length', '4']);
	});
});
