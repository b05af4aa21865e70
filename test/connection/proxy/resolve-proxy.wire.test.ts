import https from 'node:https';
import axios, {AxiosError, type AxiosRequestConfig} from 'axios';
import {afterEach, beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {createClient, MtlsAgent, MtlsConfigError, withMtls} from '../../../src/index.ts';
import {createFixture, type Fixture, failureOf} from '../../support/fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
}, 60_000);
afterEach(() => {
	vi.unstubAllEnvs();
});

const credentials = {user: 'app', password: 'p:ä'};

describe('the URL of a proxy as text is taken', () => {
	type Ask = (origin: string, proxy: string) => Promise<unknown>;
	const mtls = () => ({cert: fixture.alice.cert, key: fixture.alice.key, ca: fixture.pki.ca});
	const ask: [string, Ask][] = [
		['by createClient', (origin, proxy) => fixture.client({proxy}).get(`${origin}/whoami`)],
		[
			'by withMtls, of the instance',
			(origin, proxy) => {
				const instance = axios.create({proxy} as unknown as AxiosRequestConfig);
				const client = withMtls(instance, {mtls: mtls(), logger: false});
				onTestFinished(() => client.mtls.close());
				return client.get(`${origin}/whoami`);
			},
		],
		['by create()', (origin, proxy) => fixture.client().create({proxy}).get(`${origin}/whoami`)],
		['by a request', (origin, proxy) => fixture.client().get(`${origin}/whoami`, {proxy})],
		[
			"by a request over axios's exchange",
			(origin, proxy) => fixture.client().get(`${origin}/whoami`, {proxy, onDownloadProgress() {}}),
		],
		[
			'by an MtlsAgent',
			(origin, proxy) => {
				const agent = new MtlsAgent(mtls(), {proxy, logger: false});
				onTestFinished(() => agent.destroy());
				return new Promise((resolve, reject) => {
					https
						.get(`${origin}/whoami`, {agent}, (answer) => resolve(answer.resume()))
						.once('error', reject);
				});
			},
		],
		[
			'from the environment',
			(origin, proxy) => {
				vi.stubEnv('HTTPS_PROXY', proxy);
				vi.stubEnv('NO_PROXY', '');
				const client = createClient({mtls: mtls(), logger: false});
				onTestFinished(() => client.mtls.close());
				return client.get(`${origin}/whoami`);
			},
		],
	];
	test.each(ask)('the URL of a proxy is accepted as text in %s', async (_, request) => {
		const server = await fixture.server();
		const proxy = await fixture.proxy({credentials});
		await request(server.origin, `http://app:p%3A%C3%A4@127.0.0.1:${proxy.port}`);
		expect(proxy.tunnels.map(({target}) => target)).toEqual([`localhost:${server.port}`]);
		expect(server.requests).toHaveLength(1);
	});
});

test('headers for the proxy go with CONNECT, and to no origin', async () => {
	const server = await fixture.server();
	const proxy = await fixture.proxy();
	const headers = {'User-Agent': 'corp/1', 'X-Ticket': 't'};
	const client = fixture.client({proxy: {host: '127.0.0.1', port: proxy.port, headers}});
	const {data} = await client.get(server.url('/echo'), {headers: {'User-Agent': 'app/1'}});
	expect(proxy.tunnels[0]?.headers).toMatchObject({'user-agent': 'corp/1', 'x-ticket': 't'});
	expect(data.headers).toMatchObject({'user-agent': 'app/1'});
	expect(data.headers).not.toHaveProperty('x-ticket');
});

test.each(['HTTPS_PROXY', 'ALL_PROXY'])(
	'a proxy of %s that cannot be used fails the request by the name of the variable',
	async (name) => {
		for (const other of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'NO_PROXY']) {
			vi.stubEnv(other, '');
		}
		vi.stubEnv(name, 'socks4://user:hunter2@127.0.0.1:1');
		const client = createClient({logger: false});
		onTestFinished(() => client.mtls.close());
		const error = await failureOf(client.get('https://localhost:1/'));
		expect(error).toMatchObject({
			code: AxiosError.ERR_BAD_OPTION_VALUE,
			message: `${name}: expected an http, https, socks5 or socks5h proxy, found socks4`,
			config: {url: 'https://localhost:1/'},
		});
		expect(error.cause).toBeInstanceOf(MtlsConfigError);
		expect(error.cause).toMatchObject({option: name});
	},
);

test('a login without user and password fails a request as in axios, and a client at once', async () => {
	const proxy = {host: '127.0.0.1', port: 1, auth: {} as {username: string; password: string}};
	const url = 'https://localhost:1/';
	const [ours, theirs] = await Promise.all([
		failureOf(fixture.client().get(url, {proxy})),
		failureOf(axios.get(url, {proxy})),
	]);
	expect(ours.code).toBe(theirs.code);
	expect(() => createClient({proxy})).toThrow(
		expect.objectContaining({name: 'MtlsConfigError', option: 'proxy.auth'}),
	);
});
