import type {CertificateFacts} from '../facts.ts';
import type {ClientCertificate} from '../logging/messages.ts';
import {type ExpiryWarning, expirySteps, expiryWarning} from '../tls/credentials/expiry.ts';
import {DAY_MS} from '../util/day.ts';

/** The clock, as an argument for tests. */
export interface ExpiryClock {
	/** In ms since 1970. */
	now(): number;
	/** Calls `wake` later, without keeping the process alive. @returns a function that cancels it. */
	wakeIn(ms: number, wake: () => void): () => void;
}

const systemClock: ExpiryClock = {
	now: () => Date.now(),
	wakeIn(ms, wake) {
		const timer = setTimeout(wake, ms).unref();
		return () => clearTimeout(timer);
	},
};

type Log = (warning: ExpiryWarning, certificate: ClientCertificate, now: number) => void;

interface Watched {
	readonly certificate: ClientCertificate;
	readonly validTo: Date;
	/** The warnings to come, in ms before it expires. */
	readonly steps: readonly number[];
}

/**
 * The longest delay of the timer, because timers do not follow when a machine sleeps or its clock is set.
 * It is also far below the limit of Node's timers.
 */
const longestSleepMs = 60 * 60 * 1000;

/** Logs when the certificates in use are about to expire, and when they have. One timer serves all. */
export class ExpiryWatch {
	readonly #log: Log;
	readonly #clock: ExpiryClock;
	/** By the snapshot that uses them. */
	readonly #watched = new Map<object, Watched[]>();
	/** When something was last logged, by certificate and event; the latest comes last. */
	readonly #logged = new Map<string, number>();
	#cancel: (() => void) | undefined;
	#wakesAt = Number.POSITIVE_INFINITY;
	#closed = false;

	constructor(log: Log, clock = systemClock) {
		this.#log = log;
		this.#clock = clock;
	}

	/** Logs the expiry of `certificates` from now on, until `owner` is removed. */
	add(owner: object, certificates: readonly ClientCertificate[]): void {
		if (this.#closed || certificates.length === 0) return;
		const now = this.#clock.now();
		const watched = certificates.flatMap((certificate) => watch(certificate, now));
		this.#watched.set(owner, watched);
		this.#wakeAt(Math.min(...watched.map(dueAt)), now);
	}

	remove(owner: object): void {
		this.#watched.delete(owner);
		if (this.#watched.size === 0) this.#sleep();
	}

	close(): void {
		this.#closed = true;
		this.#watched.clear();
		this.#sleep();
	}

	/** Whether the warning was not logged for this certificate within a day. Marks it as logged. */
	isNews({event}: ExpiryWarning, {fingerprint256}: CertificateFacts): boolean {
		const now = this.#clock.now();
		for (const [key, at] of this.#logged) {
			if (now - at < DAY_MS && at <= now) break;
			this.#logged.delete(key);
		}
		const key = `${event} ${fingerprint256}`;
		if (this.#logged.has(key)) return false;
		this.#logged.set(key, now);
		return true;
	}

	#wakeAt(due: number, now: number): void {
		const at = Math.min(due, now + longestSleepMs);
		if (due === Number.POSITIVE_INFINITY || at >= this.#wakesAt) return;
		this.#sleep();
		this.#wakesAt = at;
		// The timer must not keep an unclosed client in memory.
		const reference = new WeakRef(this);
		this.#cancel = this.#clock.wakeIn(Math.max(0, at - now), () => {
			const self = reference.deref();
			if (self !== undefined) self.#wake();
		});
	}

	#sleep(): void {
		this.#cancel?.();
		this.#cancel = undefined;
		this.#wakesAt = Number.POSITIVE_INFINITY;
	}

	#wake(): void {
		this.#cancel = undefined;
		this.#wakesAt = Number.POSITIVE_INFINITY;
		const now = this.#clock.now();
		let due = Number.POSITIVE_INFINITY;
		// The logger may close the client.
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
		if (this.isNews(warning, certificate.facts)) this.#log(warning, certificate, now);
		return next ?? {certificate, validTo, steps: []};
	}
}

function watch(certificate: ClientCertificate, now: number): Watched[] {
	const {facts, renewedBy} = certificate;
	const validTo = new Date(facts.validTo);
	const end = validTo.getTime();
	// An invalid date is never reached.
	if (Number.isNaN(end)) return [];
	const validFrom = Date.parse(facts.validFrom);
	const steps = expirySteps({validFrom, validTo: end}, renewedBy !== undefined);
	return [{certificate, validTo, steps: steps.filter((step) => dueBefore(validTo, step) > now)}];
}

function dueAt({validTo, steps: [next]}: Watched): number {
	return next === undefined ? Number.POSITIVE_INFINITY : dueBefore(validTo, next);
}

// A certificate is still valid at the time of `notAfter` (RFC 5280 §4.1.2.5).
function dueBefore(validTo: Date, step: number): number {
	return validTo.getTime() - step + (step === 0 ? 1 : 0);
}
