import type {CertificateFacts} from '../certificate.ts';
import type {Logger, MtlsOptions} from '../options.ts';
import {
	type OwnCertificate,
	tellLoaded,
	tellNotice,
	tellRotationFailure,
	tellUnverified,
} from '../tell.ts';
import {isExpiry} from '../tls/expiry.ts';
import {makeRoster, type Roster} from '../tls/roster.ts';
import type {ConnectionCounts, Snapshot} from '../tls/snapshot.ts';
import {ExpiryWatch} from './expiry-watch.ts';

/** What an agent, the pools beside it and the handle on both share: who we are, now and after each swap. */
export class Identities {
	readonly roster: Roster;
	/** Of the connections under all of them. */
	readonly counts: ConnectionCounts = {fullHandshakes: 0, resumedHandshakes: 0, tunnels: 0};
	readonly #retireListeners: ((snapshot: Snapshot) => void)[] = [];
	#waiters: ((identity: CertificateFacts | null) => void)[] = [];
	readonly #expiry: ExpiryWatch;

	/** @throws {MtlsConfigError} for the first option that cannot be used. */
	constructor(
		mtls: MtlsOptions | readonly MtlsOptions[],
		logger: Logger | false,
		maxIdentities: number | undefined,
	) {
		this.#expiry = new ExpiryWatch((notice, certificate, now) =>
			tellNotice(logger, notice, certificate, now),
		);
		this.roster = makeRoster(
			mtls,
			{
				counts: this.counts,
				report: (judged) => tellUnverified(logger, judged),
				onSnapshot: (snapshot, previous) => {
					this.#tell(logger, snapshot, previous);
					this.#expiry.add(snapshot, certificatesOf(snapshot));
					if (previous !== undefined) this.#release(snapshot.identity);
				},
				onFailure: (error, epoch) => tellRotationFailure(logger, error, epoch),
				onRetire: (snapshot) => {
					this.#expiry.remove(snapshot);
					for (const listener of this.#retireListeners) listener(snapshot);
				},
			},
			maxIdentities,
		);
	}

	/** Calls `listener` with each snapshot that no request is to begin with any more. */
	onRetire(listener: (snapshot: Snapshot) => void): void {
		this.#retireListeners.push(listener);
	}

	/** Resolves at the next swap, with the facts of the certificate that took effect. */
	next(): Promise<CertificateFacts | null> {
		return new Promise((resolve) => this.#waiters.push(resolve));
	}

	/** Looks for new files no more, and tells of no certificate that ends. */
	close(): void {
		this.roster.close();
		this.#expiry.close();
	}

	#tell(logger: Logger | false, snapshot: Snapshot, previous: Snapshot | undefined): void {
		const {identity, notices, proxy} = snapshot;
		if (identity !== null) {
			tellLoaded(identity, previous === undefined ? 'identity_loaded' : 'identity_rotated');
		}
		for (const certificate of certificatesOf(snapshot)) {
			const {facts, shownTo} = certificate;
			for (const notice of shownTo === 'proxy' ? proxy.notices : notices) {
				if (isExpiry(notice) && !this.#expiry.isNews(notice, facts)) continue;
				tellNotice(logger, notice, certificate, Date.now());
			}
		}
	}

	#release(identity: CertificateFacts | null): void {
		const waiters = this.#waiters;
		this.#waiters = [];
		for (const resolve of waiters) resolve(identity);
	}
}

function certificatesOf({identity, renewedBy, proxy}: Snapshot): OwnCertificate[] {
	return [
		...(identity === null ? [] : [{facts: identity, shownTo: 'server', renewedBy} as const]),
		...(proxy.identity === null
			? []
			: [{facts: proxy.identity, shownTo: 'proxy', renewedBy: undefined} as const]),
	];
}
