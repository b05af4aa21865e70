import {createServer} from 'node:http2';
import axios, {type AxiosRequestConfig} from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import {createAdapter, MtlsConfigError} from '../../src/index.ts';
import {createFixture, type Fixture, failureOf, mtlsFailureOf} from '../support/fixture.ts';
import {type H2Request, leadsTo, respondWith, startH2Server} from '../support/h2-server.ts';
import {listening} from '../support/listening.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const http2 = {httpVersion: 2} as const;

function login({stream}: H2Request): void {
	stream.respond({
		':status': 302,
		location: '/accounts',
		'set-cookie': ['session=s3cret; Path=/; Secure; HttpOnly', 'seen=1; Path=/'],
	});
	stream.end();
}

function busy({stream}: H2Request): void {
	stream.respond({':status': 503});
	stream.end('busy');
}

test('64 requests at a time share one handshake, and each has the facts of the connection', async () => {
	const server = await startH2Server(fixture.pki);
	const client = fixture.client(http2);

	const responses = await Promise.all(
		Array.from({length: 64}, (_, n) => client.post(server.url(`/?n=${n}`), {n})),
	);

	expect(server.connections).toHaveLength(1);
	expect(server.sessions).toHaveLength(1);
	expect(responses.map(({data}) => JSON.parse(data.body).n)).toEqual(
		Array.from({length: 64}, (_, n) => n),
	);
	for (const {data, tls} of responses) {
		expect(data.client).toBe('alice');
		expect(tls).toMatchObject({authorized: true, identity: {subject: 'CN=alice'}, resumed: false});
	}
	expect(client.mtls.stats()).toMatchObject({
		sockets: {active: 0, idle: 1, queued: 0},
		handshakes: {full: 1, resumed: 0},
	});
});

test('a request says over HTTP/2 what it says over HTTP/1.1', async () => {
	const server = await startH2Server(fixture.pki);
	const response = await fixture.client(http2).put(server.url('/a?b=c'), 'text', {
		params: {d: 'é'},
		auth: {username: 'user', password: 'pass'},
		headers: {'X-One': '1', 'X-Two': ['1', '2'], 'Content-Type': 'text/plain'},
	});

	const {':authority': authority, ...headers} = response.data.headers;
	expect(authority).toBe(`localhost:${server.port}`);
	expect(headers).toEqual({
		':method': 'PUT',
		':path': '/a?b=c&d=%C3%A9',
		':scheme': 'https',
		accept: 'application/json, text/plain, */*',
		'accept-encoding': expect.stringContaining('gzip'),
		authorization: 'Basic dXNlcjpwYXNz',
		'content-length': '4',
		'content-type': 'text/plain',
		'user-agent': `axios/${axios.VERSION}`,
		'x-one': '1',
		'x-two': '1, 2',
	});
	expect(response.data.body).toBe('text');
	expect(response.request).toMatchObject({
		method: 'PUT',
		path: '/a?b=c&d=%C3%A9',
		host: 'localhost',
		protocol: 'https:',
		reusedSocket: false,
		res: {statusCode: 200, httpVersion: '2.0', responseUrl: server.url('/a?b=c&d=%C3%A9')},
	});
	expect(response.request.getHeader('X-One')).toBe('1');
	expect(response.request.hasHeader('X-Three')).toBe(false);
});

test('headers of the connection stay at home, and Host is the authority', async () => {
	const server = await startH2Server(fixture.pki);
	const {data} = await fixture.client(http2).get(server.url(), {
		headers: {
			Connection: 'keep-alive',
			'Keep-Alive': 'timeout=5',
			'Transfer-Encoding': 'chunked',
			Upgrade: 'h2c',
			TE: 'gzip',
			Host: 'other.test',
			'X-Kept': 'yes',
		},
	});

	expect(data.headers).toMatchObject({':authority': 'other.test', 'x-kept': 'yes'});
	for (const name of ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'host']) {
		expect(data.headers).not.toHaveProperty(name);
	}
});

test.each([
	['a path', {paramsSerializer: () => 'a=\r\nb'}, 'ERR_UNESCAPED_CHARACTERS'],
	['a name of a header', {headers: {'x\u0000y': '1'}}, /ERR_INVALID_HTTP_TOKEN|^Error$/],
] as const)('the value of %s that HTTP cannot carry is not sent', async (_, config, code) => {
	const server = await startH2Server(fixture.pki);
	const client = fixture.client({...http2, baseURL: server.origin});

	const error = await client
		.get('/', {params: {a: 1}, ...config} as AxiosRequestConfig)
		.catch((reason) => reason);

	expect(error).toBeInstanceOf(Error);
	expect(error.code ?? error.name).toMatch(code);
	expect(server.requests).toEqual([]);
});

test('a login keeps the cookies of its redirect', async () => {
	const server = await startH2Server(fixture.pki, {pages: {'/login': login}});
	const client = fixture.client({...http2, jar: true, baseURL: server.origin});

	const {data, request} = await client.post('/login', {user: 'alice'});

	expect(data).toMatchObject({method: 'GET', path: '/accounts', body: ''});
	expect(data.headers.cookie).toBe('session=s3cret; seen=1');
	expect(request.res.responseUrl).toBe(server.url('/accounts'));
	expect(server.requests[0]?.headers.cookie).toBeUndefined();
	expect(server.connections).toHaveLength(1);
});

test.each([
	[307, 'POST', 'whole'],
	[302, 'GET', ''],
])('a %i is followed by %s, as over HTTP/1.1', async (status, method, body) => {
	const server = await startH2Server(fixture.pki, {pages: {'/from': leadsTo('/to', status)}});

	const {data} = await fixture.client(http2).post(server.url('/from'), 'whole');

	expect(data).toMatchObject({method, path: '/to', body});
	expect(server.connections).toHaveLength(1);
});

test('a redirect is an answer with maxRedirects 0, and too many are an error', async () => {
	const server = await startH2Server(fixture.pki, {pages: {'/': leadsTo('/')}});
	const client = fixture.client({...http2, validateStatus: null});

	const {status, headers} = await client.get(server.url(), {maxRedirects: 0});
	expect([status, headers.location]).toEqual([302, '/']);
	expect(await failureOf(client.get(server.url(), {maxRedirects: 2}))).toMatchObject({
		code: 'ERR_FR_TOO_MANY_REDIRECTS',
	});
	expect(server.requests).toHaveLength(4);
});

describe('a redirect to a stranger', () => {
	const secrets = {
		headers: {Authorization: 'Bearer token', 'X-Api-Key': 'key', 'X-Other': 'kept'},
		sensitiveHeaders: ['x-api-key'],
	};

	test('a redirect to another origin presents no certificate, no cookie and no credentials', async () => {
		const stranger = await startH2Server(fixture.pki, {clientAuth: 'request'});
		const server = await startH2Server(fixture.pki, {
			// Another origin by its name: a jar makes no difference between ports.
			pages: {'/': leadsTo(`https://127.0.0.1:${stranger.port}/`)},
		});
		const client = fixture.client({...http2, jar: true, baseURL: server.origin});
		client.mtls.jar?.setCookieSync('session=s3cret', server.origin);

		const {data, tls} = await client.get('/', secrets);

		expect(server.requests[0]?.headers).toMatchObject({
			cookie: 'session=s3cret',
			authorization: 'Bearer token',
			'x-api-key': 'key',
		});
		expect(data.client).toBeNull();
		for (const name of ['cookie', 'authorization', 'x-api-key']) {
			expect(data.headers).not.toHaveProperty(name);
		}
		expect(data.headers['x-other']).toBe('kept');
		expect(tls).toMatchObject({identity: null, clientCertificateRequested: true});
		expect(stranger.connections).toHaveLength(1);
		expect(stranger.connections[0]?.clientCertificate).toBeUndefined();
	});

	test('a redirect to a listed origin presents the certificate, and so does one back', async () => {
		const friend = await startH2Server(fixture.pki);
		const server = await startH2Server(fixture.pki, {pages: {'/': leadsTo(friend.url('/'))}});
		const client = fixture.client({
			...http2,
			mtls: {origins: [friend.origin]},
		});

		expect((await client.get(server.url(), secrets)).data.client).toBe('alice');
		expect(friend.connections[0]?.clientCertificate?.subject).toBe('alice');
	});

	test('a redirect without certificate does not affect a direct request to that origin, over a session of its own', async () => {
		const stranger = await startH2Server(fixture.pki, {clientAuth: 'request'});
		const server = await startH2Server(fixture.pki, {pages: {'/': leadsTo(stranger.url('/'))}});
		const client = fixture.client(http2);

		const led = await client.get(server.url());
		const asked = await client.get(stranger.url());
		const ledAgain = await client.get(server.url());

		expect([led, asked, ledAgain].map(({data}) => data.client)).toEqual([null, 'alice', null]);
		expect(stranger.connections.map((c) => c.clientCertificate?.subject)).toEqual([
			undefined,
			'alice',
		]);
	});

	test('a redirect to a server that speaks HTTP/1.1 alone fails, and sends it nothing', async () => {
		const stranger = await fixture.recordingServer();
		const server = await startH2Server(fixture.pki, {pages: {'/': leadsTo(stranger.url('/'))}});

		const {failure} = await mtlsFailureOf(fixture.client(http2).get(server.url()));

		expect(failure).toMatchObject({kind: 'protocol-mismatch', url: stranger.url('/')});
		expect(stranger.requests).toEqual([]);
		expect(stranger.connections).toMatchObject([{plaintextBytes: 0}]);
	});
});

describe('http2Options', () => {
	test.each(['ca', 'cert', 'key', 'rejectUnauthorized', 'checkServerIdentity', 'createConnection'])(
		'http2Options are refused with `mtls` where they would replace it: %s',
		async (name) => {
			const http2Options = {[name]: () => {}};
			const refused = {
				name: 'MtlsConfigError',
				code: 'ERR_MTLS_AGENT_CONFLICT',
				option: `http2Options.${name}`,
			};

			const client = fixture.client(http2);
			const error = await client.get('https://localhost:1/', {http2Options}).catch((e) => e);

			expect(error).toBeInstanceOf(MtlsConfigError);
			expect(error).toMatchObject(refused);
			expect(() => fixture.client({http2Options})).toThrow(expect.objectContaining(refused));
		},
	);

	test('http2Options reach the session where they are about it', async () => {
		const server = await startH2Server(fixture.pki);
		const client = fixture.client(http2);
		const settings = {initialWindowSize: 123_456, maxHeaderListSize: 9_999, enablePush: true};

		await client.get(server.url(), {http2Options: {settings, sessionTimeout: 1_000}});

		expect(server.sessions[0]?.remoteSettings).toMatchObject({
			...settings,
			// A push is nobody's.
			enablePush: false,
		});
	});

	test('http2Options that differ make separate sessions, and equal ones share one', async () => {
		const server = await startH2Server(fixture.pki);
		const client = fixture.client(http2);
		const ask = (maxHeaderListSize: number) =>
			client.get(server.url(), {http2Options: {settings: {maxHeaderListSize}}});

		await ask(9_000);
		await ask(9_000);
		await ask(8_000);

		expect(server.sessions).toHaveLength(2);
	});
});

test('lookup and family choose the way', async () => {
	const credential = await fixture.pki.server({names: ['bank.test']});
	const server = await startH2Server(fixture.pki, {credential});
	const lookups: string[] = [];
	const {data} = await fixture.client(http2).get(`https://bank.test:${server.port}/`, {
		family: 4,
		lookup: async (host: string) => {
			lookups.push(host);
			return '127.0.0.1';
		},
	} as AxiosRequestConfig);

	expect(data.client).toBe('alice');
	expect(lookups).toEqual(['bank.test']);
});

test('a server of plain HTTP/2 is asked with prior knowledge, and shown no certificate', async () => {
	const server = createServer((request, response) => response.end(`plain ${request.httpVersion}`));
	const port = await listening(server);
	const client = fixture.client(http2);

	const {data, tls} = await client.get(`http://127.0.0.1:${port}/`);
	await client.mtls.close();

	expect(data).toBe('plain 2.0');
	expect(tls).toBeUndefined();
});

describe('beside axios itself', () => {
	// axios trusts by its own options, so no client certificate is asked for.
	async function bothWays(page: (request: H2Request) => void, config: AxiosRequestConfig = {}) {
		const server = await startH2Server(fixture.pki, {clientAuth: 'none', pages: {'/': page}});
		const ask = {
			url: server.url(),
			proxy: false,
			validateStatus: null,
			...http2,
			...config,
		} as const;
		const theirs = await axios
			.create()
			.request({...ask, http2Options: {ca: fixture.pki.ca}})
			.catch((error) => error);
		const ours = await fixture
			.client()
			.request(ask)
			.catch((error) => error);
		return {theirs, ours, server};
	}

	test.each<[string, (request: H2Request) => void, AxiosRequestConfig]>([
		['a plain answer', respondWith, {}],
		['an empty answer', ({stream}) => stream.respond({':status': 204}, {endStream: true}), {}],
		['a bad status', busy, {}],
		['a HEAD', respondWith, {method: 'head'}],
		['a body with DELETE in its head alone', respondWith, {method: 'delete'}],
		[
			'bytes',
			respondWith,
			{responseType: 'arraybuffer', transformResponse: (data) => String(data)},
		],
		['an answer that is too long', respondWith, {maxContentLength: 10}],
	])('the two agree on %s', async (_, page, config) => {
		const {theirs, ours} = await bothWays(page, config);

		const shape = ({status, headers, data, code, message}: Record<string, unknown>) => ({
			status,
			headers: withoutDate(headers),
			data,
			code,
			message,
		});
		const port = /localhost:\d+/g;
		const text = (value: unknown) => JSON.stringify(value)?.replace(port, 'localhost');
		expect(text(shape(ours))).toBe(text(shape(theirs)));
	});

	test('an adapter without mtls leaves the TLS of http2Options to axios, which follows nothing', async () => {
		const server = await startH2Server(fixture.pki, {pages: {'/from': leadsTo('/to')}});
		const {cert, key} = fixture.alice;
		const instance = axios.create({
			adapter: createAdapter({jar: true}),
			proxy: false,
			validateStatus: null,
			...http2,
			http2Options: {ca: fixture.pki.ca, cert, key, sessionTimeout: 1},
		});

		expect((await instance.get(server.url('/'))).data.client).toBe('alice');
		expect((await instance.get(server.url('/from'))).status).toBe(302);
	});
});

function withoutDate(headers: unknown): unknown {
	const {date: _, ...rest} = {...(headers as Record<string, unknown>)};
	return rest;
}

test('requireClientAuth holds: a server that asks for nothing is sent nothing', async () => {
	const server = await startH2Server(fixture.pki, {clientAuth: 'none'});
	const client = fixture.client({...http2, mtls: {requireClientAuth: true}});

	const {failure, code} = await mtlsFailureOf(client.post(server.url(), 'secret'));

	expect(failure).toMatchObject({kind: 'client-auth-not-requested', side: 'server'});
	expect(code).toBe('ERR_MTLS_CLIENT_AUTH_NOT_REQUESTED');
	expect(server.requests).toEqual([]);
	expect(server.connections).toMatchObject([{plaintextBytes: 0}]);
});

test('requireClientAuth lets a server that asks answer', async () => {
	const server = await startH2Server(fixture.pki);
	const client = fixture.client({...http2, mtls: {requireClientAuth: true}});
	expect((await client.get(server.url())).status).toBe(200);
});

test('a redirect from https to http is not followed over HTTP/2 either', async () => {
	const server = await startH2Server(fixture.pki, {pages: {'/': leadsTo('http://localhost:1/')}});
	const {failure} = await mtlsFailureOf(fixture.client(http2).get(server.url()));
	expect(failure.kind).toBe('insecure-redirect');
});
