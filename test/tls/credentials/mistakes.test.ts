import {createPrivateKey, generateKeyPairSync, webcrypto} from 'node:crypto';
import {beforeAll, expect, test} from 'vitest';
import type {MtlsOptions} from '../../../src/index.ts';
import {type Credential, createTestPki} from '../../../src/testing/index.ts';
import {loadX509} from '../../../src/testing/x509.ts';
import {loadCredentials} from '../../../src/tls/credentials/load-credentials.ts';
import {configRefusal, exportKeyAs} from '../../support/config-refusal.ts';
import {writeEncryptedKey} from '../../support/pfx-writer.ts';

const passphrase = 'MARK-correct-horse';
const wrong = 'MARK-wrong-horse';

let client: Credential;
let rsa: Credential;
let other: Credential;
beforeAll(async () => {
	const pki = await createTestPki();
	[client, rsa, other] = await Promise.all([
		pki.client(),
		pki.client({keyType: 'rsa'}),
		pki.client({commonName: 'other'}),
	]);
});

const publicKey = () =>
	generateKeyPairSync('ed25519').publicKey.export({type: 'spki', format: 'pem'});
const csr = '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n';
const nonsense = (label: string) => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`;
const encrypted = (type: 'pkcs8' | 'pkcs1' = 'pkcs8') =>
	exportKeyAs(rsa.key, {type, cipher: 'aes-256-cbc', passphrase});

const x25519 = () =>
	generateKeyPairSync('x25519').privateKey.export({type: 'pkcs8', format: 'pem'}).toString();
function md5Rc2(): Buffer {
	const der = createPrivateKey(rsa.key).export({type: 'pkcs8', format: 'der'});
	const hex = writeEncryptedKey(der, 'pbe-md5-des', passphrase).toString('hex');
	return Buffer.from(hex.replace('2a864886f70d010503', '2a864886f70d010506'), 'hex');
}

test.each<[string, () => MtlsOptions, string, string, string | RegExp]>([
	[
		'a certificate without a key',
		() => ({cert: client.cert}),
		'mtls.key',
		'ERR_MTLS_KEY_MISSING',
		'a certificate (the given text) without its key',
	],
	[
		'a key without a certificate',
		() => ({key: client.key}),
		'mtls.cert',
		'ERR_MTLS_CERT_MISSING',
		'a key without a certificate',
	],
	[
		'a key that does not fit',
		() => ({cert: client.cert, key: other.key}),
		'mtls.key',
		'ERR_MTLS_KEY_MISMATCH',
		"the key (ec prime256v1) does not fit the certificate 'CN=client'",
	],
	[
		'a key of another kind',
		() => ({cert: client.cert, key: rsa.key}),
		'mtls.key',
		'ERR_MTLS_KEY_MISMATCH',
		"the key (rsa 2048 bits) does not fit the certificate 'CN=client'",
	],
	[
		'a public key as the key',
		() => ({cert: client.cert, key: publicKey()}),
		'mtls.key',
		'ERR_MTLS_NOT_PEM',
		'expected a PRIVATE KEY in the given text, found PUBLIC KEY',
	],
	[
		'the certificate as the key',
		() => ({cert: client.cert, key: client.cert}),
		'mtls.key',
		'ERR_MTLS_NOT_PEM',
		'expected a PRIVATE KEY in the given text, found CERTIFICATE',
	],
	[
		'the key as the certificate',
		() => ({cert: client.key, key: client.key}),
		'mtls.cert',
		'ERR_MTLS_NO_CERTIFICATE',
		'expected a CERTIFICATE in the given text, found PRIVATE KEY',
	],
	[
		'a signing request as the certificate',
		() => ({cert: csr, key: client.key}),
		'mtls.cert',
		'ERR_MTLS_NO_CERTIFICATE',
		'expected a CERTIFICATE in the given text, found CERTIFICATE REQUEST',
	],
	[
		'a certificate that is none inside',
		() => ({cert: nonsense('CERTIFICATE'), key: client.key}),
		'mtls.cert',
		'ERR_MTLS_NO_CERTIFICATE',
		'a CERTIFICATE in the given text cannot be parsed',
	],
	[
		'a key that is none inside',
		() => ({cert: client.cert, key: nonsense('PRIVATE KEY')}),
		'mtls.key',
		'ERR_MTLS_NOT_PEM',
		'the PRIVATE KEY in the given text cannot be parsed',
	],
	[
		'a key with written-out line ends',
		() => ({cert: client.cert, key: client.key.trim().replaceAll('\n', '\\n')}),
		'mtls.key',
		'ERR_MTLS_NOT_PEM',
		'the PRIVATE KEY in the given text cannot be parsed: its line ends are written as \\n',
	],
	[
		'an OpenSSH key',
		() => ({cert: client.cert, key: nonsense('OPENSSH PRIVATE KEY')}),
		'mtls.key',
		'ERR_MTLS_UNSUPPORTED_KEY',
		"the key in the given text is in OpenSSH's own format; `ssh-keygen -p -m PEM` rewrites it",
	],
	[
		'a key that cannot sign',
		() => ({cert: client.cert, key: x25519()}),
		'mtls.key',
		'ERR_MTLS_UNSUPPORTED_KEY',
		'the key in the given text is x25519, which TLS has no signature for',
	],
	[
		'a PKCS#7 bundle as the certificate',
		() => ({cert: nonsense('PKCS7'), key: client.key}),
		'mtls.cert',
		'ERR_MTLS_NO_CERTIFICATE',
		'expected a CERTIFICATE in the given text, found PKCS7 without a certificate that can be read',
	],
	[
		'a PKCS#7 bundle in DER as the certificate',
		() => ({
			cert: Buffer.from('308006092a864886f70d010702a080300000000000', 'hex'),
			key: client.key,
		}),
		'mtls.cert',
		'ERR_MTLS_NO_CERTIFICATE',
		'expected a CERTIFICATE in the given bytes, found PKCS7 without a certificate that can be read',
	],
	[
		'an encrypted key that is none inside',
		() => ({cert: rsa.cert, key: nonsense('ENCRYPTED PRIVATE KEY'), passphrase}),
		'mtls.key',
		'ERR_MTLS_NOT_PEM',
		'the ENCRYPTED PRIVATE KEY in the given text cannot be parsed',
	],
	[
		'an RFC 1421 key without its header',
		() => ({cert: rsa.cert, key: encrypted('pkcs1').replace(/DEK-Info.*\n/, ''), passphrase}),
		'mtls.key',
		'ERR_MTLS_NOT_PEM',
		'the RSA PRIVATE KEY in the given text cannot be parsed',
	],
	[
		'an RFC 1421 key that lost four letters',
		() => ({
			cert: rsa.cert,
			key: encrypted('pkcs1').replace(/(\n.{60}).{4}\n/, '$1\n'),
			passphrase,
		}),
		'mtls.key',
		'ERR_MTLS_NOT_PEM',
		'the RSA PRIVATE KEY in the given text cannot be parsed',
	],
	[
		'an RFC 1421 key under a cipher of long ago',
		() => ({cert: rsa.cert, key: encrypted('pkcs1').replace('AES-256', 'RC2-40'), passphrase}),
		'mtls.key',
		'ERR_MTLS_UNSUPPORTED_KEY',
		'the key in the given text is encrypted in a way that is not known here: the cipher RC2-40-CBC; export it again with AES and SHA-256',
	],
	[
		'a PKCS#8 key under a cipher of long ago',
		() => ({cert: rsa.cert, key: md5Rc2(), passphrase}),
		'mtls.key',
		'ERR_MTLS_UNSUPPORTED_KEY',
		'the key in the given bytes is encrypted in a way that is not known here: the cipher RC2 with MD5 (1.2.840.113549.1.5.6); export it again with AES and SHA-256',
	],
	[
		'no passphrase for PKCS#8',
		() => ({cert: rsa.cert, key: encrypted()}),
		'mtls.passphrase',
		'ERR_MTLS_BAD_PASSPHRASE',
		'the key in the given text is encrypted and no passphrase was given',
	],
	[
		'no passphrase for an RFC 1421 key',
		() => ({cert: rsa.cert, key: encrypted('pkcs1')}),
		'mtls.passphrase',
		'ERR_MTLS_BAD_PASSPHRASE',
		'the key in the given text is encrypted and no passphrase was given',
	],
	[
		'a wrong passphrase for PKCS#8',
		() => ({cert: rsa.cert, key: encrypted(), passphrase: wrong}),
		'mtls.passphrase',
		'ERR_MTLS_BAD_PASSPHRASE',
		'the passphrase does not open the key in the given text',
	],
	[
		'a wrong passphrase for an RFC 1421 key',
		() => ({cert: rsa.cert, key: encrypted('pkcs1'), passphrase: wrong}),
		'mtls.passphrase',
		'ERR_MTLS_BAD_PASSPHRASE',
		'the passphrase does not open the key in the given text',
	],
	[
		'an empty passphrase',
		() => ({cert: rsa.cert, key: encrypted(), passphrase: ''}),
		'mtls.passphrase',
		'ERR_MTLS_BAD_PASSPHRASE',
		'an empty passphrase does not open the key in the given text: is the variable set?',
	],
])('the mistake %s is reported with the option to repair', (_, options, option, code, message) => {
	const mtls = options();
	const error = configRefusal(mtls, [
		passphrase,
		wrong,
		client.key,
		rsa.key,
		other.key,
		...(mtls.key === undefined ? [] : [`${mtls.key}`]),
	]);
	expect(error).toMatchObject({option, code, message: `${option}: ${message}`});
});

// One wrong passphrase in some two hundred decrypts to something, which is then no key.
test('many wrong passphrases are all reported as that', () => {
	const key = encrypted();
	for (let n = 0; n < 600; n++) {
		const load = () =>
			loadCredentials({cert: rsa.cert, key, passphrase: `${wrong}-${n}`}, new Date());
		expect(load).toThrow(expect.objectContaining({code: 'ERR_MTLS_BAD_PASSPHRASE'}));
	}
});

test('a key that OpenSSL finds too weak to use is refused with its reason', async () => {
	const {X509CertificateGenerator} = await loadX509();
	const keys = (await webcrypto.subtle.generateKey(
		{
			name: 'RSASSA-PKCS1-v1_5',
			hash: 'SHA-256',
			modulusLength: 512,
			publicExponent: new Uint8Array([1, 0, 1]),
		},
		true,
		['sign', 'verify'],
	)) as webcrypto.CryptoKeyPair;
	const certificate = await X509CertificateGenerator.createSelfSigned({name: 'CN=weak', keys});
	const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
	const mtls = {
		cert: certificate.toString('pem'),
		key: `-----BEGIN PRIVATE KEY-----\n${key.toString('base64')}\n-----END PRIVATE KEY-----\n`,
	};
	expect(configRefusal(mtls, [mtls.key])).toMatchObject({
		option: 'mtls.cert',
		code: 'ERR_MTLS_BAD_OPTION',
		message:
			"mtls.cert: OpenSSL refuses our certificate: our key is too short (ERR_SSL_EE_KEY_TOO_SMALL); have a certificate issued for an RSA key of 2048 bits or more, or an EC key; `mtls.ciphers: 'DEFAULT@SECLEVEL=0'` takes it meanwhile, and weaker servers too",
	});
});
