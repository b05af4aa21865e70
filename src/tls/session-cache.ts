import {BoundedMap} from '../util/bounded-map.ts';
import type {PresentedCertificate} from './peer/presented-certificate.ts';

/** A TLS session that may be resumed, with what was learned when it was made. */
export interface ResumableSession {
	readonly session: Buffer;
	/** What the full handshake showed, leaf first: a resumed one shows nothing. */
	readonly chain: readonly PresentedCertificate[];
	readonly clientCertificateRequested: boolean;
	/** When the first certificate of the chain ends, in ms since the epoch. */
	readonly validUntil: number;
}

/** Sessions kept at most. One is some 30 KiB with its certificates, of which the server decides. */
const bounds = {maxEntries: 1_000, maxBytes: 64 * 1024 * 1024};

/**
 * How long none is offered to a server that has refused one. A refusal looks like a restart, after which
 * sessions are soon worth their while again; and a server that never resumes costs one more connection
 * in that time.
 */
const refusedForMs = 5 * 60_000;

/**
 * TLS sessions by target (RFC 8446 §2.2), the one used last kept longest.
 *
 * Security: Node checks neither names nor chain on a resumed session, so a cache belongs to one
 * snapshot: what another one accepted is never resumed. Only verified connections may store here.
 */
export class SessionCache {
	readonly #sessions = new BoundedMap<string, ResumableSession>(bounds);
	/** Until when none is offered to those who refused one. */
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
		// An end that is no date is none to wait for.
		if (!(kept.validUntil > now)) return undefined;
		this.set(target, kept);
		return kept;
	}

	set(target: string, kept: ResumableSession): void {
		const certificates = kept.chain.reduce((sum, {bytes}) => sum + bytes, 0);
		this.#sessions.set(target, kept, target.length + kept.session.length + certificates);
	}

	/** At `now` the target would not resume the session that it was offered. */
	refuse(target: string, now: number): void {
		this.delete(target);
		this.#refusedUntil.set(target, now + refusedForMs, 2 * target.length);
	}

	delete(target: string): void {
		this.#sessions.delete(target);
	}
}
