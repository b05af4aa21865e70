import {inspect} from 'node:util';
import axios from 'axios';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {
	type ClientConfig,
	CookieJar,
	createClient,
	isMtlsError,
	type MtlsAgent,
	type MtlsClient,
} from '../../src/index.ts';
import type {MtlsServerOptions} from '../../src/testing/index.ts';
import type {ConnectProxyOptions} from '../support/connect-proxy.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
	pages,
	redirect,
} from '../support/fixture.ts';
import {closedPort} from '../support/plain-server.ts';
import {createSecrets, marks, printed, type Secrets, secretRequest} from '../support/secrets.ts';

let fixture: Fixture;
let vault: Secrets;
beforeAll(async () => {
	[fixture, vault] = await Promise.all([createFixture(), createSecrets()]);
});

/** A client that holds every secret; what it logs is kept in `told`. */
async function secretive(url: string, config: ClientConfig = {}) {
	const {cert, key, passphrase = ''} = vault.client;
	const told: unknown[] = [];
	const tell = (...line: unknown[]) => told.push(line);
	const jar = new CookieJar();
	await jar.setCookie(`session=${marks.jar}; Secure; Path=/`, url);
	const client = createClient({
		jar,
		proxy: false,
		timeout: 5_000,
		...config,
		mtls: {cert, key, passphrase, ca: vault.pki.ca, ...config.mtls},
		logger: {error: tell, warn: tell},
	});
	onTestFinished(() => client.mtls.close());
	return {client, told};
}

/** What Node's own debug output and metrics of pools print of an agent. */
function agentPrints(agent: MtlsAgent): string {
	return [
		String(agent),
		JSON.stringify(agent.options),
		...[agent.sockets, agent.freeSockets, agent.requests].flatMap(Object.keys),
	].join('\n');
}

function expectUntold(error: unknown, client: MtlsClient, told: unknown[]): void {
	vault.expectNone(printed(error));
	expect(told).toHaveLength(1);
	vault.expectNone(printed(told));
	vault.expectNone(agentPrints(client.mtls.agent));
}

const server = async (options?: MtlsServerOptions) => fixture.server({pki: vault.pki, ...options});
const impostor = async () => server({credential: await vault.pki.server({selfSigned: true})});
const noEntry = async (version: 'TLSv1.2' | 'TLSv1.3') =>
	server({clientCa: fixture.pki.ca, minVersion: version, maxVersion: version});

interface Story {
	readonly what: string;
	/** Where the request goes. */
	readonly url: () => Promise<string>;
	readonly config?: (url: string) => Promise<ClientConfig> | ClientConfig;
	/** What the error is, and so must still be told. */
	readonly kind?: string;
	readonly code: string | RegExp;
}

const stories: Story[] = [
	{
		what: 'a server that is not trusted',
		url: async () => (await impostor()).url('/login'),
		kind: 'self-signed',
		code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
	},
	{
		what: 'a refusal within the handshake',
		url: async () => (await noEntry('TLSv1.2')).url('/login'),
		kind: 'client-certificate-refused',
		code: 'ECONNRESET',
	},
	{
		what: 'a refusal after the handshake',
		url: async () => (await noEntry('TLSv1.3')).url('/login'),
		kind: 'client-certificate-refused',
		code: 'ECONNRESET',
	},
	{
		what: 'a proxy that wants another login',
		url: async () => (await server()).url('/login'),
		config: async () => {
			const {port} = await fixture.proxy({credentials: {user: 'alice', password: 'other'}});
			return {proxy: proxyOn(port)};
		},
		kind: 'proxy-auth-required',
		code: 'ERR_PROXY_AUTH_REQUIRED',
	},
	{
		what: 'a proxy that refuses',
		url: async () => (await server()).url('/login'),
		config: async () => ({proxy: proxyOn((await fixture.proxy({verdict: 403})).port)}),
		kind: 'proxy-refused',
		code: 'ERR_PROXY_REFUSED',
	},
	{
		what: 'a proxy of the environment that is away',
		url: async () => (await server()).url('/login'),
		config: async () => proxyFromEnvironment(await closedPort()),
		kind: 'proxy-unreachable',
		code: 'ECONNREFUSED',
	},
	{
		what: 'an https proxy that wants another login',
		url: async () => (await server()).url('/login'),
		config: async () => {
			const {port} = await httpsProxy({credentials: {user: 'alice', password: 'other'}});
			return {proxy: proxyOn(port, 'https'), mtls: {proxy: {ca: vault.pki.ca}}};
		},
		kind: 'proxy-auth-required',
		code: 'ERR_PROXY_AUTH_REQUIRED',
	},
	{
		what: 'an https proxy of the environment that is not trusted',
		url: async () => (await server()).url('/login'),
		config: async () => proxyFromEnvironment((await httpsProxy()).port, 'https'),
		kind: 'proxy-unreachable',
		code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	},
	{
		what: 'a proxy that wants another login for plain http',
		url: async () => `http://localhost:${await closedPort()}/login`,
		config: async () => {
			const {port} = await fixture.proxy({credentials: {user: 'alice', password: 'other'}});
			return {proxy: proxyOn(port)};
		},
		kind: 'proxy-auth-required',
		code: 'ERR_PROXY_AUTH_REQUIRED',
	},
	{
		what: 'a proxy that passes a refusal of plain http on',
		url: async () => `http://localhost:${await closedPort()}/login`,
		config: async () => ({proxy: proxyOn((await fixture.proxy({verdict: 503})).port)}),
		code: 'ERR_BAD_RESPONSE',
	},
	{
		what: 'a redirect that would leave TLS',
		url: async () => {
			const target = `http://alice:${marks.userinfo}@localhost:1/?token=${marks.query}`;
			return (await server({handler: pages({[loginPath]: redirect(target, 307)})})).url('/login');
		},
		kind: 'insecure-redirect',
		code: 'ERR_MTLS_INSECURE_REDIRECT',
	},
	{
		what: 'a status that is not accepted',
		url: async () => (await server()).url('/login'),
		code: 'ERR_BAD_REQUEST',
	},
	{
		what: 'a port where nobody listens',
		url: async () => `https://127.0.0.1:${await closedPort()}/login`,
		code: 'ECONNREFUSED',
	},
	{
		what: 'a timeout',
		url: async () => (await server({handler: () => true})).url('/login'),
		config: () => ({timeout: 100}),
		code: 'ECONNABORTED',
	},
	{
		what: 'an answer that is no JSON',
		url: async () => {
			const handler = pages({[loginPath]: (_, response) => response.end('<p>hello')});
			return (await server({handler})).url('/login');
		},
		config: () => ({responseType: 'json', transitional: {silentJSONParsing: false}}),
		code: 'ERR_BAD_RESPONSE',
	},
	{
		what: 'an answer that is too large',
		url: async () => (await server()).url('/echo'),
		config: () => ({maxContentLength: 5}),
		code: 'ERR_BAD_RESPONSE',
	},
	{
		what: 'redirects without an end',
		url: async () => {
			const handler = pages({[loginPath]: redirect(loginPath, 307)});
			return (await server({handler})).url('/login');
		},
		config: () => ({maxRedirects: 2}),
		code: 'ERR_FR_TOO_MANY_REDIRECTS',
	},
	{
		what: 'a hang-up in the middle of the answer',
		url: async () => {
			const handler = pages({
				[loginPath]: (request, response) => {
					response.write('{"a":', () => request.socket.destroy());
				},
			});
			return (await server({handler})).url('/login');
		},
		code: /^(ECONNRESET|ECONNABORTED|ERR_BAD_RESPONSE)$/,
	},
];

/** The path as the marked request has it: `params` come after the query. */
const loginPath = `/login?token=${marks.query}&token=${marks.query}`;

describe.each(exchanges)('over %s', (_, options) => {
	const told = stories.flatMap((story) =>
		(['header', 'url'] as const).map((login) => ({...story, login})),
	);
	test.each(told)(
		'the failure $what is reported without a secret, login in the $login',
		async (story) => {
			const {url, config, kind, code, login} = story;
			const place = await url();
			const more = await config?.(place);
			const {client, told} = await secretive(place, {...options, ...more});
			const request = secretRequest(place, login);
			const error = await failureOf(client.request(request));

			expect(error.code).toMatch(code);
			expect(isMtlsError(error)).toBe(kind !== undefined);
			expectUntold(error, client, told);

			// The facts are told, or nothing would be gained.
			const words = printed(error);
			expect(words).toContain(error.message);
			expect(words).toContain(new URL(place).host);
			expect(words).toContain('token=[redacted]');
			expect(words).toContain('"X-Api-Key":"[redacted]"');
			if (kind !== undefined) {
				expect(printed(told)).toContain(`kind: '${kind}'`);
				expect(words).toContain(`kind: ${kind}`);
				expect(words).toContain(`"kind":"${kind}"`);
				expect(words).toContain('"host":"localhost"');
			}

			// A retry needs what was to be sent, and the jar's cookie is the jar's to add.
			expect(error.config?.headers).toMatchObject({...request.headers});
			expect(error.config?.url).toBe(request.url);
			expect(JSON.parse(error.config?.data)).toEqual(request.data);
			expect(error.config?.headers.Cookie).not.toContain(marks.jar);
		},
	);

	test('the credentials of `auth` are printed neither as they are nor encoded', async () => {
		const place = (await impostor()).url('/login');
		const auth = {username: 'alice', password: marks.auth};
		const {client, told} = await secretive(place, {...options, auth});
		const error = await failureOf(client.get(place));
		expectUntold(error, client, told);
		expect(error.config?.auth).toEqual(auth);

		const second = await secretive(place, {...options, auth});
		const refused = await failureOf(second.client.get((await server()).url('/accounts')));
		expect(refused.status).toBe(401);
		expectUntold(refused, second.client, second.told);
	});

	test('the certificates of both sides are reported', async () => {
		const place = (await impostor()).url('/login');
		const {client, told} = await secretive(place, options);
		const error = await mtlsFailureOf(client.get(place));
		for (const words of [printed(error), printed(told)]) {
			expect(words).toContain('"subject":"CN=localhost"');
			expect(words).toContain('"subject":"CN=alice"');
			expect(words).toContain('fingerprint256');
		}
		const fingerprint = error.failure.peer?.fingerprint256 ?? 'none';
		for (const fact of ["'CN=localhost'", "'CN=alice'", fingerprint]) {
			expect(inspect(error)).toContain(fact);
		}
	});

	test('a cancelled request and a timeout print no secret', async () => {
		const place = (await server()).url('/login');
		const {client, told} = await secretive(place, options);
		const signal = AbortSignal.abort();
		const cancelled = await failureOf(client.request({...secretRequest(place), signal}));
		await client.mtls.close();
		const late = await failureOf(client.request(secretRequest(place)));

		expect(axios.isCancel(cancelled)).toBe(true);
		expect(late.code).toBe('ERR_MTLS_CLIENT_CLOSED');
		vault.expectNone(printed(cancelled));
		expectUntold(late, client, told);
	});

	test('an agent of the app is refused without a word of the request', async () => {
		const place = (await server()).url('/login');
		const {client, told} = await secretive(place, options);
		const httpsAgent = {options: {key: vault.client.key, passphrase: marks.passphrase}};
		const error = await client.request({...secretRequest(place), httpsAgent}).catch((e) => e);
		expect(error).toMatchObject({name: 'MtlsConfigError', option: 'httpsAgent'});
		expectUntold(error, client, told);
	});
});

async function httpsProxy(options: ConnectProxyOptions = {}) {
	const {cert, key} = await vault.pki.server();
	return fixture.proxy({tls: {cert, key}, ...options});
}

function proxyOn(port: number, protocol = 'http') {
	return {protocol, host: '127.0.0.1', port, auth: {username: 'alice', password: marks.proxy}};
}

function proxyFromEnvironment(port: number, protocol = 'http'): ClientConfig {
	for (const name of ['http_proxy', 'all_proxy', 'https_proxy', 'no_proxy', 'NO_PROXY']) {
		vi.stubEnv(name, undefined);
	}
	vi.stubEnv('HTTPS_PROXY', `${protocol}://alice:${marks.proxyUrl}@127.0.0.1:${port}`);
	onTestFinished(() => {
		vi.unstubAllEnvs();
	});
	return {proxy: undefined as unknown as false};
}
