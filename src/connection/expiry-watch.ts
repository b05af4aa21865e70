import type {CertificateFacts} from '../facts.ts';
import type {OwnCertificate} from '../logging/messages.ts';
import {DAY_MS, type ExpiryWarning, expirySteps, expiryWarning} from '../tls/credentials/checks.ts';

/** The time, as an argument. */
export interface ExpiryClock {
	/** In ms since 1970. */
	now(): number;
	/** Calls `wake` later; returns what calls that off. Keeps no process alive. */
	wakeIn(ms: number, wake: () => void): () => void;
}

const systemClock: ExpiryClock = {
	now: () => Date.now(),
	wakeIn(ms, wake) {
		const timer = setTimeout(wake, ms).unref();
		return () => clearTimeout(timer);
	},
};

type Tell = (warning: ExpiryWarning, certificate: OwnCertificate, now: number) => void;

interface Watched {
	readonly certificate: OwnCertificate;
	readonly validTo: Date;
	/** Those that are to come, in ms before the end. */
	readonly steps: readonly number[];
}

/**
 * Woken at least so often: a machine that sleeps, or whose clock is set, does not stop the timers. It is
 * also far below what a timer of Node can wait for.
 */
const longestSleepMs = 60 * 60 * 1000;

/**
 * Tells when the certificates in use come near their end, and when they reach it. One timer serves all
 * of them.
 */
export class ExpiryWatch {
	readonly #tell: Tell;
	readonly #clock: ExpiryClock;
	/** By whoever uses it. */
	readonly #watched = new Map<object, Watched[]>();
	/** When something was told last, by certificate and event; the latest comes last. */
	readonly #told = new Map<string, number>();
	#callOff: (() => void) | undefined;
	#wakesAt = Number.POSITIVE_INFINITY;
	#closed = false;

	constructor(tell: Tell, clock = systemClock) {
		this.#tell = tell;
		this.#clock = clock;
	}

	/** Tells of the ends of `certificates` that come from now on, until `owner` is removed. */
	add(owner: object, certificates: readonly OwnCertificate[]): void {
		if (this.#closed || certificates.length === 0) return;
		const now = this.#clock.now();
		const watched = certificates.flatMap((certificate) => watch(certificate, now));
		this.#watched.set(owner, watched);
		this.#wakeAt(Math.min(...watched.map(dueAt)), now);
	}

	/** Tells no more of the certificates of `owner`. */
	remove(owner: object): void {
		this.#watched.delete(owner);
		if (this.#watched.size === 0) this.#sleep();
	}

	/** Tells nothing any more. */
	close(): void {
		this.#closed = true;
		this.#watched.clear();
		this.#sleep();
	}

	/** Whether this has not been told of a certificate for a day; from now on it has. */
	isNews({event}: ExpiryWarning, {fingerprint256}: CertificateFacts): boolean {
		const now = this.#clock.now();
		for (const [key, at] of this.#told) {
			if (now - at < DAY_MS && at <= now) break;
			this.#told.delete(key);
		}
		const key = `${event} ${fingerprint256}`;
		if (this.#told.has(key)) return false;
		this.#told.set(key, now);
		return true;
	}

	#wakeAt(due: number, now: number): void {
		const at = Math.min(due, now + longestSleepMs);
		if (due === Number.POSITIVE_INFINITY || at >= this.#wakesAt) return;
		this.#sleep();
		this.#wakesAt = at;
		// A client that nobody closes must not be kept for its timer's sake.
		const reference = new WeakRef(this);
		this.#callOff = this.#clock.wakeIn(Math.max(0, at - now), () => {
			const self = reference.deref();
			if (self !== undefined) self.#wake();
		});
	}

	#sleep(): void {
		this.#callOff?.();
		this.#callOff = undefined;
		this.#wakesAt = Number.POSITIVE_INFINITY;
	}

	#wake(): void {
		this.#callOff = undefined;
		this.#wakesAt = Number.POSITIVE_INFINITY;
		const now = this.#clock.now();
		let due = Number.POSITIVE_INFINITY;
		// Whoever is told may close the client.
		for (const [owner, all] of [...this.#watched]) {
			if (!this.#watched.has(owner)) continue;
			const left = all.map((each) => (dueAt(each) > now ? each : this.#pass(each, now)));
			if (!this.#watched.has(owner)) continue;
			this.#watched.set(owner, left);
			due = Math.min(due, ...left.map(dueAt));
		}
		this.#wakeAt(due, now);
	}

	#pass({certificate, validTo}: Watched, now: number): Watched {
		const warning = expiryWarning(validTo, now);
		const [next] = watch(certificate, now);
		if (this.isNews(warning, certificate.facts)) this.#tell(warning, certificate, now);
		return next ?? {certificate, validTo, steps: []};
	}
}

function watch(certificate: OwnCertificate, now: number): Watched[] {
	const {facts, renewedBy} = certificate;
	const validTo = new Date(facts.validTo);
	const end = validTo.getTime();
	// An odd date never comes.
	if (Number.isNaN(end)) return [];
	const validFrom = Date.parse(facts.validFrom);
	const steps = expirySteps({validFrom, validTo: end}, renewedBy !== undefined);
	return [{certificate, validTo, steps: steps.filter((step) => dueBefore(validTo, step) > now)}];
}

function dueAt({validTo, steps: [next]}: Watched): number {
	return next === undefined ? Number.POSITIVE_INFINITY : dueBefore(validTo, next);
}

// It is valid at its last moment still (RFC 5280 §4.1.2.5).
function dueBefore(validTo: Date, step: number): number {
	return validTo.getTime() - step + (step === 0 ? 1 : 0);
}
