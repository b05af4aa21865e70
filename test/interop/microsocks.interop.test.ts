import {beforeAll, expect, test} from 'vitest';
import {createFixture, exchanges, type Fixture, mtlsFailureOf} from '../support/fixture.ts';
import {closedPort, startPlainHttp} from '../support/plain-server.ts';
import {startMicrosocks} from '../support/servers/microsocks.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const schemes = ['socks5', 'socks5h'] as const;

test('a login and 20 requests through microsocks take one connection, https and http', async (ctx) => {
	const socks = await startMicrosocks(ctx);
	for (const [, options] of exchanges) {
		for (const scheme of schemes) {
			const [server, plain] = await Promise.all([fixture.server(), startPlainHttp()]);
			const client = fixture.client({
				jar: true,
				...options,
				proxy: `${scheme}://alice:wonderland@127.0.0.1:${socks.port}`,
			});
			await client.post(server.url('/login'), {user: 'alice', password: 'wonderland'});
			for (let count = 0; count < 20; count += 1) {
				expect((await client.get(server.url('/accounts'))).data).toMatchObject({client: 'alice'});
				expect((await client.get(`${plain.origin}/x?q=1`)).data).toBe('plain');
			}
			expect(server.handshakes).toEqual({full: 1, resumed: 0});
			expect(server.connections).toHaveLength(1);
			expect(plain.sockets).toHaveLength(1);
			expect(plain.requests[0]?.url).toBe('/x?q=1');
			expect(client.mtls.stats().tunnels).toBe(2);
			await client.mtls.close();
		}
	}
});

test('each refusal of microsocks is a failure of the proxy', async (ctx) => {
	const [socks, server, port] = await Promise.all([
		startMicrosocks(ctx),
		fixture.recordingServer(),
		closedPort(),
	]);
	const at = `127.0.0.1:${socks.port}`;
	const refusals = [
		{login: '', url: server.url(), kind: 'proxy-auth-required'},
		{login: 'alice:looking-glass@', url: server.url(), kind: 'proxy-auth-required'},
		{login: 'alice:wonderland@', url: `https://127.0.0.1:${port}/`, kind: 'proxy-refused'},
	];
	for (const [, options] of exchanges) {
		for (const {login, url, kind} of refusals) {
			const client = fixture.client({...options, proxy: `socks5h://${login}${at}`});
			const error = await mtlsFailureOf(client.post(url, 's3cret'));
			expect(error).toMatchObject({
				code: `ERR_${kind.toUpperCase().replaceAll('-', '_')}`,
				failure: {kind, side: 'proxy', proxy: {host: '127.0.0.1', port: socks.port}},
			});
			if (kind === 'proxy-refused') expect(error.failure.proxy?.reply).toBe(5);
			await client.mtls.close();
		}
	}
	expect(server.connections).toEqual([]);
});
