/*
 * `ca` as PKCS#12: truststores of Java, and keystores named on purpose.
 */
import {X509Certificate} from 'node:crypto';
import {beforeAll, expect, test} from 'vitest';
import {createClient, type MtlsOptions} from '../../../src/index.ts';
import {type Credential, createTestPki, type TestPki} from '../../../src/testing/index.ts';
import {loadCa} from '../../../src/tls/trust/ca.ts';
import {configRefusal} from '../../support/config-refusal.ts';
import {type PfxContent, pfxOf, writePfx} from '../../support/pfx-writer.ts';

const passphrase = 'MARK-changeit';

let pki: TestPki;
let other: TestPki;
let client: Credential;
beforeAll(async () => {
	pki = await createTestPki();
	other = await createTestPki({commonName: 'Other CA'});
	client = await pki.client();
});

/** As keytool writes a truststore: each certificate with its alias, no key. */
function truststore(content: Pick<PfxContent, 'cert' | 'mac' | 'passphrase'>): Buffer {
	const entries = {first: pki.ca, second: other.ca};
	return writePfx({
		keys: [],
		certificates: Object.entries(entries).map(([name, pem]) => ({
			der: new X509Certificate(pem).raw,
			name,
		})),
		key: 'none',
		...content,
	});
}

const subjectsOf = (ca: MtlsOptions['ca'], word?: string) =>
	loadCa(ca, () => word)?.map((pem) => new X509Certificate(pem).subject);
const both = ['CN=Test Root CA', 'CN=Other CA'];

test.each([
	['with a passphrase, as Java 17', {cert: 'aes-256', mac: 'sha256', passphrase}],
	['with a passphrase, as Java 8', {cert: 'pbe-rc2-40', mac: 'sha1', passphrase}],
	['without a passphrase, as Java 18 can', {cert: 'none', mac: 'none'}],
	['with an empty passphrase', {cert: 'aes-256', mac: 'sha256', passphrase: ''}],
] as const)('a truststore %s is trusted, all of it', (_, content) => {
	const bytes = truststore(content);
	const word = 'passphrase' in content ? content.passphrase : undefined;
	expect(subjectsOf(bytes, word)).toEqual(both);
	expect(subjectsOf(['bundled', bytes.toString('base64')], word)?.slice(-2)).toEqual(both);
});

test('a truststore that is not encrypted asks for no passphrase', () => {
	const ca = truststore({cert: 'none', mac: 'none'});
	const asked = () => {
		throw new Error('asked');
	};
	expect(loadCa(ca, asked)).toHaveLength(2);
});

test('key and truststore share a passphrase, and its function is called once', async () => {
	let calls = 0;
	const made = createClient({
		mtls: {
			pfx: pfxOf(client.cert, client.key, {passphrase}),
			ca: truststore({cert: 'aes-256', mac: 'sha256', passphrase}),
			passphrase: () => {
				calls++;
				return passphrase;
			},
		},
		logger: false,
	});
	expect(calls).toBe(1);
	await made.mtls.close();
});

test('a truststore that the passphrase does not open is refused with two ways to go', () => {
	const ca = truststore({cert: 'aes-256', mac: 'sha256', passphrase});
	for (const [word, why] of [
		['MARK-wrong', 'the passphrase does not open the PKCS#12 in the given bytes'],
		[undefined, 'the PKCS#12 in the given bytes is encrypted and no passphrase was given'],
	] as const) {
		const error = configRefusal({ca, ...(word !== undefined && {passphrase: word})}, ['MARK']);
		expect(error).toMatchObject({code: 'ERR_MTLS_BAD_PASSPHRASE', option: 'mtls.ca'});
		expect(error.message).toBe(
			`mtls.ca: ${why}; that of a Java truststore is often changeit, and \`keytool -exportcert -rfc\` or \`openssl pkcs12 -nokeys\` writes the certificates as PEM, which needs none`,
		);
	}
});

test('the CA of an identity is trusted where the file is named as ca, and not by pfx alone', () => {
	const file = pfxOf(client.cert + pki.ca, client.key, {passphrase});
	expect(subjectsOf(file, passphrase)).toEqual(['CN=Test Root CA']);
	expect(subjectsOf(undefined)).toBeUndefined();
});

test('a PKCS#12 with nothing to trust is refused', () => {
	const own = pfxOf(client.leaf, client.key, {passphrase});
	expect(configRefusal({ca: own, passphrase}, [passphrase])).toMatchObject({
		code: 'ERR_MTLS_NO_CERTIFICATE',
		message:
			'mtls.ca: expected certificates of CAs in the PKCS#12 in the given bytes, found only that of its own key',
	});
	const key = pfxOf('', client.key, {passphrase});
	expect(configRefusal({ca: key, passphrase}, [passphrase]).message).toMatch(/found none$/);
});

test('a damaged truststore is refused for mtls.ca', () => {
	const whole = truststore({cert: 'none', mac: 'sha256', passphrase});
	const damaged = Buffer.from(whole.toString('hex').replace('020103', '020102'), 'hex');
	expect(configRefusal({ca: damaged, passphrase}, [passphrase])).toMatchObject({
		code: 'ERR_MTLS_NOT_PKCS12',
		option: 'mtls.ca',
	});
});

test('a Java keystore in its own format is refused with a way that ends', () => {
	for (const magic of ['feedfeed', 'cececece']) {
		const jks = Buffer.concat([Buffer.from(`${magic}00000002`, 'hex'), Buffer.alloc(64)]);
		const {message} = configRefusal({ca: jks});
		expect(message).toMatch(/^mtls\.ca: expected PEM in the given bytes, found a Java keystore \(/);
		expect(message).toContain('`keytool -exportcert -rfc` writes a certificate of it as PEM');
		expect(message).toContain('makes a PKCS#12 file of it, which goes here too');
		expect(configRefusal({pfx: jks}).message).toContain('`keytool -importkeystore');
	}
});
