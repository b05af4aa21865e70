import type {IdentityMaterial, MtlsOptions} from '../../options.ts';
import {withOptionPath, withoutPrototype} from '../../util/check-options.ts';
import {
	assertLoadable,
	loadSnapshot,
	type Snapshot,
	type SnapshotContext,
	type SnapshotOptions,
} from '../snapshot.ts';
import {FileWatch, filesOf, fingerprint} from './file-watcher.ts';
import {callLoader, materialDigest} from './identity-loader.ts';

/** What a source tells. */
export interface SourceEvents extends Pick<SnapshotContext, 'report' | 'counts'> {
	/** A snapshot took effect: the first, or another in the place of `previous`. */
	readonly onSnapshot: (snapshot: Snapshot, previous: Snapshot | undefined) => void;
	/** Nothing new was loaded; the old stays. */
	readonly onFailure: (error: unknown, epoch: number) => void;
	/** `snapshot` is not to be used for another request. */
	readonly onRetire: (snapshot: Snapshot) => void;
}

/** How often files and loaders are asked where nothing else is said. */
const defaultEveryMs = 60_000;

/** After the n-th failure in a row what failed is left alone for `2 ** n - 1` turns, up to this many. */
const mostTurnsOff = 15;

/** A loader that failed before there was any identity is not asked again at once. */
const firstRetryMs = 1_000;

/** A loader that has not answered for so long is asked again by who needs it; as long as a connection may take. */
const patienceMs = 60_000;

/** A load whose loader has yet to answer. */
interface Load {
	readonly promise: Promise<Snapshot>;
	readonly resolve: (snapshot: Snapshot) => void;
	readonly reject: (error: unknown) => void;
	readonly since: number;
	/** For how many turns it has not. */
	turns: number;
}

let sources = 0;

/** Gives the snapshot of now, and puts another in its place when the files, or the loader's answer, are new. */
export class SnapshotSource {
	readonly #options: MtlsOptions;
	/** The option that it was made of, for messages: `mtls`, `mtls[1]`. */
	readonly #path: string;
	readonly #events: SourceEvents;
	#current: Snapshot | undefined;
	#epoch = 0;
	/** What the current snapshot, and the last one that could not be made, was made of. */
	#madeOf = '';
	#failedOn: string | undefined;
	#failures = 0;
	#turnsOff = 0;
	#failure: {readonly error: unknown; readonly at: number} | undefined;
	/** The one that was begun last comes last. */
	readonly #loads = new Set<Load>();
	#reloading: Promise<Snapshot> | undefined;
	/** The look whose loader has yet to answer, and for how many turns it has not. */
	#asked: {turns: number} | undefined;
	#watch: FileWatch | undefined;
	/** What is loaded is for those who wait, and is kept for nobody after them. */
	#released = false;
	#closed = false;
	/** No other source of this process has it. */
	readonly key: string;

	/**
	 * @param options - As `readMtlsOptions` gives them.
	 * @throws {MtlsConfigError} when they cannot be used, unless a loader has yet to answer.
	 */
	constructor(options: MtlsOptions, path: string, events: SourceEvents, when: 'now' | 'later') {
		this.#options = options;
		this.#path = path;
		this.#events = events;
		sources += 1;
		this.key = String(sources);
		// Files that are loaded now are looked at as they are; a loader may take its time.
		if (when === 'later' || options.identity !== undefined) this.#assertLoadable();
		if (when === 'later') return;
		const loaded = this.#load();
		// Whoever waits for it hears of it.
		if (loaded instanceof Promise) loaded.catch(() => {});
	}

	/** The snapshot of now, where it is loaded. */
	get current(): Snapshot | undefined {
		return this.#current;
	}

	/**
	 * The snapshot of now; a promise only where a loader has yet to answer, or where there is none: it
	 * rejects with an `MtlsConfigError`, or with what the loader threw.
	 */
	take(): Snapshot | Promise<Snapshot> {
		this.#released = false;
		if (this.#current !== undefined) return this.#current;
		const loading = this.#newest();
		if (loading !== undefined && performance.now() - loading.since < patienceMs) {
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

	/** Loads anew, and goes over to it. Rejects as {@link take} does; the old snapshot then stays. */
	reload(): Promise<Snapshot> {
		this.#reloading ??= this.#reload();
		return this.#reloading;
	}

	async #reload(): Promise<Snapshot> {
		// Those that are asked for in one turn are one. What is being loaded is not waited for: it may
		// never come, and may have been read before the change that the caller knows of.
		await undefined;
		this.#reloading = undefined;
		return this.#load();
	}

	/** Looks for new files no more. */
	close(): void {
		this.#closed = true;
		this.#watch?.close();
	}

	/** Lets go of the snapshot and the files; the next `take` loads again. */
	release(): void {
		this.#released = true;
		this.#asked = undefined;
		this.#watch?.close();
		const snapshot = this.#current;
		this.#current = undefined;
		if (snapshot !== undefined) this.#events.onRetire(snapshot);
	}

	#load(): Snapshot | Promise<Snapshot> {
		const {identity} = this.#options;
		try {
			const material = identity === undefined ? noMaterial : callLoader(identity);
			if (material instanceof Promise) return this.#fetch(material);
			const snapshot = this.#make(material);
			this.#settle(snapshot);
			return snapshot;
		} catch (error) {
			throw this.#failed(error);
		}
	}

	#fetch(material: Promise<IdentityMaterial>): Promise<Snapshot> {
		const load: Load = {
			...Promise.withResolvers<Snapshot>(),
			since: performance.now(),
			turns: 0,
		};
		this.#loads.add(load);
		material
			.then((given) => {
				if (this.#loads.has(load)) this.#settle(this.#make(given), load);
			})
			.catch((error) => {
				if (this.#loads.delete(load)) load.reject(this.#failed(error));
			});
		return load.promise;
	}

	/** Ends the loads that a newer answer has overtaken, up to its own: they get what is newer. */
	#settle(snapshot: Snapshot, last?: Load): void {
		for (const load of this.#loads) {
			this.#loads.delete(load);
			load.resolve(snapshot);
			if (load === last) return;
		}
	}

	#newest(): Load | undefined {
		return [...this.#loads].at(-1);
	}

	#make(material: IdentityMaterial): Snapshot {
		const options: SnapshotOptions = withoutPrototype({...this.#options, ...material});
		// Before the files are read: what changes meanwhile is seen at the next look.
		const seen = fingerprint(filesOf(options));
		const madeOf = describe(material, seen);
		this.#failedOn = madeOf;
		const {report, counts, onSnapshot, onRetire} = this.#events;
		const snapshot = loadSnapshot(options, {
			now: new Date(),
			epoch: this.#epoch,
			identityKey: this.key,
			report,
			counts,
		});
		const previous = this.#current;
		this.#asked = undefined;
		this.#current = this.#released ? undefined : snapshot;
		this.#epoch += 1;
		this.#madeOf = madeOf;
		this.#failedOn = undefined;
		this.#failure = undefined;
		this.#failures = 0;
		this.#turnsOff = 0;
		this.#keepWatch(options, seen);
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
		this.#turnsOff = Math.min(2 ** this.#failures - 1, mostTurnsOff);
		if (this.#current === undefined) this.#failure = {error, at: performance.now()};
		else this.#events.onFailure(error, this.#current.epoch);
		return error;
	}

	#keepWatch(options: MtlsOptions, seen: string): void {
		const {reload} = this.#options;
		if (!reload || this.#closed || this.#released) return;
		const everyMs = (reload === true ? undefined : reload.everyMs) ?? defaultEveryMs;
		this.#watch?.close();
		this.#watch = new FileWatch(filesOf(options), seen, everyMs, (why) => this.#look(why));
	}

	/** Loads anew where there is something new. Told to `onFailure`, so nobody waits for it. */
	#look(why: 'turn' | 'change'): void {
		const {identity} = this.#options;
		if (why === 'turn') this.#turnsOff -= 1;
		try {
			const waiting = this.#newest() ?? this.#asked;
			if (waiting !== undefined) {
				if (why === 'turn') this.#wait(waiting);
				return;
			}
			if (identity === undefined) this.#lookAt(noMaterial);
			else if (why === 'change' || this.#turnsOff < 0) this.#lookAt(callLoader(identity));
		} catch (error) {
			this.#failed(error);
		}
	}

	#lookAt(material: IdentityMaterial | Promise<IdentityMaterial>): void {
		// Released while the loader was asked.
		if (this.#current === undefined) return;
		if (material instanceof Promise) {
			void this.#await(material);
			return;
		}
		const files = filesOf(withoutPrototype({...this.#options, ...material}));
		if (this.#isNew(describe(material, fingerprint(files)))) this.#make(material);
	}

	/** Does nothing with an answer that was overtaken: by a reload, or by another look. */
	async #await(material: Promise<IdentityMaterial>): Promise<void> {
		const asked = {turns: 0};
		this.#asked = asked;
		try {
			const given = await material;
			if (this.#asked === asked) this.#lookAt(given);
		} catch (error) {
			if (this.#asked === asked) this.#failed(error);
		}
		if (this.#asked === asked) this.#asked = undefined;
	}

	// A loader that hangs once must not end the rotation for good.
	#wait(asked: {turns: number}): void {
		asked.turns += 1;
		if (asked.turns < mostTurnsOff) return;
		this.#asked = undefined;
		const message = `no answer for ${mostTurnsOff} turns`;
		const error = Object.assign(new Error(message), {code: 'ETIMEDOUT'});
		for (const {reject} of this.#loads) reject(error);
		this.#loads.clear();
		throw error;
	}

	// What could not be loaded may be some time later: a certificate that was not valid yet, a file
	// that could not be opened.
	#isNew(madeOf: string): boolean {
		return madeOf !== this.#madeOf && (madeOf !== this.#failedOn || this.#turnsOff < 0);
	}
}

/** Where nothing is to be fetched. */
const noMaterial: IdentityMaterial = Object.create(null);

function describe(material: IdentityMaterial, files: string): string {
	return `${materialDigest(material)}\n${files}`;
}
