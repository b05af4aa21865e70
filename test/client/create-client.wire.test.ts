import https from 'node:https';
import axios from 'axios';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {CookieJar, createAdapter, isMtlsError, MtlsConfigError, withMtls} from '../../src/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
} from '../support/fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const login = {user: 'alice', password: 'wonderland'};

describe.each(exchanges)('over %s', (_, options) => {
	test('an instance that a client creates shares certificate, jar and connections', async () => {
		const server = await fixture.server();
		const client = fixture.client({...options, jar: true});
		const child = client.create({...options, proxy: false, baseURL: server.origin});
		expect(child.mtls.agent).toBe(client.mtls.agent);
		expect(child.mtls.jar).toBe(client.mtls.jar);

		await child.post('/login', login);
		const {data} = await client.get(server.url('/accounts'));
		expect(data).toMatchObject({user: 'alice', client: 'alice'});
		expect((await child.create(options).get('/accounts', {baseURL: server.origin})).status).toBe(
			200,
		);
		expect(server.handshakes).toEqual({full: 1, resumed: 0});
	});

	test('an instance with a jar of its own shares only the connections', async () => {
		const server = await fixture.server();
		const client = fixture.client({...options, jar: true});
		await client.post(server.url('/login'), login);
		for (const jar of [true, new CookieJar(), false]) {
			const child = client.create({...options, proxy: false, jar});
			expect(child.mtls.jar).not.toBe(client.mtls.jar);
			const error = await failureOf(child.get(server.url('/accounts')));
			expect(error.response?.status).toBe(401);
		}
		expect(server.handshakes).toEqual({full: 1, resumed: 0});
	});

	test('an instance with an identity of its own shares only a jar that it is given by name', async () => {
		const server = await fixture.server();
		const {cert, key} = await fixture.pki.client({commonName: 'bob'});
		const client = fixture.client({...options, jar: true});
		const bob = client.create({
			...options,
			proxy: false,
			mtls: {cert, key, ca: fixture.pki.ca},
			jar: client.mtls.jar as CookieJar,
		});
		onTestFinished(() => bob.mtls.close());
		expect(bob.mtls.agent).not.toBe(client.mtls.agent);
		expect(bob.mtls.jar).toBe(client.mtls.jar);

		await client.post(server.url('/login'), login);
		const {data} = await bob.get(server.url('/accounts'));
		expect(data).toMatchObject({user: 'alice', client: 'bob'});
		expect(server.handshakes.full).toBe(2);

		await bob.mtls.close();
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
	});

	test('a request after close() is refused, a second close() is fine, and no socket is left', async () => {
		const server = await fixture.server();
		const client = fixture.client(options);
		const child = client.create({...options, proxy: false});
		await client.get(server.url('/whoami'));
		await Promise.all([client.mtls.close(), client.mtls.close()]);
		await client.mtls.close();
		await allClosed(server);

		for (const closed of [client, child]) {
			const error = await failureOf(closed.get(server.url('/whoami')));
			expect(error).toMatchObject({
				code: 'ERR_MTLS_CLIENT_CLOSED',
				message: 'the client was closed',
				config: {url: server.url('/whoami')},
			});
			expect(isMtlsError(error)).toBe(false);
		}
		expect(server.requests).toHaveLength(1);
		expect(server.connections).toHaveLength(1);
	});

	test('a client is callable, and its verbs, defaults and interceptors work', async () => {
		const server = await fixture.server();
		const client = fixture.client({
			...options,
			baseURL: server.origin,
			headers: {'X-Default': 'd'},
		});
		client.defaults.headers.common['X-Later'] = 'l';
		client.interceptors.request.use((config) => {
			config.headers.set('X-Interceptor', 'i');
			return config;
		});
		client.interceptors.response.use((response) => ({...response, statusText: 'seen'}));

		const answers = [
			await client('/echo'),
			await client({url: '/echo', method: 'put'}),
			await client.request({url: '/echo', method: 'delete'}),
			await client.post('/echo', {a: 1}),
			await client.patch('/echo', 'x'),
			await client.options('/echo'),
		];
		expect(answers.map(({data}) => data.method)).toEqual([
			'GET',
			'PUT',
			'DELETE',
			'POST',
			'PATCH',
			'OPTIONS',
		]);
		for (const {data, statusText, tls} of answers) {
			expect(data.headers).toMatchObject({'x-default': 'd', 'x-later': 'l', 'x-interceptor': 'i'});
			expect(statusText).toBe('seen');
			expect(tls).toMatchObject({authorized: true, identity: {subject: 'CN=alice'}});
		}
		expect(server.connections).toHaveLength(1);
		expect((await client.head('/echo')).status).toBe(200);
		expect(client.getUri({url: '/echo'})).toBe(`${server.origin}/echo`);
	});

	test('a client without certificate is refused, and one without `ca` does not trust a private CA', async () => {
		const server = await fixture.server();
		const nobody = axios.create({
			adapter: createAdapter({mtls: {ca: fixture.pki.ca}}),
			proxy: false,
		});
		expect((await mtlsFailureOf(nobody.get(server.url(), options))).failure).toMatchObject({
			kind: 'client-certificate-required',
			side: 'client',
			identity: null,
		});
		const {cert, key} = fixture.alice;
		const stranger = axios.create({adapter: createAdapter({mtls: {cert, key}}), proxy: false});
		expect((await mtlsFailureOf(stranger.get(server.url(), options))).failure).toMatchObject({
			side: 'server',
			phase: 'verify',
		});
		await allClosed(server);
		expect(server.requests).toEqual([]);
		expect(server.connections.map(({plaintextBytes}) => plaintextBytes).at(-1)).toBe(0);
	});
});

describe('an agent of the app', () => {
	test.each([
		['httpsAgent', {httpsAgent: new https.Agent()}],
		['httpAgent', {httpAgent: new https.Agent()}],
	] as const)(
		'%s is refused beside `mtls`, in a request and in a wrapped instance',
		async (option, agents) => {
			const server = await fixture.server();
			const refused = {
				name: 'MtlsConfigError',
				code: 'ERR_MTLS_AGENT_CONFLICT',
				option,
				message: `${option}: cannot be given together with \`mtls\`, which makes the connections itself; remove it, and give its certificate and CAs in \`mtls\``,
			};
			const error = await fixture
				.client()
				.get(server.url(), agents)
				.catch((reason: unknown) => reason);
			expect(error).toBeInstanceOf(MtlsConfigError);
			expect(error).toMatchObject(refused);
			expect(server.connections).toEqual([]);

			const instance = axios.create(agents);
			const {adapter} = instance.defaults;
			expect(() => withMtls(instance, {mtls: {ca: fixture.pki.ca}})).toThrow(
				expect.objectContaining(refused),
			);
			expect(instance.defaults.adapter).toBe(adapter);
		},
	);

	test('an agent of the app makes the connections where `mtls` is not given', async () => {
		const server = await fixture.server();
		const {cert, key} = fixture.alice;
		const httpsAgent = new https.Agent({cert, key, ca: fixture.pki.ca});
		const client = withMtls(axios.create({httpsAgent, proxy: false}), {jar: true, logger: false});
		onTestFinished(() => client.mtls.close());
		await client.post(server.url('/login'), login);
		expect((await client.get(server.url('/accounts'))).data).toMatchObject({user: 'alice'});
	});
});
