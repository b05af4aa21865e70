import {once} from 'node:events';
import {connect as connectTls, TLSSocket} from 'node:tls';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import type {ConnectionFacts} from '../../src/index.ts';
import type {Credential} from '../../src/testing/index.ts';
import {certificateFacts} from '../../src/tls/credentials/certificate-facts.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	pages,
	redirect,
} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';

let fixture: Fixture;
let credential: Credential;
let intermediate: string;
beforeAll(async () => {
	fixture = await createFixture();
	const issuer = await fixture.pki.intermediate();
	intermediate = issuer.cert;
	credential = await issuer.server();
});

const handler = pages({
	'/': (_, response) => response.setHeader('connection', 'close').end('ok'),
	'/kept': (_, response) => response.end('ok'),
	'/bad': (_, response) => response.writeHead(404).end('no'),
});

const versions = [
	['TLSv1.2', /^TLS_ECDHE_ECDSA_WITH_/],
	['TLSv1.3', /^TLS_(AES|CHACHA20)_/],
] as const;

const ways = [
	...exchanges,
	["axios's exchange, as a stream", {responseType: 'stream'}],
] as const satisfies readonly (readonly [string, object])[];

describe.each(ways)('over %s', (_, options) => {
	describe.each(versions)('with %s', (version, cipher) => {
		function expected(): ConnectionFacts {
			const chain = [credential.leaf, intermediate, fixture.pki.ca].map((pem) =>
				certificateFacts(pem),
			);
			return {
				protocol: version,
				cipher: expect.stringMatching(cipher),
				authorized: true,
				clientCertificateRequested: true,
				resumed: false,
				peer: chain[0] as ConnectionFacts['peer'],
				chain,
				identity: certificateFacts(fixture.alice.leaf),
			};
		}

		test('a resumed session has the facts of its full handshake', async () => {
			const server = await fixture.server({credential, handler, maxVersion: version});
			const client = fixture.client();
			for (const resumed of [false, true, true]) {
				const {tls} = await client.get(server.url(), options);
				expect(tls).toEqual({...expected(), resumed});
			}
			expect(server.handshakes).toEqual({full: 1, resumed: 2});
		});

		test('a reused socket has the very facts of its handshake', async () => {
			const server = await fixture.server({credential, handler, maxVersion: version});
			const client = fixture.client();
			const answers: ConnectionFacts[] = [];
			for (let i = 0; i < 3; i++) {
				const {data, tls} = await client.get(server.url('/kept'), options);
				if (typeof data !== 'string') for await (const _chunk of data);
				if (tls) answers.push(tls);
			}
			expect(answers).toEqual([expected(), expected(), expected()]);
			expect(answers[2]).toBe(answers[0]);
			expect(Object.isFrozen(answers[0])).toBe(true);
			expect(server.connections).toHaveLength(1);
		});

		test('each connection to one server has the very facts of its certificates', async () => {
			const server = await fixture.server({credential, handler, maxVersion: version});
			const other = await fixture.server({handler, maxVersion: version});
			const urls = [server.url(), server.url(), other.url()];
			// A client each, so that no session is resumed.
			const ask = async (url: string) => (await fixture.client().get(url, options)).tls?.peer;
			const [first, second, third] = await Promise.all(urls.map(ask));
			expect(first).toEqual(expected().peer);
			expect(second).toBe(first);
			expect(Object.isFrozen(first)).toBe(true);
			expect(third?.fingerprint256).not.toBe(first?.fingerprint256);
		});

		test('an answer that was not wanted has them too', async () => {
			const server = await fixture.server({credential, handler, maxVersion: version});
			const {response} = await failureOf(fixture.client().get(server.url('/bad'), options));
			expect(response?.tls).toEqual(expected());
		});
	});

	test('response.tls has null for no certificate, and false where none was requested', async () => {
		const stranger = await fixture.recordingServer();
		const server = await fixture.server({
			handler: pages({'/': redirect(stranger.url('/'))}),
		});
		const {tls} = await fixture.client().get(server.url(), options);
		expect(tls).toMatchObject({identity: null, clientCertificateRequested: true});
		expect(stranger.connections).toMatchObject([{authorized: false}]);
		expect(stranger.connections[0]?.clientCertificate).toBeUndefined();

		const open = await fixture.server({clientAuth: 'none', handler});
		const answer = await fixture.client().get(open.url(), options);
		expect(answer.tls).toMatchObject({
			identity: {subject: 'CN=alice'},
			clientCertificateRequested: false,
		});
	});

	test('a response over plain http has no `tls`', async () => {
		const plain = await startPlainHttp();
		const response = await fixture.client().get(`${plain.origin}/`, options);
		expect(response.status).toBe(200);
		expect(response).not.toHaveProperty('tls');
	});
});

// Node's older form of a chain takes 0.3 ms, and ends the process for some curves
// (src/tls/peer/legacy-form.ts); and to read the newer one empties what both are read from.
test('the chain of a full handshake is read once, and the socket answers as Node has it', async () => {
	const read = vi.spyOn(TLSSocket.prototype, 'getPeerX509Certificate');
	const readLegacy = vi.spyOn(TLSSocket.prototype, 'getPeerCertificate');
	onTestFinished(() => {
		read.mockRestore();
		readLegacy.mockRestore();
	});
	const server = await fixture.server({credential, handler, clientAuth: 'none'});
	const {request} = await fixture.client().get(server.url('/kept'));
	const socket: TLSSocket = request.socket;
	expect(read.mock.contexts.filter((reader) => reader === socket)).toHaveLength(1);
	expect(readLegacy.mock.contexts).not.toContain(socket);

	const plain = connectTls({
		port: server.port,
		host: '127.0.0.1',
		ca: server.ca,
		servername: 'localhost',
	});
	onTestFinished(() => void plain.destroy());
	await once(plain, 'secureConnect');
	expect(socket.getPeerCertificate()).toEqual(plain.getPeerCertificate());
	const chain = plain.getPeerCertificate(true);
	expect(chain.issuerCertificate.issuerCertificate.subject.CN).toBe('Test Root CA');
	expect(socket.getPeerCertificate(true)).toEqual(chain);
	expect(socket.getPeerX509Certificate()?.fingerprint256).toBe(chain.fingerprint256);
});
