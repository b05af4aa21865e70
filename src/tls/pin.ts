import {X509Certificate} from 'node:crypto';
import {publicKeyPin} from '../certificate.ts';
import {MtlsConfigError} from '../errors.ts';

/** A set of public keys, as curl's `--pinnedpubkey` writes them: `sha256//BASE64`. */
export type Pins = ReadonlySet<string>;

/** None of the server's certificates has a key that was pinned. */
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
 * @throws {MtlsConfigError} for `mtls.pins` when one is no SHA-256 in Base64, or there is none.
 */
export function loadPins(pins: string | readonly string[] | undefined): Pins | undefined {
	if (pins === undefined) return undefined;
	// curl separates with a semicolon.
	const list = (typeof pins === 'string' ? [pins] : pins).flatMap((pin) => String(pin).split(';'));
	const bad = list.find((pin) => !/^sha256\/\/[A-Za-z0-9+/]{43}=$/.test(pin));
	if (list.length === 0 || bad !== undefined) {
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			'mtls.pins',
			`expected sha256//BASE64 of a public key, found ${bad === undefined ? 'an empty list' : `'${bad}'`}`,
		);
	}
	return new Set(list);
}

/**
 * Checks that a key of the chain was pinned. Any link may match, so that a pin on the issuer
 * outlives the leaf, and a backup pin can wait for its key.
 *
 * @param chain - DER, leaf first.
 */
export function checkPins(pins: Pins, chain: readonly Buffer[]): PinMismatchError | undefined {
	const seen = chain.map((der) => publicKeyPin(new X509Certificate(der)));
	return seen.some((pin) => pins.has(pin)) ? undefined : new PinMismatchError(seen);
}
