import {MtlsConfigError} from '../../config-error.ts';
import type {CertificateFacts} from '../../facts.ts';
import type {MtlsOptions} from '../../options.ts';
import {BoundedMap} from '../../util/bounded-map.ts';
import {numberOrType, withOptionPath} from '../../util/check-options.ts';
import type {Snapshot} from '../snapshot.ts';
import {readMtlsOptions} from '../tls-options.ts';
import {type OriginSet, parseOrigins} from './origin-patterns.ts';
import {SnapshotSource, type SourceEvents} from './snapshot-source.ts';

interface Entry {
	readonly origins: OriginSet;
	/** Whose redirects may lead there with our certificate, besides `origins`. */
	readonly redirectors: OriginSet;
	/** There is a certificate, not just trust. */
	readonly hasIdentity: boolean;
	readonly source: SnapshotSource;
}

/** How a request goes to an origin that a redirect has chosen. */
type Arrival =
	/** With our certificate. */
	| 'invited'
	/** Without it. */
	| 'stranger'
	/** Without it, nor with anything else by which we are known: another identity of ours is used there. */
	| 'guest';

/** What led to a redirect. */
interface Redirector {
	/** The origin that the app asked for. */
	readonly first: string;
	/** The origin that redirects; `undefined` where we came there without a certificate ourselves. */
	readonly from: string | undefined;
}

/** Who we are, origin by origin. */
export interface IdentitySelector {
	/** The snapshot for a request to `origin`; a promise where a loader has yet to answer, or that rejects. */
	at(origin: string): Snapshot | Promise<Snapshot>;
	/** The `identityKey` of that snapshot, be it loaded or not. */
	keyAt(origin: string): string;
	/** How a redirect may lead to `target`, another origin than the app asked for. */
	arrival(target: string, redirector: Redirector): Arrival;
	/** The facts of our certificate; `null` without one, and where there are several. */
	readonly identity: CertificateFacts | null;
	/** The epoch of our one identity; with several how often one of them was replaced. */
	readonly epoch: number;
	/** Identities that are loaded. */
	readonly loaded: number;
	/** Loads all that is loaded anew. */
	reload(): Promise<void>;
	/** Stops looking for new files. */
	close(): void;
}

const defaultMaxIdentities = 1_000;

/**
 * Reads `mtls`: one identity for wherever the app goes, or a list of them.
 *
 * @throws {MtlsConfigError} for the first option that cannot be used.
 */
export function createIdentitySelector(
	mtls: MtlsOptions | readonly MtlsOptions[],
	events: SourceEvents,
	maxIdentities?: number,
): IdentitySelector {
	return isList(mtls)
		? new IdentitiesByOrigin(mtls, events, maxIdentities)
		: new SingleIdentity(mtls, events);
}

function isList(mtls: MtlsOptions | readonly MtlsOptions[]): mtls is readonly MtlsOptions[] {
	return Array.isArray(mtls);
}

class SingleIdentity implements IdentitySelector {
	readonly #source: SnapshotSource;
	readonly #origins: OriginSet;

	constructor(given: MtlsOptions, events: SourceEvents) {
		const options = readMtlsOptions(given);
		if (options.allowRedirectsFrom !== undefined) {
			throw new MtlsConfigError(
				'ERR_MTLS_BAD_OPTION',
				'mtls.allowRedirectsFrom',
				'is for one identity of a list; of a single one `origins` says where a redirect may lead',
			);
		}
		this.#origins = parseOrigins(options.origins ?? []);
		this.#source = new SnapshotSource(options, 'mtls', events, 'now');
	}

	at(): Snapshot | Promise<Snapshot> {
		return this.#source.take();
	}

	keyAt(): string {
		return this.#source.key;
	}

	arrival(target: string): Arrival {
		return this.#origins.specificity(target) > 0 ? 'invited' : 'stranger';
	}

	get identity(): CertificateFacts | null {
		return this.#source.current?.identity ?? null;
	}

	get epoch(): number {
		return this.#source.current?.epoch ?? 0;
	}

	get loaded(): number {
		return this.identity === null ? 0 : 1;
	}

	async reload(): Promise<void> {
		await this.#source.reload();
	}

	close(): void {
		this.#source.close();
	}
}

class IdentitiesByOrigin implements IdentitySelector {
	readonly identity = null;
	readonly #entries: readonly Entry[];
	/** For origins that no entry names: Node's trust, and no certificate. */
	readonly #anonymous: Entry;
	readonly #maxIdentities: number;
	/** Used last comes last. */
	readonly #loaded = new Set<SnapshotSource>();
	// A wildcard stands for any number of origins, of any length.
	readonly #byOrigin = new BoundedMap<string, Entry>({
		maxEntries: 10_000,
		maxBytes: 4 * 1024 * 1024,
	});
	#swaps = 0;

	constructor(list: readonly MtlsOptions[], events: SourceEvents, maxIdentities: unknown) {
		this.#maxIdentities = countOf(maxIdentities);
		if (list.length === 0) {
			throw new MtlsConfigError(
				'ERR_MTLS_BAD_OPTION',
				'mtls',
				'an empty list shows no certificate anywhere; leave it out if that is meant',
			);
		}
		const counting: SourceEvents = {
			...events,
			onSnapshot: (snapshot, previous) => {
				if (previous !== undefined) this.#swaps += 1;
				events.onSnapshot(snapshot, previous);
			},
		};
		this.#entries = list.map((options, index) => entryOf(options, `mtls[${index}]`, counting));
		this.#anonymous = {
			origins: parseOrigins([]),
			redirectors: parseOrigins([]),
			hasIdentity: false,
			source: new SnapshotSource(readMtlsOptions({}), 'mtls', counting, 'later'),
		};
	}

	at(origin: string): Snapshot | Promise<Snapshot> {
		const {source} = this.#entryAt(origin);
		this.#loaded.delete(source);
		this.#loaded.add(source);
		const snapshot = source.take();
		if (this.#loaded.size > this.#maxIdentities) this.#releaseOldest();
		return snapshot;
	}

	keyAt(origin: string): string {
		return this.#entryAt(origin).source.key;
	}

	arrival(target: string, {first, from}: Redirector): Arrival {
		const entry = this.#entryAt(target);
		if (entry === this.#anonymous) return 'stranger';
		const mayShow =
			!entry.hasIdentity ||
			entry === this.#entryAt(first) ||
			(from !== undefined &&
				(entry === this.#entryAt(from) || entry.redirectors.specificity(from) > 0));
		return mayShow ? 'invited' : 'guest';
	}

	get epoch(): number {
		return this.#swaps;
	}

	get loaded(): number {
		let count = 0;
		// Those too that could not be loaded have their place among the used ones.
		for (const source of this.#loaded) {
			if (source !== this.#anonymous.source && source.current !== undefined) count += 1;
		}
		return count;
	}

	async reload(): Promise<void> {
		await Promise.all(Array.from(this.#loaded, (source) => source.reload()));
	}

	close(): void {
		// Those too that a request in flight has yet to load.
		for (const {source} of this.#entries) source.close();
		this.#anonymous.source.close();
	}

	#entryAt(origin: string): Entry {
		const known = this.#byOrigin.get(origin);
		if (known !== undefined) return known;
		const entry = closest(this.#entries, origin) ?? this.#anonymous;
		this.#byOrigin.set(origin, entry, 100 + 2 * origin.length);
		return entry;
	}

	#releaseOldest(): void {
		for (const oldest of this.#loaded) {
			this.#loaded.delete(oldest);
			oldest.release();
			return;
		}
	}
}

function closest(entries: readonly Entry[], origin: string): Entry | undefined {
	let best: Entry | undefined;
	let closeness = 0;
	for (const entry of entries) {
		const own = entry.origins.specificity(origin);
		if (own <= closeness) continue;
		best = entry;
		closeness = own;
	}
	return best;
}

/** What makes of an `mtls` an identity. */
const identityOptions = ['cert', 'key', 'pfx', 'identity'] as const;

function entryOf(given: MtlsOptions, path: string, events: SourceEvents): Entry {
	try {
		const options = readMtlsOptions(given);
		if (!options.origins?.length) {
			throw new MtlsConfigError(
				'ERR_MTLS_BAD_OPTION',
				'mtls.origins',
				'in a list each identity says where it is used: expected origins, found none',
			);
		}
		return {
			origins: parseOrigins(options.origins),
			redirectors: parseOrigins(options.allowRedirectsFrom ?? [], 'mtls.allowRedirectsFrom'),
			hasIdentity: identityOptions.some((name) => options[name] !== undefined),
			source: new SnapshotSource(options, path, events, 'later'),
		};
	} catch (error) {
		throw withOptionPath(error, path);
	}
}

function countOf(maxIdentities: unknown): number {
	const count = maxIdentities ?? defaultMaxIdentities;
	if (Number.isInteger(count) && (count as number) >= 1) return count as number;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'maxIdentities',
		`expected a whole number of 1 or more, found ${numberOrType(count)}`,
	);
}
