import type {IdentityMaterial, MtlsOptions} from '../../options/mtls.ts';
import {withOptionPath, withoutPrototype} from '../../util/check-options.ts';
import {
	assertLoadable,
	loadSnapshot,
	type Snapshot,
	type SnapshotContext,
	type SnapshotOptions,
} from '../snapshot.ts';
import {FileWatcher, filesOf, fingerprint} from './file-watcher.ts';
import {callLoader, materialDigest} from './identity-loader.ts';

/** What a source reports. */
export interface SourceEvents extends Pick<SnapshotContext, 'report' | 'counts'> {
	/** A snapshot took effect: the first one, or the successor of `previous`. */
	readonly onSnapshot: (snapshot: Snapshot, previous: Snapshot | undefined) => void;
	/** A new identity could not be loaded; the old one stays. */
	readonly onFailure: (error: unknown, epoch: number) => void;
	/** `snapshot` must not be used for another request. */
	readonly onRetire: (snapshot: Snapshot) => void;
}

/** How often files and loaders are polled unless `reload.everyMs` says otherwise. */
const defaultEveryMs = 60_000;

/** After the n-th failure in a row `2 ** n - 1` polls are skipped, up to this many. */
const maxSkippedPolls = 15;

/** The wait before a loader is called again that failed before there was any identity. */
const firstRetryMs = 1_000;

/** After this time without an answer the next request calls the loader again. As long as connecting may take. */
const loaderTimeoutMs = 60_000;

/** A load whose loader has not answered yet. */
interface Load {
	readonly promise: Promise<Snapshot>;
	readonly resolve: (snapshot: Snapshot) => void;
	readonly reject: (error: unknown) => void;
	readonly since: number;
	/** Polls that have found it unanswered. */
	polls: number;
}

let sources = 0;

/** Holds the current snapshot, and replaces it when the files, or what the loader returns, have changed. */
export class SnapshotSource {
	readonly #options: MtlsOptions;
	/** The option that it was made from, for messages: `mtls`, `mtls[1]`. */
	readonly #path: string;
	readonly #events: SourceEvents;
	#current: Snapshot | undefined;
	#epoch = 0;
	/** The digest of the files and the material that the current snapshot was made from. */
	#loadedDigest = '';
	/** The digest of the last material that could not be loaded. */
	#failedDigest: string | undefined;
	#failures = 0;
	#skipPolls = 0;
	#failure: {readonly error: unknown; readonly at: number} | undefined;
	/** Oldest first. */
	readonly #loads = new Set<Load>();
	#reloading: Promise<Snapshot> | undefined;
	/** The poll whose loader has not answered yet, and how many polls came since. */
	#pendingLoad: {polls: number} | undefined;
	#watcher: FileWatcher | undefined;
	/** Then a load in progress serves the requests that wait for it, and its result is dropped. */
	#released = false;
	#closed = false;
	/** Unique in this process. */
	readonly key: string;

	/**
	 * @param options - As `readMtlsOptions` gives them.
	 * @throws {MtlsConfigError} when they cannot be used, unless a loader has not answered yet.
	 */
	constructor(options: MtlsOptions, path: string, events: SourceEvents, when: 'now' | 'later') {
		this.#options = options;
		this.#path = path;
		this.#events = events;
		sources += 1;
		this.key = String(sources);
		// To load files now is also to check them; a loader may answer much later.
		if (when === 'later' || options.identity !== undefined) this.#assertLoadable();
		if (when === 'later') return;
		const loaded = this.#load();
		// The requests that wait for it get the rejection.
		if (loaded instanceof Promise) loaded.catch(() => {});
	}

	/** The current snapshot, where one is loaded. */
	get current(): Snapshot | undefined {
		return this.#current;
	}

	/**
	 * The current snapshot; a promise only while a loader is at work, or where nothing can be loaded: it
	 * rejects with an `MtlsConfigError`, or with what the loader threw.
	 */
	take(): Snapshot | Promise<Snapshot> {
		this.#released = false;
		if (this.#current !== undefined) return this.#current;
		const loading = this.#latestLoad();
		if (loading !== undefined && performance.now() - loading.since < loaderTimeoutMs) {
			return loading.promise;
		}
		const {error, at} = this.#failure ?? {at: Number.NEGATIVE_INFINITY};
		if (performance.now() - at < firstRetryMs) return Promise.reject(error);
		try {
			return this.#load();
		} catch (error) {
			return Promise.reject(error);
		}
	}

	/** Loads again, and uses the result from now on. Rejects as {@link take} does; the old snapshot then stays. */
	reload(): Promise<Snapshot> {
		this.#reloading ??= this.#reload();
		return this.#reloading;
	}

	async #reload(): Promise<Snapshot> {
		// Several calls in one turn of the event loop are one reload. It does not wait for a load under
		// way, which may never end, and may have read the files before the change that the caller made.
		await undefined;
		this.#reloading = undefined;
		return this.#load();
	}

	/** Stops watching files. */
	close(): void {
		this.#closed = true;
		this.#watcher?.close();
	}

	/** Drops the snapshot and stops watching; the next `take` loads again. */
	release(): void {
		this.#released = true;
		this.#pendingLoad = undefined;
		this.#watcher?.close();
		const snapshot = this.#current;
		this.#current = undefined;
		if (snapshot !== undefined) this.#events.onRetire(snapshot);
	}

	#load(): Snapshot | Promise<Snapshot> {
		const {identity} = this.#options;
		try {
			const material = identity === undefined ? noMaterial : callLoader(identity);
			if (material instanceof Promise) return this.#awaitLoader(material);
			const snapshot = this.#create(material);
			this.#settle(snapshot);
			return snapshot;
		} catch (error) {
			throw this.#failed(error);
		}
	}

	#awaitLoader(material: Promise<IdentityMaterial>): Promise<Snapshot> {
		const load: Load = {
			...Promise.withResolvers<Snapshot>(),
			since: performance.now(),
			polls: 0,
		};
		this.#loads.add(load);
		material
			.then((given) => {
				if (this.#loads.has(load)) this.#settle(this.#create(given), load);
			})
			.catch((error) => {
				if (this.#loads.delete(load)) load.reject(this.#failed(error));
			});
		return load.promise;
	}

	/** Resolves `last`, and the loads that began before it, with the newer `snapshot`. */
	#settle(snapshot: Snapshot, last?: Load): void {
		for (const load of this.#loads) {
			this.#loads.delete(load);
			load.resolve(snapshot);
			if (load === last) return;
		}
	}

	#latestLoad(): Load | undefined {
		return [...this.#loads].at(-1);
	}

	#create(material: IdentityMaterial): Snapshot {
		const options: SnapshotOptions = withoutPrototype({...this.#options, ...material});
		// Before the files are read, so that the next poll sees a change meanwhile.
		const filesFingerprint = options.reload ? fingerprint(filesOf(options)) : '';
		const digest = options.reload ? digestOf(material, filesFingerprint) : '';
		this.#failedDigest = digest;
		const {report, counts, onSnapshot, onRetire} = this.#events;
		const snapshot = loadSnapshot(options, {
			now: new Date(),
			epoch: this.#epoch,
			identityKey: this.key,
			report,
			counts,
		});
		const previous = this.#current;
		this.#pendingLoad = undefined;
		this.#current = this.#released ? undefined : snapshot;
		this.#epoch += 1;
		this.#loadedDigest = digest;
		this.#failedDigest = undefined;
		this.#failure = undefined;
		this.#failures = 0;
		this.#skipPolls = 0;
		this.#watchFiles(options, filesFingerprint);
		if (previous !== undefined) onRetire(previous);
		onSnapshot(snapshot, previous);
		if (this.#released) onRetire(snapshot);
		return snapshot;
	}

	#assertLoadable(): void {
		try {
			assertLoadable(this.#options, new Date());
		} catch (error) {
			throw withOptionPath(error, this.#path);
		}
	}

	#failed(cause: unknown): unknown {
		const error = withOptionPath(cause, this.#path);
		this.#failures += 1;
		this.#skipPolls = Math.min(2 ** this.#failures - 1, maxSkippedPolls);
		if (this.#current === undefined) this.#failure = {error, at: performance.now()};
		else this.#events.onFailure(error, this.#current.epoch);
		return error;
	}

	#watchFiles(options: MtlsOptions, filesFingerprint: string): void {
		const {reload} = this.#options;
		if (!reload || this.#closed || this.#released) return;
		const everyMs = (reload === true ? undefined : reload.everyMs) ?? defaultEveryMs;
		this.#watcher?.close();
		this.#watcher = new FileWatcher(filesOf(options), filesFingerprint, everyMs, (why) =>
			this.#poll(why),
		);
	}

	/** Loads again if something has changed. No request waits for it: a failure goes to `onFailure`. */
	#poll(why: 'timer' | 'change'): void {
		const {identity} = this.#options;
		if (why === 'timer') this.#skipPolls -= 1;
		try {
			const waiting = this.#latestLoad() ?? this.#pendingLoad;
			if (waiting !== undefined) {
				if (why === 'timer') this.#countPoll(waiting);
				return;
			}
			if (identity === undefined) this.#loadIfNew(noMaterial);
			else if (why === 'change' || this.#skipPolls < 0) this.#loadIfNew(callLoader(identity));
		} catch (error) {
			this.#failed(error);
		}
	}

	#loadIfNew(material: IdentityMaterial | Promise<IdentityMaterial>): void {
		// Released while the loader was at work.
		if (this.#current === undefined) return;
		if (material instanceof Promise) {
			void this.#awaitPoll(material);
			return;
		}
		const files = filesOf(withoutPrototype({...this.#options, ...material}));
		if (this.#isNew(digestOf(material, fingerprint(files)))) this.#create(material);
	}

	/** Ignores material that a reload, or a later poll, has overtaken. */
	async #awaitPoll(material: Promise<IdentityMaterial>): Promise<void> {
		const pending = {polls: 0};
		this.#pendingLoad = pending;
		try {
			const given = await material;
			if (this.#pendingLoad === pending) this.#loadIfNew(given);
		} catch (error) {
			if (this.#pendingLoad === pending) this.#failed(error);
		}
		if (this.#pendingLoad === pending) this.#pendingLoad = undefined;
	}

	// A loader that hangs once must not end the rotation for good.
	#countPoll(pending: {polls: number}): void {
		pending.polls += 1;
		if (pending.polls < maxSkippedPolls) return;
		this.#pendingLoad = undefined;
		const message = `no answer for ${maxSkippedPolls} polls`;
		const error = Object.assign(new Error(message), {code: 'ETIMEDOUT'});
		for (const {reject} of this.#loads) reject(error);
		this.#loads.clear();
		throw error;
	}

	// Material that could not be loaded may be loadable later: a certificate that was not valid yet, a file
	// that could not be opened.
	#isNew(digest: string): boolean {
		return digest !== this.#loadedDigest && (digest !== this.#failedDigest || this.#skipPolls < 0);
	}
}

/** Without `identity` there is nothing to fetch. */
const noMaterial: IdentityMaterial = Object.create(null);

function digestOf(material: IdentityMaterial, files: string): string {
	return `${materialDigest(material)}\n${files}`;
}
