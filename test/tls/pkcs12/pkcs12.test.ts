import {createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate} from 'node:crypto';
import {beforeAll, describe, expect, test} from 'vitest';
import {createClient, type MtlsOptions} from '../../../src/index.ts';
import {type Credential, createTestPki, type TestPki} from '../../../src/testing/index.ts';
import {loadCredentials} from '../../../src/tls/credentials/load-credentials.ts';
import {childrenOf, type DerValue, octetString, readDer} from '../../../src/tls/pkcs12/der.ts';
import {configRefusal} from '../../support/config-refusal.ts';
import {cpuMs} from '../../support/cpu-ms.ts';
import {pfxOf, tlv} from '../../support/pfx-writer.ts';

const passphrase = 'MARK-correct-horse';

let pki: TestPki;
let client: Credential;
let other: Credential;
beforeAll(async () => {
	pki = await createTestPki();
	[client, other] = await Promise.all([pki.client(), pki.client({commonName: 'other'})]);
});

const subjectOf = (mtls: MtlsOptions) => loadCredentials(mtls, new Date())?.facts.subject;
const fromHex = (hex: string) => Buffer.from(hex, 'hex');

function replaced(bytes: Buffer, from: string, to: string): Buffer {
	const hex = bytes.toString('hex');
	expect(hex).toContain(from);
	return fromHex(hex.replace(from, to));
}

describe('what is in a file', () => {
	test('a PKCS#12 file becomes the identity of a client', () => {
		const {mtls} = createClient({mtls: {pfx: pfxOf(client.cert, client.key)}});
		expect(mtls.identity?.subject).toBe('CN=client');
	});

	test('a PKCS#12 file yields the certificate that fits the key, wherever it stands, and its chain', async () => {
		const inner = await (await pki.intermediate()).client();
		const [leaf = '', ca = ''] = inner.cert.match(/-----BEGIN.*?-----END.*?\n/gs) ?? [];
		for (const certs of [
			[pki.ca, ca, other.leaf, leaf],
			[leaf, other.leaf, ca, pki.ca],
		]) {
			const pfx = pfxOf(certs.join(''), inner.key);
			expect(loadCredentials({pfx}, new Date())?.cert).toBe(leaf + ca + pki.ca);
		}
	});

	test('a PKCS#12 file may hold keys that fit no certificate, beside one that does', () => {
		const two = pfxOf(client.leaf, client.key, {
			keys: [other.key, client.key].map((pem) =>
				createPrivateKey(pem).export({type: 'pkcs8', format: 'der'}),
			),
		});
		expect(subjectOf({pfx: two})).toBe('CN=client');
	});

	test('a PKCS#12 file is read with values of indefinite length and content in pieces', () => {
		const pfx = pfxOf(client.leaf, client.key, {passphrase});
		const open = (tag: number, ...content: Buffer[]) =>
			Buffer.concat([Buffer.from([tag, 0x80]), ...content, Buffer.from([0, 0])]);
		const [version, authSafe, mac] = childrenOf(readDer(pfx));
		const [type, content] = childrenOf(authSafe as DerValue);
		const safe = octetString(readDer((content as DerValue).content));
		const pieces = [safe.subarray(0, 100), safe.subarray(100)].map((piece) => tlv(4, piece));
		const ber = open(
			0x30,
			(version as DerValue).whole,
			open(0x30, (type as DerValue).whole, open(0xa0, open(0x24, ...pieces))),
			(mac as DerValue).whole,
		);
		expect(subjectOf({pfx: ber, passphrase})).toBe('CN=client');
	});

	test('a PKCS#12 file may be followed by other bytes', () => {
		const pfx = Buffer.concat([pfxOf(client.leaf, client.key), Buffer.from('\n')]);
		expect(subjectOf({pfx})).toBe('CN=client');
	});
});

// Forge's own PBKDF2 takes 0.7 s for the larger number, ours 0.03 s.
test.each(['aes-256', 'pbe-3des'] as const)(
	'100,000 iterations with %s take no longer than three seconds',
	(how) => {
		const content = {passphrase, key: how, cert: how, mac: 'sha256', iterations: 100_000} as const;
		const pfx = pfxOf(client.leaf, client.key, content);
		const start = cpuMs();
		expect(subjectOf({pfx, passphrase})).toBe('CN=client');
		expect(cpuMs() - start).toBeLessThan(3_000);
	},
);

describe('what is told for mtls.pfx', () => {
	const modern = () => pfxOf(client.leaf, client.key, {passphrase});

	test.each<[string, () => unknown, string, string | RegExp]>([
		[
			'no such file',
			() => 'none.p12',
			'ERR_MTLS_NO_SUCH_FILE',
			/^no such file 'none\.p12' in the folder '.+'$/,
		],
		[
			'an empty string',
			() => '',
			'ERR_MTLS_NOT_PKCS12',
			'expected bytes or a path, found an empty string',
		],
		['a number', () => 1, 'ERR_MTLS_BAD_OPTION', 'expected bytes or a path, found number'],
		[
			'no bytes',
			() => Buffer.alloc(0),
			'ERR_MTLS_NOT_PKCS12',
			/in the given bytes, found nothing$/,
		],
		[
			'base64 that is cut short',
			() => modern().toString('base64').slice(0, -8),
			'ERR_MTLS_NOT_PKCS12',
			/found \d+ characters that are neither a path nor base64$/,
		],
		[
			'lines of base64 that are cut short',
			() => Buffer.from(modern().toString('base64').slice(0, -8)),
			'ERR_MTLS_NOT_PKCS12',
			/found base64 that is cut short or damaged$/,
		],
		[
			'bytes that were read as UTF-8',
			() => modern().toString('utf8'),
			'ERR_MTLS_NOT_PKCS12',
			/in the given text, found binary data that was read as text \('utf8'\), which destroys it/,
		],
		[
			'a file that was written as UTF-8',
			() => Buffer.from(modern().toString('utf8')),
			'ERR_MTLS_NOT_PKCS12',
			/in the given bytes, found binary data that was read as text \('utf8'\), which destroys it/,
		],
		[
			'PEM',
			() => client.cert + client.key,
			'ERR_MTLS_NOT_PKCS12',
			/found PEM \(CERTIFICATE, PRIVATE KEY\), which goes in `mtls.cert` and `mtls.key`$/,
		],
		[
			'a certificate',
			() => new X509Certificate(client.leaf).raw,
			'ERR_MTLS_NOT_PKCS12',
			/found DER \(binary\) data of a CERTIFICATE$/,
		],
		[
			'a Java keystore',
			() => fromHex('feedfeed00000002'),
			'ERR_MTLS_NOT_PKCS12',
			/found a Java keystore \(`keytool -importkeystore -deststoretype pkcs12` makes/,
		],
		['a web page', () => Buffer.from('<html>'), 'ERR_MTLS_NOT_PKCS12', /found an HTML page$/],
		[
			'a file that is cut short',
			() => modern().subarray(0, -20),
			'ERR_MTLS_NOT_PKCS12',
			/found DER \(binary\) data that is cut short or damaged$/,
		],
		[
			'a file of another version',
			() => replaced(modern(), '020103', '020102'),
			'ERR_MTLS_NOT_PKCS12',
			'the PKCS#12 in the given bytes is damaged',
		],
		[
			'a file that was changed where it is not encrypted',
			() => replaced(modern(), '2a864886f70d010c0a0102', '2a864886f70d010c0a0103'),
			'ERR_MTLS_NOT_PKCS12',
			'the PKCS#12 in the given bytes is damaged: the passphrase fits, and the MAC does not',
		],
		[
			'a file that is signed',
			() => replaced(modern(), '2a864886f70d010701', '2a864886f70d010702'),
			'ERR_MTLS_UNSUPPORTED_KEY',
			/not known here: it is signed rather than sealed with a passphrase$/,
		],
		[
			'a cipher that is not known',
			() => replaced(unsealed(), '60864801650304012a', '60864801650304012f'),
			'ERR_MTLS_UNSUPPORTED_KEY',
			/not known here: the cipher 2\.16\.840\.1\.101\.3\.4\.1\.47; export it again with AES and SHA-256$/,
		],
		[
			'a hash that is not known',
			() => replaced(unsealed(), '2a864886f70d0209', '2a864886f70d0263'),
			'ERR_MTLS_UNSUPPORTED_KEY',
			/not known here: the hash 1\.2\.840\.113549\.2\.99; export it again with AES and SHA-256$/,
		],
		[
			'so many iterations that it would stand still',
			() => replaced(unsealed(65_536), '0203010000', '02034c4b41'),
			'ERR_MTLS_UNSUPPORTED_KEY',
			/not known here: 5000001 iterations, more than 5000000$/,
		],
		[
			'a file without a key',
			() => pfxOf(client.cert + pki.ca, '', {passphrase}),
			'ERR_MTLS_KEY_MISSING',
			'expected a private key in the PKCS#12 in the given bytes, found 2 certificates alone',
		],
		[
			'a file without a certificate',
			() => pfxOf('', client.key, {passphrase}),
			'ERR_MTLS_NO_CERTIFICATE',
			'expected a certificate in the PKCS#12 in the given bytes, found a key alone',
		],
		[
			'a key that fits no certificate',
			() => pfxOf(other.leaf, client.key, {passphrase}),
			'ERR_MTLS_KEY_MISMATCH',
			"the key (ec prime256v1) does not fit the certificate 'CN=other'",
		],
		[
			'a key that is none inside',
			() => pfxOf(client.leaf, '', {passphrase, keys: [fromHex('3000')]}),
			'ERR_MTLS_UNSUPPORTED_KEY',
			'the key in the given bytes is of a kind that OpenSSL does not read',
		],
		[
			'a key that cannot sign',
			() => pfxOf(client.leaf, pem(generateKeyPairSync('x25519').privateKey), {passphrase}),
			'ERR_MTLS_UNSUPPORTED_KEY',
			'the key in the given bytes is x25519, which TLS has no signature for',
		],
		[
			'a certificate that is none inside',
			() => pfxOf('', client.key, {passphrase, certificates: [fromHex('3000')]}),
			'ERR_MTLS_NO_CERTIFICATE',
			'a certificate in the given bytes cannot be parsed',
		],
	])('a PKCS#12 file with a fault is refused: %s', (_, source, code, message) => {
		const pfx = source();
		const error = configRefusal({pfx, passphrase}, [passphrase, client.key]);
		expect(error).toMatchObject({code, option: 'mtls.pfx'});
		expect(error.message.slice('mtls.pfx: '.length)).toMatch(message);
	});

	// Without a MAC, so that it is the encryption that is looked at.
	const unsealed = (iterations = 4) =>
		pfxOf(client.leaf, client.key, {passphrase, iterations, mac: 'none'});
	const pem = (key: KeyObject) => key.export({type: 'pkcs8', format: 'pem'}).toString();

	test('a PFX beside a certificate or a key', () => {
		const pfx = pfxOf(client.leaf, client.key);
		for (const [besides, name] of [
			[{cert: client.cert, key: client.key}, 'cert'],
			[{key: client.key}, 'key'],
		] as const) {
			expect(configRefusal({pfx, ...besides}, [client.key])).toMatchObject({
				code: 'ERR_MTLS_BAD_OPTION',
				option: 'mtls.pfx',
				message: `mtls.pfx: it brings certificate and key, so \`mtls.${name}\` cannot be given besides`,
			});
		}
	});

	test('a PFX in another option is reported as one', () => {
		const pfx = pfxOf(client.leaf, client.key);
		const found = 'found PKCS12 (a .p12 or .pfx file, which goes in `mtls.pfx`)';
		expect(configRefusal({cert: pfx}).message).toBe(
			`mtls.cert: expected a CERTIFICATE in the given bytes, ${found}`,
		);
		expect(configRefusal({cert: client.cert, key: pfx}).message).toBe(
			`mtls.key: expected a PRIVATE KEY in the given bytes, ${found}`,
		);
		expect(configRefusal({crl: pfx}).message).toBe(
			`mtls.crl: expected an X509 CRL in the given bytes, ${found}`,
		);
	});
});

// Any wrong key gives something, and one in some two hundred something with the right padding.
test.each(['aes-256', 'pbe-rc2-40'] as const)(
	'many wrong passphrases are all reported as that, with %s and no MAC',
	(how) => {
		const pfx = pfxOf(client.leaf, client.key, {passphrase, mac: 'none', key: how, cert: how});
		for (let n = 0; n < 1_000; n++) {
			expect(() => loadCredentials({pfx, passphrase: `wrong-${n}`}, new Date())).toThrow(
				expect.objectContaining({code: 'ERR_MTLS_BAD_PASSPHRASE', option: 'mtls.passphrase'}),
			);
		}
	},
);
