/** A TLS session that may be resumed, with what was learned when it was made. */
export interface KeptSession {
	readonly session: Buffer;
	/** What the server presented in the full handshake, DER, leaf first: a resumed one shows nothing. */
	readonly chain: readonly Buffer[];
	readonly clientCertificateRequested: boolean;
	/** When the first certificate of the chain ends, in ms since the epoch. */
	readonly validUntil: number;
}

/** Sessions kept at most; a session is about 2 KiB. */
const capacity = 1_000;

/**
 * TLS sessions by target (RFC 8446 §2.2), the one used last kept longest.
 *
 * Security: Node checks neither names nor chain on a resumed session, so a cache belongs to one
 * snapshot: what another one accepted is never resumed. Only verified connections may store here.
 */
export class SessionCache {
	readonly #sessions = new Map<string, KeptSession>();

	/** The session for `target`, unless a certificate behind it has expired by `now`. */
	get(target: string, now: number): KeptSession | undefined {
		const kept = this.#sessions.get(target);
		if (kept === undefined) return undefined;
		this.#sessions.delete(target);
		if (kept.validUntil <= now) return undefined;
		this.#sessions.set(target, kept);
		return kept;
	}

	set(target: string, kept: KeptSession): void {
		this.#sessions.delete(target);
		this.#sessions.set(target, kept);
		if (this.#sessions.size <= capacity) return;
		for (const oldest of this.#sessions.keys()) {
			this.#sessions.delete(oldest);
			return;
		}
	}

	delete(target: string): void {
		this.#sessions.delete(target);
	}
}
