import {createCipheriv, createDecipheriv, createSecretKey, randomBytes} from 'node:crypto';

/** Makes a value that can lie in Redis of a text, and the text of the value again. */
export interface CookieCipher {
	/** @param place - Where the value will lie: it opens nowhere else. */
	encrypt(text: string, place: string): string;
	/** @throws {DecryptionError} when it was not sealed so, with one of the keys and for this place. */
	decrypt(value: string, place: string): string;
}

/** Why a value does not open; the message goes on from where it lies. */
export class DecryptionError extends Error {}

const algorithm = 'aes-256-gcm';
const mark = 'v1:';
// NIST SP 800-38D §5.2.1.1 and §8.2.2: 96 random bits are good for 2^32 values of one key.
const ivBytes = 12;
const tagBytes = 16;

/** @param keys - The first one encrypts, any decrypts; without keys nothing is encrypted. */
export function createCookieCipher(keys: readonly Uint8Array[]): CookieCipher {
	const secrets = keys.map((key) => createSecretKey(key));
	const [first] = secrets;
	if (first === undefined) return plain;
	return {
		encrypt(text, place) {
			const iv = randomBytes(ivBytes);
			const cipher = createCipheriv(algorithm, first, iv, {authTagLength: tagBytes});
			cipher.setAAD(Buffer.from(place));
			const sealed = [cipher.update(text, 'utf8'), cipher.final()];
			return mark + Buffer.concat([iv, cipher.getAuthTag(), ...sealed]).toString('base64');
		},
		decrypt(value, place) {
			// Security: who can write to Redis but has no key must not be able to slip a cookie in.
			if (!value.startsWith(mark)) throw new DecryptionError('it is not encrypted');
			const bytes = Buffer.from(value.slice(mark.length), 'base64');
			if (bytes.length < ivBytes + tagBytes) throw new DecryptionError('it is cut off');
			for (const secret of secrets) {
				const iv = bytes.subarray(0, ivBytes);
				const decipher = createDecipheriv(algorithm, secret, iv, {authTagLength: tagBytes});
				decipher.setAAD(Buffer.from(place));
				decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
				const opened = decipher.update(bytes.subarray(ivBytes + tagBytes));
				try {
					return Buffer.concat([opened, decipher.final()]).toString('utf8');
				} catch {
					// Another key may have sealed it.
				}
			}
			const keys = secrets.length === 1 ? 'the key' : `each of the ${secrets.length} keys`;
			throw new DecryptionError(`${keys} fails: another one sealed it, or it was changed`);
		},
	};
}

const plain: CookieCipher = {
	encrypt: (text) => text,
	decrypt(value) {
		if (value.startsWith(mark)) throw new DecryptionError('it is encrypted, and no key was given');
		return value;
	},
};
