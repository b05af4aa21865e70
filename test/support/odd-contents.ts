/*
 * Certificates that hold what no CA should put into one, and that OpenSSL takes for certificates all the
 * same. All are signed, on usual keys unless it is the key that is odd.
 */
import {generateKeyPairSync, type KeyObject} from 'node:crypto';
import {
	type CertificateText,
	dnsName,
	extension,
	nameOf,
	oid,
	sequence,
	spkiOf,
	text,
	tlv,
	toPem,
	writeCertificate,
} from './certificate-writer.ts';
import type {OddChains, OddKeyPlace} from './odd-keys.ts';

const bytes = (...octets: readonly number[]) => Buffer.from(octets);
const none = Buffer.alloc(0);
const utc = (value: string) => text(value, 0x17);
const generalized = (value: string) => text(value, 0x18);
const past = utc('200101000000Z');
const names = '551d11';
const infoAccess = '2b06010505070101';
const caIssuers = (location: Buffer) =>
	extension(infoAccess, sequence(sequence(oid('2b06010505073002'), location)));

const contents: Readonly<Record<string, Partial<CertificateText>>> = {
	'an end that is no date': {validity: sequence(past, utc('991399999999Z'))},
	'an end with a fraction': {validity: sequence(past, generalized('20991231235959.5Z'))},
	'an end in the year 9999': {validity: sequence(past, generalized('99991231235959Z'))},
	'a beginning in the year 0': {
		validity: sequence(generalized('00000101000000Z'), generalized('20991231235959Z')),
	},
	'an end before the beginning': {validity: sequence(utc('490101000000Z'), past)},
	'a serial number of 1,000 octets': {serial: Buffer.alloc(1_000, 0x41)},
	'a negative serial number': {serial: bytes(0x80, 1)},
	'a serial number of 0': {serial: bytes(0)},
	'3,000 names': {
		names: Buffer.concat([
			...Array.from({length: 3_000}, (_, i) => dnsName(`host-${i}.test`)),
			dnsName('localhost'),
		]),
	},
	'a name of 60,000 characters': {
		names: Buffer.concat([dnsName('x'.repeat(60_000)), dnsName('localhost')]),
	},
	'an empty subject': {subject: sequence()},
	'an empty subject and no names': {subject: sequence(), names: none},
	'a common name alone': {subject: 'localhost', names: none},
	'a common name in UTF-16': {
		subject: nameOf(tlv(0x1e, Buffer.from('localhost', 'utf16le').swap16())),
		names: none,
	},
	'a common name in UTF-32': {subject: nameOf(tlv(0x1c, bytes(0, 0, 0, 0x6c))), names: none},
	'a common name with a NUL': {subject: 'localhost\0.evil.test', names: none},
	'a common name with a line end': {subject: 'x\nCN=localhost', names: none},
	'a common name with a plus': {subject: 'x + CN=localhost', names: none},
	'two common names': {
		subject: sequence(...['evil.test', 'localhost'].map((cn) => nameOf(text(cn)).subarray(2))),
		names: none,
	},
	'a name with a NUL': {names: dnsName('localhost\0.evil.test')},
	'a name that ends in a NUL': {names: dnsName('localhost\0')},
	'a name with the words of another': {names: dnsName('x.test, DNS:localhost')},
	'a name with quotes': {names: dnsName('x", DNS:localhost, "')},
	'a name with a line end': {names: dnsName('x\nDNS:localhost')},
	'a name beyond ASCII': {names: Buffer.concat([dnsName(bytes(0xff, 0xfe)), dnsName('localhost')])},
	'an address of 3 octets': {
		names: Buffer.concat([tlv(0x87, bytes(1, 2, 3)), dnsName('localhost')]),
	},
	'names of every kind': {
		names: Buffer.concat([
			tlv(0xa0, oid('2a0304'), tlv(0xa0, text('other'))),
			tlv(0x81, Buffer.from('a@b.test')),
			tlv(0xa4, nameOf(text('directory'))),
			tlv(0x86, Buffer.from('https://x.test/, DNS:y')),
			tlv(0x88, bytes(0x2a, 3, 4)),
			dnsName('localhost'),
		]),
	},
	'names that are none': {names: none, extensions: [extension(names, bytes(1, 2, 3))]},
	'names twice': {extensions: [extension(names, sequence(dnsName('other.test')))]},
	'an issuer that is nowhere': {extensions: [extension(infoAccess, bytes(0xff))]},
	'an issuer at an odd place': {
		extensions: [caIssuers(tlv(0x86, Buffer.from('http://x/\n"CA Issuers - URI:http://y/')))],
	},
	'an issuer at no text': {extensions: [caIssuers(tlv(0x86, bytes(0xff, 0, 0x80)))]},
	'a critical extension of its own': {extensions: [extension('2a030405', text('?'), true)]},
	'80 kB of nothing': {extensions: [extension('2a030406', Buffer.alloc(80_000))]},
	'a usage that is none': {extensions: [extension('551d25', bytes(0x30, 0x05, 0x06, 1))]},
	'constraints that are none': {extensions: [extension('551d1e', bytes(0x30, 0x01))]},
};

const spki = (algorithm: Buffer, key: Buffer) => sequence(algorithm, tlv(0x03, bytes(0), key));
const rsa = (modulus: Buffer, exponent: Buffer) =>
	spki(
		sequence(oid('2a864886f70d010101'), tlv(0x05)),
		sequence(tlv(0x02, modulus), tlv(0x02, exponent)),
	);
const ec = (parameters: Buffer, point: Buffer) =>
	spki(sequence(oid('2a8648ce3d0201'), parameters), point);
const modulus = Buffer.concat([bytes(0), Buffer.alloc(256, 0xc1)]);
const p256 = oid('2a8648ce3d030107');

const keys: Readonly<Record<string, Buffer>> = {
	'RSA with the exponent 1': rsa(modulus, bytes(1)),
	'RSA with an even exponent': rsa(modulus, bytes(2)),
	'RSA with a negative exponent': rsa(modulus, bytes(0xff)),
	'RSA with a large exponent': rsa(modulus, modulus),
	'RSA without a modulus': rsa(bytes(0), bytes(3)),
	'RSA with a modulus of 64,000 bits': rsa(Buffer.alloc(8_000, 0x71), bytes(3)),
	'EC without a curve': ec(tlv(0x05), Buffer.alloc(65, 4)),
	'EC on a curve that nobody knows': ec(oid('2a03040506'), Buffer.alloc(65, 4)),
	'EC beside the curve': ec(p256, Buffer.alloc(65, 4)),
	'EC without a point': ec(p256, none),
	'EC at infinity': ec(p256, bytes(0)),
	X25519: spkiOf(generateKeyPairSync('x25519').publicKey),
	X448: spkiOf(generateKeyPairSync('x448').publicKey),
	'GOST R 34.10-2012': spki(sequence(oid('2a85030701010101')), Buffer.alloc(66, 4)),
	'an algorithm that nobody knows': spki(sequence(oid('2a0304')), Buffer.alloc(32)),
	'DSA without parameters': spki(sequence(oid('2a8648ce380401')), tlv(0x02, bytes(5))),
	nothing: spki(sequence(oid('2a0304')), none),
};

/** Chains with such a certificate: as the leaf, or with such a key above it. */
export function makeOddContents(): OddChains {
	const pair = () => generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey;
	const [caKey, key, between] = [pair(), pair(), pair()];
	const subject = 'ours';
	const ca = toPem(writeCertificate({subject, publicKey: caKey, key: caKey, authority: true}));
	const issuer = {subject, key: caKey};
	const write = (content: Partial<CertificateText> & {publicKey: KeyObject | Buffer}) =>
		toPem(writeCertificate({subject: 'peer', issuer, ...content}));
	const shown = (name: string, ...certs: readonly string[]): OddKeyPlace => ({
		name,
		trust: 'ours',
		issuer: subject,
		closely: true,
		cert: certs.join(''),
		key: key.export({type: 'pkcs8', format: 'pem'}).toString(),
	});
	const usual = write({publicKey: key});
	return {
		ca: {ours: [ca], odd: []},
		good: shown('good', usual),
		chains: [
			...Object.entries(contents).map(([name, content]) =>
				shown(name, write({publicKey: key, ...content})),
			),
			...Object.entries(keys).flatMap(([name, publicKey]) => {
				const above = write({subject: 'between', publicKey, authority: true});
				const below = write({publicKey: key, issuer: {subject: 'between', key: between}});
				return [
					shown(`${name} beside the chain`, usual, above),
					shown(`${name} as issuer`, below, above),
				];
			}),
		],
	};
}
