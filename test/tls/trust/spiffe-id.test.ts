import {X509Certificate} from 'node:crypto';
import {beforeAll, describe, expect, test} from 'vitest';
import {MtlsConfigError} from '../../../src/index.ts';
import {createTestPki, type TestPki} from '../../../src/testing/index.ts';
import {loadX509} from '../../../src/testing/x509.ts';
import {checkSpiffeId, loadSpiffeId} from '../../../src/tls/trust/spiffe-id.ts';
import {parsed} from '../../support/forged-certificate.ts';

const billing = 'spiffe://example.org/billing';
const domain = 'spiffe://example.org';

describe('loading', () => {
	test.each([domain, billing, 'spiffe://a/b/c', 'spiffe://a-b_c.d1/X.Y-z_0', 'spiffe://a/...'])(
		'the SPIFFE ID %s is accepted',
		(id) => {
			expect(loadSpiffeId(id)).toBe(id);
		},
	);

	test('the SPIFFE ID is undefined where none is given', () => {
		expect(loadSpiffeId(undefined)).toBeUndefined();
	});

	test.each([
		'',
		'billing',
		'https://example.org/billing',
		'spiffe://',
		'spiffe:///billing',
		'SPIFFE://example.org',
		'spiffe://Example.org',
		'spiffe://example.org/',
		'spiffe://example.org//billing',
		'spiffe://example.org/billing/',
		'spiffe://example.org/../billing',
		'spiffe://example.org/.',
		'spiffe://example.org/*',
		'spiffe://example.org/b%69lling',
		'spiffe://example.org:8443/billing',
		'spiffe://user@example.org/billing',
		'spiffe://example.org/billing?a=b',
		'spiffe://example.org/billing#a',
		'spiffe://example.org/billing\n',
		`spiffe://${'a'.repeat(256)}`,
		`spiffe://example.org/${'a'.repeat(2048)}`,
	])('the SPIFFE ID %j is refused', (id) => {
		const load = () => loadSpiffeId(id);
		expect(load).toThrow(MtlsConfigError);
		expect(load).toThrow(
			expect.objectContaining({code: 'ERR_MTLS_BAD_OPTION', option: 'mtls.spiffeId'}),
		);
	});
});

test.each([
	['hunter2', 'something else'],
	['https://user:hunter2@example.org/x?hunter2', "'https://example.org/x?[redacted]'"],
	['spiffe://Example.org', "'spiffe://Example.org'"],
])('the error for the SPIFFE ID %j says that it found %s', (id, found) => {
	expect(() => loadSpiffeId(id)).toThrow(
		`mtls.spiffeId: expected spiffe://trust-domain or spiffe://trust-domain/path, found ${found}`,
	);
});

describe('checking', () => {
	let pki: TestPki;
	beforeAll(async () => {
		pki = await createTestPki();
	});
	const leafWith = async (...uris: string[]) => parsed((await pki.server({names: [], uris})).leaf);

	test.each<[string, string, boolean]>([
		[billing, billing, true],
		[domain, billing, true],
		[domain, 'spiffe://example.org/a/b', true],
		[domain, domain, true],
		[billing, 'spiffe://example.org/bill', false],
		['spiffe://example.org/bill', billing, false],
		[billing, `${billing}/admin`, false],
		[billing, domain, false],
		[billing, 'spiffe://example.org.evil/billing', false],
		[domain, 'spiffe://example.org.evil', false],
		[domain, 'spiffe://example.org.evil/billing', false],
		[domain, 'spiffe://evil.example.org/billing', false],
		[domain, 'spiffe://example.or/billing', false],
		[domain, 'https://example.org/billing', false],
		[domain, 'spiffe://example.org/', false],
		[domain, 'spiffe://example.org/../evil', false],
		[domain, 'spiffe://example.org/billing?x', false],
		[billing, 'spiffe://EXAMPLE.org/billing', false],
		[billing, 'spiffe://example.org/Billing', false],
	])(
		'the expected SPIFFE ID %s, of a certificate for %s, is accepted: %s',
		async (expected, uri, accepted) => {
			const error = checkSpiffeId(expected, await leafWith(uri));
			if (accepted) expect(error).toBeUndefined();
			else {
				expect(error).toMatchObject({
					name: 'SpiffeMismatchError',
					code: 'ERR_MTLS_SPIFFE_MISMATCH',
					message: `expected ${expected}, found ${uri}`,
				});
			}
		},
	);

	test.each([
		[[billing, 'spiffe://example.org/other']],
		[[billing, 'https://example.org/']],
		[[billing, billing]],
	])('several URI names are no SPIFFE ID: %j', async (uris) => {
		for (const expected of [billing, domain]) {
			for (const names of [uris, uris.toReversed()]) {
				expect(checkSpiffeId(expected, await leafWith(...names))?.message).toBe(
					`expected ${expected}, found ${names.join(', ')}`,
				);
			}
		}
	});

	test('no URI name is none', async () => {
		const leaves = [await pki.server(), await pki.server({names: []})];
		for (const {leaf} of leaves) {
			expect(checkSpiffeId(billing, parsed(leaf))?.message).toBe(
				`expected ${billing}, found no SPIFFE ID`,
			);
		}
	});

	test('no certificate is none', () => {
		expect(checkSpiffeId(billing, undefined)?.message).toBe(
			`expected ${billing}, found no SPIFFE ID`,
		);
	});

	// Node's text of the names is one line, in which a name with a comma stands in quotes.
	test.each([
		['a DNS name', 'dns'],
		['a mail address', 'email'],
		['another URI', 'url'],
	] as const)(
		'the name %s that contains a SPIFFE ID as text does not count as one',
		async (_, type) => {
			const leaf = await leafWithName(type, `x, URI:${billing}`);
			expect(checkSpiffeId(billing, leaf)).toBeInstanceOf(Error);
			expect(checkSpiffeId(domain, leaf)).toBeInstanceOf(Error);
			// And beside one URI name it is another.
			const two = await leafWithName(type, `x, URI:${billing}`, billing);
			expect(checkSpiffeId(billing, two) === undefined).toBe(type !== 'url');
		},
	);

	test('the certificate of a CA is none', async () => {
		const leaf = await leafWithName('url', billing, undefined, true);
		expect(checkSpiffeId(billing, leaf)).toBeInstanceOf(Error);
		expect(checkSpiffeId(billing, await leafWithName('url', billing))).toBeUndefined();
	});
});

async function leafWithName(
	type: 'dns' | 'email' | 'url',
	value: string,
	uri?: string,
	ca = false,
): Promise<X509Certificate> {
	const x509 = await loadX509();
	const algorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'};
	const keys = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({
		name: 'CN=workload',
		keys,
		signingAlgorithm: algorithm,
		extensions: [
			new x509.BasicConstraintsExtension(ca),
			new x509.SubjectAlternativeNameExtension([
				{type, value},
				...(uri === undefined ? [] : [{type: 'url' as const, value: uri}]),
			]),
		],
	});
	return new X509Certificate(Buffer.from(certificate.rawData));
}
