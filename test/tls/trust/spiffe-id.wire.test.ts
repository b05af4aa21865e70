import {beforeAll, describe, expect, test} from 'vitest';
import {createTestPki} from '../../../src/testing/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	mtlsFailureOf,
} from '../../support/fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const billing = 'spiffe://example.org/billing';
const domain = 'spiffe://example.org';

describe.each(exchanges)('over %s', (_, options) => {
	test('a workload is known by its SPIFFE ID, whatever its name', async () => {
		const names = [[], ['other.test']];
		for (const own of names) {
			const credential = await fixture.pki.server({names: own, uris: [billing]});
			const server = await fixture.server({credential});
			for (const spiffeId of [billing, domain]) {
				const {status, tls} = await fixture
					.client({mtls: {spiffeId}})
					.get(server.url('/whoami'), options);
				expect(status).toBe(200);
				expect(tls).toMatchObject({authorized: true, peer: {altNames: expect.any(Array)}});
				expect(tls?.peer.altNames).toContain(`URI:${billing}`);
			}
			// By its name nobody would know it.
			const {failure} = await mtlsFailureOf(fixture.client().get(server.url(), options));
			expect(failure.kind).toBe('wrong-name');
			expect(server.requests).toHaveLength(2);
		}
	});

	test.each<[string, string[], string]>([
		['another ID', ['spiffe://example.org/bill'], billing],
		['an ID that begins with it', [`${billing}/admin`], billing],
		['an ID of a domain that begins with its own', ['spiffe://example.org.evil/x'], domain],
		['several', [billing, 'spiffe://example.org/other'], billing],
		['none', [], billing],
	])('a workload with %s is sent nothing', async (_name, uris, spiffeId) => {
		// Its name is right, which does not help.
		const server = await fixture.server({credential: await fixture.pki.server({uris})});
		const client = fixture.client({mtls: {spiffeId}});
		const error = await mtlsFailureOf(client.post(server.url(), 'the body', options));

		expect(error.code).toBe('ERR_MTLS_SPIFFE_MISMATCH');
		expect(error.failure).toMatchObject({
			kind: 'spiffe-mismatch',
			side: 'server',
			phase: 'verify',
			certain: true,
			peer: {subject: 'CN=localhost'},
		});
		for (const uri of uris) expect(error.message).toContain(`URI:${uri}`);
		expect((error.cause as Error).message).toContain(`expected ${spiffeId}, found `);
		await allClosed(server);
		expect(server.connections).toMatchObject([{plaintextBytes: 0}]);
		expect(server.requests).toEqual([]);
	});

	test('an ID excuses no chain', async () => {
		const other = await createTestPki();
		const impostors = [
			[await other.server({uris: [billing]}), 'untrusted-issuer'],
			[await fixture.pki.server({uris: [billing], selfSigned: true}), 'self-signed'],
			[await fixture.pki.server({uris: [billing], expired: true}), 'expired'],
		] as const;
		for (const [credential, kind] of impostors) {
			const server = await fixture.server({credential});
			const client = fixture.client({mtls: {spiffeId: billing}});
			const {failure} = await mtlsFailureOf(client.get(server.url(), options));
			expect(failure.kind).toBe(kind);
			await allClosed(server);
			expect(server.connections).toMatchObject([{plaintextBytes: 0}]);
		}
	});
});
