import {MtlsConfigError} from '../../config-error.ts';
import {publicKeyPin} from '../credentials/certificate-facts.ts';
import {isSignedBy} from '../credentials/chain.ts';
import type {PeerChain} from '../peer/peer-chain.ts';

/** A set of public keys, as curl's `--pinnedpubkey` writes them: `sha256//BASE64`. */
export type Pins = ReadonlySet<string>;

/** No certificate of the server's chain has a pinned key. */
export class PinMismatchError extends Error {
	readonly code = 'ERR_MTLS_PIN_MISMATCH';

	/** @param seen - The pins of the server's chain. Hashes of public keys: no secret. */
	constructor(seen: readonly string[]) {
		super(`none of the pinned keys is in the chain, which has ${seen.join(', ')}`);
		this.name = 'PinMismatchError';
	}
}

/**
 * Reads `mtls.pins`.
 *
 * @throws {MtlsConfigError} for `mtls.pins` when one is not a SHA-256 in Base64, or the list is empty.
 */
export function loadPins(pins: string | readonly string[] | undefined): Pins | undefined {
	if (pins === undefined) return undefined;
	// curl separates with a semicolon.
	const list = [pins].flat().flatMap((pin) => String(pin).split(';'));
	const bad = list.find((pin) => !/^sha256\/\/[A-Za-z0-9+/]{43}=$/.test(pin));
	if (list.length === 0 || bad !== undefined) {
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			'mtls.pins',
			`expected sha256//BASE64 of a public key, found ${describePin(bad)}`,
		);
	}
	return new Set(list);
}

// Security: text that is not a hash may be a secret in the wrong place.
function describePin(pin: string | undefined): string {
	if (pin === undefined) return 'an empty list';
	if (pin === '') return 'an empty string';
	return /^sha\d+/i.test(pin) ? `'${pin}'` : 'something else';
}

/**
 * Checks that a key of the chain is pinned. Any certificate of it may match, so that a pin on the issuer
 * outlives the leaf, and a backup pin can be set before its key is used.
 */
export function checkPins(pins: Pins, chain: PeerChain): PinMismatchError | undefined {
	const seen = signedChain(chain).map(publicKeyPin);
	return seen.some((pin) => pins.has(pin)) ? undefined : new PinMismatchError(seen);
}

/**
 * The leaf, and the certificates above it as far as each is a CA that has signed the one before.
 *
 * Security: the chain is built by names, out of what the server sends, while OpenSSL may have verified the
 * leaf through other certificates. Without this check, anyone with a certificate of a trusted CA could
 * add one that has the name of that CA and the pinned key, which is public.
 */
function signedChain(chain: PeerChain): PeerChain {
	const end = chain.findIndex((certificate, index) => {
		const issuer = chain[index + 1];
		return issuer === undefined || !issuer.ca || !isSignedBy(certificate, issuer);
	});
	return chain.slice(0, end + 1);
}
