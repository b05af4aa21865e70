import {describe, expect, test} from 'vitest';
import {
	canSign,
	faultsOfOurs,
	looksIntermediate,
	type OwnCertificate,
} from '../../src/failures/our-certificate.ts';
import {ownCertificateOf} from '../support/evidence.ts';

const now = new Date('2026-01-02T03:04:05.000Z');

const faults = (more: Partial<OwnCertificate>, endsAtRoot = true) =>
	faultsOfOurs([ownCertificateOf(more)], {now, endsAtRoot}).map(({id}) => id);

const clientAuth = '1.3.6.1.5.5.7.3.2';
const serverAuth = '1.3.6.1.5.5.7.3.1';

describe('what is wrong with our certificate', () => {
	test.each<[string, Partial<OwnCertificate>, string[]]>([
		['nothing that we can see', {}, []],
		['an end before now', {validTo: '2026-01-02T03:04:04.999Z'}, ['own-expired']],
		['an end that is now', {validTo: '2026-01-02T03:04:05.000Z'}, []],
		['a beginning after now', {validFrom: '2026-01-02T03:04:05.001Z'}, ['own-not-yet-valid']],
		['a beginning that is now', {validFrom: '2026-01-02T03:04:05.000Z'}, []],
		['the purpose of a server', {purposes: [serverAuth]}, ['own-no-client-auth']],
		['no purpose at all', {purposes: []}, ['own-no-client-auth']],
		['both purposes', {purposes: [serverAuth, clientAuth]}, []],
		['any purpose', {purposes: ['2.5.29.37.0']}, []],
		['a key usage without digitalSignature', {keyUsage: ['keyAgreement']}, ['own-key-usage']],
		['a key usage with digitalSignature', {keyUsage: ['digitalSignature']}, []],
		['a signature with SHA-1', {weakDigest: 'SHA-1'}, ['own-weak-signature']],
		['a signature with MD5', {weakDigest: 'MD5'}, ['own-weak-signature']],
		['a key of 2047 bits', {keyBits: 2047}, ['own-short-key']],
		['a key of 2048 bits', {keyBits: 2048}, []],
		['a curve that TLS 1.3 does not know', {keyType: 'ec', curve: 'secp256k1'}, ['own-curve']],
		['a curve that TLS 1.3 knows', {keyType: 'ec', curve: 'secp384r1'}, []],
		[
			'several faults, worst first',
			{purposes: [], weakDigest: 'SHA-1', validTo: '2020-01-01T00:00:00.000Z'},
			['own-expired', 'own-no-client-auth', 'own-weak-signature'],
		],
	])('a certificate with %s has these faults', (_, more, expected) => {
		expect(faults(more)).toEqual(expected);
	});

	test('an issuer that is an intermediate and is not sent leaves the chain incomplete', () => {
		const issuer = 'CN=Partner Issuing CA';
		expect(faults({issuer}, false)).toEqual(['own-chain-incomplete']);
		expect(faults({issuer}, true)).toEqual([]);
		expect(faults({issuer: 'CN=Partner Root'}, false)).toEqual([]);
		expect(faults({subject: 'CN=self', issuer: 'CN=self'}, false)).toEqual([]);
	});

	test('an expired intermediate that is sent with our certificate is named, and a root is not', () => {
		const old = {validTo: '2020-01-01T00:00:00.000Z', purposes: []};
		const inner = ownCertificateOf({...old, subject: 'CN=Inner', issuer: 'CN=Root'});
		const root = ownCertificateOf({...old, subject: 'CN=Root', issuer: 'CN=Root'});
		const found = faultsOfOurs([ownCertificateOf(), inner, root], {now, endsAtRoot: true});
		expect(found).toMatchObject([
			{id: 'own-chain-expired', text: expect.stringContaining("'CN=Inner'")},
		]);
	});

	test('an intermediate that is sent with our certificate can be weak, and the signature of a root cannot', () => {
		const weak = {weakDigest: 'SHA-1', keyBits: 2047};
		const inner = ownCertificateOf({...weak, subject: 'CN=Inner', issuer: 'CN=Root'});
		const strong = ownCertificateOf({subject: 'CN=Inner', issuer: 'CN=Root'});
		const root = ownCertificateOf({...weak, subject: 'CN=Root', issuer: 'CN=Root', keyBits: 2048});
		const found = (...issuers: OwnCertificate[]) =>
			faultsOfOurs([ownCertificateOf(), ...issuers], {now, endsAtRoot: true}).map(
				({id, index, text}) => ({id, index, text}),
			);
		expect(found(inner, root)).toEqual([
			{
				id: 'own-weak-signature',
				index: 1,
				text: "'CN=Inner', which is sent with our certificate, is signed with SHA-1, which servers no longer accept",
			},
			{
				id: 'own-short-key',
				index: 1,
				text: "'CN=Inner', which is sent with our certificate, has a key of 2047 bits, and servers want 2048",
			},
		]);
		expect(found(strong, root)).toEqual([]);
	});

	test('nothing is wrong where nothing is sent', () => {
		expect(faultsOfOurs([], {now, endsAtRoot: false})).toEqual([]);
	});
});

test.each<[string, string[], 'yes' | 'no' | 'unknown']>([
	['CN=Bank Issuing CA', [], 'yes'],
	['CN=Bank Intermediate CA', [], 'yes'],
	['CN=Bank CA G2', [], 'yes'],
	['CN=Bank TLS CA 1', [], 'yes'],
	['CN=Bank Services', ['http://ca.test/x.crt'], 'yes'],
	['CN=Bank Services', [], 'unknown'],
	['CN=Bank Root CA', [], 'no'],
	['CN=Bank Root G2', ['http://ca.test/x.crt'], 'no'],
	['CN=Grooting', [], 'unknown'],
])('the issuer %s with %j looks like an intermediate: %s', (issuer, caIssuers, expected) => {
	expect(looksIntermediate(issuer, caIssuers)).toBe(expected);
});

test.each<[Partial<OwnCertificate>, string, string, boolean]>([
	[{keyType: 'rsa'}, 'RSA-PSS+SHA256', 'TLSv1.3', true],
	[{keyType: 'rsa'}, 'RSA+SHA256', 'TLSv1.3', false],
	[{keyType: 'rsa'}, 'RSA+SHA256', 'TLSv1.2', true],
	[{keyType: 'rsa'}, 'ECDSA+SHA256', 'TLSv1.2', false],
	[{keyType: 'rsa-pss'}, 'RSA-PSS+SHA256', 'TLSv1.2', true],
	[{keyType: 'rsa-pss'}, 'RSA+SHA256', 'TLSv1.2', false],
	[{keyType: 'ec', curve: 'prime256v1'}, 'ECDSA+SHA256', 'TLSv1.3', true],
	[{keyType: 'ec', curve: 'secp384r1'}, 'ECDSA+SHA256', 'TLSv1.3', false],
	[{keyType: 'ec', curve: 'secp384r1'}, 'ECDSA+SHA256', 'TLSv1.2', true],
	[{keyType: 'ec', curve: 'secp256k1'}, 'ECDSA+SHA256', 'TLSv1.3', false],
	[{keyType: 'ed25519'}, 'Ed25519', 'TLSv1.3', true],
	[{keyType: 'ed25519'}, 'RSA-PSS+SHA256', 'TLSv1.3', false],
	[{keyType: 'ed448'}, 'Ed448', 'TLSv1.3', true],
	[{keyType: undefined}, 'RSA-PSS+SHA256', 'TLSv1.3', true],
])(
	'the key %j can sign for a server that asks for %s with %s: %s',
	(more, algorithm, protocol, expected) => {
		expect(canSign(ownCertificateOf(more), [algorithm], protocol)).toBe(expected);
	},
);
