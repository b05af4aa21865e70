import {beforeAll, expect, test} from 'vitest';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
} from '../support/fixture.ts';
import {startH2Server} from '../support/h2-server.ts';
import {startPlainHttp} from '../support/plain-server.ts';
import {type Squid, startSquid} from '../support/servers/squid.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const alice = {username: 'alice', password: 'wonderland'};
const through = ({port}: Squid, auth?: {username: string; password: string}) => ({
	proxy: {host: '127.0.0.1', port, ...(auth && {auth})},
});

// Squid takes two seconds to end, so both exchanges share one.
test('20 requests through Squid are one tunnel, or one each where the server closes, and one full handshake', async (ctx) => {
	const squid = await startSquid(ctx);
	const targets: string[] = [];
	for (const [, config] of exchanges) {
		const [server, closing] = await Promise.all([
			fixture.server(),
			fixture.server({
				handler(_, response) {
					response.setHeader('Connection', 'close');
					return false;
				},
			}),
		]);
		const client = fixture.client({jar: true, ...config, ...through(squid, alice)});

		await client.post(server.url('/login'), {user: 'alice', password: 'wonderland'});
		for (let count = 0; count < 19; count += 1) {
			expect((await client.get(server.url('/accounts'))).data).toMatchObject({client: 'alice'});
		}
		for (let count = 0; count < 20; count += 1) await client.get(closing.url('/whoami'));
		await client.mtls.close();

		expect(server.handshakes).toEqual({full: 1, resumed: 0});
		expect(closing.handshakes).toEqual({full: 1, resumed: 19});
		targets.push(`localhost:${server.port}`, ...Array(20).fill(`localhost:${closing.port}`));
	}
	const log = await squid.log();
	expect(log.map(({target}) => target).sort()).toEqual(targets.sort());
	for (const line of log)
		expect(line).toMatchObject({method: 'CONNECT', status: 200, user: 'alice'});
});

test('Squid passes plain http on, for two origins on one connection', async (ctx) => {
	const [one, two, squid] = await Promise.all([
		startPlainHttp(),
		startPlainHttp(),
		startSquid(ctx),
	]);
	const urls = [one, two, one].map(({origin}) => `${origin}/x?q=1`);
	for (const [, config] of exchanges) {
		const client = fixture.client({...config, ...through(squid, alice)});
		for (const url of urls) expect((await client.get(url)).data).toBe('plain');
		await client.mtls.close();
	}
	for (const {url, headers} of [...one.requests, ...two.requests]) {
		expect(url).toBe('/x?q=1');
		expect(headers).not.toHaveProperty('proxy-authorization');
	}
	const log = await squid.log();
	expect(log).toHaveLength(6);
	for (const line of log) expect(line).toMatchObject({method: 'GET', status: 200, user: 'alice'});
	expect(new Set(log.map(({clientPort}) => clientPort)).size).toBe(exchanges.length);
});

test('a request that Squid refuses, or cannot forward, is not a response of the server', async (ctx) => {
	const [server, banned, gone, plain] = await Promise.all([
		fixture.server(),
		fixture.recordingServer(),
		fixture.recordingServer(),
		startPlainHttp(),
	]);
	await gone.close();
	const squid = await startSquid(ctx, `acl banned port ${banned.port}\nhttp_access deny banned`);
	const other = {username: 'alice', password: 'looking-glass'};
	const refusals = [
		{auth: undefined, url: server.url(), status: 407, hint: 'put user and password'},
		{auth: undefined, url: plain.origin, status: 407, hint: 'put user and password'},
		{auth: other, url: server.url(), status: 407, hint: 'did not accept'},
		{auth: other, url: plain.origin, status: 407, hint: 'did not accept'},
		{auth: alice, url: banned.url(), status: 403, hint: 'allowed on the proxy'},
		{auth: alice, url: gone.url(), status: 503, hint: 'is right and up'},
	];
	for (const [, config] of exchanges) {
		for (const {auth, url, status, hint} of refusals) {
			const client = fixture.client({jar: true, ...config, ...through(squid, auth)});
			const error = await mtlsFailureOf(client.post(url, 's3cret', {headers: {Cookie: 'a=b'}}));
			const what = status === 407 ? 'auth-required' : 'refused';
			expect(error).toMatchObject({
				code: `ERR_PROXY_${what.toUpperCase().replace('-', '_')}`,
				failure: {
					kind: `proxy-${what}`,
					side: 'proxy',
					proxy: {host: '127.0.0.1', port: squid.port, status},
					hint: expect.stringContaining(hint),
				},
			});
			expect(error.response).toBeUndefined();
			await client.mtls.close();
		}
		// Of plain http, Squid's word cannot be told from the origin's.
		const client = fixture.client({...config, ...through(squid, alice)});
		const error = await failureOf(client.get(`http://localhost:${gone.port}/`));
		expect(error).toMatchObject({name: 'AxiosError', response: {status: 503}});
		await client.mtls.close();
	}
	expect(server.connections).toEqual([]);
	expect(banned.connections).toEqual([]);
	expect(plain.requests).toEqual([]);
	const statuses = [...refusals.map(({status}) => status), 503];
	expect((await squid.log()).map(({status}) => status)).toEqual([...statuses, ...statuses]);
});

test('20 requests over HTTP/2 through Squid share one tunnel', async (ctx) => {
	const [server, squid] = await Promise.all([startH2Server(fixture.pki), startSquid(ctx)]);
	const client = fixture.client({httpVersion: 2, ...through(squid, alice)});

	const responses = await Promise.all(
		Array.from({length: 20}, (_, n) => client.post(server.url(`/?n=${n}`), 'text')),
	);
	await client.mtls.close();

	for (const {data} of responses) expect(data).toMatchObject({client: 'alice', body: 'text'});
	const target = `localhost:${server.port}`;
	expect(await squid.log()).toMatchObject([
		{method: 'CONNECT', target, status: 200, user: 'alice'},
	]);
});
