import {beforeAll, describe, expect, test} from 'vitest';
import {type Credential, createTestPki, type MtlsServer} from '../../../src/testing/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	mtlsFailureOf,
	pages,
} from '../../support/fixture.ts';
import {forgeCertificate, parsed, pinOf} from '../../support/forged-certificate.ts';

let fixture: Fixture;
/** Leaf, intermediate, root; the root is not sent. */
let credential: Credential;
let intermediate: string;
let stranger: string;
beforeAll(async () => {
	fixture = await createFixture();
	const issuer = await fixture.pki.intermediate();
	intermediate = issuer.cert;
	credential = await issuer.server();
	stranger = (await createTestPki()).ca;
});

async function expectUnread(server: MtlsServer): Promise<void> {
	await allClosed(server);
	for (const {plaintextBytes} of server.connections) expect(plaintextBytes).toBe(0);
	expect(server.requests).toEqual([]);
}

describe.each(exchanges)('over %s', (_, options) => {
	test('any certificate of the chain may have the pinned key', async () => {
		const server = await fixture.server({credential});
		const backup = pinOf(stranger);
		const [leaf, middle, root] = [credential.leaf, intermediate, fixture.pki.ca].map(pinOf);
		const accepted = [
			leaf,
			middle,
			root,
			[backup, root],
			[leaf, backup],
			`${backup};${leaf}`,
			`${middle};${backup}`,
		];
		for (const pins of accepted) {
			const client = fixture.client({mtls: {pins: pins as string}});
			const {status, tls} = await client.get(server.url('/whoami'), options);
			expect(status).toBe(200);
			expect(tls?.chain.map(({pin}) => pin)).toEqual([leaf, middle, root]);
		}
		expect(server.requests).toHaveLength(accepted.length);
	});

	test.each(['TLSv1.2', 'TLSv1.3'] as const)(
		'a server without a pinned key is sent nothing, with %s',
		async (version) => {
			const server = await fixture.server({credential, maxVersion: version});
			const client = fixture.client({mtls: {pins: [pinOf(stranger), pinOf(fixture.alice.leaf)]}});
			const error = await mtlsFailureOf(client.post(server.url(), 'the body', options));

			expect(error.code).toBe('ERR_MTLS_PIN_MISMATCH');
			expect(error.failure).toMatchObject({
				kind: 'pin-mismatch',
				side: 'server',
				phase: 'verify',
				certain: true,
				protocol: version,
				peer: {subject: 'CN=localhost', pin: pinOf(credential.leaf)},
			});
			expect(error.failure.chain).toHaveLength(3);
			expect(error.message).toContain(pinOf(credential.leaf));
			await expectUnread(server);
			expect(server.connections).toHaveLength(1);
		},
	);

	test.each(['TLSv1.2', 'TLSv1.3'] as const)(
		'a resumed session, on which no key is shown, keeps the verdict and the facts of %s',
		async (version) => {
			const server = await fixture.server({
				credential,
				maxVersion: version,
				handler: pages({
					'/': (_, response) => response.setHeader('connection', 'close').end('ok'),
				}),
			});
			const client = fixture.client({mtls: {pins: pinOf(intermediate)}});
			for (const resumed of [false, true, true]) {
				const {tls} = await client.get(server.url(), options);
				expect(tls).toMatchObject({
					resumed,
					authorized: true,
					clientCertificateRequested: true,
					peer: {pin: pinOf(credential.leaf)},
				});
				expect(tls?.chain).toHaveLength(3);
			}
			expect(server.handshakes).toEqual({full: 1, resumed: 2});

			// What was refused is not resumed, and refused again.
			const refusing = fixture.client({mtls: {pins: pinOf(stranger)}});
			for (const _attempt of [1, 2, 3]) {
				const {failure} = await mtlsFailureOf(refusing.get(server.url(), options));
				expect(failure).toMatchObject({kind: 'pin-mismatch', phase: 'verify'});
				expect(failure.chain).toHaveLength(3);
			}
			expect(server.handshakes.resumed).toBe(2);
			expect(server.requests).toHaveLength(3);
		},
	);

	test('a pinned key excuses neither the chain nor the name', async () => {
		const other = await createTestPki();
		const impostors = [
			[await other.server(), 'untrusted-issuer'],
			[await fixture.pki.server({selfSigned: true}), 'self-signed'],
			[await fixture.pki.server({expired: true}), 'expired'],
			[await fixture.pki.server({names: ['other.test']}), 'wrong-name'],
		] as const;
		for (const [own, kind] of impostors) {
			const server = await fixture.server({credential: own});
			const client = fixture.client({mtls: {pins: pinOf(own.leaf)}});
			const {failure} = await mtlsFailureOf(client.get(server.url(), options));
			expect(failure.kind).toBe(kind);
			await expectUnread(server);
		}
	});

	// Node strings a chain together by names, and leaves signatures to OpenSSL, which may have taken
	// another way. Whoever has a certificate of a trusted CA could add one that says to be that CA and
	// holds the pinned key, which is public.
	test.each(['the root', 'the intermediate'])(
		'a certificate that only says to be %s brings no pin along',
		async (which) => {
			const pinned = parsed(stranger).publicKey;
			const direct = await fixture.pki.server();
			const server = await fixture.server({
				credential:
					which === 'the root'
						? {...direct, cert: direct.leaf + (await forgeCertificate(fixture.pki.ca, pinned))}
						: {
								...credential,
								cert:
									credential.leaf + (await forgeCertificate(intermediate, pinned)) + intermediate,
							},
			});
			// It is trusted and well named: only the pin stands in its way.
			const {tls} = await fixture.client().get(server.url('/whoami'), options);
			expect(tls?.authorized).toBe(true);
			expect(tls?.chain.map(({pin}) => pin)).toContain(pinOf(stranger));

			const client = fixture.client({mtls: {pins: pinOf(stranger)}});
			const {failure} = await mtlsFailureOf(client.get(server.url('/whoami'), options));
			expect(failure).toMatchObject({kind: 'pin-mismatch', side: 'server', phase: 'verify'});
			await allClosed({connections: server.connections.slice(1)});
			expect(server.connections[1]?.plaintextBytes).toBe(0);
			expect(server.requests).toHaveLength(1);
		},
	);
});
