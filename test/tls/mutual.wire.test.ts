import type {Readable} from 'node:stream';
import {text} from 'node:stream/consumers';
import {beforeAll, describe, expect, test} from 'vitest';
import type {MtlsServer} from '../../src/testing/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
	pages,
} from '../support/fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const handler = pages({'/': (_, response) => response.setHeader('connection', 'close').end('ok')});
const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const ways = [
	...exchanges,
	["axios's exchange, as a stream", {responseType: 'stream'}],
] as const satisfies readonly (readonly [string, object])[];

async function expectUnread(server: MtlsServer, connections: number): Promise<void> {
	await allClosed(server);
	expect(server.connections).toHaveLength(connections);
	for (const {plaintextBytes} of server.connections) expect(plaintextBytes).toBe(0);
	expect(server.requests).toEqual([]);
}

const read = (data: unknown) => (typeof data === 'string' ? data : text(data as Readable));

describe.each(ways)('over %s', (_, options) => {
	describe.each(versions)('with %s', (version) => {
		const limits = {minVersion: version, maxVersion: version, handler};

		test('a server that does not ask for our certificate is sent nothing', async () => {
			const server = await fixture.server({...limits, clientAuth: 'none'});
			const client = fixture.client({mtls: {requireClientAuth: true}});
			// The second time around a session could be resumed.
			for (const _attempt of [1, 2, 3]) {
				const request = {...options, headers: {authorization: 'MARK'}};
				const error = await mtlsFailureOf(client.post(server.url(), 'the body', request));
				expect(error.code).toBe('ERR_MTLS_CLIENT_AUTH_NOT_REQUESTED');
				expect(error.failure).toMatchObject({
					kind: 'client-auth-not-requested',
					side: 'server',
					phase: 'verify',
					certain: true,
					protocol: version,
					clientCertificateRequested: false,
					host: 'localhost',
					port: server.port,
					peer: {subject: 'CN=localhost'},
					identity: {subject: 'CN=alice'},
				});
			}
			await expectUnread(server, 3);

			// Without the option it is a server like any other.
			const {status, tls} = await fixture.client().get(server.url(), options);
			expect(status).toBe(200);
			expect(tls).toMatchObject({clientCertificateRequested: false, authorized: true});
		});

		test.each(['request', 'require'] as const)(
			'a server that asks (%s) is answered, on resumed sessions too',
			async (clientAuth) => {
				const server = await fixture.server({...limits, clientAuth});
				const client = fixture.client({mtls: {requireClientAuth: true}});
				for (let i = 0; i < 4; i++) {
					const {data, tls} = await client.get(server.url(), options);
					expect(await read(data)).toBe('ok');
					expect(tls).toMatchObject({
						protocol: version,
						clientCertificateRequested: true,
						resumed: i > 0,
					});
				}
				expect(server.handshakes).toEqual({full: 1, resumed: 3});
			},
		);

		test('requireClientAuth holds through a tunnel', async () => {
			const proxy = await fixture.proxy();
			const config = {mtls: {requireClientAuth: true}, proxy: proxyOf(proxy.port)};
			const silent = await fixture.server({...limits, clientAuth: 'none'});
			const {failure} = await mtlsFailureOf(
				fixture.client(config).post(silent.url(), 'the body', options),
			);
			expect(failure).toMatchObject({
				kind: 'client-auth-not-requested',
				proxy: {host: '127.0.0.1', port: proxy.port},
			});
			await expectUnread(silent, 1);

			const server = await fixture.server(limits);
			const {data, tls} = await fixture.client(config).get(server.url(), options);
			expect(await read(data)).toBe('ok');
			expect(tls?.clientCertificateRequested).toBe(true);
			expect(proxy.tunnels).toHaveLength(2);
		});
	});

	test('requireClientAuth does not replace the certificate: a refusal stays a refusal', async () => {
		const server = await fixture.server({clientCa: fixture.alice.leaf});
		const client = fixture.client({mtls: {requireClientAuth: true}});
		const {failure} = await mtlsFailureOf(client.get(server.url(), options));
		expect(failure.kind).toBe('client-certificate-refused');
	});

	test('requireClientAuth does not apply to plain http', async () => {
		const client = fixture.client({mtls: {requireClientAuth: true}});
		const error = await failureOf(client.get('http://127.0.0.1:1/', options));
		expect(error.code).toBe('ECONNREFUSED');
	});
});

function proxyOf(port: number) {
	return {protocol: 'http', host: '127.0.0.1', port};
}
