import {execFile} from 'node:child_process';
import {createPrivateKey, X509Certificate} from 'node:crypto';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {describe, expect, test} from 'vitest';
import {createClient} from '../../src/index.ts';
import {
	type CertificateOptions,
	type Credential,
	createTestPki,
	type TestPki,
} from '../../src/testing/index.ts';
import {onTestFinished, separateConcurrentTests} from '../support/on-test-finished.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What OpenSSL says in strict mode: `'OK'`, or the reason. */
async function opensslVerdict(
	pki: TestPki,
	{cert, leaf}: Credential,
	...options: string[]
): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'testing-pki-'));
	onTestFinished(() => rm(folder, {recursive: true}));
	const [ca, sent, last] = ['ca.pem', 'sent.pem', 'leaf.pem'].map((name) => join(folder, name));
	if (ca === undefined || sent === undefined || last === undefined) throw new Error('no paths');
	await Promise.all([writeFile(ca, pki.ca), writeFile(sent, cert), writeFile(last, leaf)]);
	const trust = ['-CAfile', ca, '-no-CApath', '-no-CAstore', '-untrusted', sent];
	try {
		await promisify(execFile)('openssl', [
			...['verify', '-x509_strict', ...trust, ...options, last],
		]);
		return 'OK';
	} catch (error) {
		return /lookup: (.*)/.exec(String(error))?.[1] ?? String(error);
	}
}

function certificatesIn(pem: string): X509Certificate[] {
	const blocks = pem.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n/gs) ?? [];
	return blocks.map((block) => new X509Certificate(block));
}

separateConcurrentTests();

describe('OpenSSL in strict mode', {concurrent: true}, () => {
	test.each(['ec', 'rsa', 'ed25519'] as const)(
		'OpenSSL in strict mode accepts every level with %s keys',
		async (keyType) => {
			const pki = await createTestPki({keyType});
			const inner = await (await pki.intermediate()).intermediate({commonName: 'Inner CA'});

			const server = await inner.server({keyType});
			const client = await pki.client({
				keyType,
				organization: 'Example',
				uris: ['spiffe://a.test/b'],
			});

			expect(await opensslVerdict(pki, server, '-purpose', 'sslserver')).toBe('OK');
			expect(await opensslVerdict(pki, client, '-purpose', 'sslclient')).toBe('OK');
		},
	);

	test.each<[CertificateOptions, string]>([
		[{expired: true}, 'certificate has expired'],
		[{notYetValid: true}, 'certificate is not yet valid'],
		[{selfSigned: true}, 'self-signed certificate'],
		[{purposes: ['clientAuth']}, 'unsuitable certificate purpose'],
		[{omitIntermediates: true}, 'unable to get local issuer certificate'],
	])('OpenSSL in strict mode finds the defect %o and no other', async (defect, reason) => {
		const pki = await createTestPki();
		const server = await (await pki.intermediate()).server(defect);
		expect(await opensslVerdict(pki, server, '-purpose', 'sslserver')).toBe(reason);
	});

	test('OpenSSL in strict mode finds the expired intermediate of a good leaf', async () => {
		const pki = await createTestPki();
		const server = await (await pki.intermediate({expired: true})).server();
		expect(await opensslVerdict(pki, server)).toBe('certificate has expired');
	});

	test('OpenSSL in strict mode does not take another root of the same name for the issuer', async () => {
		const [pki, twin] = await Promise.all([createTestPki(), createTestPki()]);
		expect(await opensslVerdict(pki, await twin.server())).toMatch(/^unable to get local issuer/);
	});
});

describe('a credential', () => {
	test('a credential has the leaf and its intermediates, nearest first, without the root', async () => {
		const pki = await createTestPki();
		const outer = await pki.intermediate({commonName: 'Outer CA'});
		const inner = await outer.intermediate({commonName: 'Inner CA'});

		const {cert, leaf} = await inner.client({commonName: 'alice'});

		const chain = certificatesIn(cert);
		expect(chain.map(({subject}) => subject)).toEqual(['CN=alice', 'CN=Inner CA', 'CN=Outer CA']);
		expect(cert).toBe(leaf + inner.cert + outer.cert);
	});

	// Seen: `mtls.leaf: no such option`.
	test('a credential can be spread into mtls, and its leaf stays readable', async () => {
		const pki = await createTestPki();
		const inner = await pki.intermediate();
		const plain = await inner.client({commonName: 'alice'});
		const locked = await inner.client({commonName: 'bob', passphrase: 'open sesame'});
		expect(Object.keys({...plain})).toEqual(['cert', 'key']);
		expect(Object.keys({...locked})).toEqual(['cert', 'key', 'passphrase']);
		for (const [credential, subject] of [
			[plain, 'CN=alice'],
			[locked, 'CN=bob'],
		] as const) {
			expect(certificatesIn(credential.cert)).toHaveLength(2);
			expect(certificatesIn(credential.leaf).map((each) => each.subject)).toEqual([subject]);
			expect(credential.cert.startsWith(credential.leaf)).toBe(true);
			const client = createClient({mtls: {...credential, ca: pki.ca}, logger: false});
			expect(client.mtls.identity?.subject).toBe(subject);
			await client.mtls.close();
		}
	});

	test('a credential names the address of a missing intermediate, and not of the root', async () => {
		const pki = await createTestPki();
		const below = await (await pki.intermediate({commonName: 'Paying CA'})).server();
		const [leaf, intermediate] = certificatesIn(below.cert);
		expect(leaf?.infoAccess).toBe('CA Issuers - URI:http://ca.test/paying-ca.crt');
		expect(intermediate?.infoAccess).toBeUndefined();
	});

	test('a credential carries DNS names, IP addresses and URIs each as their own kind', async () => {
		const pki = await createTestPki();
		const {leaf} = await pki.server({
			names: ['a.test', '*.b.test', '::1', '10.0.0.1'],
			uris: ['x:y'],
		});
		const certificate = new X509Certificate(leaf);
		expect(certificate.subjectAltName).toBe(
			'DNS:a.test, DNS:*.b.test, IP Address:0:0:0:0:0:0:0:1, IP Address:10.0.0.1, URI:x:y',
		);
		expect(certificate.subject).toBe('CN=a.test');
	});

	test('a credential names the loopback host for a server and none for a client, unless names are given', async () => {
		const pki = await createTestPki();
		const server = new X509Certificate((await pki.server()).leaf);
		const client = new X509Certificate((await pki.client()).leaf);
		expect(server.checkHost('localhost')).toBe('localhost');
		expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
		expect(server.checkIP('::1')).toBe('::1');
		expect(client.subject).toBe('CN=client');
		expect(client.subjectAltName).toBeUndefined();
	});

	test('a credential has the purpose of its side, another, or none', async () => {
		const pki = await createTestPki();
		const purposesOf = async (side: 'server' | 'client', options?: CertificateOptions) =>
			new X509Certificate((await pki[side](options)).leaf).keyUsage;
		expect(await purposesOf('server')).toEqual(['1.3.6.1.5.5.7.3.1']);
		expect(await purposesOf('client')).toEqual(['1.3.6.1.5.5.7.3.2']);
		expect(await purposesOf('client', {purposes: ['serverAuth', 'clientAuth']})).toHaveLength(2);
		expect(await purposesOf('client', {purposes: []})).toBeUndefined();
	});

	test('a credential is signed by the issuer that is named instead of the one that makes it', async () => {
		const [pki, other] = await Promise.all([createTestPki(), createTestPki({commonName: 'Other'})]);
		const server = await pki.server({issuer: other});
		const client = await pki.client({issuer: other});
		for (const {leaf} of [server, client]) {
			const certificate = new X509Certificate(leaf);
			expect(certificate.issuer).toBe('CN=Other');
			expect(certificate.verify(new X509Certificate(other.ca).publicKey)).toBe(true);
		}
	});

	test.each(['ec', 'rsa', 'ed25519'] as const)(
		'a credential has a matching %s key',
		async (keyType) => {
			const {key, leaf} = await (await createTestPki()).client({keyType});
			const parsed = createPrivateKey(key);
			expect(parsed.asymmetricKeyType).toBe(keyType);
			expect(new X509Certificate(leaf).checkPrivateKey(parsed)).toBe(true);
		},
	);

	test('a credential with a passphrase has an encrypted key that opens with it alone', async () => {
		const {key, leaf, passphrase} = await (await createTestPki()).client({passphrase: 'geheim'});
		expect(key).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
		expect(passphrase).toBe('geheim');
		// Of 256 wrong passphrases one leaves good padding, and something that is no key.
		expect(() => createPrivateKey({key, passphrase: 'other'})).toThrow(
			expect.objectContaining({
				code: expect.stringMatching(/^ERR_OSSL_(BAD_DECRYPT|UNSUPPORTED|ASN1_.+)$/),
			}),
		);
		const parsed = createPrivateKey({key, passphrase: 'geheim'});
		expect(new X509Certificate(leaf).checkPrivateKey(parsed)).toBe(true);
	});

	test('a credential without a passphrase does not mention one', async () => {
		const credential = await (await createTestPki()).client();
		expect(Object.keys(credential)).toEqual(['cert', 'key']);
	});

	test('a credential has a key and a serial number of its own', async () => {
		const pki = await createTestPki();
		const credentials = await Promise.all(Array.from({length: 20}, () => pki.client()));
		const serials = credentials.map(({leaf}) => new X509Certificate(leaf).serialNumber);
		expect(new Set(serials).size).toBe(20);
		expect(new Set(credentials.map(({key}) => key)).size).toBe(20);
	});
});

describe('the validity', () => {
	const now = new Date('2030-06-15T12:00:00Z');
	const at = (days: number) => new Date(now.getTime() + days * DAY_MS);

	test.each<[CertificateOptions, Date, Date]>([
		[{}, at(-1 / 24), at(90)],
		[{expired: true}, at(-31), at(-1)],
		[{notYetValid: true}, at(1), at(90)],
		[{validFrom: at(-3), validTo: at(3)}, at(-3), at(3)],
		[{validTo: at(-5)}, at(-35), at(-5)],
		[{expired: true, validFrom: at(-400)}, at(-400), at(-1)],
	])('a validity of %o is counted from the time of the PKI', async (options, from, to) => {
		const {leaf} = await (await createTestPki({now})).server(options);
		const certificate = new X509Certificate(leaf);
		expect(new Date(certificate.validFrom)).toEqual(from);
		expect(new Date(certificate.validTo)).toEqual(to);
	});

	test('the validity of an authority spans that of every usual leaf', async () => {
		const pki = await createTestPki({now});
		for (const {cert} of [pki, await pki.intermediate()]) {
			const certificate = new X509Certificate(cert);
			expect(certificate.ca).toBe(true);
			expect(new Date(certificate.validFrom)).toEqual(at(-365));
			expect(new Date(certificate.validTo)).toEqual(at(3650));
		}
	});
});
