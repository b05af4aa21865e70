import {X509Certificate} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {rootCertificates} from 'node:tls';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import type {ClientConfig, MtlsOptions} from '../../../src/index.ts';
import {createTestPki, type TestPki} from '../../../src/testing/index.ts';
import type {ConnectProxy, ConnectProxyOptions} from '../../support/connect-proxy.ts';
import {createFixture, exchanges, type Fixture, mtlsFailureOf} from '../../support/fixture.ts';
import {startTcp} from '../../support/plain-server.ts';

let fixture: Fixture;
/** Of the company that has the proxy; the servers are of another. */
let corp: TestPki;
beforeAll(async () => {
	[fixture, corp] = await Promise.all([createFixture(), createTestPki({commonName: 'Corp CA'})]);
});

async function httpsProxy({tls, ...options}: ConnectProxyOptions = {}): Promise<ConnectProxy> {
	const {cert, key} = await corp.server({commonName: 'corp proxy'});
	return fixture.proxy({tls: {cert, key, ca: corp.ca, ...tls}, ...options});
}

/** A client that goes through `proxy`, which it knows by the CA of its company. */
function through({port}: {port: number}, config: ClientConfig = {}, proxy: MtlsOptions = {}) {
	return fixture.client({
		proxy: {protocol: 'https', host: 'localhost', port},
		...config,
		mtls: {proxy: {ca: corp.ca, ...proxy}},
	});
}

describe.each(exchanges)('over %s', (_, options) => {
	test('a session goes through one tunnel on two handshakes', async () => {
		const [server, proxy] = await Promise.all([fixture.server(), httpsProxy()]);
		const client = through(proxy, {...options, jar: true});
		await client.post(server.url('/login'), {user: 'alice', password: 'wonderland'});
		for (let count = 0; count < 19; count += 1) {
			const {data, tls} = await client.get(server.url('/accounts'));
			expect(data).toMatchObject({user: 'alice', client: 'alice'});
			expect(tls?.peer.subject).toBe('CN=localhost');
		}
		expect(proxy.tunnels).toHaveLength(1);
		expect(proxy.connectionCount).toBe(1);
		expect(server.handshakes).toEqual({full: 1, resumed: 0});
	});

	test('an https proxy is shown no certificate, and sees nothing of the request', async () => {
		const [server, proxy] = await Promise.all([
			fixture.server({minVersion: 'TLSv1.3'}),
			httpsProxy(),
		]);
		const client = through(proxy, {...options, headers: {Authorization: 'Bearer s3cret'}});
		const body = 's3cret'.repeat(1_000);
		const {data} = await client.post(server.url('/echo'), body, {headers: {Cookie: 'own=s3cret'}});
		expect(data.headers).toMatchObject({authorization: 'Bearer s3cret', cookie: 'own=s3cret'});
		expect(server.connections[0]?.clientCertificate?.subject).toBe('alice');

		expect(proxy.shown).toEqual([undefined]);
		expect(proxy.tunnels[0]?.headers).toEqual({host: `localhost:${server.port}`});
		const heard = Buffer.concat(proxy.heard);
		expect(heard.length).toBeGreaterThan(body.length);
		expect(heard.includes('s3cret')).toBe(false);
		const {raw, publicKey} = new X509Certificate(fixture.alice.cert);
		expect(heard.includes(raw)).toBe(false);
		expect(heard.includes(publicKey.export({type: 'spki', format: 'der'}))).toBe(false);
	});

	test('an https proxy is shown the certificate given for it, and the server the client certificate', async () => {
		const {cert, key} = await corp.client({commonName: 'employee'});
		const [server, proxy] = await Promise.all([
			fixture.server(),
			httpsProxy({tls: {insists: true}}),
		]);
		const client = through(proxy, options, {cert, key});
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
		expect(proxy.shown).toEqual(['CN=employee']);
		expect(server.connections[0]?.clientCertificate?.subject).toBe('alice');
	});

	test('the TLS sessions with proxy and server are both resumed when the server closes after each response', async () => {
		const [server, proxy] = await Promise.all([
			fixture.server({
				handler(_, response) {
					response.setHeader('Connection', 'close');
					return false;
				},
			}),
			httpsProxy(),
		]);
		const client = through(proxy, options);
		for (let count = 0; count < 5; count += 1) await client.get(server.url('/whoami'));
		expect(proxy.tunnels).toHaveLength(5);
		expect(server.handshakes).toEqual({full: 1, resumed: 4});
		expect(proxy.resumed).toEqual([false, true, true, true, true]);
	});

	const untrusted: [string, MtlsOptions, ConnectProxyOptions, object][] = [
		[
			'of an unknown CA',
			{ca: rootCertificates[0] as string},
			{},
			{
				code: 'SELF_SIGNED_CERT_IN_CHAIN',
				failure: {hint: expect.stringContaining('`mtls.proxy.ca`')},
			},
		],
		[
			'of another name',
			{servername: 'other.test'},
			{},
			{
				code: 'ERR_TLS_CERT_ALTNAME_INVALID',
				failure: {hint: expect.stringContaining('`mtls.proxy.servername`')},
			},
		],
		[
			'of another key',
			{pins: `sha256//${Buffer.alloc(32).toString('base64')}`},
			{},
			{
				code: 'ERR_MTLS_PIN_MISMATCH',
				message: expect.stringContaining('is one of `mtls.proxy.pins`'),
			},
		],
		[
			'of another TLS version',
			{minVersion: 'TLSv1.3'},
			{tls: {maxVersion: 'TLSv1.2'}},
			{failure: {alert: 'protocol_version'}},
		],
	];
	test.each(untrusted)('a proxy %s gets no request', async (_what, terms, proxyOptions, told) => {
		const [server, proxy] = await Promise.all([fixture.server(), httpsProxy(proxyOptions)]);
		const auth = {username: 'user', password: 's3cret'};
		const config = {protocol: 'https', host: 'localhost', port: proxy.port, auth};
		const client = through(proxy, {...options, proxy: config}, terms);
		const error = await mtlsFailureOf(client.post(server.url('/echo?q=1'), 'the body'));
		expect(error).toMatchObject({
			name: 'MtlsError',
			message: expect.stringContaining(`no TLS with the proxy https://localhost:${proxy.port}: `),
			cause: {name: 'ProxyError', cause: expect.any(Error)},
			...told,
			failure: {
				kind: 'proxy-unreachable',
				side: 'proxy',
				phase: 'tunnel',
				host: 'localhost',
				port: server.port,
				proxy: {host: 'localhost', port: proxy.port},
				identity: {subject: 'CN=alice'},
				...('failure' in told && (told.failure as object)),
			},
		});
		expect(error.failure.reasons[0]).toMatch(/proxy|TLS version/);
		expect(error.response).toBeUndefined();
		expect(proxy.tunnels).toEqual([]);
		expect(proxy.shown.filter((name) => name !== undefined)).toEqual([]);
		expect(server.connections).toEqual([]);
	});

	test.each(['TLSv1.2', 'TLSv1.3'] as const)(
		'a %s proxy that wants a certificate fails as that, and the client certificate is not shown',
		async (version) => {
			const tls = {insists: true, minVersion: version, maxVersion: version};
			const [server, proxy] = await Promise.all([fixture.server(), httpsProxy({tls})]);
			const error = await mtlsFailureOf(through(proxy, options).get(server.url('/whoami')));
			expect(error).toMatchObject({
				failure: {
					kind: 'proxy-auth-required',
					side: 'proxy',
					phase: 'tunnel',
					hint: expect.stringContaining('`mtls.proxy.cert` and `mtls.proxy.key`'),
				},
			});
			expect(error.failure.reasons.join()).not.toContain('origins');
			expect(proxy.tunnels).toEqual([]);
			expect(server.connections).toEqual([]);
		},
	);

	test.each([
		['`mtls.ca`', () => ({ca: [fixture.pki.ca, corp.ca], proxy: {}})],
		["`verify: 'report'`", () => ({verify: 'report'}) as const],
		['NODE_TLS_REJECT_UNAUTHORIZED=0', () => ({})],
	])('the setting %s does not make an https proxy trusted', async (what, mtls) => {
		vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', what.startsWith('NODE') ? '0' : undefined);
		onTestFinished(() => {
			vi.unstubAllEnvs();
		});
		const [server, proxy] = await Promise.all([fixture.server(), httpsProxy()]);
		const address = {protocol: 'https', host: 'localhost', port: proxy.port};
		const logger = {error() {}, warn() {}};
		const client = fixture.client({...options, proxy: address, mtls: mtls(), logger});
		const error = await mtlsFailureOf(client.get(server.url('/whoami')));
		expect(error.failure).toMatchObject({kind: 'proxy-unreachable', side: 'proxy'});
		expect(proxy.tunnels).toEqual([]);
	});

	test('a server behind it that is not trusted is to blame, not the proxy', async () => {
		const credential = await fixture.pki.server({expired: true});
		const [server, proxy] = await Promise.all([fixture.server({credential}), httpsProxy()]);
		const error = await mtlsFailureOf(through(proxy, options).post(server.url('/echo'), 's3cret'));
		expect(error).toMatchObject({
			code: 'CERT_HAS_EXPIRED',
			failure: {kind: 'expired', side: 'server', phase: 'verify', proxy: {port: proxy.port}},
		});
		expect(server.requests).toEqual([]);
	});

	test('a server behind it that refuses our certificate is to blame, not the proxy', async () => {
		const [server, proxy] = await Promise.all([
			fixture.server({clientCa: corp.ca}),
			httpsProxy({tls: {insists: true}}),
		]);
		const {cert, key} = await corp.client({commonName: 'employee'});
		const client = through(proxy, options, {cert, key});
		const {failure} = await mtlsFailureOf(client.get(server.url('/whoami')));
		expect(failure).toMatchObject({kind: 'client-certificate-refused', side: 'client'});
		expect(proxy.shown).toEqual(['CN=employee']);
	});

	test('`reload()` takes the new certificate for the proxy, and a new tunnel', async () => {
		const dir = mkdtempSync(join(tmpdir(), 'axios-mtls-'));
		onTestFinished(() => rmSync(dir, {recursive: true}));
		const files = {cert: join(dir, 'proxy.crt'), key: join(dir, 'proxy.key')};
		const write = async (commonName: string) => {
			const {cert, key} = await corp.client({commonName});
			writeFileSync(files.cert, cert);
			writeFileSync(files.key, key, {mode: 0o600});
		};
		await write('old');
		const [server, proxy] = await Promise.all([
			fixture.server(),
			httpsProxy({tls: {insists: true}}),
		]);
		const client = through(proxy, options, files);
		await client.get(server.url('/whoami'));
		await write('new');
		await client.mtls.reload();
		await client.get(server.url('/whoami'));
		expect(proxy.shown).toEqual(['CN=old', 'CN=new']);
		expect(proxy.resumed).toEqual([false, false]);
		expect(server.handshakes).toEqual({full: 2, resumed: 0});
	});

	test.each(['https', 'http'])(
		'a proxy that does not answer the handshake for %s is given up in time',
		async (scheme) => {
			const mute = await startTcp();
			const client = through(mute, {...options, timeouts: {connectMs: 40}});
			expect(await mtlsFailureOf(client.get(`${scheme}://origin.test/`))).toMatchObject({
				code: 'ERR_PROXY_TIMEOUT',
				failure: {kind: 'proxy-timeout', side: 'proxy', phase: 'tunnel', host: 'origin.test'},
			});
			await mute.closed();
		},
	);

	test('a proxy that speaks no TLS gets no request', async () => {
		const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy()]);
		const error = await mtlsFailureOf(through(proxy, options).get(server.url('/whoami')));
		expect(error).toMatchObject({
			message: expect.stringContaining('does not speak TLS'),
			failure: {kind: 'proxy-unreachable', side: 'proxy', certain: true},
		});
		expect(proxy.tunnels).toEqual([]);
		expect(proxy.forwarded).toEqual([]);
	});

	test('a login is asked for as from any proxy', async () => {
		const credentials = {user: 'user', password: 'p'};
		const [server, proxy] = await Promise.all([fixture.server(), httpsProxy({credentials})]);
		const error = await mtlsFailureOf(through(proxy, options).get(server.url('/whoami')));
		expect(error).toMatchObject({
			code: 'ERR_PROXY_AUTH_REQUIRED',
			failure: {kind: 'proxy-auth-required', proxy: {status: 407}},
		});
		expect(error.failure.hint).toContain('`proxy.auth`');
	});
});
