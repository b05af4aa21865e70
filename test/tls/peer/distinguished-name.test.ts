import {X509Certificate} from 'node:crypto';
import {expect, test} from 'vitest';
import {createTestPki} from '../../../src/testing/index.ts';
import {issuerName, readName} from '../../../src/tls/peer/distinguished-name.ts';
import {DerError} from '../../../src/tls/pkcs12/der.ts';
import {nameOf, oid, sequence, text, tlv} from '../../support/certificate-writer.ts';

const utf8 = 0x0c;
const printable = 0x13;
const teletex = 0x14;
const ia5 = 0x16;
const universal = 0x1c;
const bmp = 0x1e;

const pair = (type: string, value: Buffer) => tlv(0x31, sequence(oid(type), value));
const countryOid = '550406';
const organizationOid = '55040a';
const commonNameOid = '550403';

test('a name is read in the order of the certificate, with the usual abbreviations', () => {
	const name = sequence(
		pair(countryOid, text('DE', printable)),
		pair(organizationOid, text('Bank, the AG')),
		pair(commonNameOid, text('Issuing CA 1')),
		pair('2a0304', text('odd')),
	);

	expect(readName(name).text).toBe('C=DE, O=Bank, the AG, CN=Issuing CA 1, 1.2.3.4=odd');
});

test('each type of string is read as its text', () => {
	const swap = (value: string) => Buffer.from(value, 'utf16le').swap16();
	const wide = (value: string) =>
		Buffer.concat([...value].map((each) => Buffer.from([0, 0, 0, each.charCodeAt(0)])));
	const values = [
		text('Zürich', utf8),
		tlv(teletex, Buffer.from('Zürich', 'latin1')),
		tlv(bmp, swap('Zürich')),
		tlv(universal, wide('Zürich')),
	];
	for (const value of values) expect(readName(nameOf(value)).text).toBe('CN=Zürich');
	expect(readName(nameOf(text('a@b.example', ia5))).text).toBe('CN=a@b.example');
	expect(readName(nameOf(tlv(0x02, Buffer.from([7])))).text).toBe('CN=#020107');
	// A code point beyond those of Unicode, and half a character.
	expect(readName(nameOf(tlv(universal, Buffer.from('ffffffff', 'hex')))).text).toBe('CN=\ufffd');
	expect(readName(nameOf(tlv(bmp, Buffer.from('004100', 'hex')))).text).toBe('CN=A');
});

test('two names that RFC 5280 calls equal have one key, and any other two have not', () => {
	const key = (value: Buffer, type?: string) => readName(nameOf(value, type)).key;

	expect(key(text('Test  Root CA ', printable))).toBe(key(text('test root ca', utf8)));
	expect(key(text('Test Root CA'))).not.toBe(key(text('Test Root CA 2')));
	expect(key(text('Test'), commonNameOid)).not.toBe(key(text('Test'), organizationOid));
	const joined = sequence(pair(organizationOid, text('A, CN=B')));
	const apart = sequence(pair(organizationOid, text('A')), pair(commonNameOid, text('B')));
	expect(readName(joined).text).toBe(readName(apart).text);
	expect(readName(joined).key).not.toBe(readName(apart).key);
});

test('the issuer of a certificate is read out of it', async () => {
	const pki = await createTestPki({commonName: 'Some, odd CA'});
	const intermediate = await pki.intermediate();
	const {cert} = await intermediate.client();
	const [leaf, issuing] = cert.match(/-----BEGIN[\s\S]+?-----END [A-Z ]+-----/g) ?? [];

	expect(issuerName(new X509Certificate(leaf ?? '')).text).toBe('CN=Test Intermediate CA');
	expect(issuerName(new X509Certificate(issuing ?? '')).text).toBe('CN=Some, odd CA');
});

test('bytes that are no name are refused, wherever they are cut', () => {
	const name = sequence(pair(countryOid, text('DE')), pair(commonNameOid, text('CA')));
	for (let length = 0; length < name.length; length++) {
		expect(() => readName(name.subarray(0, length))).toThrow(DerError);
	}
	expect(readName(name).text).toBe('C=DE, CN=CA');
	expect(() => readName(sequence(text('CA')))).toThrow(DerError);
	expect(() => readName(sequence(tlv(0x31, sequence(oid(countryOid)))))).toThrow(DerError);
});
