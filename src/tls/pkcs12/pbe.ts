import {createDecipheriv, createHash} from 'node:crypto';
import {DerError, type DerValue, objectId, octetString, readDer, sequence, tags} from './der.ts';
import {
	type Attempt,
	iterationsOf,
	pbkdf1Key,
	pbkdf2Key,
	pkcs12Key,
	purposes,
	roundsFor,
	UnsupportedProtection,
	unknownAlgorithm,
} from './kdf.ts';
import {decryptRc2Cbc} from './rc2.ts';

/** A cipher in CBC mode; `decrypt` does not remove the padding. */
interface Cipher {
	readonly keyLength: number;
	readonly block: number;
	decrypt(key: Buffer, iv: Buffer, data: Buffer): Buffer;
}

function native(name: string, keyLength: number, expand = (key: Buffer) => key): Cipher {
	return {
		keyLength,
		block: name.startsWith('des') ? 8 : 16,
		decrypt(key, iv, data) {
			const decipher = decipherOf(name, expand(key), iv).setAutoPadding(false);
			return Buffer.concat([decipher.update(data), decipher.final()]);
		},
	};
}

function decipherOf(name: string, key: Buffer, iv: Buffer) {
	try {
		return createDecipheriv(name, key, iv);
	} catch {
		// Key and IV have the right length, so OpenSSL was built without it, or forbids it.
		throw new UnsupportedProtection(`the cipher ${name}, which this OpenSSL does not have`);
	}
}

const tripleDes = native('des-ede3-cbc', 24);
const twoKeyTripleDes = native('des-ede3-cbc', 16, (key) =>
	Buffer.concat([key, key.subarray(0, 8)]),
);
// OpenSSL 3 has no single DES, but triple DES with three equal keys is the same.
const des = native('des-ede3-cbc', 8, (key) => Buffer.concat([key, key, key]));

function rc2(keyLength: number): Cipher {
	return {
		keyLength,
		block: 8,
		decrypt: (key, iv, data) => decryptRc2Cbc(key, 8 * keyLength, iv, data),
	};
}

/** The ciphers of PKCS#12 (RFC 7292 appendix C), with its own key derivation over SHA-1. */
const pkcs12Ciphers: Readonly<Record<string, Cipher>> = {
	'1.2.840.113549.1.12.1.3': tripleDes,
	'1.2.840.113549.1.12.1.4': twoKeyTripleDes,
	'1.2.840.113549.1.12.1.5': rc2(16),
	'1.2.840.113549.1.12.1.6': rc2(5),
};

/** PBES1 (RFC 8018 A.3): OpenSSL's own choice for PKCS#8 before 1.1. */
const pbes1: Readonly<Record<string, readonly [hash: string, Cipher]>> = {
	'1.2.840.113549.1.5.3': ['md5', des],
	'1.2.840.113549.1.5.10': ['sha1', des],
};

/** The ciphers of PBES2 (RFC 8018 B.2), RFC 3657, RFC 5794 and GM/T 0002. */
const pbes2Ciphers: Readonly<Record<string, Cipher>> = {
	'1.2.840.113549.3.7': tripleDes,
	'2.16.840.1.101.3.4.1.2': native('aes-128-cbc', 16),
	'2.16.840.1.101.3.4.1.22': native('aes-192-cbc', 24),
	'2.16.840.1.101.3.4.1.42': native('aes-256-cbc', 32),
	'1.2.392.200011.61.1.1.1.2': native('camellia-128-cbc', 16),
	'1.2.392.200011.61.1.1.1.3': native('camellia-192-cbc', 24),
	'1.2.392.200011.61.1.1.1.4': native('camellia-256-cbc', 32),
	'1.2.410.200046.1.1.2': native('aria-128-cbc', 16),
	'1.2.410.200046.1.1.7': native('aria-192-cbc', 24),
	'1.2.410.200046.1.1.12': native('aria-256-cbc', 32),
	'1.2.156.10197.1.104.2': native('sm4-cbc', 16),
	'1.3.14.3.2.7': des,
};

/**
 * Decrypts with a passphrase, as an AlgorithmIdentifier describes.
 *
 * @returns `undefined` when the passphrase is wrong: the result must be exactly one SEQUENCE, which a
 * wrong key produces once in a few million cases.
 * @throws {UnsupportedProtection} and {DerError}.
 */
export function decryptWith(
	algorithm: DerValue | undefined,
	encrypted: Buffer,
	attempt: Attempt,
): DerValue | undefined {
	const {cipher, key, iv} = resolve(algorithm, attempt);
	if (iv.length !== cipher.block) throw new DerError('an IV of another length');
	if (encrypted.length === 0 || encrypted.length % cipher.block !== 0) {
		throw new DerError('not in whole blocks');
	}
	return plainSequence(cipher.decrypt(key, iv, encrypted), cipher.block);
}

function resolve(
	algorithm: DerValue | undefined,
	attempt: Attempt,
): {cipher: Cipher; key: Buffer; iv: Buffer} {
	const [name, parameters] = sequence(algorithm);
	const oid = objectId(name);
	if (oid === '1.2.840.113549.1.5.13') {
		const [kdf, scheme] = sequence(parameters);
		const [cipherName, iv] = sequence(scheme);
		const cipher = pbes2Ciphers[objectId(cipherName)];
		if (cipher === undefined) {
			throw unknownAlgorithm('cipher', objectId(cipherName));
		}
		return {cipher, key: pbkdf2Key(kdf, attempt, cipher.keyLength), iv: octetString(iv)};
	}

	const pkcs12 = pkcs12Ciphers[oid];
	const old = pbes1[oid];
	if (pkcs12 === undefined && old === undefined) {
		throw unknownAlgorithm('cipher', oid);
	}
	const [saltValue, count] = sequence(parameters);
	const salt = octetString(saltValue);
	const iterations = iterationsOf(count);
	const {secret, budget} = attempt;
	if (pkcs12 !== undefined) {
		const {keyLength, block} = pkcs12;
		const rounds = (length: number) => roundsFor(length, 'sha1', iterations);
		budget.spend(rounds(keyLength) + rounds(block));
		const derive = (purpose: number, length: number) =>
			pkcs12Key('sha1', secret, salt, iterations, purpose, length);
		return {
			cipher: pkcs12,
			key: derive(purposes.key, keyLength),
			iv: derive(purposes.iv, block),
		};
	}
	const [hash = '', cipher = des] = old ?? [];
	const keyAndIv = pbkdf1Key(hash, attempt, salt, iterations);
	return {cipher, key: keyAndIv.subarray(0, 8), iv: keyAndIv.subarray(8)};
}

/** A PKCS#8 EncryptedPrivateKeyInfo (RFC 5958 §3), opened; `undefined` as with {@link decryptWith}. */
export function decryptPrivateKeyInfo(value: DerValue, attempt: Attempt): DerValue | undefined {
	const [algorithm, encrypted] = sequence(value);
	return decryptWith(algorithm, octetString(encrypted), attempt);
}

/** Decrypts an RFC 1421 block of `DES-CBC`: OpenSSL's `-des`, with a key from one round of MD5. */
export function decryptDesPem(data: Buffer, iv: Buffer, secret: string): DerValue | undefined {
	if (iv.length !== 8 || data.length === 0 || data.length % 8 !== 0)
		throw new DerError('cut short');
	const key = createHash('md5').update(secret).update(iv).digest().subarray(0, 8);
	return plainSequence(des.decrypt(key, iv, data), 8);
}

function plainSequence(padded: Buffer, block: number): DerValue | undefined {
	const padding = padded.at(-1) ?? 0;
	if (padding < 1 || padding > block) return undefined;
	const end = padded.length - padding;
	if (padded.subarray(end).some((octet) => octet !== padding)) return undefined;
	try {
		const value = readDer(padded.subarray(0, end));
		return value.tag === tags.sequence && value.whole.length === end ? value : undefined;
	} catch (error) {
		if (error instanceof DerError) return undefined;
		throw error;
	}
}
