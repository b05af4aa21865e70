import {createHash, X509Certificate} from 'node:crypto';
import {beforeAll, describe, expect, test} from 'vitest';
import {type Credential, createTestPki, type TestPki} from '../../../src/testing/index.ts';
import {generateKeys} from '../../../src/testing/keys.ts';
import {loadX509} from '../../../src/testing/x509.ts';
import {certificateFacts} from '../../../src/tls/credentials/certificate-facts.ts';
import {printedForms} from '../../support/printed-forms.ts';

let pki: TestPki;
beforeAll(async () => {
	pki = await createTestPki({commonName: 'Bank Root'});
});

describe('the facts', () => {
	test('the facts of a certificate are the same from PEM, DER and an object', async () => {
		const {leaf} = await pki.server({
			organization: 'Bank',
			commonName: 'api.bank.example',
			names: ['api.bank.example', '10.0.0.1', '::1'],
			uris: ['spiffe://bank.example/api'],
			validFrom: new Date('2024-01-02T03:04:05Z'),
			validTo: new Date('2034-01-02T03:04:05Z'),
		});
		const certificate = new X509Certificate(leaf);
		const facts = certificateFacts(leaf);

		expect(facts).toEqual({
			subject: 'O=Bank, CN=api.bank.example',
			issuer: 'CN=Bank Root',
			altNames: [
				'DNS:api.bank.example',
				'IP Address:10.0.0.1',
				'IP Address:0:0:0:0:0:0:0:1',
				'URI:spiffe://bank.example/api',
			],
			validFrom: '2024-01-02T03:04:05.000Z',
			validTo: '2034-01-02T03:04:05.000Z',
			fingerprint256: certificate.fingerprint256,
			pin: pinOf(certificate),
			caIssuers: [],
		});
		expect(certificateFacts(certificate.raw)).toEqual(facts);
		expect(certificateFacts(certificate)).toEqual(facts);
	});

	test('a certificate without names has none', async () => {
		const {leaf} = await pki.client();
		expect(certificateFacts(leaf)).toMatchObject({altNames: [], caIssuers: []});
	});

	test('the facts of a certificate hold the address of its issuer', async () => {
		const intermediate = await pki.intermediate({commonName: 'Issuing CA'});
		const {leaf} = await intermediate.server();
		expect(certificateFacts(leaf).caIssuers).toEqual(['http://ca.test/issuing-ca.crt']);
	});

	test('the pin outlives a renewal with the same key, the fingerprint does not', async () => {
		const [one, two] = await Promise.all([pki.server(), pki.server()]);
		expect(certificateFacts(one.leaf).pin).not.toBe(certificateFacts(two.leaf).pin);
		expect(certificateFacts(one.leaf).pin).toMatch(/^sha256\/\/[A-Za-z0-9+/]{43}=$/);
	});
});

describe('a hostile certificate', () => {
	const forged = 'x\n2024 INFO login of root\r\u001b[2J';

	test('a hostile certificate puts no line end and no escape sequence into its facts', async () => {
		const {leaf} = await pki.server({
			commonName: forged,
			organization: forged,
			names: ['a.test'],
			uris: [`urn:${forged}`],
		});
		const facts = certificateFacts(leaf);
		expect(Object.values(facts).flat().join('')).not.toMatch(/\p{Cc}/u);
	});

	test('a hostile certificate puts no line end and no escape sequence into the address of its issuer', async () => {
		const {AuthorityInfoAccessExtension, X509CertificateGenerator} = await loadX509();
		const certificate = await X509CertificateGenerator.createSelfSigned({
			name: 'CN=a.test',
			keys: await generateKeys('ec'),
			extensions: [new AuthorityInfoAccessExtension({caIssuers: `http://a.test/${forged}`})],
		});
		const {caIssuers} = certificateFacts(certificate.toString('pem'));
		expect(caIssuers).toHaveLength(1);
		expect(caIssuers.join('')).not.toMatch(/\p{Cc}/u);
	});

	test('a hostile certificate cannot smuggle a second name into the list', async () => {
		const {leaf} = await pki.server({names: ['a.test'], uris: ['urn:x, DNS:bank.example']});
		expect(certificateFacts(leaf).altNames).toHaveLength(2);
		expect(certificateFacts(leaf).altNames).not.toContain('DNS:bank.example');
	});

	test('a certificate with a key of an unknown kind has no pin, but its other facts', async () => {
		const {leaf}: Credential = await pki.server();
		const der = new X509Certificate(leaf).raw;
		// 1.2.840.10045.3.1.7 is P-256; there is no 1.2.840.10045.3.1.127.
		const curve = der.indexOf(Buffer.from('2a8648ce3d030107', 'hex'));
		der[curve + 7] = 127;
		expect(certificateFacts(der)).toMatchObject({subject: 'CN=localhost', pin: ''});
	});

	test('bytes that are not a certificate fail with the error of Node', () => {
		expect(() => certificateFacts('none')).toThrow(
			expect.objectContaining({code: expect.stringMatching(/^ERR_/)}),
		);
	});
});

test('the facts of a credential hold nothing of its key', async () => {
	const {leaf, key} = await pki.client();
	const told = printedForms(certificateFacts(leaf));
	for (const line of key.split('\n').slice(1, -2)) expect(told).not.toContain(line);
});

function pinOf({publicKey}: X509Certificate): string {
	const spki = publicKey.export({type: 'spki', format: 'der'});
	return `sha256//${createHash('sha256').update(spki).digest('base64')}`;
}
