/** The pause after a failed login: doubled by each further failure, up to a limit. */
export class LoginBackoff {
	readonly #firstMs: number;
	readonly #limitMs: number;
	/** Failures since the last success. */
	#failures = 0;
	#until = 0;

	constructor({backoffMs, maxBackoffMs}: {backoffMs: number; maxBackoffMs: number}) {
		this.#firstMs = backoffMs;
		this.#limitMs = maxBackoffMs;
	}

	/** @param now - In ms, of a clock that never goes back. */
	failed(now: number): void {
		// 2^31 times the first pause is more than any limit.
		const factor = 2 ** Math.min(this.#failures, 31);
		this.#until = now + Math.min(this.#firstMs * factor, this.#limitMs);
		this.#failures += 1;
	}

	succeeded(): void {
		this.#failures = 0;
		this.#until = 0;
	}

	/** How long until a login may be tried; 0 if it may be tried now. */
	remainingMs(now: number): number {
		return Math.max(0, Math.ceil(this.#until - now));
	}
}
