import type {X509Certificate} from 'node:crypto';
import {DerError, type DerValue, objectId, readDer, sequence} from '../pkcs12/der.ts';

/** A Name of X.509 (RFC 5280 §4.1.2.4). */
export interface DistinguishedName {
	/** One line, in the order of the certificate: `O=Bank, CN=api.bank.example`. */
	readonly text: string;
	/** The same for two names that RFC 5280 §7.1 calls equal: whatever their case, spaces and string types. */
	readonly key: string;
}

// RFC 4519 §2, RFC 2985 §5.2.1; as OpenSSL abbreviates them.
const attributeNames: Readonly<Record<string, string>> = {
	'2.5.4.3': 'CN',
	'2.5.4.4': 'SN',
	'2.5.4.5': 'serialNumber',
	'2.5.4.6': 'C',
	'2.5.4.7': 'L',
	'2.5.4.8': 'ST',
	'2.5.4.9': 'street',
	'2.5.4.10': 'O',
	'2.5.4.11': 'OU',
	'2.5.4.12': 'title',
	'2.5.4.42': 'GN',
	'2.5.4.97': 'organizationIdentifier',
	'0.9.2342.19200300.100.1.1': 'UID',
	'0.9.2342.19200300.100.1.25': 'DC',
	'1.2.840.113549.1.9.1': 'emailAddress',
};

/**
 * Reads the DER of a name.
 *
 * @throws {DerError} when it is no name.
 */
export function readName(der: Buffer): DistinguishedName {
	const name = readDer(der);
	const pairs = sequence(name).flatMap(attributesOf);
	return {
		text: pairs.map(([type, value]) => `${attributeNames[type] ?? type}=${value}`).join(', '),
		key: JSON.stringify(pairs.map(([type, value]) => [type, folded(value)])),
	};
}

/** The name of the issuer, as the certificate has it. @throws {DerError} when it cannot be read. */
export function issuerName(certificate: X509Certificate): DistinguishedName {
	const [body] = sequence(readDer(certificate.raw));
	const fields = sequence(body);
	// RFC 5280 §4.1: the version, which may be missing, the serial number, the algorithm, the issuer.
	const issuer = fields[fields[0]?.tag === versionTag ? 3 : 2];
	if (issuer === undefined) throw new DerError('cut short');
	return readName(issuer.whole);
}

const versionTag = 0xa0;
const setTag = 0x31;

function attributesOf(set: DerValue): [type: string, value: string][] {
	if (set.tag !== setTag) throw new DerError('an unexpected tag');
	const pairs: [string, string][] = [];
	for (let rest = set.content; rest.length > 0; ) {
		const pair = readDer(rest);
		const [type, value] = sequence(pair);
		if (value === undefined) throw new DerError('cut short');
		pairs.push([objectId(type), textOf(value)]);
		rest = rest.subarray(pair.whole.length);
	}
	return pairs;
}

const bmpString = 0x1e;
const universalString = 0x1c;
const teletexString = 0x14;

/** A DirectoryString, or an IA5String (RFC 5280 §4.1.2.4); in hexadecimal where it is neither (RFC 4514 §2.4). */
function textOf({tag, content, whole}: DerValue): string {
	if (tag === bmpString) return swapped(content);
	if (tag === universalString) {
		return Array.from({length: content.length >> 2}, (_, index) => {
			const point = content.readUInt32BE(index * 4);
			return point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd';
		}).join('');
	}
	if (tag === teletexString) return content.toString('latin1');
	const isText = tag === 0x0c || tag === 0x12 || tag === 0x13 || tag === 0x16;
	return isText ? content.toString('utf8') : `#${whole.toString('hex')}`;
}

function swapped(content: Buffer): string {
	return Buffer.from(content.subarray(0, content.length & ~1))
		.swap16()
		.toString('utf16le');
}

function folded(value: string): string {
	return value.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase();
}
