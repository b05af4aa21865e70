import {X509Certificate} from 'node:crypto';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {createClient} from '../../../src/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	mtlsFailureOf,
	pages,
	redirect,
} from '../../support/fixture.ts';
import {startPlainHttp} from '../../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const auth = {username: 'us@er', password: 'pr0xy:S3cret'};
const login = {user: 'alice', password: 'wonderland'};

/** A client that leaves the proxy to the environment, of which nothing but `env` is left. */
function clientIn(env: Record<string, string>, options = {}) {
	for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy']) {
		vi.stubEnv(name, undefined);
		vi.stubEnv(name.toUpperCase(), undefined);
	}
	for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
	const {cert, key} = fixture.alice;
	const client = createClient({mtls: {cert, key, ca: fixture.pki.ca}, logger: false, ...options});
	onTestFinished(async () => {
		vi.unstubAllEnvs();
		await client.mtls.close();
	});
	return client;
}

describe.each(exchanges)('over %s', (_, options) => {
	test('a session of 20 requests takes one tunnel and one handshake', async () => {
		const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy()]);
		const client = fixture.client({
			...options,
			jar: true,
			proxy: {host: '127.0.0.1', port: proxy.port},
		});
		await client.post(server.url('/login'), login);
		for (let count = 0; count < 20; count += 1) {
			const {data} = await client.get(server.url('/accounts'));
			expect(data).toMatchObject({user: 'alice', client: 'alice'});
		}
		expect(proxy.tunnels).toHaveLength(1);
		expect(proxy.connectionCount).toBe(1);
		expect(server.handshakes).toEqual({full: 1, resumed: 0});
		expect(server.requests).toHaveLength(22);
	});

	test('a server that closes after each answer costs a tunnel each, and one full handshake', async () => {
		const server = await fixture.server({
			handler(_, response) {
				response.setHeader('Connection', 'close');
				return false;
			},
		});
		const proxy = await fixture.proxy();
		const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
		for (let count = 0; count < 20; count += 1) {
			const {data, tls} = await client.get(server.url('/whoami'));
			expect(data).toMatchObject({client: 'alice'});
			expect(tls?.resumed).toBe(count > 0);
		}
		expect(proxy.tunnels).toHaveLength(20);
		expect(server.handshakes).toEqual({full: 1, resumed: 19});
		expect(client.mtls.stats()).toMatchObject({
			tunnels: 20,
			handshakes: {full: 1, resumed: 19},
		});
	});

	test('addresses of IPv6 are written in brackets, and found', async () => {
		const [server, plain, proxy] = await Promise.all([
			fixture.server({host: '::1'}),
			startPlainHttp((request, response) => response.end(request.headers.host), '::1'),
			fixture.proxy({listenOn: '::1'}),
		]);
		const target = `[::1]:${server.port}`;
		const env = {ALL_PROXY: `[::1]:${proxy.port}`, NO_PROXY: '[fd00::1], fd00::/8'};
		for (const client of [
			fixture.client({...options, proxy: {host: '::1', port: proxy.port}}),
			fixture.client({...options, proxy: {host: '[::1]', port: proxy.port}}),
			clientIn(env, options),
		]) {
			const {data} = await client.get(`https://${target}/echo`);
			expect(data.headers.host).toBe(target);
			expect(proxy.tunnels.at(-1)).toMatchObject({target, headers: {host: target}});
			const {data: host} = await client.get(`http://[::1]:${plain.port}/`);
			expect(host).toBe(`[::1]:${plain.port}`);
			expect(proxy.forwarded.at(-1)?.target).toBe(`http://[::1]:${plain.port}/`);
		}
		expect(proxy.tunnels).toHaveLength(3);
		expect(proxy.forwarded).toHaveLength(3);
	});

	test('the proxy sees the target of the tunnel and nothing else', async () => {
		const [server, proxy] = await Promise.all([
			fixture.server({minVersion: 'TLSv1.3'}),
			fixture.proxy(),
		]);
		const client = fixture.client({
			...options,
			jar: true,
			proxy: {host: '127.0.0.1', port: proxy.port},
			headers: {Authorization: 'Bearer t', 'X-Api-Key': 'k', Cookie: 'own=1'},
		});
		const {data} = await client.post(server.url('/echo?q=s3cret'), {body: 's3cret'});
		expect(data.headers).toMatchObject({authorization: 'Bearer t', cookie: 'own=1'});
		expect(data.headers).not.toHaveProperty('proxy-authorization');

		expect(proxy.forwarded).toEqual([]);
		expect(proxy.tunnels).toEqual([
			{
				method: 'CONNECT',
				target: `localhost:${server.port}`,
				headers: {host: `localhost:${server.port}`},
				early: Buffer.alloc(0),
				remotePort: expect.any(Number),
				verdict: 'allow',
			},
		]);
		const heard = Buffer.concat(proxy.heard);
		expect(heard.length).toBeGreaterThan(0);
		for (const secret of [
			's3cret',
			'Bearer',
			'own=1',
			new X509Certificate(fixture.alice.cert).raw,
		]) {
			expect(heard.includes(secret)).toBe(false);
		}
	});

	test.each([
		['HTTPS_PROXY', {}, 1],
		['https_proxy', {}, 1],
		['ALL_PROXY', {}, 1],
		['HTTP_PROXY', {}, 0],
		['HTTPS_PROXY', {NO_PROXY: 'localhost'}, 0],
		['HTTPS_PROXY', {NO_PROXY: 'other.test'}, 1],
		['HTTPS_PROXY', {no_proxy: '*'}, 0],
	])('the environment %s with the option %j makes %i tunnels', async (name, env, tunnels) => {
		const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy()]);
		const client = clientIn({[name]: proxy.url, ...env}, {...options, jar: true});
		await client.post(server.url('/login'), login);
		expect((await client.get(server.url('/accounts'))).data).toMatchObject({user: 'alice'});
		expect(proxy.tunnels).toHaveLength(tunnels);
		expect(server.handshakes).toEqual({full: 1, resumed: 0});
	});

	test('`proxy: false` goes direct, whatever the environment says', async () => {
		const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy()]);
		const client = clientIn({HTTPS_PROXY: proxy.url}, options);
		await client.get(server.url('/whoami'), {proxy: false});
		expect(proxy.connectionCount).toBe(0);
		expect(server.requests).toHaveLength(1);
	});

	test.each(['config', 'environment'])('a proxy is logged in to by the %s', async (where) => {
		const server = await fixture.server();
		const proxy = await fixture.proxy({credentials: {user: 'us@er', password: 'pr0xy:S3cret'}});
		const url = proxy.url.replace('//', '//us%40er:pr0xy%3AS3cret@');
		const client =
			where === 'config'
				? fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port, auth}})
				: clientIn({HTTPS_PROXY: url}, options);
		const {data} = await client.get(server.url('/echo'));
		expect(data.headers).not.toHaveProperty('proxy-authorization');
		expect(proxy.tunnels.map(({verdict}) => verdict)).toEqual(['allow']);
	});

	test('two logins do not share a tunnel', async () => {
		const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy()]);
		const client = fixture.client(options);
		for (const username of ['one', 'two', 'one']) {
			await client.get(server.url('/echo'), {
				proxy: {host: '127.0.0.1', port: proxy.port, auth: {username, password: 'p'}},
			});
		}
		expect(proxy.tunnels).toHaveLength(2);
		expect(server.connections).toHaveLength(2);
	});

	test('a redirect to another origin takes a tunnel of its own, without the certificate', async () => {
		const [stranger, proxy] = await Promise.all([fixture.recordingServer(), fixture.proxy()]);
		const server = await fixture.server({handler: pages({'/away': redirect(stranger.url())})});
		const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
		expect((await client.get(server.url('/away'))).data).toBe('stranger');
		expect(proxy.tunnels.map(({target}) => target)).toEqual([
			`localhost:${server.port}`,
			`localhost:${stranger.port}`,
		]);
		expect(stranger.connections[0]?.clientCertificate).toBeUndefined();
		expect(server.connections[0]?.clientCertificate?.subject).toBe('alice');
	});

	test('the proxy of a redirect is resolved for its own target', async () => {
		const [stranger, proxy] = await Promise.all([fixture.recordingServer(), fixture.proxy()]);
		const target = stranger.url().replace('localhost', '127.0.0.1');
		const server = await fixture.server({handler: pages({'/away': redirect(target)})});
		const client = clientIn({HTTPS_PROXY: proxy.url, NO_PROXY: server.url().slice(8, -1)}, options);
		expect((await client.get(server.url('/away'))).data).toBe('stranger');
		expect(proxy.tunnels.map(({target}) => target)).toEqual([`127.0.0.1:${stranger.port}`]);
	});

	test('a server that fails verification through a tunnel is to blame, not the proxy', async () => {
		const credential = await fixture.pki.server({expired: true});
		const [server, proxy] = await Promise.all([fixture.server({credential}), fixture.proxy()]);
		const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
		const error = await mtlsFailureOf(client.post(server.url('/echo'), 's3cret'));
		expect(error).toMatchObject({
			code: 'CERT_HAS_EXPIRED',
			failure: {
				kind: 'expired',
				side: 'server',
				phase: 'verify',
				host: 'localhost',
				port: server.port,
				proxy: {host: '127.0.0.1', port: proxy.port},
			},
		});
		expect(error.failure.proxy).not.toHaveProperty('status');
		await server.connections[0]?.closed;
		expect(server.connections[0]).toMatchObject({plaintextBytes: 0});
		expect(server.requests).toEqual([]);
	});

	test('plain http goes through the proxy in the clear, with its login', async () => {
		const plain = await startPlainHttp();
		const proxy = await fixture.proxy({credentials: {user: 'us@er', password: 'pr0xy:S3cret'}});
		const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port, auth}});
		expect((await client.get(`${plain.origin}/x`)).data).toBe('plain');
		expect(proxy.tunnels).toEqual([]);
		expect(proxy.forwarded).toMatchObject([{target: `${plain.origin}/x`, verdict: 'allow'}]);
		expect(plain.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
	});
});
