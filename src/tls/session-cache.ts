import {BoundedMap} from '../util/bounded-map.ts';
import type {PresentedCertificate} from './peer/presented-certificate.ts';

/** A TLS session that may be resumed, with the facts of the full handshake. */
export interface ResumableSession {
	readonly session: Buffer;
	/** What the server presented in the full handshake, leaf first: a resumed one has no certificates. */
	readonly chain: readonly PresentedCertificate[];
	readonly clientCertificateRequested: boolean;
	/** When the first certificate of the chain ends, in ms since the epoch. */
	readonly validUntil: number;
}

/** A session is some 30 KiB with its certificates, whose size the server decides. */
const bounds = {maxEntries: 1_000, maxBytes: 64 * 1024 * 1024};

/**
 * How long no session is offered to a server that has refused one. After a restart, which looks the same,
 * sessions are soon accepted again; a server that never resumes costs one more connection in that time.
 */
const refusedForMs = 5 * 60_000;

/**
 * TLS sessions by target (RFC 8446 §2.2); the least recently used is evicted first.
 *
 * Security: Node checks neither names nor chain on a resumed session, so a cache belongs to one
 * snapshot: what another one accepted is never resumed. Only verified connections may store here.
 */
export class SessionCache {
	readonly #sessions = new BoundedMap<string, ResumableSession>(bounds);
	/** Until when no session is offered, by the target that refused one. */
	readonly #refusedUntil = new BoundedMap<string, number>({
		maxEntries: 1_000,
		maxBytes: 1024 * 1024,
	});

	/** The session for `target`, unless a certificate behind it has expired by `now`. */
	get(target: string, now: number): ResumableSession | undefined {
		if (now < (this.#refusedUntil.get(target) ?? 0)) return undefined;
		const kept = this.#sessions.get(target);
		if (kept === undefined) return undefined;
		this.#sessions.delete(target);
		// `validUntil` is NaN where a certificate ends on no valid date: not resumed.
		if (!(kept.validUntil > now)) return undefined;
		this.set(target, kept);
		return kept;
	}

	set(target: string, kept: ResumableSession): void {
		const certificates = kept.chain.reduce((sum, {bytes}) => sum + bytes, 0);
		this.#sessions.set(target, kept, target.length + kept.session.length + certificates);
	}

	/** The target refused, at `now`, to resume the session that it was offered. */
	refuse(target: string, now: number): void {
		this.delete(target);
		this.#refusedUntil.set(target, now + refusedForMs, 2 * target.length);
	}

	delete(target: string): void {
		this.#sessions.delete(target);
	}
}
