import {once} from 'node:events';
import http from 'node:http';
import https from 'node:https';
import {json} from 'node:stream/consumers';
import {createSecureContext} from 'node:tls';
import {inspect} from 'node:util';
import axios from 'axios';
import got, {RequestError} from 'got';
import superagent from 'superagent';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {MtlsAgent, type MtlsAgentOptions, MtlsConfigError} from '../../src/index.ts';
import {allClosed, createFixture, type Fixture} from '../support/fixture.ts';
import {pemMarks} from '../support/printed-forms.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

function agentOf(options: MtlsAgentOptions = {proxy: false}): MtlsAgent {
	const {cert, key} = fixture.alice;
	const agent = new MtlsAgent({cert, key, ca: fixture.pki.ca}, options);
	onTestFinished(() => agent.destroy());
	return agent;
}

/** `GET url` with node:https, parsed; rejects with Node's error. */
function ask(url: string, options: https.RequestOptions): Promise<unknown> {
	return new Promise((resolve, reject) => {
		https
			.get(url, options, (response) => json(response).then(resolve, reject))
			.once('error', reject);
	});
}

type Client = (url: string, agent: MtlsAgent) => Promise<unknown>;
const clients: [string, Client][] = [
	['node:https', (url, agent) => ask(url, {agent})],
	['axios', async (url, agent) => (await axios.get(url, {httpsAgent: agent, proxy: false})).data],
	['got', (url, agent) => got(url, {agent: {https: agent}, retry: {limit: 0}}).json()],
	['superagent', async (url, agent) => (await superagent.get(url).agent(agent)).body],
];

describe.each(clients)('under %s', (_, get) => {
	test('an MtlsAgent presents the client certificate, and one connection serves many requests', async () => {
		const server = await fixture.server();
		const agent = agentOf();
		for (let count = 0; count < 5; count++) {
			expect(await get(server.url('/whoami'), agent)).toMatchObject({client: 'alice'});
		}
		expect(server.connections).toMatchObject([
			{secure: true, authorized: true, servername: 'localhost'},
		]);
		expect(server.requests).toHaveLength(5);
	});

	test('an impostor gets no byte of the request, and the error has the code of Node', async () => {
		const credential = await fixture.pki.server({names: ['other.test']});
		const server = await fixture.server({credential});
		const error: unknown = await get(server.url('/whoami'), agentOf()).catch((e: unknown) => e);

		expect(error).toMatchObject({code: 'ERR_TLS_CERT_ALTNAME_INVALID'});
		await allClosed(server);
		expect(server.connections).toMatchObject([{plaintextBytes: 0}]);
		expect(server.requests).toEqual([]);
	});

	test('a proxy of the agent gets a tunnel and nothing else', async () => {
		const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy()]);
		const agent = agentOf({proxy: {host: '127.0.0.1', port: proxy.port}});
		for (let count = 0; count < 3; count++) {
			expect(await get(server.url('/whoami'), agent)).toMatchObject({client: 'alice'});
		}
		expect(proxy.tunnels).toMatchObject([{method: 'CONNECT', verdict: 'allow'}]);
		expect(proxy.forwarded).toEqual([]);
		expect(server.connections).toHaveLength(1);
	});

	test('the pool is named without a byte of a PEM', async () => {
		const server = await fixture.server();
		const agent = agentOf();
		await get(server.url('/whoami'), agent);
		const names = Object.keys({...agent.sockets, ...agent.freeSockets, ...agent.requests});
		expect(names).toEqual([expect.stringMatching(/^localhost\|\d+\|.*\|shown\|direct$/)]);
	});
});

test('a refusal of our certificate reaches node:https as the error of Node', async () => {
	const server = await fixture.server();
	const agent = new MtlsAgent({ca: fixture.pki.ca}, {proxy: false});
	onTestFinished(() => agent.destroy());
	await expect(ask(server.url('/whoami'), {agent})).rejects.toThrow(
		expect.objectContaining({code: expect.stringMatching(/CERTIFICATE_REQUIRED|ECONNRESET/)}),
	);
	await allClosed(server);
	expect(server.connections).toMatchObject([{secure: false, authorized: false}]);
	expect(server.requests).toEqual([]);
});

test('got sees the cause behind its own error', async () => {
	const credential = await fixture.pki.server({expired: true});
	const server = await fixture.server({credential});
	const options = {agent: {https: agentOf()}, retry: {limit: 0}};
	const error: unknown = await got(server.url(), options).catch((e: unknown) => e);
	expect(error).toBeInstanceOf(RequestError);
	expect(error).toMatchObject({code: 'CERT_HAS_EXPIRED'});
});

describe('what a request brings along', () => {
	const foreign: [string, () => https.RequestOptions][] = [
		['cert', () => ({cert: fixture.alice.cert})],
		['key', () => ({key: fixture.alice.key})],
		['ca', () => ({ca: fixture.pki.ca})],
		['pfx', () => ({pfx: Buffer.from('x')})],
		['secureContext', () => ({secureContext: createSecureContext()}) as https.RequestOptions],
	];

	test.each(foreign)(
		'a request whose own %s would change the TLS is refused before anything is sent',
		async (name, options) => {
			const server = await fixture.server();
			const error: unknown = await ask(server.url('/whoami'), {
				...options(),
				agent: agentOf(),
			}).catch((e: unknown) => e);
			expect(error).toBeInstanceOf(MtlsConfigError);
			expect(error).toMatchObject({code: 'ERR_MTLS_AGENT_CONFLICT', option: name});
			for (const mark of pemMarks(fixture.alice.key)) expect(inspect(error)).not.toContain(mark);
			expect(server.connections).toEqual([]);
		},
	);
});

describe('the pool', () => {
	test('an MtlsAgent resumes the TLS session of a connection that has ended', async () => {
		const server = await fixture.server();
		const agent = agentOf();
		await ask(server.url('/whoami'), {agent, headers: {connection: 'close'}});
		expect(await ask(server.url('/whoami'), {agent})).toMatchObject({client: 'alice'});
		expect(server.handshakes).toEqual({full: 1, resumed: 1});
	});

	test('an MtlsAgent keeps connections to two ports and two hosts apart', async () => {
		const [one, two] = await Promise.all([fixture.server(), fixture.server()]);
		const agent = agentOf();
		for (const server of [one, two]) {
			await ask(server.url('/whoami'), {agent});
			await ask(`https://127.0.0.1:${server.port}/whoami`, {agent});
			expect(server.connections).toMatchObject([{servername: 'localhost'}, {servername: false}]);
		}
	});

	test('destroy() ends the idle connections of an MtlsAgent', async () => {
		const server = await fixture.server();
		const agent = agentOf();
		await ask(server.url('/whoami'), {agent});
		expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
		agent.destroy();
		await allClosed(server);
		expect(Object.values(agent.freeSockets).flat()).toEqual([]);
	});
});

describe('the proxy of the environment', () => {
	test('the proxy of the environment is read per request, and NO_PROXY is heeded', async () => {
		const [server, proxy] = await Promise.all([fixture.server(), fixture.proxy()]);
		for (const name of ['http_proxy', 'all_proxy', 'https_proxy', 'no_proxy', 'NO_PROXY']) {
			vi.stubEnv(name, undefined);
		}
		vi.stubEnv('HTTPS_PROXY', proxy.url);
		onTestFinished(() => {
			vi.unstubAllEnvs();
		});
		const agent = agentOf({});
		await ask(server.url('/whoami'), {agent});
		vi.stubEnv('NO_PROXY', 'localhost');
		await ask(server.url('/whoami'), {agent});

		expect(proxy.tunnels).toHaveLength(1);
		expect(server.connections).toHaveLength(2);
	});

	test('a proxy is not asked for a host name that holds a line break', async () => {
		const proxy = await fixture.proxy();
		const agent = agentOf({proxy: {host: '127.0.0.1', port: proxy.port}});
		// With a header of its own, or Node would refuse to make one of the name.
		const request = https.get({host: 'a.test\r\nb.test', headers: {host: 'a.test'}, agent});
		const [error] = await once(request, 'error');
		expect(error).toMatchObject({code: 'ERR_INVALID_CHAR'});
		expect(proxy.tunnels).toEqual([]);
	});

	test('a proxy whose protocol is not supported is refused at construction', () => {
		const proxy = {host: 'proxy.test', port: 1080, protocol: 'socks4'};
		expect(() => agentOf({proxy})).toThrow(
			expect.objectContaining({name: 'MtlsConfigError', option: 'proxy.protocol'}),
		);
	});
});

describe('the agent', () => {
	test('an MtlsAgent is an https.Agent that verifies and keeps alive', () => {
		const agent = agentOf();
		expect(agent).toBeInstanceOf(https.Agent);
		expect(agent).toBeInstanceOf(http.Agent);
		expect(agent.options).toMatchObject({keepAlive: true, rejectUnauthorized: true});
	});

	test('an MtlsAgent prints as one line with its identity', () => {
		expect(String(agentOf())).toBe("MtlsAgent('CN=alice', epoch 0)");
		expect(String(new MtlsAgent({ca: fixture.pki.ca}))).toBe('MtlsAgent(no certificate, epoch 0)');
		expect(agentOf().identity).toMatchObject({subject: 'CN=alice', issuer: 'CN=Test Root CA'});
	});

	// Seen: connections that stayed open and were never used again. Why: those of the first requests had
	// no snapshot to be named by, and lay idle under a name that nobody asks for.
	test('an MtlsAgent keeps no connection that was asked for before its loader answered', async () => {
		const server = await fixture.server();
		const {cert, key} = fixture.alice;
		const identity = async () => ({cert, key});
		const agent = new MtlsAgent({identity, ca: fixture.pki.ca}, {proxy: false});
		onTestFinished(() => agent.destroy());
		await Promise.all([1, 2].map(() => ask(server.url('/whoami'), {agent})));
		expect(agent.freeSockets).toEqual({});
		for (let count = 0; count < 2; count++) await ask(server.url('/whoami'), {agent});
		expect(server.connections).toHaveLength(3);
		expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
	});

	// Seen: the end of a process. Why: a name was asked for while the loader failed, or by a request that
	// waited in the queue, and nobody had heard of the failure.
	test('an MtlsAgent whose loader fails ends no process that only asks for a pool name', async () => {
		const onUnhandled = vi.fn();
		process.on('unhandledRejection', onUnhandled);
		onTestFinished(() => {
			process.off('unhandledRejection', onUnhandled);
		});
		const agent = new MtlsAgent({identity: () => Promise.reject(new Error('sealed'))});
		await new Promise(setImmediate);
		expect(agent.getName({host: 'a.test'})).toContain('loading');
		await new Promise(setImmediate);
		expect(onUnhandled).not.toHaveBeenCalled();
	});

	// Seen: a request that never failed, though its agent was destroyed. Why: the loader that it waited for
	// never answered. Now: it ends with the agent, and `close()` need not wait for the loader.
	test('an MtlsAgent that is destroyed ends a request that waits for its loader', async () => {
		const agent = new MtlsAgent({identity: () => new Promise(() => {})}, {proxy: false});
		const request = https.get('https://localhost:1/', {agent});
		const failed = once(request, 'error');
		await new Promise(setImmediate);
		agent.destroy();
		expect(await failed).toMatchObject([{message: 'the agent was destroyed'}]);
	});

	test('an MtlsAgent without options trusts the CAs of Node and presents no certificate', () => {
		expect(new MtlsAgent().identity).toBeNull();
	});
});
