import type {CertificateFacts} from '../certificate.ts';
import type {Logger, MtlsOptions} from '../options.ts';
import {tellIdentity, tellRotationFailure, tellUnverified} from '../tell.ts';
import {makeRoster, type Roster} from '../tls/roster.ts';
import type {ConnectionCounts, Snapshot} from '../tls/snapshot.ts';

/** What an agent, the pools beside it and the handle on both share: who we are, now and after each swap. */
export class Identities {
	readonly roster: Roster;
	/** Of the connections under all of them. */
	readonly counts: ConnectionCounts = {fullHandshakes: 0, resumedHandshakes: 0, tunnels: 0};
	readonly #retireListeners: ((snapshot: Snapshot) => void)[] = [];
	#waiters: ((identity: CertificateFacts | null) => void)[] = [];

	/** @throws {MtlsConfigError} for the first option that cannot be used. */
	constructor(
		mtls: MtlsOptions | readonly MtlsOptions[],
		logger: Logger | false,
		maxIdentities: number | undefined,
	) {
		this.roster = makeRoster(
			mtls,
			{
				counts: this.counts,
				report: (judged) => tellUnverified(logger, judged),
				onSnapshot: (snapshot, previous) => {
					tellIdentity(logger, snapshot, previous && 'identity_rotated');
					if (previous !== undefined) this.#release(snapshot.identity);
				},
				onFailure: (error, epoch) => tellRotationFailure(logger, error, epoch),
				onRetire: (snapshot) => {
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

	#release(identity: CertificateFacts | null): void {
		const waiters = this.#waiters;
		this.#waiters = [];
		for (const resolve of waiters) resolve(identity);
	}
}
