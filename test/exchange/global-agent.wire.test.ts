/*
 * Seen: with `https.globalAgent.options.ca = corp`, or an agent of a tracing or proxy package in the place
 * of the global one, axios was answered and our client without `mtls` said `untrusted-issuer`. Why: it
 * asked Node's global agents for nothing. Now it follows them as axios does where no `mtls` is given;
 * but for one thing: what does not verify its servers is not followed.
 */
import http from 'node:http';
import https from 'node:https';
import {rootCertificates, type TLSSocket} from 'node:tls';
import axios, {type AxiosInstance} from 'axios';
import {beforeAll, beforeEach, describe, expect, onTestFinished, test, vi} from 'vitest';
import {CookieJar, createAdapter, createClient, withMtls} from '../../src/index.ts';
import {createTestPki, type MtlsServer} from '../../src/testing/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
	pages,
	redirect,
} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

// Written as a variable: the literal, which switches verification off elsewhere, is nowhere here.
const off = false;

beforeEach(() => {
	for (const name of ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy']) {
		vi.stubEnv(name, undefined);
		vi.stubEnv(name.toUpperCase(), undefined);
	}
	const before = {http: http.globalAgent, https: https.globalAgent};
	const options = {...https.globalAgent.options};
	onTestFinished(() => {
		if (https.globalAgent !== before.https) https.globalAgent.destroy();
		if (http.globalAgent !== before.http) http.globalAgent.destroy();
		http.globalAgent = before.http;
		https.globalAgent = before.https;
		before.https.destroy();
		before.http.destroy();
		for (const name of Object.keys(before.https.options)) {
			Reflect.deleteProperty(before.https.options, name);
		}
		Object.assign(before.https.options, options);
		vi.unstubAllEnvs();
	});
});

const makers: readonly (readonly [string, (config: object) => AxiosInstance])[] = [
	['createAdapter()', (config) => axios.create({...config, adapter: createAdapter()})],
	[
		'withMtls(instance)',
		(config) => {
			const client = withMtls(axios.create(config), {logger: false});
			onTestFinished(() => client.mtls.close({deadlineMs: 0}));
			return client;
		},
	],
	[
		'createClient()',
		(config) => {
			const client = createClient({...config, logger: false});
			onTestFinished(() => client.mtls.close({deadlineMs: 0}));
			return client;
		},
	],
];

/** Trusts the CA of the fixture, and counts its connections. */
class Tracer extends https.Agent {
	connections = 0;
	constructor(options: https.AgentOptions = {}) {
		super({keepAlive: true, ca: fixture.pki.ca, ...options});
	}
	override createConnection(...given: Parameters<https.Agent['createConnection']>) {
		this.connections += 1;
		return super.createConnection(...given);
	}
}

const server = () => fixture.server({clientAuth: 'none'});
const connectionsOf = ({connections}: MtlsServer) => connections.length;

describe.each(makers)('with %s', (_, make) => {
	describe.each(exchanges)('over %s', (_name, options) => {
		test('a private CA is not trusted as long as the global agent is unchanged', async () => {
			const {failure} = await mtlsFailureOf(make(options).get((await server()).url('/echo')));
			expect(failure.kind).toBe('untrusted-issuer');
		});

		test.each([
			['a text', () => fixture.pki.ca],
			['bytes', () => Buffer.from(fixture.pki.ca)],
			['a list', () => [...rootCertificates, fixture.pki.ca]],
		])('a CA that is given to the global agent as %s is trusted', async (_form, ca) => {
			const bank = await server();
			https.globalAgent.options.ca = ca();
			expect((await axios.get(bank.url('/echo'))).status).toBe(200);
			const client = make(options);
			for (let i = 0; i < 3; i += 1) {
				const {data, tls} = await client.get(bank.url('/echo'));
				expect(data.url).toBe('/echo');
				expect(tls?.authorized).toBe(true);
			}
			// One of axios, and one of ours that is kept.
			expect(connectionsOf(bank)).toBe(2);
		});

		test('an agent in the place of the global one makes the connections, and keeps them', async () => {
			const bank = await server();
			const tracer = new Tracer();
			https.globalAgent = tracer;
			const client = make(options);
			for (let i = 0; i < 3; i += 1) {
				expect((await client.get(bank.url('/echo'))).data.url).toBe('/echo');
			}
			expect(tracer.connections).toBe(1);
			expect(connectionsOf(bank)).toBe(1);
		});
	});
});

const make = (config: object = {}) => (makers[2] as (typeof makers)[number])[1](config);

describe('what an app does to the global agents counts', () => {
	test('a CA that is set on the global agent, or removed, counts from the next request on', async () => {
		const other = await createTestPki();
		const bank = await server();
		const client = make();
		https.globalAgent.options.ca = fixture.pki.ca;
		await client.get(bank.url('/echo'));
		https.globalAgent.options.ca = [other.ca];
		expect((await mtlsFailureOf(client.get(bank.url('/echo')))).failure.kind).toBe(
			'untrusted-issuer',
		);
		// A list that grows is another list.
		https.globalAgent.options.ca.push(fixture.pki.ca);
		await client.get(bank.url('/echo'));
		delete https.globalAgent.options.ca;
		expect((await mtlsFailureOf(client.get(bank.url('/echo')))).failure.kind).toBe(
			'untrusted-issuer',
		);
		expect(bank.requests).toHaveLength(2);
	});

	test('an invalid CA of the global agent is refused by its option', async () => {
		https.globalAgent.options.ca = '/etc/passwd';
		await expect(make().get((await server()).url())).rejects.toMatchObject({
			name: 'MtlsConfigError',
			code: 'ERR_MTLS_NOT_PEM',
			option: 'https.globalAgent.options.ca',
		});
	});

	test('a client certificate in the options of the global agent is presented, as by axios', async () => {
		const bank = await fixture.server();
		const {cert, key} = fixture.alice;
		Object.assign(https.globalAgent.options, {cert, key, ca: fixture.pki.ca});
		expect((await axios.get(bank.url('/whoami'))).data.client).toBe('alice');
		expect((await make().get(bank.url('/whoami'))).data.client).toBe('alice');
	});

	test('a limit on the connections of the global agent is kept', async () => {
		const bank = await server();
		const agent = new https.Agent({keepAlive: true, maxSockets: 2, ca: fixture.pki.ca});
		https.globalAgent = agent;
		const client = make();
		await Promise.all(Array.from({length: 10}, () => client.get(bank.url('/echo'))));
		expect(connectionsOf(bank)).toBe(2);
	});

	test('a method that is put on the global agent is called', async () => {
		const bank = await server();
		https.globalAgent.options.ca = fixture.pki.ca;
		const {createConnection} = https.globalAgent;
		const seen = vi.fn(createConnection);
		https.globalAgent.createConnection = seen;
		onTestFinished(() => {
			Reflect.deleteProperty(https.globalAgent, 'createConnection');
		});
		await make().get(bank.url('/echo'));
		expect(seen).toHaveBeenCalledTimes(1);
	});

	test('the global agent of http makes the connections for http, and keeps them', async () => {
		const plain = await startPlainHttp();
		let made = 0;
		class Plain extends http.Agent {
			override createConnection(...given: Parameters<http.Agent['createConnection']>) {
				made += 1;
				return super.createConnection(...given);
			}
		}
		http.globalAgent = new Plain({keepAlive: true});
		const client = make({jar: true});
		for (let i = 0; i < 3; i += 1) expect((await client.get(plain.origin)).data).toBe('plain');
		expect(made).toBe(1);
	});

	test('an agent that keeps nothing alive keeps nothing alive', async () => {
		const plain = await startPlainHttp();
		http.globalAgent = new http.Agent({keepAlive: false});
		const client = make();
		for (let i = 0; i < 3; i += 1) await client.get(plain.origin);
		expect(plain.sockets).toHaveLength(3);
	});

	test('another global agent of the same kind changes nothing: the client makes the connections', async () => {
		const plain = await startPlainHttp();
		const agent = new http.Agent({keepAlive: true, timeout: 1_000});
		http.globalAgent = agent;
		const {request} = await make().get(plain.origin);
		expect(request.constructor.name).toBe('SentRequest');
		expect(Object.keys(agent.freeSockets)).toEqual([]);
	});

	test('the jar works with a replaced global agent, on redirects too', async () => {
		const bank = await fixture.server({
			clientAuth: 'none',
			handler: pages({
				'/in': redirect('/echo', 302, {'set-cookie': 'session=1; Secure'}),
			}),
		});
		https.globalAgent = new Tracer();
		const {data} = await make({jar: true}).get(bank.url('/in'));
		expect(data.headers.cookie).toBe('session=1');
	});

	test('a redirect from one protocol to the other takes the agent of each', async () => {
		const bank = await server();
		const plain = await startPlainHttp((_, response) =>
			response.writeHead(302, {location: bank.url('/echo')}).end(),
		);
		const tracer = new Tracer();
		https.globalAgent = tracer;
		expect((await make().get(plain.origin)).data.url).toBe('/echo');
		expect(tracer.connections).toBe(1);
	});

	test('a request with an agent of its own goes by that', async () => {
		const bank = await server();
		const [global, own] = [new Tracer(), new Tracer()];
		https.globalAgent = global;
		onTestFinished(() => own.destroy());
		await make().get(bank.url('/echo'), {httpsAgent: own});
		expect([global.connections, own.connections]).toEqual([0, 1]);
	});
});

describe('with mtls nothing of them counts', () => {
	test.each(exchanges)(
		'the global agents do not count with `mtls`, over %s',
		async (_, options) => {
			const stranger = await (await createTestPki()).server();
			const impostor = await fixture.server({credential: stranger, clientAuth: 'none'});
			const bank = await fixture.server();
			const tracer = new Tracer({rejectUnauthorized: off});
			https.globalAgent = tracer;
			const client = fixture.client(options);
			expect((await client.get(bank.url('/whoami'))).data.client).toBe('alice');
			expect((await mtlsFailureOf(client.get(impostor.url()))).failure.kind).toBe(
				'untrusted-issuer',
			);
			expect(tracer.connections).toBe(0);
			expect(impostor.requests).toEqual([]);
		},
	);
});

describe('verification stays on', () => {
	/** Servers that are not to be believed, and record what reaches them. */
	async function impostors() {
		const stranger = await createTestPki();
		return [
			await fixture.server({credential: await stranger.server(), clientAuth: 'none'}),
			await fixture.server({
				credential: await fixture.pki.server({names: ['other.test']}),
				clientAuth: 'none',
			}),
			await fixture.server({
				credential: await fixture.pki.server({expired: true}),
				clientAuth: 'none',
			}),
		];
	}

	const agents: readonly (readonly [string, () => void])[] = [
		[
			'rejectUnauthorized: false alone',
			() => {
				https.globalAgent.options.rejectUnauthorized = off;
			},
		],
		[
			'rejectUnauthorized: false and a CA',
			() => {
				Object.assign(https.globalAgent.options, {rejectUnauthorized: off, ca: fixture.pki.ca});
			},
		],
		[
			'another agent that does not verify',
			() => {
				https.globalAgent = new https.Agent({keepAlive: true, rejectUnauthorized: off});
			},
		],
		[
			'an agent of another class that does not verify, and does not say so',
			() => {
				class Careless extends https.Agent {
					override createConnection(...given: Parameters<https.Agent['createConnection']>) {
						const [options, done] = given;
						return super.createConnection({...options, rejectUnauthorized: off}, done);
					}
				}
				https.globalAgent = new Careless({ca: fixture.pki.ca});
			},
		],
		[
			'an agent of another class and NODE_TLS_REJECT_UNAUTHORIZED=0',
			() => {
				vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
				https.globalAgent = new Tracer();
			},
		],
	];
	const cases = agents.flatMap(([title, change]) =>
		exchanges.map(([exchange, options]) => [title, exchange, {change, options}] as const),
	);

	test.each(cases)(
		'verification stays on with %s, over %s',
		async (_title, _exchange, {change, options}) => {
			const all = await impostors();
			change();
			const client = make(options);
			for (const impostor of all) {
				const error = await failureOf(client.post(impostor.url('/secret'), 'the body'));
				expect(error.code).toMatch(/CERT|SIGNATURE|ISSUER|UNABLE/);
			}
			for (const impostor of all) {
				expect(impostor.requests).toEqual([]);
				for (const {plaintextBytes} of impostor.connections) expect(plaintextBytes).toBe(0);
			}
		},
	);

	test('axios itself accepts the same servers, so that these tests show something', async () => {
		const [impostor] = await impostors();
		https.globalAgent.options.rejectUnauthorized = off;
		expect((await axios.get(impostor?.url('/echo') ?? '')).status).toBe(200);
	});

	test('a replaced agent with options that do not verify is refused by its option', async () => {
		const bank = await server();
		https.globalAgent = new Tracer({rejectUnauthorized: off});
		await expect(make().get(bank.url('/echo'))).rejects.toMatchObject({
			name: 'MtlsConfigError',
			code: 'ERR_MTLS_BAD_OPTION',
			option: 'https.globalAgent.options.rejectUnauthorized',
		});
		expect(bank.connections).toEqual([]);
	});
});

// Before 1.21 axios's own tunnel does not ask the global agent.
const asksInTunnels = Number(axios.VERSION.split('.')[1]) >= 21;

describe('through a proxy', () => {
	test.runIf(asksInTunnels)(
		'a CA of the global agent is trusted, in one tunnel for all requests',
		async () => {
			const [bank, proxy] = await Promise.all([server(), fixture.proxy()]);
			https.globalAgent.options.ca = fixture.pki.ca;
			vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${proxy.port}`);
			const client = make();
			for (let i = 0; i < 3; i += 1) await client.get(bank.url('/echo'));
			expect(proxy.tunnels).toHaveLength(1);
			expect((await axios.get(bank.url('/echo'))).status).toBe(200);
		},
	);

	test.runIf(asksInTunnels)(
		"axios's tunnel takes the place of another agent, with the options of that",
		async () => {
			const [bank, proxy] = await Promise.all([fixture.server(), fixture.proxy()]);
			const {cert, key} = fixture.alice;
			https.globalAgent = new Tracer({cert, key});
			vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${proxy.port}`);
			// Versions of axios differ in it.
			const ask = (client: AxiosInstance) =>
				client.get(bank.url('/whoami')).then(
					({data}) => data.client,
					({code}) => code,
				);
			expect(await ask(make())).toBe(await ask(axios));
			expect(proxy.tunnels).toHaveLength(2);
		},
	);

	test.each([
		[407, 'ERR_PROXY_AUTH_REQUIRED'],
		[403, 'ERR_PROXY_REFUSED'],
	])('a refusal by %i is no answer of the server, and sets no cookie', async (verdict, code) => {
		const raw = `HTTP/1.1 ${verdict} No\r\nSet-Cookie: bank=proxy\r\nContent-Length: 2\r\n\r\nno`;
		const [bank, proxy] = await Promise.all([server(), fixture.proxy({verdict: {raw}})]);
		https.globalAgent = new Tracer();
		const jar = new CookieJar();
		const client = make({jar, proxy: {host: '127.0.0.1', port: proxy.port}});
		const error = await failureOf(client.get(bank.url('/echo'), {validateStatus: null}));
		expect(error.code).toBe(code);
		expect(error.response).toBeUndefined();
		expect(jar.getCookiesSync(bank.url('/echo'))).toEqual([]);
		// axios takes it for an answer, cookies and all.
		const theirs = await axios.get(bank.url('/echo'), {
			validateStatus: null,
			proxy: {host: '127.0.0.1', port: proxy.port},
		});
		expect(theirs).toMatchObject({status: verdict, headers: {'set-cookie': ['bank=proxy']}});
		expect(bank.connections).toEqual([]);
	});

	// Node 24.5 and later: https://nodejs.org/api/http.html#built-in-proxy-support
	test.runIf(asksInTunnels && 'setGlobalProxyFromEnv' in http)(
		'an agent with an environment of its own asks the proxies that it names',
		async () => {
			const [bank, proxy, other] = await Promise.all([server(), fixture.proxy(), fixture.proxy()]);
			const proxyEnv = {HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`};
			const options = {keepAlive: true, ca: fixture.pki.ca, proxyEnv};
			https.globalAgent = new https.Agent(options as https.AgentOptions);
			vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${other.port}`);
			await axios.get(bank.url('/echo'));
			await make().get(bank.url('/echo'));
			expect(proxy.tunnels).not.toHaveLength(0);
			expect(other.tunnels).toEqual([]);

			// With that of the process it says nothing new: the connections are ours.
			const made = proxy.tunnels.length;
			vi.stubEnv('HTTPS_PROXY', proxyEnv.HTTPS_PROXY);
			const client = make();
			const {request} = await client.get(bank.url('/echo'));
			expect(request.constructor.name).toBe('SentRequest');
			expect(proxy.tunnels).toHaveLength(made + 1);
		},
	);

	test('an https proxy, or headers for a proxy, are refused with a replaced global agent', async () => {
		const bank = await server();
		https.globalAgent = new Tracer();
		for (const proxy of [
			'https://127.0.0.1:1',
			{host: '127.0.0.1', port: 1, headers: {'X-A': '1'}},
		]) {
			await expect(make().get(bank.url('/echo'), {proxy: proxy as never})).rejects.toMatchObject({
				name: 'MtlsConfigError',
				code: 'ERR_MTLS_AGENT_CONFLICT',
				option: 'proxy',
			});
		}
	});
});

test('a connection that an agent keeps is verified too', async () => {
	const bank = await server();
	const tracer = new Tracer();
	https.globalAgent = tracer;
	const client = make();
	await client.get(bank.url('/echo'));
	for (const socket of Object.values(tracer.freeSockets).flat()) {
		(socket as TLSSocket).authorized = off;
	}
	const error = await failureOf(client.get(bank.url('/echo')));
	expect(error.code).toBe('ERR_TLS_CERT_UNVERIFIED');
	expect(bank.requests).toHaveLength(1);
});
