/*
 * What an app relies on, in short. `.ci/run` runs it beside other versions of axios, tough-cookie and
 * axios-cookiejar-support too (`run-beside.ts`): BESIDE names the folder in which they are.
 */
import {Readable} from 'node:stream';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import axios, {AxiosError, AxiosHeaders, isAxiosError, isCancel} from 'axios';
import {wrapper} from 'axios-cookiejar-support';
import {beforeAll, describe, expect, test} from 'vitest';
import {
	CookieJar,
	createAdapter,
	createClient,
	MtlsAgent,
	MtlsConfigError,
	withMtls,
} from '../../src/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
	pages,
	redirect,
} from '../support/fixture.ts';
import {startH2Server} from '../support/h2-server.ts';
import {closedPort} from '../support/plain-server.ts';
import {printedForms} from '../support/printed-forms.ts';
import {loginAndGet, startSessionPages} from '../support/session-pages.ts';
import {proveBeside, versionFor} from './prove.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const packages = process.env.BESIDE ?? fileURLToPath(new URL('../../', import.meta.url));

test('these tests run with the axios that is installed, and docs/compatibility.md has its version', () => {
	expect(axios.VERSION).toBe(versionFor(packages, 'axios'));
	for (const name of ['axios', 'tough-cookie', 'axios-cookiejar-support'])
		proveBeside(name, packages);
});

describe.each(exchanges)('over %s', (_, options) => {
	test('a client presents its certificate and reports what the server presented', async () => {
		const server = await fixture.server();
		const client = fixture.client({baseURL: server.origin, ...options});

		const {status, data, tls, headers, config} = await client.get('/whoami', {
			params: {a: 'b', c: 1},
		});

		expect(status).toBe(200);
		expect(data).toMatchObject({client: 'alice'});
		expect(tls).toMatchObject({authorized: true, clientCertificateRequested: true});
		expect(headers).toBeInstanceOf(AxiosHeaders);
		expect(headers['content-type']).toBe('application/json');
		expect(config.headers).toBeInstanceOf(AxiosHeaders);
		expect(server.requests[0]?.url).toBe('/whoami?a=b&c=1');
		await client.post('/echo', {b: 1});
		expect(server.connections).toHaveLength(1);
	});

	test('a login keeps the cookie that it gets on a redirect', async () => {
		const server = await fixture.server();
		const client = fixture.client({baseURL: server.origin, jar: true, ...options});

		const {data} = await client.post('/login', {user: 'alice', password: 'wonderland'});

		expect(data).toMatchObject({user: 'alice', client: 'alice'});
		expect(server.requests.map(({method, url}) => `${method} ${url}`)).toEqual([
			'POST /login',
			'GET /accounts',
		]);
		expect((await client.get('/whoami')).data).toMatchObject({user: 'alice'});
		expect((await client.get('/whoami', {jar: false})).data).toMatchObject({user: null});
	});

	test('a redirect that is repeated for ever ends', async () => {
		const server = await fixture.server({handler: pages({'/again': redirect('/again')})});
		const client = fixture.client({baseURL: server.origin, ...options});

		const error = await failureOf(client.get('/again', {maxRedirects: 3}));

		expect(error.code).toBe('ERR_FR_TOO_MANY_REDIRECTS');
		expect(server.requests).toHaveLength(4);
		const {status} = await client.get('/again', {maxRedirects: 0, validateStatus: null});
		expect(status).toBe(302);
	});

	test('a refused connection has its kind, its code and its cause', async () => {
		const server = await fixture.server();
		const anonymous = createClient({mtls: {ca: fixture.pki.ca}, logger: false, proxy: false});

		const required = await mtlsFailureOf(anonymous.get(server.url('/whoami'), options));
		expect(required.failure).toMatchObject({kind: 'client-certificate-required', side: 'client'});
		expect(required).toBeInstanceOf(AxiosError);
		expect(isAxiosError(required)).toBe(true);
		expect(required.cause).toBeInstanceOf(Error);
		expect(required.config?.url).toBe(server.url('/whoami'));

		const {cert, key} = fixture.alice;
		const trusting = createClient({mtls: {cert, key}, logger: false, proxy: false});
		const untrusted = await mtlsFailureOf(trusting.get(server.url('/whoami'), options));
		expect(untrusted.failure).toMatchObject({kind: 'untrusted-issuer', side: 'server'});
		expect(untrusted.code).toBe('SELF_SIGNED_CERT_IN_CHAIN');
		expect(server.requests).toEqual([]);
	});

	test('a failed response, a closed port, a timeout and a cancelled request are those of axios', async () => {
		const server = await fixture.server({handler: ({url}) => url === '/silent'});
		const client = fixture.client({baseURL: server.origin, ...options});

		const missing = await failureOf(client.get('/missing', {headers: {'X-Key': 'hush-hush'}}));
		expect(missing).toMatchObject({code: 'ERR_BAD_REQUEST', name: 'AxiosError'});
		expect(missing.response?.status).toBe(404);
		expect(missing.response?.data).toEqual({error: 'no /missing here'});
		expect(missing.config?.headers.get('X-Key')).toBe('hush-hush');
		expect(printedForms(missing)).not.toContain('hush-hush');

		const closed = await failureOf(client.get(`https://localhost:${await closedPort()}/`));
		expect(closed.code).toBe('ECONNREFUSED');

		const late = await failureOf(client.get('/silent', {timeout: 50}));
		expect(late).toMatchObject({
			code: 'ECONNABORTED',
			message: expect.stringMatching(/^timeout of 50ms exceeded: /),
		});

		const controller = new AbortController();
		const cancelled = client.get('/silent', {signal: controller.signal});
		controller.abort();
		const error = await failureOf(cancelled);
		expect(isCancel(error)).toBe(true);
		expect(error.code).toBe('ERR_CANCELED');
	});

	// Before 1.19 axios shows no interceptor the error of a request that was cancelled already.
	test('a request that was cancelled before it began prints no secret', async () => {
		const client = fixture.client(options);

		const error = await failureOf(
			client.get('https://localhost/', {
				headers: {'X-Key': 'hush-hush'},
				signal: AbortSignal.abort(),
			}),
		);

		expect(isCancel(error)).toBe(true);
		expect(error.config?.headers.get('X-Key')).toBe('hush-hush');
		expect(printedForms(error)).not.toContain('hush-hush');
	});

	// Before 1.13.3 axios copies the fields of a cause to its own error.
	test('the error of a body that fails has no field of its cause', async () => {
		const server = await fixture.server();
		const client = fixture.client(options);
		const cause = Object.assign(new Error('of the body'), {token: 'hush-hush', errno: -1});
		const body = new Readable({read: () => body.destroy(cause)});

		const error = await failureOf(client.post(server.url('/echo'), body));

		expect(error.message).toBe('of the body');
		expect(error.cause).toBe(cause);
		expect(Object.keys(error)).not.toContain('token');
	});

	// axios 1.7 leaves it open.
	test('the connection of a request that took too long is closed', async () => {
		const server = await fixture.server({handler: () => true});
		const client = fixture.client(options);

		await failureOf(client.get(server.url('/silent'), {timeout: 50}));

		await allClosed(server);
	});

	test('streams go up and come down', async () => {
		const server = await fixture.server();
		const client = fixture.client({baseURL: server.origin, ...options});
		const body = 'x'.repeat(100_000);

		const {data} = await client.post('/echo', Readable.from([body, body]), {
			responseType: 'stream',
			headers: {'Content-Type': 'text/plain'},
		});

		expect(JSON.parse(await text(data))).toMatchObject({method: 'POST', body: body + body});
	});

	test('a body is sent in the form that was asked for', async () => {
		const server = await fixture.server();
		const client = fixture.client({baseURL: server.origin, ...options});
		const bodyOf = async (sent: Promise<{data: {body: string}}>) => (await sent).data.body;

		expect(await bodyOf(client.put('/echo', {a: 1}))).toBe('{"a":1}');
		expect(await bodyOf(client.post('/echo', new URLSearchParams({a: '1'})))).toBe('a=1');
		expect(await bodyOf(client.post('/echo', Buffer.from('bytes')))).toBe('bytes');
		const form = await bodyOf(client.postForm('/echo', {a: '1'}));
		expect(form).toMatch(/name="a"\r\n\r\n1\r\n/);
		const own = new FormData();
		own.append('b', new Blob(['of a file']), 'b.txt');
		const file = /filename="b.txt"[\s\S]*\r\n\r\nof a file\r\n/;
		expect(await bodyOf(client.post('/echo', own))).toMatch(file);
	});

	test('a tunnel leads to the server, and a proxy that refuses is an MtlsError', async () => {
		const server = await fixture.server();
		const proxy = await fixture.proxy({credentials: {user: 'user', password: 'hush-hush'}});
		const {origin} = server;

		const client = fixture.client({
			proxy: proxy.url.replace('//', '//user:hush-hush@'),
			...options,
		});
		expect((await client.get(`${origin}/whoami`)).data).toMatchObject({client: 'alice'});

		const refused = await mtlsFailureOf(
			fixture.client({proxy: proxy.url, ...options}).get(`${origin}/whoami`),
		);
		expect(refused.failure).toMatchObject({kind: 'proxy-auth-required', side: 'proxy'});
		expect(refused.failure.proxy?.status).toBe(407);

		const away = `http://127.0.0.1:${await closedPort()}`;
		const unreached = await mtlsFailureOf(
			fixture.client({proxy: away, ...options}).get(`${origin}/whoami`),
		);
		expect(unreached.failure).toMatchObject({kind: 'proxy-unreachable', side: 'proxy'});
	});

	test('a session logs in once, and again when it is over', async () => {
		const members = await startSessionPages(fixture);
		const {origin: baseURL} = members.server;
		const client = fixture.client({baseURL, jar: true, session: loginAndGet, ...options});

		await Promise.all([client.get('/a'), client.get('/b')]);
		expect(members.logins).toBe(1);
		members.end();
		expect((await client.post('/c', 'kept')).data).toEqual({login: 2, body: 'kept'});
	});

	test('the next request after a rotation presents the new certificate', async () => {
		const server = await fixture.server();
		const bob = await fixture.pki.client({commonName: 'bob'});
		let {cert, key} = fixture.alice;
		const identity = () => ({cert, key});
		const client = createClient({
			mtls: {identity, ca: fixture.pki.ca},
			baseURL: server.origin,
			logger: false,
			proxy: false,
			...options,
		});

		expect((await client.get('/whoami')).data).toMatchObject({client: 'alice'});
		({cert, key} = bob);
		await client.mtls.reload();
		expect((await client.get('/whoami')).data).toMatchObject({client: 'bob'});
		await client.mtls.close();
		await expect(client.get('/whoami')).rejects.toMatchObject({code: 'ERR_MTLS_CLIENT_CLOSED'});
	});

	test('an instance of axios-cookiejar-support keeps its jar, and gets the certificate', async () => {
		const server = await fixture.server();
		const {cert, key} = fixture.alice;
		const jar = new CookieJar();
		const wrapped = wrapper(axios.create({jar, baseURL: server.origin, proxy: false, ...options}));
		const client = withMtls(wrapped, {mtls: {cert, key, ca: fixture.pki.ca}, logger: false});

		const {data} = await client.post('/login', {user: 'alice', password: 'wonderland'});

		expect(data).toMatchObject({user: 'alice', client: 'alice'});
		expect(jar.getCookiesSync(server.origin)).toMatchObject([{key: 'session'}]);
		const other = new CookieJar();
		const {response} = await failureOf(client.get('/accounts', {jar: other}));
		expect(response?.status).toBe(401);
		await client.mtls.close();
	});

	test('interceptors, transforms and defaults of an instance work as before', async () => {
		const server = await fixture.server();
		const {cert, key} = fixture.alice;
		const instance = axios.create({
			baseURL: server.origin,
			headers: {'X-Default': 'kept'},
			transformResponse: [(body: string) => ({was: JSON.parse(body)})],
			proxy: false,
			...options,
		});
		instance.interceptors.request.use((config) => {
			config.headers.set('X-Interceptor', 'called');
			return config;
		});
		const client = withMtls(instance, {mtls: {cert, key, ca: fixture.pki.ca}, logger: false});

		const {data} = await client.get('/echo');

		expect(client).toBe(instance);
		expect(data.was.headers).toMatchObject({'x-default': 'kept', 'x-interceptor': 'called'});
		await client.mtls.close();
	});

	test('the adapter alone follows redirects with its jar', async () => {
		const server = await fixture.server();
		const {cert, key} = fixture.alice;
		const jar = new CookieJar();
		const adapter = createAdapter({mtls: {cert, key, ca: fixture.pki.ca}, jar});
		const instance = axios.create({adapter, baseURL: server.origin, proxy: false, ...options});

		const {data} = await instance.post('/login', {user: 'alice', password: 'wonderland'});

		expect(data).toMatchObject({user: 'alice'});
		expect(await jar.getCookies(server.origin)).toMatchObject([{key: 'session'}]);
	});
});

test('requests over HTTP/2 share a connection, and keep certificate and cookies', async () => {
	const server = await startH2Server(fixture.pki, {
		pages: {
			'/set': ({stream}) => {
				stream.respond({':status': 302, 'set-cookie': 'a=1; Secure', location: '/got'});
				stream.end();
			},
		},
	});
	const client = fixture.client({baseURL: server.origin, jar: true, httpVersion: 2});

	await Promise.all([client.get('/set'), client.get('/one'), client.post('/two', {b: 2})]);

	expect(server.connections).toHaveLength(1);
	expect(server.connections[0]?.clientCertificate?.subject).toBe('alice');
	const got = server.requests.find(({path}) => path === '/got');
	expect(got?.headers.cookie).toBe('a=1');
	const error = await mtlsFailureOf(
		fixture.client({httpVersion: 2}).get((await fixture.server()).url()),
	);
	expect(error.failure.kind).toBe('protocol-mismatch');
});

test('the agent of a client serves axios without its adapter', async () => {
	const server = await fixture.server();
	const {cert, key} = fixture.alice;
	const httpsAgent = new MtlsAgent({cert, key, ca: fixture.pki.ca}, {proxy: false});

	const {data} = await axios.get(server.url('/whoami'), {httpsAgent, proxy: false});

	expect(data).toMatchObject({client: 'alice'});
	httpsAgent.destroy();
});

test('a mistake in the options is an MtlsConfigError, before any request', () => {
	const mistake = {mtls: {cert: 'no-such.crt', key: 'no-such.key'}};
	expect(() => createClient(mistake)).toThrow(MtlsConfigError);
	expect(() => createClient(mistake)).toThrow(
		expect.objectContaining({code: 'ERR_MTLS_NO_SUCH_FILE', option: 'mtls.cert'}),
	);
});
