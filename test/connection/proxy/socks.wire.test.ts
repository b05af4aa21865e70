import {X509Certificate} from 'node:crypto';
import {once} from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import {isIP, type LookupFunction} from 'node:net';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {connect} from '../../../src/connection/connect.ts';
import {Connections} from '../../../src/connection/connections.ts';
import {resolveProxy} from '../../../src/connection/proxy/resolve-proxy.ts';
import {createClient, isMtlsError, MtlsAgent} from '../../../src/index.ts';
import {createTestPki} from '../../../src/testing/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
	pages,
	redirect,
} from '../../support/fixture.ts';
import {startH2Server} from '../../support/h2-server.ts';
import {startPlainHttp} from '../../support/plain-server.ts';
import {startRecordingServer} from '../../support/recording-server.ts';
import type {SocksProxy} from '../../support/socks-proxy.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const login = {user: 'alice', password: 'wonderland'};
const toLoopback = (_: string, port: number) => ({host: '127.0.0.1', port});
const urlOf = ({port}: SocksProxy, scheme = 'socks5h', auth = '') =>
	`${scheme}://${auth}127.0.0.1:${port}`;

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

/** Looks up as DNS does, with these answers. */
function lookupOf(...addresses: readonly string[]): LookupFunction {
	return (_, options, done) => {
		const found = addresses.map((address) => ({address, family: isIP(address)}));
		if (options.all) done(null, found);
		else done(null, found[0]?.address ?? '', found[0]?.family);
	};
}

describe.each(exchanges)('over %s', (_, options) => {
	test('a SOCKS session of a login and 20 requests takes one tunnel and one handshake', async () => {
		const [server, proxy] = await Promise.all([
			fixture.server(),
			fixture.socksProxy({route: toLoopback}),
		]);
		const client = fixture.client({...options, jar: true, proxy: urlOf(proxy)});
		await client.post(server.url('/login'), login);
		for (let count = 0; count < 20; count += 1) {
			const {data, tls} = await client.get(server.url('/accounts'));
			expect(data).toMatchObject({user: 'alice', client: 'alice'});
			expect(tls).toMatchObject({authorized: true, identity: {subject: 'CN=alice'}});
		}
		expect(proxy.requests).toEqual([
			{
				methods: [0],
				login: undefined,
				addressType: 'name',
				host: 'localhost',
				port: server.port,
				remotePort: expect.any(Number),
			},
		]);
		expect(proxy.connectionCount).toBe(1);
		expect(server.handshakes).toEqual({full: 1, resumed: 0});
		expect(server.requests).toHaveLength(22);
		expect(client.mtls.stats()).toMatchObject({
			tunnels: 1,
			handshakes: {full: 1, resumed: 0},
			sockets: {active: 0, idle: 1, queued: 0},
		});
		await client.mtls.close();
		await proxy.closed();
	});

	test('a server that closes after each answer costs a SOCKS tunnel each, and one full handshake', async () => {
		const server = await fixture.server({
			handler(_, response) {
				response.setHeader('Connection', 'close');
				return false;
			},
		});
		const proxy = await fixture.socksProxy({route: toLoopback});
		const client = fixture.client({...options, proxy: urlOf(proxy)});
		for (let count = 0; count < 5; count += 1) {
			const {tls} = await client.get(server.url('/whoami'));
			expect(tls?.resumed).toBe(count > 0);
		}
		expect(proxy.requests).toHaveLength(5);
		expect(client.mtls.stats()).toMatchObject({tunnels: 5, handshakes: {full: 1, resumed: 4}});
	});

	test('a SOCKS proxy sees the target of the tunnel and nothing else', async () => {
		const [server, proxy] = await Promise.all([
			fixture.server({minVersion: 'TLSv1.3'}),
			fixture.socksProxy({route: toLoopback}),
		]);
		const client = fixture.client({
			...options,
			jar: true,
			proxy: urlOf(proxy),
			headers: {Authorization: 'Bearer t', 'Proxy-Authorization': 'Basic pr0xy', Cookie: 'own=1'},
		});
		const {data} = await client.post(server.url('/echo?q=s3cret'), {body: 's3cret'});
		expect(data.headers).toMatchObject({authorization: 'Bearer t', cookie: 'own=1'});
		expect(data.headers).not.toHaveProperty('proxy-authorization');
		const heard = Buffer.concat(proxy.heard);
		expect(heard.length).toBeGreaterThan(0);
		for (const secret of [
			's3cret',
			'Bearer',
			'pr0xy',
			'own=1',
			new X509Certificate(fixture.alice.cert).raw,
		]) {
			expect(heard.includes(secret)).toBe(false);
		}
	});

	test('no byte of a request reaches a server that fails verification through a SOCKS tunnel', async () => {
		const [impostor, proxy] = await Promise.all([
			createTestPki({commonName: 'Other CA'}).then(startRecordingServer),
			fixture.socksProxy({route: toLoopback}),
		]);
		onTestFinished(() => impostor.close());
		const client = fixture.client({...options, jar: true, proxy: urlOf(proxy)});
		const error = await mtlsFailureOf(
			client.post(impostor.url('/login'), login, {headers: {Authorization: 'Bearer t'}}),
		);
		expect(error).toMatchObject({
			failure: {
				kind: 'untrusted-issuer',
				side: 'server',
				phase: 'verify',
				host: 'localhost',
				port: impostor.port,
				proxy: {host: '127.0.0.1', port: proxy.port},
			},
		});
		expect(error.failure.proxy).not.toHaveProperty('reply');
		await impostor.connections[0]?.closed;
		expect(impostor.connections).toMatchObject([{plaintextBytes: 0}]);
		expect(impostor.connections[0]?.clientCertificate).toBeUndefined();
		expect(impostor.requests).toEqual([]);
		expect(proxy.requests).toHaveLength(1);
	});

	test('a redirect takes a SOCKS tunnel of its own, without the certificate', async () => {
		const [other, proxy] = await Promise.all([
			fixture.recordingServer(),
			fixture.socksProxy({route: toLoopback}),
		]);
		const server = await fixture.server({handler: pages({'/away': redirect(other.url())})});
		const client = fixture.client({...options, proxy: urlOf(proxy)});
		expect((await client.get(server.url('/away'))).data).toBe('stranger');
		expect(proxy.requests.map(({port}) => port)).toEqual([server.port, other.port]);
		expect(other.connections[0]?.clientCertificate).toBeUndefined();
		expect(server.connections[0]?.clientCertificate?.subject).toBe('alice');
	});

	test('a SOCKS tunnel is not used with another certificate after a rotation', async () => {
		const [server, proxy, bob] = await Promise.all([
			fixture.server(),
			fixture.socksProxy({route: toLoopback}),
			fixture.pki.client({commonName: 'bob'}),
		]);
		const {cert, key} = fixture.alice;
		let current = {cert, key};
		const client = createClient({
			...options,
			mtls: {identity: () => current, ca: fixture.pki.ca},
			logger: false,
			proxy: urlOf(proxy),
		});
		onTestFinished(() => client.mtls.close());
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
		current = {cert: bob.cert, key: bob.key};
		await client.mtls.reload();
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'bob'});
		expect(proxy.requests).toHaveLength(2);
		expect(client.mtls.stats()).toMatchObject({epoch: 1, tunnels: 2, sockets: {idle: 1}});
	});

	test('a SOCKS proxy gets the login of the URL or of its parts, also with a colon in the user', async () => {
		const credentials = {username: 'us:er', password: 'p@:s3cret'};
		const [server, proxy] = await Promise.all([
			fixture.server(),
			fixture.socksProxy({route: toLoopback, credentials}),
		]);
		const parts = {host: '127.0.0.1', port: proxy.port, protocol: 'socks5h', auth: credentials};
		const url = urlOf(proxy, 'socks5h', 'us%3Aer:p%40%3As3cret@');
		for (const client of [
			fixture.client({...options, proxy: url}),
			fixture.client({...options, proxy: parts}),
			clientIn({ALL_PROXY: url}, options),
		]) {
			const {data} = await client.get(server.url('/echo'));
			expect(data.headers).not.toHaveProperty('proxy-authorization');
		}
		expect(proxy.requests).toHaveLength(3);
		for (const request of proxy.requests) {
			expect(request).toMatchObject({methods: [0, 2], login: credentials});
		}
	});

	test('two logins of a SOCKS proxy do not share a tunnel', async () => {
		const [server, plain] = await Promise.all([fixture.server(), startPlainHttp()]);
		const proxy = await fixture.socksProxy({route: toLoopback});
		const client = fixture.client(options);
		for (const auth of ['one:p@', 'two:p@', 'one:q@', '', 'one:p@']) {
			await client.get(server.url('/echo'), {proxy: urlOf(proxy, 'socks5h', auth)});
			await client.get(plain.origin, {proxy: urlOf(proxy, 'socks5h', auth)});
		}
		expect(proxy.requests.map(({port}) => port)).toEqual(
			Array(4).fill([server.port, plain.port]).flat(),
		);
		expect(server.connections).toHaveLength(4);
		expect(plain.sockets).toHaveLength(4);
	});

	test('plain http goes through a SOCKS tunnel in origin-form, without a login for a proxy', async () => {
		const [one, two] = await Promise.all([startPlainHttp(), startPlainHttp()]);
		const credentials = {username: 'user', password: 's3cret'};
		const proxy = await fixture.socksProxy({route: toLoopback, credentials});
		const client = fixture.client({
			...options,
			proxy: urlOf(proxy, 'socks5h', 'user:s3cret@'),
			headers: {'Proxy-Authorization': 'Basic pr0xy'},
		});
		for (const {origin} of [one, two, one]) {
			const {data, config} = await client.get(`${origin}/x?q=1`);
			expect(data).toBe('plain');
			// The app finds its header where it has put it.
			expect(config.headers.get('Proxy-Authorization')).toBe('Basic pr0xy');
		}
		for (const {url, headers} of [...one.requests, ...two.requests]) {
			expect(url).toBe('/x?q=1');
			expect(headers).not.toHaveProperty('proxy-authorization');
			expect(headers).not.toHaveProperty('proxy-connection');
		}
		expect(one.requests.map(({headers}) => headers.host)).toEqual(
			Array(2).fill(`localhost:${one.port}`),
		);
		// A tunnel leads to one origin, and is kept.
		expect(proxy.requests.map(({port}) => port)).toEqual([one.port, two.port]);
		expect(client.mtls.stats()).toMatchObject({tunnels: 2, sockets: {idle: 2}});
		expect(Buffer.concat(proxy.heard).includes('s3cret')).toBe(false);
	});

	test('a 407 through a SOCKS tunnel is an answer of the server', async () => {
		const plain = await startPlainHttp((_, response) => response.writeHead(407).end('odd'));
		const proxy = await fixture.socksProxy({route: toLoopback});
		const client = fixture.client({...options, proxy: urlOf(proxy)});
		const error = await failureOf(client.get(plain.origin));
		expect(error).toMatchObject({name: 'AxiosError', response: {status: 407, data: 'odd'}});
	});

	test('a plain http server that hangs up behind a SOCKS proxy is not a failure of the proxy', async () => {
		const plain = await startPlainHttp((request) => request.socket.destroy());
		const proxy = await fixture.socksProxy({route: toLoopback});
		const client = fixture.client({...options, proxy: urlOf(proxy)});
		const error = await failureOf(client.post(plain.origin, 'body'));
		expect(error.code).toBe('ECONNRESET');
		expect(isMtlsError(error)).toBe(false);
	});

	test.each([
		['ALL_PROXY', {}, 1],
		['all_proxy', {}, 1],
		['HTTPS_PROXY', {}, 1],
		['HTTP_PROXY', {}, 0],
		['ALL_PROXY', {NO_PROXY: 'localhost'}, 0],
		['ALL_PROXY', {NO_PROXY: 'other.test'}, 1],
		['ALL_PROXY', {no_proxy: '*'}, 0],
	])(
		'the environment %s of a SOCKS proxy with the option %j makes %i tunnels',
		async (name, env, tunnels) => {
			const [server, proxy] = await Promise.all([
				fixture.server(),
				fixture.socksProxy({route: toLoopback}),
			]);
			const client = clientIn({[name]: urlOf(proxy), ...env}, {...options, jar: true});
			await client.post(server.url('/login'), login);
			expect((await client.get(server.url('/accounts'))).data).toMatchObject({user: 'alice'});
			expect(proxy.requests).toHaveLength(tunnels);
		},
	);

	test.each([
		['ipv4', 'in one packet'],
		['name', 'in one packet'],
		['ipv6', 'in one packet'],
		['ipv4', 'byte by byte'],
		['name', 'byte by byte'],
		['ipv6', 'byte by byte'],
	] as const)('a SOCKS proxy may reply with an address of the type %s, %s', async (bound, how) => {
		const credentials = {username: 'u', password: 'p'};
		const [server, proxy] = await Promise.all([
			fixture.server(),
			fixture.socksProxy({
				route: toLoopback,
				bound,
				credentials,
				bytewise: how === 'byte by byte',
			}),
		]);
		const client = fixture.client({...options, proxy: urlOf(proxy, 'socks5h', 'u:p@')});
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
	});
});

describe('the name of the server', () => {
	test.each([
		['socks5h', 'localhost', {addressType: 'name', host: 'localhost'}],
		['socks5', '127.0.0.1', {addressType: 'ipv4', host: '127.0.0.1'}],
		['socks5h', '127.0.0.1', {addressType: 'ipv4', host: '127.0.0.1'}],
		['socks5', '[::1]', {addressType: 'ipv6', host: '::1'}],
		['socks5h', '[::1]', {addressType: 'ipv6', host: '::1'}],
		['socks5h', '[2001:db8::ff00:42:8329]', {addressType: 'ipv6', host: '2001:db8::ff00:42:8329'}],
		['socks5', '[::ffff:127.0.0.1]', {addressType: 'ipv6', host: '::ffff:7f00:1'}],
		['socks5h', 'bücher.test', {addressType: 'name', host: 'xn--bcher-kva.test'}],
	])('a %s proxy is asked for %s in the right form', async (scheme, host, asked) => {
		const names = ['localhost', '127.0.0.1', '::1', '2001:db8::ff00:42:8329', '::ffff:7f00:1'];
		const credential = await fixture.pki.server({names: [...names, 'xn--bcher-kva.test']});
		const [server, plain, proxy] = await Promise.all([
			fixture.server({credential}),
			startPlainHttp(),
			fixture.socksProxy({route: toLoopback}),
		]);
		for (const [, options] of exchanges) {
			const client = fixture.client({...options, proxy: urlOf(proxy, scheme)});
			const {data} = await client.get(`https://${host}:${server.port}/whoami`);
			expect(data).toMatchObject({client: 'alice'});
			expect((await client.get(`http://${host}:${plain.port}/`)).data).toBe('plain');
		}
		expect(proxy.requests).toMatchObject(
			[server, plain, server, plain].map(({port}) => ({...asked, port})),
		);
	});

	test('a socks5 proxy is asked for the addresses of a name in turn, four at most, until one is reached', async () => {
		const server = await fixture.server();
		const proxy = await fixture.socksProxy({
			route: toLoopback,
			reply: ({host}) => ({'2001:db8::1': 8, '192.0.2.1': 5, '192.0.2.4': 0})[host] ?? 4,
		});
		const client = fixture.client({proxy: urlOf(proxy, 'socks5')});
		const ask = (...addresses: readonly string[]) =>
			client.get(server.url('/whoami'), {lookup: lookupOf(...addresses) as never});
		const found = ['2001:db8::1', '192.0.2.1', '192.0.2.3', '192.0.2.4', '192.0.2.5'];
		expect((await ask(...found)).data).toMatchObject({client: 'alice'});
		expect(proxy.requests.map(({host}) => host)).toEqual(found.slice(0, 4));
		expect(client.mtls.stats().tunnels).toBe(1);

		const failing = fixture.client({proxy: urlOf(proxy, 'socks5')});
		const lookup = lookupOf('192.0.2.2', '192.0.2.3', '192.0.2.5', '192.0.2.6', '192.0.2.4');
		const error = await mtlsFailureOf(
			failing.get(server.url('/whoami'), {lookup: lookup as never}),
		);
		expect(error).toMatchObject({
			code: 'ERR_PROXY_REFUSED',
			failure: {kind: 'proxy-refused', host: 'localhost', proxy: {reply: 4}},
			summary: `the proxy ${urlOf(proxy, 'socks5')} refused a tunnel to 192.0.2.6:${server.port}: host unreachable (SOCKS reply 4)`,
		});
		expect(proxy.requests).toHaveLength(8);
		await failing.mtls.close();
		await client.mtls.close();
		await proxy.closed();
	});

	test('a lookup that finds nothing for a socks5 proxy fails as one without a proxy does', async () => {
		const proxy = await fixture.socksProxy();
		const lookup = ((_, __, done) => {
			done(Object.assign(new Error('getaddrinfo ENOTFOUND'), {code: 'ENOTFOUND'}), '');
		}) as LookupFunction;
		const client = fixture.client();
		for (const setting of [urlOf(proxy, 'socks5'), false] as const) {
			for (const found of [lookup, lookupOf()]) {
				const error = await failureOf(
					client.get('https://nowhere.test/', {proxy: setting, lookup: found as never}),
				);
				expect(isMtlsError(error)).toBe(false);
				if (found === lookup) expect(error.code).toBe('ENOTFOUND');
			}
		}
		expect(proxy.connectionCount).toBe(0);
	});

	test('a lookup that never ends is ended by the timeouts of a request through a socks5 proxy', async () => {
		const proxy = await fixture.socksProxy();
		const client = fixture.client({proxy: urlOf(proxy, 'socks5'), timeouts: {connectMs: 50}});
		const error = await mtlsFailureOf(
			client.get('https://nowhere.test/', {lookup: (() => {}) as never}),
		);
		expect(error).toMatchObject({code: 'ERR_PROXY_TIMEOUT', failure: {kind: 'proxy-timeout'}});
		expect(proxy.connectionCount).toBe(0);
	});

	test.each([254, 255, 256])(
		'a host name of %i bytes goes to a SOCKS proxy up to 255',
		async (length) => {
			const proxy = await fixture.socksProxy({reply: 4});
			const host = `${'a.'.repeat(125)}${'b'.repeat(length - 250)}`;
			expect(host).toHaveLength(length);
			for (const [, options] of exchanges) {
				const client = fixture.client({...options, proxy: urlOf(proxy)});
				for (const scheme of ['https', 'http']) {
					const error = await failureOf(client.get(`${scheme}://${host}:1/`));
					if (length <= 255) {
						expect(error).toMatchObject({name: 'MtlsError', code: 'ERR_PROXY_REFUSED'});
					} else {
						expect(error).toMatchObject({
							code: 'ERR_INVALID_CHAR',
							message: 'a SOCKS proxy takes no host name of more than 255 bytes',
						});
					}
				}
			}
			expect(proxy.requests.map(({host: asked}) => asked)).toEqual(
				Array(length <= 255 ? 4 : 0).fill(host),
			);
		},
	);
});

describe('an agent', () => {
	test('an MtlsAgent connects through a SOCKS proxy, and keeps the connection', async () => {
		const credentials = {username: 'u', password: 'p'};
		const [server, proxy] = await Promise.all([
			fixture.server(),
			fixture.socksProxy({route: toLoopback, credentials}),
		]);
		const {cert, key} = fixture.alice;
		const agent = new MtlsAgent(
			{cert, key, ca: fixture.pki.ca},
			{proxy: urlOf(proxy, 'socks5h', 'u:p@'), logger: false},
		);
		onTestFinished(() => agent.destroy());
		for (let count = 0; count < 3; count += 1) {
			const request = https.get(server.url('/whoami'), {agent});
			const [response] = await once(request, 'response');
			expect(response.statusCode).toBe(200);
			await once(response.resume(), 'end');
		}
		expect(proxy.requests).toMatchObject([{login: credentials, port: server.port}]);
		expect(server.connections).toHaveLength(1);

		const names = Object.keys({...agent.sockets, ...agent.freeSockets});
		expect(names.join()).not.toContain('u:p');
	});

	test('a SOCKS proxy is not asked for a host name that holds a line break', async () => {
		const proxy = await fixture.socksProxy();
		const agent = new MtlsAgent({ca: fixture.pki.ca}, {proxy: urlOf(proxy), logger: false});
		onTestFinished(() => agent.destroy());
		// With a header of its own, or Node would refuse to make one of the name.
		const request = https.get({host: 'a.test\r\nb.test', headers: {host: 'a.test'}, agent});
		const [error] = await once(request, 'error');
		expect(error).toMatchObject({code: 'ERR_INVALID_CHAR'});
		expect(proxy.connectionCount).toBe(0);
	});

	test('an agent of the app for plain http is refused beside a SOCKS proxy, which axios cannot use', async () => {
		const [plain, proxy] = await Promise.all([startPlainHttp(), fixture.socksProxy()]);
		const httpAgent = new http.Agent();
		const client = createClient({logger: false, httpAgent, proxy: urlOf(proxy)});
		onTestFinished(() => client.mtls.close());
		await expect(client.get(plain.origin)).rejects.toMatchObject({
			name: 'MtlsConfigError',
			code: 'ERR_MTLS_AGENT_CONFLICT',
			option: 'httpAgent',
		});
		expect(proxy.connectionCount).toBe(0);
		expect(plain.sockets).toEqual([]);
		// It connects as it does.
		expect((await client.get(plain.origin, {proxy: false})).data).toBe('plain');
	});

	test.each(['http', 'https'] as const)(
		'a replaced global agent for %s is refused beside a SOCKS proxy, which axios cannot use',
		async (scheme) => {
			const proxy = await fixture.socksProxy();
			const module = {http, https}[scheme];
			const before = module.globalAgent;
			onTestFinished(() => {
				module.globalAgent = before as never;
			});
			module.globalAgent = new (class extends module.Agent {})() as never;
			const client = createClient({logger: false, proxy: urlOf(proxy)});
			onTestFinished(() => client.mtls.close());
			await expect(client.get(`${scheme}://127.0.0.1:1/`)).rejects.toMatchObject({
				name: 'MtlsConfigError',
				code: 'ERR_MTLS_AGENT_CONFLICT',
				option: 'proxy',
			});
			expect(proxy.connectionCount).toBe(0);
		},
	);

	// Older versions of axios, and of Node, would read the environment of the process instead.
	test.each(['http', 'https'] as const)(
		'a global agent for %s with proxies of its own is refused beside a SOCKS proxy of the environment',
		async (scheme) => {
			const proxy = await fixture.socksProxy();
			const module = {http, https}[scheme];
			const before = module.globalAgent;
			const env = {HTTP_PROXY: 'http://127.0.0.1:1', HTTPS_PROXY: 'http://127.0.0.1:1'};
			onTestFinished(() => {
				module.globalAgent = before as never;
			});
			module.globalAgent = new module.Agent({keepAlive: true, proxyEnv: env} as object) as never;
			for (const name of ['http_proxy', 'https_proxy', 'no_proxy']) {
				vi.stubEnv(name, undefined);
				vi.stubEnv(name.toUpperCase(), undefined);
			}
			vi.stubEnv('ALL_PROXY', urlOf(proxy));
			const client = createClient({logger: false});
			onTestFinished(async () => {
				vi.unstubAllEnvs();
				await client.mtls.close();
			});
			await expect(client.get(`${scheme}://127.0.0.2:1/`)).rejects.toMatchObject({
				name: 'MtlsConfigError',
				code: 'ERR_MTLS_AGENT_CONFLICT',
				option: 'proxy',
			});
			expect(proxy.connectionCount).toBe(0);
		},
	);

	test('an agent of the app for https connects as it does, whatever the SOCKS proxy', async () => {
		const [server, proxy] = await Promise.all([fixture.server(), fixture.socksProxy()]);
		const {cert, key} = fixture.alice;
		const httpsAgent = new https.Agent({cert, key, ca: fixture.pki.ca});
		onTestFinished(() => httpsAgent.destroy());
		const client = createClient({logger: false, httpsAgent, proxy: urlOf(proxy)});
		onTestFinished(() => client.mtls.close());
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
		expect(proxy.connectionCount).toBe(0);
	});
});

test('a connection for HTTP/2 through a SOCKS proxy negotiates it with the server, and carries a request', async () => {
	const [server, proxy] = await Promise.all([
		startH2Server(fixture.pki),
		fixture.socksProxy({route: toLoopback}),
	]);
	const {cert, key} = fixture.alice;
	const connections = new Connections({cert, key, ca: fixture.pki.ca}, {logger: false});
	onTestFinished(() => connections.destroy());
	const url = new URL(server.origin);
	const socket = await connect({
		snapshot: await connections.identities.selector.at(url.origin),
		secure: true,
		host: url.hostname,
		port: Number(url.port),
		presentCertificate: true,
		proxy: resolveProxy(urlOf(proxy), url),
		alpn: 'h2',
	});
	expect(socket).toMatchObject({alpnProtocol: 'h2', authorized: true});
	const session = http2.connect(url.origin, {createConnection: () => socket});
	onTestFinished(() => session.destroy());
	const stream = session.request({':path': '/echo'});
	const [headers] = await once(stream, 'response');
	expect(headers[':status']).toBe(200);
	expect(proxy.requests).toMatchObject([{host: url.hostname, port: Number(url.port)}]);
	expect(connections.identities.counts.tunnels).toBe(1);
});

describe('over HTTP/2', () => {
	const options = {httpVersion: 2} as const;

	test('requests of one login share a SOCKS tunnel, and those of another have their own', async () => {
		const [server, proxy] = await Promise.all([
			startH2Server(fixture.pki),
			fixture.socksProxy({route: toLoopback}),
		]);
		const client = fixture.client(options);
		for (const auth of ['one:p@', 'two:p@', 'one:q@', '', 'one:p@']) {
			const proxied = {proxy: urlOf(proxy, 'socks5h', auth)};
			await Promise.all([1, 2, 3].map(() => client.get(server.url('/echo'), proxied)));
		}
		expect(proxy.requests).toHaveLength(4);
		expect(server.connections).toHaveLength(4);
		expect(server.requests).toHaveLength(15);
		for (const {headers} of server.requests) {
			expect(headers).not.toHaveProperty('proxy-authorization');
		}
	});

	test('no byte of a request over HTTP/2 reaches a server that fails verification through a SOCKS tunnel', async () => {
		const impostor = await startH2Server(await createTestPki({commonName: 'Other CA'}), {
			clientAuth: 'request',
		});
		const proxy = await fixture.socksProxy({route: toLoopback});
		const client = fixture.client({...options, proxy: urlOf(proxy)});
		const error = await mtlsFailureOf(client.post(impostor.url('/login'), login));
		expect(error.failure).toMatchObject({kind: 'untrusted-issuer', side: 'server'});
		await impostor.connections[0]?.closed;
		expect(impostor.connections).toMatchObject([{plaintextBytes: 0}]);
		expect(impostor.requests).toEqual([]);
	});

	test.each(['https', 'http'])(
		'a SOCKS proxy that refuses a request over HTTP/2 to %s fails it by its kind',
		async (scheme) => {
			const proxy = await fixture.socksProxy({reply: 2});
			const client = fixture.client({...options, proxy: urlOf(proxy)});
			const error = await mtlsFailureOf(client.get(`${scheme}://bank.test:1/`));
			expect(error).toMatchObject({
				code: 'ERR_PROXY_REFUSED',
				failure: {kind: 'proxy-refused', side: 'proxy', proxy: {reply: 2}},
			});
			await proxy.closed();
		},
	);
});

test('the limit on connections counts those through a SOCKS proxy by their server', async () => {
	const [server, plain, proxy] = await Promise.all([
		fixture.server(),
		startPlainHttp(),
		fixture.socksProxy({route: toLoopback}),
	]);
	const client = fixture.client({proxy: urlOf(proxy), maxSockets: 1});
	const urls = [server.url('/whoami'), plain.origin];
	await Promise.all(urls.flatMap((url) => Array.from({length: 5}, () => client.get(url))));
	expect(proxy.requests.map(({port}) => port).sort()).toEqual([server.port, plain.port].sort());
});

// Security: the package reads its options, and those of its reader, from objects with a prototype.
test.each([
	['existing_socket', {}, true],
	['custom_auth_method', 0x80, true],
	['userId', 'evil', true],
	['socket_options', {host: '192.0.2.1'}, true],
	// Its reader then finds nothing in any reply.
	['size', 5, false],
])(
	'a polluted Object.prototype.%s changes nothing that a SOCKS proxy is asked',
	async (name, value, reached) => {
		const [server, proxy] = await Promise.all([
			fixture.server(),
			fixture.socksProxy({route: toLoopback}),
		]);
		const client = fixture.client({proxy: urlOf(proxy)});
		const how = {value, configurable: true, writable: true};
		Object.defineProperty(Object.prototype, name, Object.assign(Object.create(null), how));
		const request = client.get(server.url('/whoami'));
		const outcome = await Promise.allSettled([request]).finally(() => {
			Reflect.deleteProperty(Object.prototype, name);
		});
		if (reached) expect(outcome).toMatchObject([{status: 'fulfilled', value: {status: 200}}]);
		else expect(outcome).toMatchObject([{reason: {failure: {kind: 'proxy-bad-reply'}}}]);
		expect(proxy.requests).toMatchObject([{methods: [0], host: 'localhost', port: server.port}]);
	},
);

test('a SOCKS proxy at an address of IPv6 is found', async () => {
	const server = await fixture.server();
	const proxy = await fixture.socksProxy({route: toLoopback, listenOn: '::1'});
	for (const setting of [
		`socks5h://[::1]:${proxy.port}`,
		{host: '::1', port: proxy.port, protocol: 'socks5h'},
	]) {
		const client = fixture.client({proxy: setting});
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
	}
	expect(proxy.requests).toHaveLength(2);
});

test('a request to a socketPath does not go through a SOCKS proxy', async () => {
	const proxy = await fixture.socksProxy();
	const client = fixture.client({proxy: urlOf(proxy)});
	for (const scheme of ['http', 'https']) {
		const error = await failureOf(
			client.get(`${scheme}://localhost/`, {socketPath: '/no/such/axios-mtls.sock'}),
		);
		expect(error.code).toBe('ENOENT');
	}
	expect(proxy.connectionCount).toBe(0);
});
