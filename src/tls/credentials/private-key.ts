import {createPrivateKey, type KeyObject} from 'node:crypto';
import {MtlsConfigError} from '../../errors.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import {DerivationBudget, DerivationTooLong} from '../pkcs12/derivation-budget.ts';
import {UnsupportedProtection} from '../pkcs12/kdf.ts';
import {type Envelope, isEncrypted, openOld, readEnvelope, roundsOf} from './encrypted-key.ts';
import type {PassphraseProvider} from './passphrase.ts';
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
export function parseKeys({blocks, from}: PemFile, ask: PassphraseProvider): KeyObject[] {
	const budget = new DerivationBudget();
	return blocks.filter(isPrivateKey).map((block) => {
		const key = isEncrypted(block) ? decryptKey(block, ask(), from, budget) : parseKey(block, from);
		assertUsable(key, 'mtls.key', from);
		return key;
	});
}

// What a certificate may be of, and no TLS signature can be made with.
const unusable = new Set(['x25519', 'x448', 'dh', 'dsa']);

/** @throws {MtlsConfigError} for a key that TLS cannot sign with. */
export function assertUsable(key: KeyObject, option: string, from: string): void {
	if (!unusable.has(key.asymmetricKeyType ?? '')) return;
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
	if (passphrase === undefined) {
		throw bad(`the key in ${from} is encrypted and no passphrase was given`);
	}
	const envelope = readEnvelope(block);
	if (envelope === undefined) throw unreadable(block, from);
	// Security: OpenSSL derives as often as the file says, without a limit.
	assertAffordable(block, envelope, from, budget);
	try {
		return createPrivateKey(withoutPrototype({key: block.text, passphrase}));
	} catch (cause) {
		const key = isRefusedCipher(cause) ? parseOld(block, envelope, passphrase, from) : undefined;
		if (key !== undefined) return key;
		throw bad(`the passphrase does not open the key in ${from}`, cause);
	}
}

function assertAffordable(
	block: PemBlock,
	envelope: Envelope,
	from: string,
	budget: DerivationBudget,
): void {
	try {
		budget.spend(roundsOf(envelope));
	} catch (cause) {
		if (cause instanceof DerivationTooLong) {
			const message = `the key in ${from} asks for ${cause.message}`;
			throw new MtlsConfigError('ERR_MTLS_UNSUPPORTED_KEY', 'mtls.key', message, cause);
		}
		throw unreadable(block, from, cause);
	}
}

// OpenSSL says this before it looks at the passphrase.
function isRefusedCipher(error: unknown): boolean {
	const {code} = error as NodeJS.ErrnoException;
	return code === 'ERR_OSSL_EVP_UNSUPPORTED' || code === 'ERR_OSSL_PEM_UNSUPPORTED_ENCRYPTION';
}

/** A key under a cipher that OpenSSL 3 has given up; `undefined` when the passphrase does not open it. */
function parseOld(
	block: PemBlock,
	envelope: Envelope,
	passphrase: string,
	from: string,
): KeyObject | undefined {
	try {
		const opened = openOld(envelope, passphrase);
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
