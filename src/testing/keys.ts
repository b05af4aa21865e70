import {KeyObject, webcrypto} from 'node:crypto';

/** `ec` is P-256, `rsa` has 2048 bits and takes much longer to make. */
export type KeyType = 'ec' | 'rsa' | 'ed25519';

const algorithms = {
	ec: {name: 'ECDSA', namedCurve: 'P-256'},
	rsa: {
		name: 'RSASSA-PKCS1-v1_5',
		hash: 'SHA-256',
		modulusLength: 2048,
		publicExponent: new Uint8Array([1, 0, 1]),
	},
	ed25519: {name: 'Ed25519'},
};

export async function generateKeys(type: KeyType): Promise<webcrypto.CryptoKeyPair> {
	const keys = await webcrypto.subtle.generateKey(algorithms[type], true, ['sign', 'verify']);
	// The types of Node say "a pair or a secret" for an algorithm that is not written in place.
	if (!('privateKey' in keys)) throw new TypeError(`no key pair for ${type}`);
	return keys;
}

/** PKCS#8 PEM, encrypted (PBES2, RFC 8018 section 6.2) when there is a passphrase. */
export function exportKey(key: webcrypto.CryptoKey, passphrase?: string): string {
	const encryption = passphrase === undefined ? {} : {cipher: 'aes-256-cbc', passphrase};
	return KeyObject.from(key)
		.export({type: 'pkcs8', format: 'pem', ...encryption})
		.toString();
}
