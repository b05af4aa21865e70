import {timingSafeEqual} from 'node:crypto';
import {
	childrenOf,
	DerError,
	type DerValue,
	explicit0,
	objectId,
	octetString,
	readDer,
	sequence,
	smallInteger,
	tags,
} from './der.ts';
import {
	type Attempt,
	DerivationTooLong,
	hashOf,
	hmac,
	iterationsOf,
	pbkdf2Key,
	pkcs12Key,
	purposes,
	roundsFor,
	UnsupportedProtection,
} from './kdf.ts';
import {decryptPrivateKeyInfo, decryptWith} from './pbe.ts';

const oids = {
	data: '1.2.840.113549.1.7.1',
	encryptedData: '1.2.840.113549.1.7.6',
	keyBag: '1.2.840.113549.1.12.10.1.1',
	shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
	certBag: '1.2.840.113549.1.12.10.1.3',
	safeContentsBag: '1.2.840.113549.1.12.10.1.6',
	x509Certificate: '1.2.840.113549.1.9.22.1',
	friendlyName: '1.2.840.113549.1.9.20',
	pbmac1: '1.2.840.113549.1.5.14',
} as const;

/** A part of the file: bags in the clear, or encrypted ones. */
export type Part =
	| {readonly bags: DerValue}
	| {readonly algorithm: DerValue | undefined; readonly encrypted: Buffer};

export interface Pfx {
	readonly parts: readonly Part[];
	/** Whether the MAC fits the passphrase; absent in a file without a MAC. */
	readonly macFits?: (attempt: Attempt) => boolean;
}

/**
 * Reads the outer layers (RFC 7292 §4).
 *
 * @throws {DerError} and {UnsupportedProtection}.
 */
export function parsePfx(outer: DerValue): Pfx {
	const [version, authSafe, macData] = sequence(outer);
	if (smallInteger(version) !== 3) throw new DerError('another version');
	const [type, content] = sequence(authSafe);
	if (objectId(type) !== oids.data) {
		throw new UnsupportedProtection('it is signed rather than sealed with a passphrase');
	}
	const safe = octetString(explicit0(content));
	const parts = sequence(readDer(safe)).map(parsePart);
	return macData === undefined
		? {parts}
		: {parts, macFits: (attempt) => checkMac(macData, safe, attempt)};
}

function parsePart(info: DerValue): Part {
	const [type, content] = sequence(info);
	if (objectId(type) === oids.data) return {bags: readDer(octetString(explicit0(content)))};
	if (objectId(type) !== oids.encryptedData) {
		throw new UnsupportedProtection('a part is encrypted for a certificate');
	}
	const [, encryptedContentInfo] = sequence(explicit0(content));
	const [, algorithm, encrypted] = sequence(encryptedContentInfo);
	return {algorithm, encrypted: octetString(encrypted)};
}

function checkMac(macData: DerValue, data: Buffer, attempt: Attempt): boolean {
	const [digestInfo, saltValue, count] = sequence(macData);
	const [algorithm, digestValue] = sequence(digestInfo);
	const [oid, parameters] = sequence(algorithm);
	const expected = octetString(digestValue);
	let mac: Buffer;
	if (objectId(oid) === oids.pbmac1) {
		const [kdf, scheme] = sequence(parameters);
		mac = hmac(hashOf(scheme), pbkdf2Key(kdf, attempt), data);
	} else {
		const hash = hashOf(algorithm);
		// The default is one round (RFC 7292 §4).
		const iterations = count === undefined ? 1 : iterationsOf(count);
		const salt = octetString(saltValue);
		const length = hmac(hash, salt, data).length;
		attempt.budget.spend(roundsFor(length, hash, iterations));
		const {secret} = attempt;
		mac = hmac(hash, pkcs12Key(hash, secret, salt, iterations, purposes.mac, length), data);
	}
	return mac.length === expected.length && timingSafeEqual(mac, expected);
}

/** A key (PKCS#8, decrypted) or a certificate. */
interface Bag {
	readonly der: Buffer;
	/** Its friendlyName (RFC 2985 §5.5.1): what keytool calls an alias, and NSS a nickname. */
	readonly name: string | undefined;
}

/** The keys and certificates of the parts. */
export interface Bags {
	readonly keys: Bag[];
	readonly certificates: Bag[];
}

/** Decrypts the parts; `undefined` when the passphrase does not fit one of them, or `mayDecrypt` is false. */
export function readBags(
	parts: readonly Part[],
	attempt: Attempt,
	mayDecrypt = true,
): Bags | undefined {
	const found: Bags = {keys: [], certificates: []};
	for (const part of parts) {
		if ('encrypted' in part) {
			if (!mayDecrypt) return undefined;
			const bags = decryptWith(part.algorithm, part.encrypted, attempt);
			if (bags === undefined || !collect(bags, attempt, mayDecrypt, found)) return undefined;
		} else if (!collect(part.bags, attempt, mayDecrypt, found)) {
			return undefined;
		}
	}
	return found;
}

function collect(
	bags: DerValue,
	attempt: Attempt,
	mayDecrypt: boolean,
	found: Bags,
	depth = 0,
): boolean {
	return sequence(bags).every((bag) => {
		const [type, value, attributes] = sequence(bag);
		const name = friendlyName(attributes);
		switch (objectId(type)) {
			case oids.keyBag:
				found.keys.push({der: explicit0(value).whole, name});
				return true;
			case oids.shroudedKeyBag: {
				const key = mayDecrypt ? decryptPrivateKeyInfo(explicit0(value), attempt) : undefined;
				if (key !== undefined) found.keys.push({der: key.whole, name});
				return key !== undefined;
			}
			case oids.certBag: {
				const [kind, certificate] = sequence(explicit0(value));
				if (objectId(kind) === oids.x509Certificate) {
					found.certificates.push({der: octetString(explicit0(certificate)), name});
				}
				return true;
			}
			case oids.safeContentsBag:
				if (depth > 8) throw new DerError('nested too deep');
				return collect(explicit0(value), attempt, mayDecrypt, found, depth + 1);
			default:
				// CRLs and secrets of other programs.
				return true;
		}
	});
}

const bmpString = 0x1e;
const utf8String = 0x0c;

/** The friendlyName among the attributes of a bag. A damaged one is none: no key is lost for it. */
function friendlyName(attributes: DerValue | undefined): string | undefined {
	if (attributes?.tag !== tags.set) return undefined;
	try {
		for (const attribute of childrenOf(attributes)) {
			const [type, values] = sequence(attribute);
			if (objectId(type) !== oids.friendlyName || values === undefined) continue;
			const [value] = childrenOf(values);
			// RFC 2985 has a BMPString, which some programs write as UTF-8.
			if (value?.tag === utf8String) return value.content.toString() || undefined;
			if (value?.tag !== bmpString || value.content.length % 2 !== 0) return undefined;
			return Buffer.from(value.content).swap16().toString('utf16le') || undefined;
		}
	} catch (error) {
		if (!(error instanceof DerError)) throw error;
	}
	return undefined;
}

/** Whether a passphrase decrypts any part, so that it is right and the file is damaged. */
export function decryptsAny(parts: readonly Part[], attempt: Attempt): boolean {
	return parts.some((part) => {
		try {
			if ('encrypted' in part) {
				return decryptWith(part.algorithm, part.encrypted, attempt) !== undefined;
			}
			return sequence(part.bags).some((bag) => {
				const [type, value] = sequence(bag);
				if (objectId(type) !== oids.shroudedKeyBag) return false;
				return decryptPrivateKeyInfo(explicit0(value), attempt) !== undefined;
			});
		} catch (error) {
			if (error instanceof DerivationTooLong) throw error;
			// This part does not show that the passphrase is right.
			return false;
		}
	});
}
