import {createCipheriv, createDecipheriv, createSecretKey, randomBytes} from 'node:crypto';
import type {UnreadableCookie} from './error.ts';

/** Encrypts the values that are stored in Redis. */
export interface CookieCipher {
	/** @param associatedData - Where the value is stored: it cannot be decrypted anywhere else. */
	encrypt(text: string, associatedData: string): string;
	/** @throws {DecryptionError} when none of the keys and this associated data have encrypted it. */
	decrypt(value: string, associatedData: string): string;
}

/** Why a value cannot be decrypted. */
export class DecryptionError extends Error {
	readonly reason: UnreadableCookie;

	constructor(reason: UnreadableCookie, message: string) {
		super(message);
		this.reason = reason;
	}
}

const algorithm = 'aes-256-gcm';
const versionPrefix = 'v1:';
// NIST SP 800-38D §5.2.1.1 and §8.2.2: 96 random bits suffice for 2^32 values of one key.
const ivBytes = 12;
const tagBytes = 16;

/** @param keys - The first one encrypts, any decrypts. Without keys nothing is encrypted. */
export function createCookieCipher(keys: readonly Uint8Array[]): CookieCipher {
	const secrets = keys.map((key) => createSecretKey(key));
	const [first] = secrets;
	if (first === undefined) return plain;
	return {
		encrypt(text, associatedData) {
			const iv = randomBytes(ivBytes);
			const cipher = createCipheriv(algorithm, first, iv, {authTagLength: tagBytes});
			cipher.setAAD(Buffer.from(associatedData));
			const ciphertext = [cipher.update(text, 'utf8'), cipher.final()];
			return (
				versionPrefix + Buffer.concat([iv, cipher.getAuthTag(), ...ciphertext]).toString('base64')
			);
		},
		decrypt(value, associatedData) {
			// Security: an attacker who can write to Redis but has no key must not be able to add a cookie.
			if (!value.startsWith(versionPrefix))
				throw new DecryptionError('not-encrypted', 'it is not encrypted');
			const bytes = Buffer.from(value.slice(versionPrefix.length), 'base64');
			if (bytes.length < ivBytes + tagBytes)
				throw new DecryptionError('not-decrypted', 'it is cut off');
			for (const secret of secrets) {
				const iv = bytes.subarray(0, ivBytes);
				const decipher = createDecipheriv(algorithm, secret, iv, {authTagLength: tagBytes});
				decipher.setAAD(Buffer.from(associatedData));
				decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
				const plaintext = decipher.update(bytes.subarray(ivBytes + tagBytes));
				try {
					return Buffer.concat([plaintext, decipher.final()]).toString('utf8');
				} catch {
					// Another key may have encrypted it.
				}
			}
			const keys = secrets.length === 1 ? 'the key' : `each of the ${secrets.length} keys`;
			throw new DecryptionError(
				'not-decrypted',
				`${keys} fails: another one encrypted it, or it was changed`,
			);
		},
	};
}

const plain: CookieCipher = {
	encrypt: (text) => text,
	decrypt(value) {
		if (value.startsWith(versionPrefix))
			throw new DecryptionError('no-key', 'it is encrypted, and no key was given');
		return value;
	},
};
