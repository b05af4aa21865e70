/** Deriving the keys of a file would take too long. */
export class DerivationTooLong extends Error {
	override readonly name = 'DerivationTooLong';

	constructor(found: number, allowed: number) {
		super(`${found} rounds of key derivation, more than ${allowed}`);
	}
}

// One round hashes one block: 0.15 to 0.7 µs, so these take 1 to 3 s, for which nothing else runs. 600,000
// iterations, the most that a program writes by default (NSS), are 1,800,000 rounds in a file of today and
// 4,200,000 in one of the old ciphers, which need seven blocks.
const maxRounds = 5_000_000;

/**
 * How much deriving keys may cost, over all that is encrypted in one file and all attempts to open it.
 *
 * Security: a file says itself how often a passphrase is hashed. One of 929 bytes made a process stand
 * still for 95 s.
 */
export class DerivationBudget {
	readonly #allowed: number;
	#spent = 0;

	constructor(allowed = maxRounds) {
		this.#allowed = allowed;
	}

	/** To be called before the work is done. @throws {DerivationTooLong} */
	spend(rounds: number): void {
		const found = this.#spent + rounds;
		if (found > this.#allowed) throw new DerivationTooLong(found, this.#allowed);
		this.#spent = found;
	}
}
