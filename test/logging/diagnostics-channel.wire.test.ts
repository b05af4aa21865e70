// In a process of its own: it replaces modules.
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import https from 'node:https';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {type MtlsEvents, publish} from '../../src/logging/diagnostics-channel.ts';
import * as certificate from '../../src/tls/credentials/certificate-facts.ts';
import {createFixture, exchanges, type Fixture, mtlsFailureOf, pages} from '../support/fixture.ts';

vi.mock(import('../../src/tls/credentials/certificate-facts.ts'), {spy: true});

const quiet = {error() {}, warn() {}};

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** What is published on a channel until the test ends. */
function listen<Name extends keyof MtlsEvents>(name: Name): MtlsEvents[Name][] {
	const heard: MtlsEvents[Name][] = [];
	const listener = (message: unknown) => {
		heard.push(message as MtlsEvents[Name]);
	};
	subscribe(name, listener);
	onTestFinished(() => {
		unsubscribe(name, listener);
	});
	return heard;
}

const handler = pages({'/': (_, response) => response.setHeader('connection', 'close').end('ok')});
const secret = {
	headers: {authorization: 'Bearer MARK', cookie: 'session=MARK', 'x-api-key': 'MARK'},
	params: {token: 'MARK'},
	auth: {username: 'user', password: 'MARK'},
};

describe.each(exchanges)('over %s', (_, options) => {
	test('each handshake is published with its facts, and only handshakes', async () => {
		const [handshakes, failures] = [listen('axios-mtls:handshake'), listen('axios-mtls:failure')];
		const server = await fixture.server({
			handler: pages({
				'/': (_, response) => response.setHeader('connection', 'close').end('ok'),
				'/kept': (_, response) => response.end('ok'),
			}),
		});
		const client = fixture.client();
		await client.get(server.url('/kept'), options);
		const {tls} = await client.get(server.url('/kept'), options);
		await client.get(server.url(), options);
		await client.get(server.url(), options);

		const where = {host: 'localhost', port: server.port, servername: 'localhost'};
		expect(handshakes).toEqual([
			{...where, ...tls, resumed: false},
			{...where, ...tls, resumed: true},
		]);
		expect(failures).toEqual([]);
		expect(server.connections).toHaveLength(2);
	});

	test('each failure is published once, by its facts', async () => {
		const [handshakes, failures] = [listen('axios-mtls:handshake'), listen('axios-mtls:failure')];
		const impostor = await fixture.server({
			credential: await fixture.pki.server({selfSigned: true}),
		});
		const {summary, code, failure} = await mtlsFailureOf(
			fixture.client().get(impostor.url(), options),
		);
		expect(failures).toEqual([{...failure, code, message: summary, enforced: true}]);
		expect(failures).toMatchObject([{kind: 'self-signed', phase: 'verify', side: 'server'}]);
		expect(handshakes).toEqual([]);
	});

	test("a handshake that only verify: 'report' accepts is published both as handshake and as unenforced failure", async () => {
		const [handshakes, failures] = [listen('axios-mtls:handshake'), listen('axios-mtls:failure')];
		const impostor = await fixture.server({
			credential: await fixture.pki.server({selfSigned: true}),
			handler,
		});
		await fixture.client({logger: quiet, mtls: {verify: 'report'}}).get(impostor.url(), options);
		expect(failures).toMatchObject([
			{kind: 'self-signed', code: 'DEPTH_ZERO_SELF_SIGNED_CERT', enforced: false},
		]);
		expect(handshakes).toMatchObject([{authorized: false, port: impostor.port}]);
	});

	test('the published events hold no secret, and are plain data', async () => {
		const heard = [listen('axios-mtls:handshake'), listen('axios-mtls:failure')];
		const server = await fixture.server();
		const impostor = await fixture.server({
			credential: await fixture.pki.server({selfSigned: true}),
		});
		const request = {...options, ...secret, method: 'post', data: 'MARK'};
		await fixture.client().request({...request, url: server.url('/echo')});
		await mtlsFailureOf(fixture.client().request({...request, url: impostor.url('/echo')}));

		expect(heard.map(({length}) => length)).toEqual([1, 1]);
		for (const event of heard.flat()) {
			const told = JSON.stringify(event);
			expect(told).not.toContain('MARK');
			expect(told).not.toContain('PRIVATE KEY');
			expect(JSON.parse(told)).toEqual(event);
		}
	});
});

test('a handshake without a listener computes no facts', async () => {
	// With certificates that nobody has seen: those of a known one are remembered.
	const fresh = await createFixture();
	const server = await fresh.server({handler});
	// The agent alone: an answer of axios has the facts with it.
	const {agent} = fresh.client().mtls;
	const ask = () =>
		new Promise<void>((resolve, reject) => {
			https
				.get(server.url(), {agent}, (response) => response.resume().once('end', resolve))
				.once('error', reject);
		});
	const facts = vi.mocked(certificate.certificateFacts);
	facts.mockClear();
	await ask();
	expect(facts).not.toHaveBeenCalled();

	const heard = listen('axios-mtls:handshake');
	await ask();
	expect(heard).toMatchObject([{host: 'localhost', port: server.port, authorized: true}]);
	expect(facts).toHaveBeenCalledTimes(2);
	expect(server.requests).toHaveLength(2);
});

test('the published objects are made for listeners alone', () => {
	const make = vi.fn(() => ({event: 'identity_loaded', identity: null}));
	publish('axios-mtls:identity', make);
	expect(make).not.toHaveBeenCalled();

	const heard = listen('axios-mtls:identity');
	publish('axios-mtls:identity', make);
	expect(make).toHaveBeenCalledOnce();
	expect(heard).toEqual([{event: 'identity_loaded', identity: null}]);
});
