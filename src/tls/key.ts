import {createPrivateKey, type KeyObject} from 'node:crypto';
import {MtlsConfigError} from '../errors.ts';
import {DerError, type DerValue, readDer} from './der.ts';
import {UnsupportedProtection} from './kdf.ts';
import type {AskPassphrase} from './passphrase.ts';
import {decryptDesPem, decryptPrivateKeyInfo} from './pbe.ts';
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
export function parseKeys({blocks, from}: PemFile, ask: AskPassphrase): KeyObject[] {
	return blocks.filter(isPrivateKey).map((block) => {
		const key = isEncrypted(block) ? decryptKey(block, ask(), from) : parseKey(block, from);
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

// PKCS#8 says it in the label, the older OpenSSL style in an RFC 1421 header.
function isEncrypted({label, text}: PemBlock): boolean {
	return label === 'ENCRYPTED PRIVATE KEY' || text.includes('Proc-Type: 4,ENCRYPTED');
}

function parseKey(block: PemBlock, from: string): KeyObject {
	try {
		return createPrivateKey(block.text);
	} catch (cause) {
		if (block.label === 'OPENSSH PRIVATE KEY') {
			throw new MtlsConfigError(
				'ERR_MTLS_UNSUPPORTED_KEY',
				'mtls.key',
				`the key in ${from} is in OpenSSH's own format; \`ssh-keygen -p -m PEM\` rewrites it`,
				cause,
			);
		}
		throw new MtlsConfigError(
			'ERR_MTLS_NOT_PEM',
			'mtls.key',
			`the ${block.label} in ${from} cannot be parsed${describeDamage(block)}`,
			cause,
		);
	}
}

function decryptKey(block: PemBlock, passphrase: string | undefined, from: string): KeyObject {
	if (passphrase === undefined) {
		throw badPassphrase(`the key in ${from} is encrypted and no passphrase was given`);
	}
	try {
		return createPrivateKey({key: block.text, passphrase});
	} catch (cause) {
		const key = isOld(block, cause) ? decryptOldKey(block, passphrase, from) : undefined;
		if (key !== undefined) return key;
		throw badPassphrase(`the passphrase does not open the key in ${from}`, cause);
	}
}

// OpenSSL's refusal of the cipher, which comes before it looks at the passphrase.
function isOld({text}: PemBlock, error: unknown): boolean {
	const {code} = error as NodeJS.ErrnoException;
	return code === 'ERR_OSSL_EVP_UNSUPPORTED' || text.includes('DEK-Info: DES-CBC');
}

function badPassphrase(message: string, cause?: unknown): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_BAD_PASSPHRASE', 'mtls.passphrase', message, cause);
}

/** A key under a cipher that OpenSSL 3 has given up; `undefined` when the passphrase does not open it. */
function decryptOldKey(block: PemBlock, passphrase: string, from: string): KeyObject | undefined {
	try {
		const opened = openOldKey(block, passphrase);
		if (opened === undefined) return undefined;
		const type = typeOf(block.label);
		return createPrivateKey({key: opened.whole, format: 'der', type});
	} catch (cause) {
		if (cause instanceof UnsupportedProtection) {
			throw new MtlsConfigError(
				'ERR_MTLS_UNSUPPORTED_KEY',
				'mtls.key',
				`the key in ${from} is encrypted in a way that is not known here: ${cause.message}`,
				cause,
			);
		}
		throw new MtlsConfigError(
			'ERR_MTLS_NOT_PEM',
			'mtls.key',
			`the ${block.label} in ${from} cannot be parsed${describeDamage(block)}`,
			cause instanceof DerError ? undefined : cause,
		);
	}
}

function typeOf(label: string): 'pkcs1' | 'sec1' | 'pkcs8' {
	if (label === 'RSA PRIVATE KEY') return 'pkcs1';
	return label === 'EC PRIVATE KEY' ? 'sec1' : 'pkcs8';
}

function openOldKey({label, text}: PemBlock, passphrase: string): DerValue | undefined {
	const body = text.replaceAll(/-----[^\n]*-----/g, '');
	if (label === 'ENCRYPTED PRIVATE KEY') {
		return decryptPrivateKeyInfo(readDer(Buffer.from(body, 'base64')), passphrase);
	}
	const [, cipher = 'without a name', iv = ''] =
		/^DEK-Info: ([\w-]+),([\dA-F]+)$/im.exec(text) ?? [];
	if (cipher !== 'DES-CBC') throw new UnsupportedProtection(`the cipher ${cipher}`);
	const data = body.replace(/^[\s\S]*?\n\n/, '');
	return decryptDesPem(Buffer.from(data, 'base64'), Buffer.from(iv, 'hex'), passphrase);
}
