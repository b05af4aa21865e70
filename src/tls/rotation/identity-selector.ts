import {MtlsConfigError} from '../../config-error.ts';
import type {CertificateFacts} from '../../facts.ts';
import type {MtlsOptions} from '../../options/mtls.ts';
import {BoundedMap} from '../../util/bounded-map.ts';
import {numberOrType, withOptionPath, withoutPrototype} from '../../util/check-options.ts';
import type {Snapshot} from '../snapshot.ts';
import {credentialOptions, readMtlsOptions} from '../tls-options.ts';
import {filesOf} from './file-watcher.ts';
import {type OriginSet, parseOrigins} from './origin-patterns.ts';
import {findSharedHost, type SharedHost} from './shared-hosts.ts';
import {SnapshotSource, type SourceEvents} from './snapshot-source.ts';

interface Entry {
	readonly origins: OriginSet;
	/** `allowRedirectsFrom`: other origins whose redirects may lead there with the certificate. */
	readonly redirectors: OriginSet;
	/** There is a client certificate, not trusted CAs alone. */
	readonly hasIdentity: boolean;
	readonly source: SnapshotSource;
}

/** What a request may carry to the target of a redirect. */
type RedirectAccess =
	| 'with-certificate'
	| 'without-certificate'
	/** No certificate, no cookies and no login: the app uses another identity at that origin. */
	| 'anonymous';

/** The origins that led to a redirect. */
interface Redirector {
	/** The origin that the app asked for. */
	readonly first: string;
	/** The origin that redirects; `undefined` where that one was sent no certificate either. */
	readonly from: string | undefined;
}

/** Chooses the identity of a request by its origin. */
export interface IdentitySelector {
	/** The snapshot for a request to `origin`; a promise while a loader is at work, or one that rejects. */
	at(origin: string): Snapshot | Promise<Snapshot>;
	/** The `identityKey` of that snapshot, loaded or not. */
	keyAt(origin: string): string;
	/** What a redirect may carry to `target`, which is not the origin that the app asked for. */
	redirectAccess(target: string, redirector: Redirector): RedirectAccess;
	/** The facts of the client certificate; `null` without one, and where there are several. */
	readonly identity: CertificateFacts | null;
	/** The epoch of the one identity; with several how often one of them was replaced. */
	readonly epoch: number;
	/** How many identities are loaded. */
	readonly loaded: number;
	/** Two of several identities that are used on one host, where there are such. */
	readonly sharedHost: SharedHost | undefined;
	/** Reloads all loaded identities. */
	reload(): Promise<void>;
	/** Stops watching files. */
	close(): void;
}

const defaultMaxIdentities = 1_000;

/**
 * Reads `mtls`: one identity for every origin, or a list of identities by origin.
 *
 * @throws {MtlsConfigError} for the first option that cannot be used.
 */
export function createIdentitySelector(
	mtls: MtlsOptions | readonly MtlsOptions[],
	events: SelectorEvents,
	maxIdentities?: number,
): IdentitySelector {
	return isList(mtls)
		? new IdentitiesByOrigin(mtls, events, maxIdentities)
		: new SingleIdentity(mtls, events);
}

/** What the sources report, and whether anybody is told. */
interface SelectorEvents extends SourceEvents {
	readonly hasLogger: boolean;
}

/** @throws {MtlsConfigError} for an option that would silently have no effect, or silently a bad one. */
function readEntry(given: MtlsOptions, {hasLogger}: SelectorEvents) {
	const options = readMtlsOptions(given);
	const bad = (option: string, message: string) =>
		new MtlsConfigError('ERR_MTLS_BAD_OPTION', option, message);
	if (options.verify === 'report' && !hasLogger) {
		throw bad(
			'mtls.verify',
			"'report' needs a logger: with `logger: false` nobody would see what it finds",
		);
	}
	if (options.reload && options.identity === undefined && filesOf(options).length === 0) {
		throw bad(
			'mtls.reload',
			'nothing to watch: `mtls.cert`, `mtls.key` and `mtls.ca` name no file; give their paths, or `mtls.identity`',
		);
	}
	return options;
}

function isList(mtls: MtlsOptions | readonly MtlsOptions[]): mtls is readonly MtlsOptions[] {
	return Array.isArray(mtls);
}

class SingleIdentity implements IdentitySelector {
	readonly sharedHost = undefined;
	readonly #source: SnapshotSource;
	readonly #origins: OriginSet | undefined;

	constructor(given: MtlsOptions, events: SelectorEvents) {
		const options = readEntry(given, events);
		if (options.allowRedirectsFrom !== undefined) {
			throw new MtlsConfigError(
				'ERR_MTLS_BAD_OPTION',
				'mtls.allowRedirectsFrom',
				'is for one identity of a list; of a single one `origins` says where a redirect may lead',
			);
		}
		this.#origins = options.origins && parseOrigins(options.origins);
		this.#source = new SnapshotSource(options, 'mtls', events, 'now');
	}

	at(): Snapshot | Promise<Snapshot> {
		return this.#source.take();
	}

	keyAt(): string {
		return this.#source.key;
	}

	redirectAccess(target: string): RedirectAccess {
		return this.#origins && this.#origins.specificity(target) > 0
			? 'with-certificate'
			: 'without-certificate';
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
	readonly sharedHost: SharedHost | undefined;
	readonly #entries: readonly Entry[];
	/** For origins that no entry names: Node's CAs, and no certificate. */
	readonly #anonymous: Entry;
	readonly #maxIdentities: number;
	/** The least recently used comes first. */
	readonly #loaded = new Set<SnapshotSource>();
	// Bounded: a wildcard stands for any number of origins, of any length.
	readonly #byOrigin = new BoundedMap<string, Entry>({
		maxEntries: 10_000,
		maxBytes: 4 * 1024 * 1024,
	});
	#rotations = 0;

	constructor(list: readonly MtlsOptions[], events: SelectorEvents, maxIdentities: unknown) {
		this.#maxIdentities = countOf(maxIdentities);
		if (list.length === 0) {
			throw new MtlsConfigError(
				'ERR_MTLS_BAD_OPTION',
				'mtls',
				'an empty list shows no certificate anywhere; leave it out if that is meant',
			);
		}
		const counting: SelectorEvents = {
			...events,
			onSnapshot: (snapshot, previous) => {
				if (previous !== undefined) this.#rotations += 1;
				events.onSnapshot(snapshot, previous);
			},
		};
		this.#entries = list.map((options, index) => entryOf(options, `mtls[${index}]`, counting));
		assertDistinct(this.#entries);
		const patterns = this.#entries.map(({origins}) => origins.patterns);
		this.sharedHost = findSharedHost(list, patterns);
		this.#anonymous = {
			origins: parseOrigins([]),
			redirectors: parseOrigins([]),
			hasIdentity: false,
			source: new SnapshotSource(
				withoutPrototype({
					...readMtlsOptions({}),
					unmatchedOrigins: list.flatMap(({origins = []}) => origins),
				}),
				'mtls',
				counting,
				'later',
			),
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

	redirectAccess(target: string, {first, from}: Redirector): RedirectAccess {
		const entry = this.#entryAt(target);
		if (entry === this.#anonymous) return 'without-certificate';
		const mayPresent =
			!entry.hasIdentity ||
			entry === this.#entryAt(first) ||
			(from !== undefined &&
				(entry === this.#entryAt(from) || entry.redirectors.specificity(from) > 0));
		return mayPresent ? 'with-certificate' : 'anonymous';
	}

	get epoch(): number {
		return this.#rotations;
	}

	get loaded(): number {
		let count = 0;
		for (const source of this.#loaded) {
			// One that could not be loaded is in the list too.
			if (source !== this.#anonymous.source && source.current !== undefined) count += 1;
		}
		return count;
	}

	async reload(): Promise<void> {
		await Promise.all(Array.from(this.#loaded, (source) => source.reload()));
	}

	close(): void {
		// All of them: a request in flight may load one later.
		for (const {source} of this.#entries) source.close();
		this.#anonymous.source.close();
	}

	#entryAt(origin: string): Entry {
		const known = this.#byOrigin.get(origin);
		if (known !== undefined) return known;
		const entry = mostSpecific(this.#entries, origin) ?? this.#anonymous;
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

/**
 * Security: in a list that comes from a database, the same origin twice is a mistake that would present the
 * certificate of another tenant.
 *
 * @throws {MtlsConfigError} when two entries have the same pattern.
 */
function assertDistinct(entries: readonly Entry[]): void {
	const owners = new Map<string, number>();
	for (const [index, {origins}] of entries.entries()) {
		for (const pattern of origins.patterns) {
			const owner = owners.get(pattern);
			if (owner !== undefined) {
				throw new MtlsConfigError(
					'ERR_MTLS_BAD_OPTION',
					`mtls[${index}].origins`,
					`'${pattern}' is in \`mtls[${owner}].origins\` too: give each origin to one identity`,
				);
			}
			owners.set(pattern, index);
		}
	}
}

function mostSpecific(entries: readonly Entry[], origin: string): Entry | undefined {
	let best: Entry | undefined;
	let highest = 0;
	for (const entry of entries) {
		const specificity = entry.origins.specificity(origin);
		if (specificity <= highest) continue;
		best = entry;
		highest = specificity;
	}
	return best;
}

function entryOf(given: MtlsOptions, path: string, events: SelectorEvents): Entry {
	try {
		const options = readEntry(given, events);
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
			hasIdentity: credentialOptions.some((name) => options[name] !== undefined),
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
