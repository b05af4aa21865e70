import {createPrivateKey, type KeyObject} from 'node:crypto';
import {MtlsConfigError} from '../../config-error.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import {type DerValue, derKind, objectId, readDer, sequence, smallInteger} from '../pkcs12/der.ts';
import {
	DerivationBudget,
	DerivationTooLong,
	pbkdf2Rounds,
	scryptId,
	scryptRounds,
	UnsupportedProtection,
	unknownAlgorithm,
} from '../pkcs12/kdf.ts';
import {decryptDesPem, decryptPrivateKeyInfo} from '../pkcs12/pbe.ts';
import {notOpened, type PassphraseProvider} from './passphrase.ts';
import {describeDamage, type PemBlock, type PemFile} from './pem.ts';

/** Whether a block holds a private key, of whatever kind. */
export function isPrivateKey({label}: PemBlock): boolean {
	return label.endsWith('PRIVATE KEY');
}

/**
 * Parses the private keys of a file, decrypting those that are encrypted.
 *
 * @throws {MtlsConfigError} for `mtls.key`, or for `mtls.passphrase` when that does not open one.
 */
export function parseKeys({blocks, from}: PemFile, getPassphrase: PassphraseProvider): KeyObject[] {
	const keys = blocks.filter(isPrivateKey);
	// One for all keys of the file.
	const budget = keys.some(isEncrypted) ? new DerivationBudget() : undefined;
	return keys.map((block) => {
		const key =
			budget && isEncrypted(block)
				? decryptKey(block, getPassphrase(), from, budget)
				: parseKey(block, from);
		assertUsable(key, 'mtls.key', from);
		return key;
	});
}

// Types of keys that a certificate may have, but TLS cannot sign with.
const unusable = new Set(['x25519', 'x448', 'dh', 'dsa']);

/** Whether TLS has a signature for a key. */
export function isUsable(key: KeyObject): boolean {
	return !unusable.has(key.asymmetricKeyType ?? '');
}

/** @throws {MtlsConfigError} for a key that TLS cannot sign with. */
export function assertUsable(key: KeyObject, option: string, from: string): void {
	if (isUsable(key)) return;
	throw new MtlsConfigError(
		'ERR_MTLS_UNSUPPORTED_KEY',
		option,
		`the key in ${from} is ${key.asymmetricKeyType}, which TLS has no signature for`,
	);
}

/** The kind of a key, for messages: `ec prime256v1`. */
export function describeKey(key: KeyObject): string {
	const {modulusLength, namedCurve} = key.asymmetricKeyDetails ?? {};
	return [key.asymmetricKeyType, namedCurve ?? (modulusLength && `${modulusLength} bits`)]
		.filter(Boolean)
		.join(' ');
}

function parseKey(block: PemBlock, from: string): KeyObject {
	try {
		return createPrivateKey(withoutPrototype({key: block.text, format: 'pem' as const}));
	} catch (cause) {
		if (block.label !== 'OPENSSH PRIVATE KEY') throw unreadable(block, from, cause);
		throw new MtlsConfigError(
			'ERR_MTLS_UNSUPPORTED_KEY',
			'mtls.key',
			`the key in ${from} is in OpenSSH's own format; \`ssh-keygen -p -m PEM\` rewrites it`,
			cause,
		);
	}
}

function unreadable(block: PemBlock, from: string, cause?: unknown): MtlsConfigError {
	return new MtlsConfigError(
		'ERR_MTLS_NOT_PEM',
		'mtls.key',
		`the ${block.label} in ${from} cannot be parsed${describeDamage(block)}`,
		cause,
	);
}

function decryptKey(
	block: PemBlock,
	passphrase: string | undefined,
	from: string,
	budget: DerivationBudget,
): KeyObject {
	const bad = (message: string, cause?: unknown) =>
		new MtlsConfigError('ERR_MTLS_BAD_PASSPHRASE', 'mtls.passphrase', message, cause);
	const refused = notOpened(`the key in ${from}`, passphrase);
	if (passphrase === undefined) throw bad(refused);
	const encrypted = readEncryptedKey(block);
	if (encrypted === undefined) throw unreadable(block, from);
	// Security: OpenSSL runs as many rounds as the file says, without a limit.
	assertAffordable(block, encrypted, from, budget);
	try {
		return createPrivateKey(withoutPrototype({key: block.text, passphrase}));
	} catch (cause) {
		const key = isRefusedCipher(cause, encrypted)
			? parseLegacyKey(block, encrypted, passphrase, from)
			: undefined;
		if (key !== undefined) return key;
		throw bad(refused, cause);
	}
}

function assertAffordable(
	block: PemBlock,
	encrypted: EncryptedKey,
	from: string,
	budget: DerivationBudget,
): void {
	try {
		budget.spend(derivationRounds(encrypted));
	} catch (cause) {
		if (cause instanceof DerivationTooLong) {
			const message = `the key in ${from} asks for ${cause.message}`;
			throw new MtlsConfigError('ERR_MTLS_UNSUPPORTED_KEY', 'mtls.key', message, cause);
		}
		throw unreadable(block, from, cause);
	}
}

// OpenSSL says this before it tries the passphrase; the last of them of an algorithm that it has never
// heard of, and in PKCS#8 also when a wrong passphrase has led to something.
function isRefusedCipher(error: unknown, {style}: EncryptedKey): boolean {
	const {code} = error as NodeJS.ErrnoException;
	return (
		code === 'ERR_OSSL_EVP_UNSUPPORTED' ||
		code === 'ERR_OSSL_PEM_UNSUPPORTED_ENCRYPTION' ||
		(code === 'ERR_OSSL_UNSUPPORTED' && style === 'pkcs8')
	);
}

/** Decrypts with a cipher that OpenSSL 3 no longer has; `undefined` when the passphrase is wrong. */
function parseLegacyKey(
	block: PemBlock,
	encrypted: EncryptedKey,
	passphrase: string,
	from: string,
): KeyObject | undefined {
	try {
		const opened = decryptLegacy(encrypted, passphrase);
		if (opened === undefined) return undefined;
		const type = typeOf(block.label);
		return createPrivateKey(withoutPrototype({key: opened.whole, format: 'der' as const, type}));
	} catch (cause) {
		if (!(cause instanceof UnsupportedProtection)) throw unreadable(block, from, cause);
		throw new MtlsConfigError(
			'ERR_MTLS_UNSUPPORTED_KEY',
			'mtls.key',
			`the key in ${from} is encrypted in a way that is not known here: ${cause.message}`,
			cause,
		);
	}
}

function typeOf(label: string): 'pkcs1' | 'sec1' | 'pkcs8' {
	if (label === 'RSA PRIVATE KEY') return 'pkcs1';
	return label === 'EC PRIVATE KEY' ? 'sec1' : 'pkcs8';
}

/** An encrypted key with the parameters of its encryption. */
type EncryptedKey =
	| {readonly style: 'pkcs8'; readonly value: DerValue}
	| {
			readonly style: 'rfc1421';
			readonly cipher: string;
			readonly iv: Buffer;
			readonly data: Buffer;
	  };

// PKCS#8 says by its label that a key is encrypted, the older OpenSSL style by an RFC 1421 header.
const pkcs8Label = 'ENCRYPTED PRIVATE KEY';

/** Whether the key in a block is encrypted. */
function isEncrypted({label, text}: PemBlock): boolean {
	return label === pkcs8Label || text.includes('Proc-Type: 4,ENCRYPTED');
}

/** Reads what can be read without the passphrase; `undefined` when it is damaged. */
function readEncryptedKey({label, text}: PemBlock): EncryptedKey | undefined {
	const body = text.replaceAll(/-----[^\n]*-----/g, '');
	if (label === pkcs8Label) {
		const kind = derKind(Buffer.from(body, 'base64'));
		if (typeof kind !== 'object' || kind.label !== pkcs8Label) return undefined;
		return {style: 'pkcs8', value: readDer(kind.bytes)};
	}
	const [head = '', base64 = ''] = body.split('\n\n');
	const [, cipher, hex = ''] = /^DEK-Info: ([\w-]+),([\dA-F]+)$/im.exec(head) ?? [];
	const data = Buffer.from(base64, 'base64');
	const iv = Buffer.from(hex, 'hex');
	// The IV is as long as a block, and the data are whole blocks.
	const isWhole = data.length > 0 && data.length % iv.length === 0;
	return cipher === undefined || !isWhole ? undefined : {style: 'rfc1421', cipher, iv, data};
}

const pbes2 = '1.2.840.113549.1.5.13';

/**
 * How many rounds of key derivation an encrypted key needs, here or in OpenSSL.
 *
 * @throws {DerError} when it is damaged.
 */
function derivationRounds(encrypted: EncryptedKey): number {
	// One round of MD5.
	if (encrypted.style === 'rfc1421') return 1;
	const [algorithm] = sequence(encrypted.value);
	const [name, parameters] = sequence(algorithm);
	if (objectId(name) !== pbes2) {
		// PBES1 and PKCS#12: the longest key and IV are three digests of SHA-1.
		const [, count] = sequence(parameters);
		return 3 * smallInteger(count);
	}
	const [kdf] = sequence(parameters);
	const [oid, details] = sequence(kdf);
	return objectId(oid) === scryptId ? scryptRounds(details) : pbkdf2Rounds(details);
}

/**
 * Decrypts RC2 and DES, which OpenSSL 3 no longer does.
 *
 * @returns `undefined` when the passphrase does not open it.
 * @throws {UnsupportedProtection} for a cipher that is not known here either, and {DerError}.
 */
function decryptLegacy(encrypted: EncryptedKey, passphrase: string): DerValue | undefined {
	if (encrypted.style === 'pkcs8') {
		// Its rounds have been counted by `assertAffordable`.
		const budget = new DerivationBudget(Number.POSITIVE_INFINITY);
		return decryptPrivateKeyInfo(encrypted.value, {secret: passphrase, budget});
	}
	const {cipher, iv, data} = encrypted;
	if (cipher !== 'DES-CBC') throw unknownAlgorithm('cipher', cipher);
	return decryptDesPem(data, iv, passphrase);
}
