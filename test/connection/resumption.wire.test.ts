/*
 * Servers, and firewalls before them, that hand TLS sessions out and will not have them back.
 */
import https from 'node:https';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {MtlsAgent} from '../../src/index.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
} from '../support/fixture.ts';
import {iterations} from '../support/iterations.ts';
import {startPlainHttp} from '../support/plain-server.ts';
import {
	startSessionRefusingServer,
	startTicketResettingRelay,
} from '../support/session-refusing-servers.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const versions = ['TLSv1.2', 'TLSv1.3'] as const;

describe.each(versions)('with %s', (version) => {
	describe.each(exchanges)('over %s', (_, options) => {
		test.each(['get', 'post'])(
			'each %s to a server without a session id context is answered',
			async (method) => {
				const server = await startSessionRefusingServer(fixture.pki, {version});
				const client = fixture.client(options);
				for (let i = 0; i < 4; i++) {
					const response = await client.request({url: `${server.origin}/${i}`, method});
					expect(response).toMatchObject({status: 200, data: 'ok'});
				}
				const asked = [0, 1, 2, 3].map((i) => `${method.toUpperCase()} /${i}`);
				expect(server.requests).toEqual(asked);
				expect(client.mtls.stats().handshakes).toEqual({full: 4, resumed: 0});
				// The second was offered a session in vain, and no other.
				expect(server.connectionCount).toBe(5);
			},
		);

		test('a firewall that resets a session is met once, by requests at once too', async () => {
			const server = await startSessionRefusingServer(fixture.pki, {version});
			const relay = await startTicketResettingRelay(server.port);
			const client = fixture.client(options);
			await client.post(relay.origin, 'x=1');
			const all = await Promise.all(
				Array.from({length: 10}, () => client.post(relay.origin, 'x=1')),
			);
			expect(all.map(({status}) => status)).toEqual(Array.from({length: 10}, () => 200));
			expect(relay.refusedCount).toBeGreaterThan(0);
			const {refusedCount} = relay;
			for (let i = 0; i < 3; i++) await client.post(relay.origin, 'x=1');
			expect(relay.refusedCount).toBe(refusedCount);
			expect(server.requests).toHaveLength(14);
		});

		test('the tunnel is opened once more to a server that refuses a resumed session', async () => {
			const server = await startSessionRefusingServer(fixture.pki, {version});
			const proxy = await fixture.proxy();
			const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
			for (let i = 0; i < 3; i++) {
				expect((await client.post(server.origin, 'x=1')).status).toBe(200);
			}
			expect(proxy.tunnels).toHaveLength(4);
			expect(client.mtls.stats().tunnels).toBe(4);
			expect(server.requests).toHaveLength(3);
		});
	});

	test('each request of HTTP/2 is answered', async () => {
		const server = await startSessionRefusingServer(fixture.pki, {version, alpn: 'h2'});
		const client = fixture.client({httpVersion: 2});
		for (let i = 0; i < 4; i++) {
			expect((await client.post(`${server.origin}/${i}`, 'x=1')).status).toBe(200);
		}
		expect(server.requests).toEqual([0, 1, 2, 3].map((i) => `POST /${i}`));
		expect(server.connectionCount).toBe(5);
	});

	test('each request by an MtlsAgent is answered', async () => {
		const server = await startSessionRefusingServer(fixture.pki, {version});
		const {cert, key} = fixture.alice;
		const agent = new MtlsAgent({cert, key, ca: fixture.pki.ca}, {proxy: false});
		onTestFinished(() => agent.destroy());
		for (let i = 0; i < 4; i++) {
			const status = await new Promise((resolve, reject) => {
				const request = https.request(`${server.origin}/${i}`, {agent, method: 'POST'});
				request.on('response', (response) => resolve(response.resume().statusCode));
				request.on('error', reject).end('x=1');
			});
			expect(status).toBe(200);
		}
		expect(server.connectionCount).toBe(5);
	});

	test('an https proxy that will not resume is asked once more', async () => {
		const {cert, key} = await fixture.pki.server();
		const [server, plain, proxy] = await Promise.all([
			fixture.server(),
			startPlainHttp((_, response) => void response.writeHead(200, {connection: 'close'}).end()),
			fixture.proxy({
				tls: {cert, key, ca: fixture.pki.ca, minVersion: version, maxVersion: version},
			}),
		]);
		const relay = await startTicketResettingRelay(proxy.port);
		for (const [by, options] of exchanges) {
			const client = fixture.client({
				...options,
				mtls: {proxy: {ca: fixture.pki.ca}},
				proxy: {protocol: 'https', host: 'localhost', port: relay.port},
			});
			const before = relay.refusedCount;
			for (let i = 0; i < 3; i++) {
				const {status} = await client.post(server.url('/echo'), 'x=1', {
					headers: {connection: 'close'},
				});
				expect(status, `a tunnel, over ${by}`).toBe(200);
				expect((await client.post(plain.origin, 'x=1')).status, `in the clear, over ${by}`).toBe(
					200,
				);
			}
			expect(relay.refusedCount, by).toBe(before + 1);
		}
		expect(server.requests).toHaveLength(6);
		expect(plain.requests).toHaveLength(6);
	});

	test('the full handshake reports the failure, and is made only where a session was refused', async () => {
		const others = await createTestPki();
		const [server, strict, untrusted] = await Promise.all([
			startSessionRefusingServer(fixture.pki, {version}),
			startSessionRefusingServer(fixture.pki, {version, clients: others}),
			startSessionRefusingServer(others, {version, clients: fixture.pki}),
		]);
		const relay = await startTicketResettingRelay(server.port);
		const client = fixture.client();
		await client.get(relay.origin);
		relay.lead(strict.port);
		const refused = await mtlsFailureOf(client.post(relay.origin, 'x=1'));
		expect(refused.failure).toMatchObject({
			kind: 'client-certificate-refused',
			side: 'client',
			certain: false,
		});
		expect(relay.refusedCount).toBe(1);
		expect(relay.connectionCount).toBe(3);
		expect(strict.requests).toEqual([]);

		// A server that knows nothing of the session makes a full handshake by itself.
		const open = await startTicketResettingRelay(server.port);
		await client.get(open.origin);
		open.lead(untrusted.port);
		open.pass();
		const {failure} = await mtlsFailureOf(client.get(open.origin));
		expect(failure.kind).toBe('untrusted-issuer');
		expect(open.connectionCount).toBe(2);

		// Nor is a handshake repeated that no session was offered in.
		const silent = await startTicketResettingRelay(server.port);
		silent.silence();
		const late = client.get(silent.origin, {timeouts: {handshakeMs: 30}});
		expect(await failureOf(late)).toMatchObject({code: 'ERR_MTLS_HANDSHAKE_TIMEOUT'});
		expect(silent.connectionCount).toBe(1);
	});

	test('one deadline covers the resumed handshake and the full one', async () => {
		const server = await startSessionRefusingServer(fixture.pki, {version});
		const relay = await startTicketResettingRelay(server.port);
		const client = fixture.client({timeouts: {handshakeMs: 2_000}});
		await client.get(relay.origin);
		relay.silence({afterRefusal: true});
		const error = await failureOf(client.post(relay.origin, 'x=1', {timeouts: {handshakeMs: 150}}));
		expect(error).toMatchObject({code: 'ERR_MTLS_HANDSHAKE_TIMEOUT'});
		expect(relay.refusedCount).toBe(1);
		expect(relay.connectionCount).toBe(3);
		expect(server.requests).toHaveLength(1);
	});

	describe.each(['hangs up', 'resets', 'reads and hangs up'] as const)(
		'a server that resumes and then %s',
		(refusal) => {
			test.each(exchanges)(
				'a GET is sent once more where a resumed connection breaks, and a POST once only (over %s)',
				async (_, options) => {
					const server = await startSessionRefusingServer(fixture.pki, {version, refusal});
					const client = fixture.client(options);
					for (let i = 0; i < 3; i++) {
						expect((await client.get(`${server.origin}/${i}`)).status).toBe(200);
					}
					expect(server.handshakes).toEqual({full: 3, resumed: 1});

					const other = fixture.client(options);
					await other.post(`${server.origin}/first`, 'x=1');
					const error = await failureOf(other.post(`${server.origin}/second`, 'x=1'));
					// No certificate was shown that it could have refused.
					expect(error).toMatchObject({name: 'Error', code: 'ECONNRESET'});
					expect((await other.post(`${server.origin}/third`, 'x=1')).status).toBe(200);
					const seconds = server.requests.filter((request) => request === 'POST /second');
					expect(seconds).toHaveLength(refusal === 'reads and hangs up' ? 1 : 0);
					expect(server.requests.filter((request) => request === 'POST /third')).toHaveLength(1);
				},
			);
		},
	);

	test.each(['hangs up', 'resets'] as const)(
		'an HTTP/2 server that resumes and then %s is asked once more for a POST',
		async (refusal) => {
			const server = await startSessionRefusingServer(fixture.pki, {version, refusal, alpn: 'h2'});
			const client = fixture.client({httpVersion: 2});
			for (let i = 0; i < 3; i++) {
				expect((await client.post(`${server.origin}/${i}`, 'x=1')).status).toBe(200);
			}
			expect(server.requests).toEqual(['POST /0', 'POST /1', 'POST /2']);
			expect(server.handshakes).toEqual({full: 3, resumed: 1});
		},
	);
});

const many = iterations({usual: 200, short: 20, long: 1_000});

test(`${many} requests through a firewall that resets sessions are all answered`, async () => {
	const server = await startSessionRefusingServer(fixture.pki, {version: 'TLSv1.3'});
	const relay = await startTicketResettingRelay(server.port);
	const client = fixture.client();
	let left = many;
	const ask = async () => {
		while (left-- > 0) {
			const method = left % 2 === 0 ? 'get' : 'post';
			expect((await client.request({url: relay.origin, method})).status).toBe(200);
		}
	};
	await Promise.all([ask(), ask(), ask(), ask()]);
	expect(server.requests).toHaveLength(many);
	expect(client.mtls.stats().handshakes).toEqual({full: many, resumed: 0});
	// Those that were under way when the first of them met it.
	expect(relay.refusedCount).toBeLessThanOrEqual(4);
	console.info(`${many} requests: ${many} full handshakes, ${relay.refusedCount} refused sessions`);
}, 120_000);
