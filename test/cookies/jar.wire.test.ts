import type {ServerResponse} from 'node:http';
import axios, {AxiosError, type RawAxiosRequestHeaders} from 'axios';
import {wrapper} from 'axios-cookiejar-support';
import {CookieJar} from 'tough-cookie';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {MtlsConfigError, withMtls} from '../../src/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	pages,
	redirect,
} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';
import {RemoteStore} from '../support/remote-store.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const login = {user: 'alice', password: 'wonderland'};
const setting = (...lines: string[]) =>
	pages({'/set': (_, response) => response.writeHead(204, {'set-cookie': lines}).end()});

describe.each(exchanges)('over %s', (_, options) => {
	test('a login on a 302 holds for 20 requests on one handshake', async () => {
		const server = await fixture.server();
		const client = fixture.client({...options, jar: true});
		const {data} = await client.post(server.url('/login'), login);
		expect(data).toMatchObject({user: 'alice', client: 'alice'});
		for (let count = 0; count < 20; count += 1) {
			expect((await client.get(server.url('/accounts'))).data).toMatchObject({user: 'alice'});
		}
		expect(server.handshakes).toEqual({full: 1, resumed: 0});
		expect(server.requests).toHaveLength(22);
		expect(client.mtls.jar?.getCookieStringSync(server.url())).toMatch(/^session=/);
	});

	test('a login does not hold without a jar', async () => {
		const server = await fixture.server();
		const error = await failureOf(fixture.client(options).post(server.url('/login'), login));
		expect(error).toMatchObject({code: 'ERR_BAD_REQUEST', response: {status: 401}});
		expect(server.requests.map(({headers}) => headers.cookie)).toEqual([undefined, undefined]);
	});

	test('a store that answers asynchronously keeps the session', async () => {
		const server = await fixture.server();
		const store = new RemoteStore();
		const client = fixture.client({...options, jar: new CookieJar(store)});
		await client.post(server.url('/login'), login);
		expect((await client.get(server.url('/accounts'))).data).toMatchObject({user: 'alice'});
		await client.post(server.url('/logout'));
		expect(await failureOf(client.get(server.url('/accounts')))).toMatchObject({
			response: {status: 401},
		});
		expect(store.asked).toBeGreaterThan(0);
	});

	test('a request may bring its own jar, or none', async () => {
		const server = await fixture.server();
		const client = fixture.client({...options, jar: true});
		const own = new CookieJar();
		await client.post(server.url('/login'), login, {jar: own});
		expect(client.mtls.jar?.getCookiesSync(server.url())).toEqual([]);
		expect(own.getCookiesSync(server.url())).toHaveLength(1);

		expect((await client.get(server.url('/accounts'), {jar: own})).status).toBe(200);
		await client.post(server.url('/login'), login);
		const error = await failureOf(client.get(server.url('/accounts'), {jar: false}));
		expect(error.response?.status).toBe(401);
		expect(server.requests.at(-1)?.headers).not.toHaveProperty('cookie');
	});

	test('cookies of a response with `jar: false` are not kept', async () => {
		const server = await fixture.server({handler: setting('a=1')});
		const client = fixture.client({...options, jar: true});
		await client.get(server.url('/set'), {jar: false});
		expect(client.mtls.jar?.getCookiesSync(server.url())).toEqual([]);
		await client.get(server.url('/set'));
		expect(client.mtls.jar?.getCookiesSync(server.url())).toHaveLength(1);
	});

	// Seen: a server exchanged the session cookie with an answer that was then cut off, and the client
	// went on with the old one. Why: cookies were taken from whole answers. Now: from each head.
	test.each<[string, object, (response: ServerResponse) => void]>([
		[
			'is cut off',
			{'content-length': 9},
			(response) => response.write('x', () => response.destroy()),
		],
		['is too long', {}, (response) => response.end('x'.repeat(101))],
		[
			'is not what its encoding says',
			{'content-encoding': 'gzip'},
			(response) => response.end('none'),
		],
	])(
		'cookies of an answer whose body %s are kept, and it fails',
		async (_title, headers, write) => {
			const server = await fixture.server({
				handler: pages({
					'/broken': (_, response) => {
						write(response.writeHead(200, {...headers, 'set-cookie': 'sid=2; Path=/'}));
					},
				}),
			});
			const client = fixture.client({...options, jar: true, maxContentLength: 100});
			await failureOf(client.get(server.url('/broken')));
			expect(client.mtls.jar?.getCookieStringSync(server.url())).toBe('sid=2');
			await failureOf(client.get(server.url('/broken'), {jar: false}));
			expect(server.requests.map(({headers}) => headers.cookie)).toEqual([undefined, undefined]);
		},
	);

	test('a proxy sets no cookie of the server, not with half an answer either', async () => {
		const proxy = await startPlainHttp((_request, response) => {
			response.writeHead(407, {'set-cookie': 'sid=proxy; Path=/', 'content-length': 9});
			response.write('x', () => response.destroy());
		});
		const client = fixture.client({
			...options,
			jar: true,
			proxy: {protocol: 'http', host: '127.0.0.1', port: proxy.port},
		});
		await failureOf(client.get('http://bank.test/'));
		expect(client.mtls.jar?.getCookieStringSync('http://bank.test/')).toBe('');
	});

	test.each([
		['text', 'cookies.txt', 'jar: expected a tough-cookie CookieJar, true or false, found string'],
		['`true` without one', true, 'jar: `true` asks for the jar of a client that has none'],
	])(
		'a jar of a request that is %s is refused, and nothing is sent',
		async (_title, jar, message) => {
			const server = await fixture.server();
			const request = fixture.client(options).get(server.url(), {jar: jar as never});
			const error = await request.catch((reason: unknown) => reason);
			expect(error).toBeInstanceOf(MtlsConfigError);
			expect(error).toMatchObject({code: 'ERR_MTLS_BAD_OPTION', option: 'jar', message});
			expect(server.connections).toEqual([]);
		},
	);

	test("the app's own Cookie header wins by name, on each hop", async () => {
		const server = await fixture.server({
			handler: pages({
				'/set': (_request, response) =>
					response.writeHead(302, {location: '/go', 'set-cookie': ['a=jar', 'b=jar']}).end(),
				'/go': redirect('/echo'),
			}),
		});
		const headers = {cookie: 'a=mine; c=mine'};
		const {data, config} = await fixture
			.client({...options, jar: true})
			.get(server.url('/set'), {headers});
		expect(data.headers.cookie).toBe('b=jar; a=mine; c=mine');
		expect(server.requests.map((request) => request.headers.cookie)).toEqual([
			'a=mine; c=mine',
			'b=jar; a=mine; c=mine',
			'b=jar; a=mine; c=mine',
		]);
		// What the jar added belongs to one hop: sent again, the config does not carry it.
		expect(config.headers.get('Cookie')).toBe('a=mine; c=mine');
	});

	test.each([false, null])(
		'a Cookie header of %s is not sent, beside the jar too',
		async (Cookie) => {
			const server = await fixture.server();
			const client = fixture.client({...options, jar: true});
			const headers = {Cookie} as RawAxiosRequestHeaders;
			expect((await client.get(server.url('/echo'), {headers})).data.headers.cookie).toBe(
				undefined,
			);
			client.mtls.jar?.setCookieSync('own=1; Path=/', server.url());
			expect((await client.get(server.url('/echo'), {headers})).data.headers.cookie).toBe('own=1');
		},
	);

	test('two cookies of one name on two paths are both sent, one malformed fails none', async () => {
		const server = await fixture.server({
			handler: setting(
				'n=wide; Path=/',
				'n=deep; Path=/echo',
				'=;;',
				'evil=1; Domain=com',
				'h=1; HttpOnly; Path=/',
			),
		});
		const client = fixture.client({...options, jar: true});
		expect((await client.get(server.url('/set'))).status).toBe(204);
		const {data} = await client.get(server.url('/echo'));
		expect(data.headers.cookie).toBe('n=deep; n=wide; h=1');
	});

	test('a Secure cookie does not go to http://localhost, another one does', async () => {
		const server = await fixture.server({
			handler: setting('safe=1; Secure; Path=/', 'any=1; Path=/'),
		});
		const plain = await startPlainHttp();
		const client = fixture.client({...options, jar: true});
		await client.get(server.url('/set'));
		await client.get(plain.origin);
		expect(plain.requests[0]?.headers.cookie).toBe('any=1');
		expect((await client.get(server.url('/echo'))).data.headers.cookie).toBe('safe=1; any=1');
	});

	test('cookies of an error and of a response without redirect are kept too', async () => {
		const server = await fixture.server({
			handler: pages({
				'/fail': (_request, response) =>
					response.writeHead(500, {'set-cookie': 'failed=1; Path=/'}).end(),
			}),
		});
		const client = fixture.client({...options, jar: true});
		await failureOf(client.get(server.url('/fail')));
		expect((await client.get(server.url('/echo'))).data.headers.cookie).toBe('failed=1');
	});

	test.each([
		['read', 'findCookies', 0],
		['written', 'putCookie', 1],
	] as const)(
		'a store that cannot be %s fails the request in clear words',
		async (what, method, requests) => {
			const server = await fixture.server({handler: setting('a=s3cret')});
			const store = new RemoteStore();
			const reason = Object.assign(new Error('cannot parse a=s3cret'), {code: 'ECONNREFUSED'});
			store[method] = (...args: unknown[]) => store.answer(args, () => Promise.reject(reason));
			const client = fixture.client({...options, jar: new CookieJar(store)});
			const error = await failureOf(client.get(server.url('/set')));
			expect(error).toBeInstanceOf(AxiosError);
			expect(error).toMatchObject({
				code: 'ERR_MTLS_JAR_FAILED',
				message: `the cookie jar could not be ${what} (ECONNREFUSED)`,
				cause: reason,
				config: {url: server.url('/set')},
			});
			expect(JSON.stringify(error)).not.toContain('s3cret');
			expect(server.requests).toHaveLength(requests);
		},
	);
});

// Seen: a connection that stayed open for as long as the server liked. Why: the cookies of an answer
// could not be kept, so the app got the error alone, and nobody had its stream to close it.
test('a streamed answer whose cookies cannot be kept leaves no connection behind', async () => {
	const server = await fixture.server({
		handler(_, response) {
			response.writeHead(200, {'set-cookie': 'a=1'}).write('an answer without an end');
			return true;
		},
	});
	const store = new RemoteStore();
	store.putCookie = (...args) => store.answer(args, () => Promise.reject(new Error('full')));
	const client = fixture.client({jar: new CookieJar(store), responseType: 'stream'});
	const error = await failureOf(client.get(server.url('/')));
	expect(error.code).toBe('ERR_MTLS_JAR_FAILED');
	await allClosed(server);
});

describe('an instance of axios-cookiejar-support', () => {
	test('an instance of axios-cookiejar-support keeps its jar under withMtls, with a certificate, on one handshake', async () => {
		const server = await fixture.server();
		const jar = new CookieJar();
		const {cert, key} = fixture.alice;
		const client = withMtls(wrapper(axios.create({jar, proxy: false})), {
			mtls: {cert, key, ca: fixture.pki.ca},
			logger: false,
		});
		onTestFinished(() => client.mtls.close());
		await client.post(server.url('/login'), login);
		const {data} = await client.get(server.url('/accounts'));
		expect(data).toMatchObject({user: 'alice', client: 'alice'});
		expect(jar.getCookiesSync(server.url())).toHaveLength(1);
		expect(server.handshakes).toEqual({full: 1, resumed: 0});
	});

	test('an instance of axios-cookiejar-support takes a jar per request', async () => {
		const server = await fixture.server();
		const {cert, key} = fixture.alice;
		const client = withMtls(wrapper(axios.create({proxy: false})), {
			mtls: {cert, key, ca: fixture.pki.ca},
			logger: false,
		});
		onTestFinished(() => client.mtls.close());
		const jar = new CookieJar();
		await client.post(server.url('/login'), login, {jar});
		expect((await client.get(server.url('/accounts'), {jar})).status).toBe(200);
		expect((await failureOf(client.get(server.url('/accounts')))).response?.status).toBe(401);
	});

	test.each([
		['a jar', new CookieJar()],
		['true', true],
		['false', false],
		['a file', '/nowhere/session.cookies'],
	])('an instance of axios-cookiejar-support is refused by withMtls with %s besides', (_, jar) => {
		const instance = wrapper(axios.create({jar: new CookieJar()}));
		const {adapter} = instance.defaults;
		expect(() => withMtls(instance, {jar, logger: false})).toThrow(
			expect.objectContaining({
				name: 'MtlsConfigError',
				code: 'ERR_MTLS_BAD_OPTION',
				option: 'jar',
				message:
					'jar: the instance has one already (`defaults.jar`), which its requests would use instead: give it to axios.create() or to withMtls(), not to both',
			}),
		);
		expect(instance.defaults.adapter).toBe(adapter);
	});

	test('`client.mtls.jar` is the jar that an instance of axios-cookiejar-support uses', () => {
		const [first, later] = [new CookieJar(), new CookieJar()];
		const client = withMtls(wrapper(axios.create({jar: first})), {logger: false});
		expect(client.mtls.jar).toBe(first);
		expect(client.create().mtls.jar).toBe(first);
		client.defaults.jar = later;
		expect(client.mtls.jar).toBe(later);
		expect(withMtls(wrapper(axios.create()), {logger: false}).mtls.jar).toBeUndefined();
	});

	test('an instance of axios-cookiejar-support may be given its own jar again', () => {
		const jar = new CookieJar();
		const client = withMtls(wrapper(axios.create({jar})), {jar, logger: false});
		expect(client.mtls.jar).toBe(jar);
	});

	test.each([true, false])(
		'an instance that one of axios-cookiejar-support creates keeps its own jar, or inherits one: %s',
		async (isOwn) => {
			const server = await fixture.server();
			const [inherited, own] = [new CookieJar(), new CookieJar()];
			const {cert, key} = fixture.alice;
			const parent = withMtls(wrapper(axios.create({jar: inherited, proxy: false})), {
				mtls: {cert, key, ca: fixture.pki.ca},
				logger: false,
			});
			onTestFinished(() => parent.mtls.close());
			const child = parent.create(isOwn ? {jar: own} : {});
			await child.post(server.url('/login'), login);
			const cookies = [inherited, own].map((jar) => jar.getCookiesSync(server.url()).length);
			expect(cookies).toEqual(isOwn ? [0, 1] : [1, 0]);
		},
	);
});
