/*
 * Seen: an app's own `Proxy-Authorization` header on https went through the tunnel, and the origin read
 * the login of the proxy. Why: it is a header like any other to axios. Now the proxy is told it with
 * CONNECT, and where there is none it goes nowhere; an origin never sees it over TLS.
 */
import https from 'node:https';
import {Readable} from 'node:stream';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {createClient} from '../../../src/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	mtlsFailureOf,
	pages,
	redirect,
} from '../../support/fixture.ts';
import {startH2Server} from '../../support/h2-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const credentials = {user: 'me', password: 'pr0xy'};
const basic = `Basic ${Buffer.from('me:pr0xy').toString('base64')}`;

describe.each([
	...exchanges,
	['a stream', {data: () => Readable.from(['body'])}],
	['a jar', {jar: true}],
] as const)('over %s', (_, given) => {
	const {data, ...options} = {data: undefined, ...given};
	const ask = (client: ReturnType<Fixture['client']>, url: string, headers: object) =>
		data === undefined
			? client.get(url, {headers: {...headers}})
			: client.post(url, data(), {headers: {...headers}});

	test.each(['Proxy-Authorization', 'proxy-authorization'])(
		'the proxy gets %s of the app, and the origin does not',
		async (name) => {
			const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy({credentials})]);
			const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
			const response = await ask(client, server.url('/echo'), {[name]: basic});
			expect(response.data.headers).not.toHaveProperty('proxy-authorization');
			expect(proxy.tunnels).toMatchObject([{headers: {'proxy-authorization': basic}}]);
			// The app finds its header where it has put it.
			expect(response.config.headers.get('Proxy-Authorization')).toBe(basic);
		},
	);

	test('a Proxy-Authorization header is not sent without a proxy', async () => {
		const server = await fixture.server();
		const response = await ask(fixture.client(options), server.url('/echo'), {
			'Proxy-Authorization': basic,
		});
		expect(response.data.headers).not.toHaveProperty('proxy-authorization');
	});

	test('a login of the proxy setting is the one that counts', async () => {
		const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy({credentials})]);
		const client = fixture.client({
			...options,
			proxy: {host: '127.0.0.1', port: proxy.port, auth: {username: 'me', password: 'pr0xy'}},
		});
		const response = await ask(client, server.url('/echo'), {'Proxy-Authorization': 'Basic other'});
		expect(response.data.headers).not.toHaveProperty('proxy-authorization');
		expect(proxy.tunnels).toMatchObject([{headers: {'proxy-authorization': basic}}]);
	});
});

test('two logins of the app never share a tunnel, and one keeps its own', async () => {
	const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy()]);
	const client = fixture.client({proxy: {host: '127.0.0.1', port: proxy.port}});
	for (const login of ['Bearer a', 'Bearer b', 'Bearer a', undefined]) {
		const headers = login === undefined ? {} : {'Proxy-Authorization': login};
		await client.get(server.url('/echo'), {headers});
	}
	expect(proxy.tunnels.map(({headers}) => headers['proxy-authorization'])).toEqual([
		'Bearer a',
		'Bearer b',
		undefined,
	]);
});

test('a login that the proxy refuses is a proxy failure, and its credentials are not printed', async () => {
	const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy({credentials})]);
	const client = fixture.client({proxy: {host: '127.0.0.1', port: proxy.port}});
	const error = await mtlsFailureOf(
		client.get(server.url('/echo'), {headers: {'Proxy-Authorization': 'Bearer s3cret'}}),
	);
	expect(error).toMatchObject({
		code: 'ERR_PROXY_AUTH_REQUIRED',
		failure: {kind: 'proxy-auth-required', side: 'proxy'},
	});
	expect(proxy.tunnels).toMatchObject([{headers: {'proxy-authorization': 'Bearer s3cret'}}]);
	expect(JSON.stringify(error)).not.toContain('s3cret');
	expect(server.connections).toEqual([]);
});

test('a line end in it is no further header of CONNECT', async () => {
	const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy()]);
	const client = fixture.client({proxy: {host: '127.0.0.1', port: proxy.port}});
	const headers = {'Proxy-Authorization': 'Bearer a\r\nX-Injected: 1'};
	await client.get(server.url('/echo'), {headers});
	expect(proxy.tunnels.map((tunnel) => tunnel.headers)).toEqual([
		{host: `localhost:${server.port}`, 'proxy-authorization': 'Bearer aX-Injected: 1'},
	]);
});

test('a redirect takes it to no origin', async () => {
	const [other, proxy] = await Promise.all([fixture.recordingServer(), fixture.proxy()]);
	const server = await fixture.server({handler: pages({'/': redirect(other.url('/x'))})});
	const client = fixture.client({proxy: {host: '127.0.0.1', port: proxy.port}});
	await client.get(server.url('/'), {headers: {'Proxy-Authorization': basic}});
	for (const {headers} of [...server.requests, ...other.requests]) {
		expect(headers).not.toHaveProperty('proxy-authorization');
	}
	expect(other.requests).toHaveLength(1);
});

test('a Proxy-Authorization header is not sent over HTTP/2', async () => {
	const server = await startH2Server(fixture.pki);
	await fixture.client({httpVersion: 2}).get(server.url('/'), {
		headers: {'Proxy-Authorization': basic, 'X-Own': '1'},
	});
	expect(server.requests[0]?.headers['x-own']).toBe('1');
	expect(server.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
});

test('a Proxy-Authorization header is not sent by an agent of the app', async () => {
	const server = await fixture.server();
	const {cert, key} = fixture.alice;
	const httpsAgent = new https.Agent({cert, key, ca: fixture.pki.ca});
	onTestFinished(() => httpsAgent.destroy());
	const client = createClient({httpsAgent, proxy: false, logger: false});
	onTestFinished(() => client.mtls.close());
	const {data} = await client.get(server.url('/echo'), {headers: {'Proxy-Authorization': basic}});
	expect(data.headers).not.toHaveProperty('proxy-authorization');
});
