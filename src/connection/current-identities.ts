import type {CertificateFacts} from '../facts.ts';
import {
	type ClientCertificate,
	logCertificateWarning,
	logLoaded,
	logRotationFailure,
	logUnsetCredentials,
	logUnverified,
} from '../logging/messages.ts';
import type {MtlsOptions, Source} from '../options/mtls.ts';
import type {Logger} from '../options.ts';
import {isExpiry} from '../tls/credentials/expiry.ts';
import {createIdentitySelector, type IdentitySelector} from '../tls/rotation/identity-selector.ts';
import {type ConnectionCounts, loadSnapshot, type Snapshot} from '../tls/snapshot.ts';
import {readMtlsOptions} from '../tls/tls-options.ts';
import {withOptionPath, withoutPrototype} from '../util/check-options.ts';
import {ExpiryWatch} from './expiry-watch.ts';

/** PEM, as `node:tls` takes it. */
export type Trusted = Source | readonly Source[];

/** The identities of a client, which rotation replaces, and the log messages about them. */
export class CurrentIdentities {
	readonly selector: IdentitySelector;
	/** Over the connections of all identities. */
	readonly counts: ConnectionCounts = {fullHandshakes: 0, resumedHandshakes: 0, tunnels: 0};
	readonly #retireListeners: ((snapshot: Snapshot) => void)[] = [];
	#trusted: {readonly ca: Trusted; readonly snapshot: Snapshot} | undefined;
	#waiters: ((identity: CertificateFacts | null) => void)[] = [];
	readonly #expiry: ExpiryWatch;
	/** Those that were logged: each once, not with every rotation. */
	readonly #exposedFiles = new Set<string>();

	/** @throws {MtlsConfigError} for the first option that cannot be used. */
	constructor(
		mtls: MtlsOptions | readonly MtlsOptions[],
		logger: Logger | false,
		maxIdentities: number | undefined,
	) {
		this.#expiry = new ExpiryWatch((warning, certificate, now) =>
			logCertificateWarning(logger, warning, certificate, now),
		);
		this.selector = createIdentitySelector(
			mtls,
			{
				counts: this.counts,
				hasLogger: logger !== false,
				report: (failure) => logUnverified(logger, failure),
				onSnapshot: (snapshot, previous) => {
					this.#log(logger, snapshot, previous);
					this.#expiry.add(snapshot, certificatesOf(snapshot));
					if (previous !== undefined) this.#release(snapshot.identity);
				},
				onFailure: (error, epoch) => logRotationFailure(logger, error, epoch),
				onRetire: (snapshot) => {
					this.#expiry.remove(snapshot);
					for (const listener of this.#retireListeners) listener(snapshot);
				},
			},
			maxIdentities,
		);
	}

	/**
	 * A snapshot that trusts `ca` instead of Node's CAs, without a client certificate: for the `ca` that an app
	 * has set on `https.globalAgent`. It retires the previous one.
	 *
	 * @throws {MtlsConfigError} when it cannot be used.
	 */
	trusting(ca: Trusted): Snapshot {
		const known = this.#trusted;
		if (known !== undefined && isSame(known.ca, ca)) return known.snapshot;
		// A copy, because the app may change its list.
		const snapshot = this.#loadTrusting(Array.isArray(ca) ? [...ca] : ca);
		if (known !== undefined) {
			for (const listener of this.#retireListeners) listener(known.snapshot);
		}
		return snapshot;
	}

	#loadTrusting(ca: Trusted): Snapshot {
		try {
			const options = readMtlsOptions({ca: [ca].flat().map(asBytes)});
			const {counts, selector} = this;
			const withOption = {...options, caOption: 'https.globalAgent.options.ca'};
			const snapshot = loadSnapshot(withoutPrototype(withOption), {
				now: new Date(),
				epoch: selector.epoch,
				// The key of the client's identity, which is none here: all connections share one limit.
				identityKey: selector.keyAt(''),
				report() {},
				counts,
			});
			this.#trusted = {ca, snapshot};
			return snapshot;
		} catch (error) {
			throw withOptionPath(error, 'https.globalAgent.options');
		}
	}

	/** Calls `listener` with each snapshot once no new request uses it. */
	onRetire(listener: (snapshot: Snapshot) => void): void {
		this.#retireListeners.push(listener);
	}

	/** Resolves at the next rotation, with the facts of the new certificate. */
	next(): Promise<CertificateFacts | null> {
		return new Promise((resolve) => this.#waiters.push(resolve));
	}

	/** Stops watching files and the expiry of certificates. */
	close(): void {
		this.selector.close();
		this.#expiry.close();
	}

	#log(logger: Logger | false, snapshot: Snapshot, previous: Snapshot | undefined): void {
		const {identity, warnings, proxy, given} = snapshot;
		if (given.unset.length > 0 && previous === undefined) {
			logUnsetCredentials(logger, given.unset);
		}
		if (identity !== null) {
			logLoaded(identity, previous === undefined ? 'identity_loaded' : 'identity_rotated');
		}
		for (const certificate of certificatesOf(snapshot)) {
			const {facts, shownTo} = certificate;
			for (const warning of shownTo === 'proxy' ? proxy.warnings : warnings) {
				if (isExpiry(warning) && !this.#expiry.isNews(warning, facts)) continue;
				if (warning.event === 'file_exposed') {
					if (this.#exposedFiles.has(warning.path)) continue;
					this.#exposedFiles.add(warning.path);
				}
				logCertificateWarning(logger, warning, certificate, Date.now());
			}
		}
	}

	#release(identity: CertificateFacts | null): void {
		const waiters = this.#waiters;
		this.#waiters = [];
		for (const resolve of waiters) resolve(identity);
	}
}

function certificatesOf({identity, renewedBy, proxy}: Snapshot): ClientCertificate[] {
	return [
		...(identity === null ? [] : [{facts: identity, shownTo: 'server', renewedBy} as const]),
		...(proxy.identity === null
			? []
			: [{facts: proxy.identity, shownTo: 'proxy', renewedBy: undefined} as const]),
	];
}

function isSame(one: Trusted, other: Trusted): boolean {
	if (one === other) return true;
	if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
	return one.every((source, index) => source === other[index]);
}

// For Node a string is PEM, never the path of a file.
function asBytes(source: Source): Source {
	return typeof source === 'string' ? Buffer.from(source) : source;
}
