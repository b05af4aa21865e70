import {renameSync} from 'node:fs';
import type {Cookie} from 'tough-cookie';
import {callLogger} from '../../logging/logger.ts';
import type {Logger} from '../../options.ts';
import {exposedMode} from '../../util/file-permissions.ts';
import {CookieFileError} from './cookie-file-error.ts';
import {unwatchExit, watchExit} from './exit-hook.ts';
import {acquireLock, acquireLockSync, type FileLock, flushFolder} from './file-lock.ts';
import {
	type Content,
	type CookieFormat,
	CorruptFileError,
	type Entry,
	isKept,
	type RetentionOptions,
} from './format.ts';
import {largestBytes, readCookieFile, resolveLinks} from './read-cookie-file.ts';
import {TrackingStore} from './tracking-store.ts';

/** How long to wait for the lock: longer than it takes for the lock of a hung process to become stale. */
const lockTimeoutMs = 30_000;

/** The same for a wait that blocks the process. */
const blockingLockTimeoutMs = 1_000;

export interface CookieFileSettings extends RetentionOptions {
	/** The format of a new file. */
	readonly format: CookieFormat;
	readonly onDamaged: 'error' | 'rename';
	readonly debounceMs: number;
	readonly logger: Logger | false;
}

/** A store of cookies that is loaded from a file and saved to it. */
export class CookieFile {
	readonly store = new TrackingStore(() => this.#saveSoon());
	readonly #path: string;
	readonly #settings: CookieFileSettings;
	/** The texts of the file when it was last read or written here, by `cookieId`. */
	#base: ReadonlyMap<string, string> = new Map();
	#format: CookieFormat;
	#timer: NodeJS.Timeout | undefined;
	#lastSave: Promise<void> = Promise.resolve();
	/** The changes that are being written, and the lock for it. */
	#writing: ReadonlySet<string> = new Set();
	#lock: FileLock | undefined;
	/** The logged messages: a full disk need not be logged four times a second. */
	readonly #logged = new Set<string>();

	/** @param path - Absolute. */
	constructor(path: string, settings: CookieFileSettings) {
		this.#path = path;
		this.#settings = settings;
		this.#format = settings.format;
	}

	/**
	 * Reads the file.
	 *
	 * @throws {CorruptFileError} {@link CookieFileError}, or what `node:fs` throws.
	 */
	load(): void {
		const path = this.#path;
		const target = resolveLinks(path);
		const mode = exposedMode(target);
		if (mode !== undefined) {
			const message = `cookie file '${path}' may be read by others (mode ${mode.toString(8)}) until it is saved`;
			this.#warn({event: 'file_exposed', path, mode}, message);
		}
		const content = this.#loadFrom(target);
		if (content === undefined) return;
		this.#format = content.format;
		this.#base = textsOf(content);
		this.store.follow([...content.entries.values()].map(({cookie}) => cookie));
	}

	/**
	 * Writes the changes.
	 *
	 * @throws {CookieFileError}
	 */
	save(): Promise<void> {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const saved = this.#lastSave.then(() => this.#write());
		this.#lastSave = saved.catch(() => {});
		return saved;
	}

	/** Writes the changes; a failure is logged. */
	async flush(): Promise<void> {
		await this.save().catch((error) => this.#logOnce(error));
	}

	/** Ends a save that is under way; its changes are pending again. */
	abortSave(): void {
		this.#lock?.release();
		this.store.putBack(this.#writing);
	}

	/** Writes the changes while the process ends. */
	saveAtExit(): void {
		try {
			const target = resolveLinks(this.#path);
			this.#withLockSync(target, (lock) => {
				const {bytes} = this.#merge(target);
				if (bytes === undefined) return;
				lock.writeSync(bytes);
				lock.commit();
			});
		} catch (error) {
			this.#logOnce(this.#saveError(error));
		}
	}

	#saveSoon(): void {
		watchExit(this);
		this.#timer ??= setTimeout(() => this.flush(), this.#settings.debounceMs).unref();
	}

	async #write(): Promise<void> {
		try {
			let isDone = this.store.changed.size === 0;
			while (!isDone) {
				const isWritten = await this.#tryWrite();
				isDone = isWritten || this.store.changed.size === 0;
			}
		} catch (error) {
			throw this.#saveError(error);
		}
		this.#logged.clear();
		// Changes made meanwhile have a save of their own.
		if (this.store.changed.size === 0) unwatchExit(this);
	}

	/** @returns `false` when another process took the lock: the changes are pending again. */
	async #tryWrite(): Promise<boolean> {
		const target = resolveLinks(this.#path);
		const lock = await acquireLock(target, lockTimeoutMs);
		if (lock === undefined) throw this.#lockedError();
		this.#lock = lock;
		try {
			const {texts, bytes} = this.#merge(target);
			if (bytes !== undefined) {
				await lock.write(bytes);
				lock.commit();
			}
			this.#base = texts;
		} catch (error) {
			this.store.putBack(this.#writing);
			if (lock.wasStolen(error)) return false;
			throw error;
		} finally {
			this.#writing = new Set();
			this.#lock = undefined;
			lock.release();
		}
		await flushFolder(target);
		return true;
	}

	#withLockSync<T>(target: string, work: (lock: FileLock) => T): T {
		const lock = acquireLockSync(target, blockingLockTimeoutMs);
		if (lock === undefined) throw this.#lockedError();
		try {
			return work(lock);
		} finally {
			lock.release();
		}
	}

	/** Merges the file and the store. @returns no bytes where the file is up to date. */
	#merge(target: string): {texts: ReadonlyMap<string, string>; bytes?: Buffer} {
		const now = Date.now();
		const theirs = this.#read(target) ?? this.#lastKnown(now);
		this.#format = theirs.format;
		this.#writing = this.store.takeChanged();
		const {texts, arrived, gone} = mergeVersions({
			base: this.#base,
			theirs: theirs.entries,
			changed: this.#writing,
			ours: (id) => this.#textOf(id, now),
		});
		this.store.follow(arrived, gone);
		if (isSame(texts, textsOf(theirs))) return {texts};
		return {texts, bytes: this.#serialize(theirs, texts.values())};
	}

	/** A file that is too large could not be read again. */
	#serialize({format, head}: Content, texts: Iterable<string>): Buffer {
		const all = [...texts];
		const characters = all.reduce((sum, {length}) => sum + length, 0);
		const bytes = characters > largestBytes ? undefined : format.serialize(all, head);
		if (bytes !== undefined && bytes.length <= largestBytes) return bytes;
		const why = `the cookies take more than ${largestBytes / 1024 / 1024} MiB`;
		throw new CookieFileError('ERR_MTLS_JAR_NOT_SAVED', this.#path, why);
	}

	/** Like {@link #read}, but takes the lock itself, and only to rename the file. */
	#loadFrom(target: string): Content | undefined {
		try {
			return this.#parse(target);
		} catch (error) {
			if (!this.#isToRename(error)) throw error;
			// Another process may be about to rename it too, or have begun a new one.
			return this.#withLockSync(target, () => this.#read(target));
		}
	}

	/** The content of the file; `undefined` when it was damaged and has been renamed. */
	#read(target: string): Content | undefined {
		try {
			return this.#parse(target);
		} catch (error) {
			if (!this.#isToRename(error)) throw error;
			const path = this.#path;
			const renamed = `${target}.damaged-${new Date().toISOString().replaceAll(':', '')}`;
			renameSync(target, renamed);
			const {message: reason} = error;
			const message = `cookie file '${path}' was damaged (${reason}): it is now '${renamed}', and a new one begins`;
			this.#warn({event: 'cookie_file_renamed', path, renamed, reason}, message);
			return undefined;
		}
	}

	#parse(target: string): Content {
		const now = Date.now();
		const {entries, ...rest} = readCookieFile(target, this.#format, now);
		const kept = [...entries].filter(([, {cookie}]) => isKept(cookie, this.#settings, now));
		return {...rest, entries: new Map(kept)};
	}

	#isToRename(error: unknown): error is CorruptFileError {
		return error instanceof CorruptFileError && this.#settings.onDamaged === 'rename';
	}

	#lastKnown(now: number): Content {
		return this.#format.parse(this.#format.serialize(this.#base.values()), now);
	}

	#textOf(id: string, now: number): string | undefined {
		const cookie = this.store.find(id);
		if (cookie === undefined || !isKept(cookie, this.#settings, now)) return undefined;
		const text = this.#format.write(cookie, now);
		if (text === undefined) {
			const path = this.#path;
			const {key: name, domain} = cookie;
			const message = `cookie ${JSON.stringify(name)} of ${domain} does not fit into cookie file '${path}': it ends with the process`;
			this.#warn({event: 'cookie_not_saved', path, name, domain}, message);
		}
		return text;
	}

	#lockedError(): CookieFileError {
		const why = 'another process is saving to it';
		return new CookieFileError('ERR_MTLS_JAR_LOCKED', this.#path, why);
	}

	#saveError(error: unknown): CookieFileError {
		if (error instanceof CookieFileError) return error;
		if (error instanceof CorruptFileError) {
			const why = `it is damaged (${error.message}) and was left as it is`;
			return new CookieFileError('ERR_MTLS_JAR_DAMAGED', this.#path, why);
		}
		const {code = 'unknown error', path} = error as NodeJS.ErrnoException;
		// The lock's folder is named: it may be far from the file. A lock file is not: its name is random.
		const why = path?.endsWith('.lock') ? `${code} on '${path}'` : code;
		return new CookieFileError('ERR_MTLS_JAR_NOT_SAVED', this.#path, why, error);
	}

	#warn(fields: object, message: string): void {
		callLogger(this.#settings.logger, 'warn', fields, message);
	}

	#logOnce({code, path, message}: CookieFileError): void {
		if (this.#logged.has(message)) return;
		this.#logged.add(message);
		const fields = {event: 'cookie_file_not_saved', code, path};
		callLogger(this.#settings.logger, 'error', fields, message);
	}
}

/** The versions of a file to merge, each by `cookieId`. */
interface Versions {
	/** The texts of the file when it was last read or written here. */
	readonly base: ReadonlyMap<string, string>;
	/** The file as it is now. */
	readonly theirs: ReadonlyMap<string, Entry>;
	/** The cookies that were set or removed here since. */
	readonly changed: ReadonlySet<string>;
	/** The text of a cookie of this process; `undefined` for one that was removed, or is not for the file. */
	ours(id: string): string | undefined;
}

interface Merged {
	/** The new content. */
	readonly texts: ReadonlyMap<string, string>;
	/** Set by other processes. */
	readonly arrived: readonly Cookie[];
	/** Removed by other processes. */
	readonly gone: readonly string[];
}

/** If both have changed a cookie, the version of this process wins: it writes last. */
function mergeVersions({base, theirs, changed, ours}: Versions): Merged {
	const texts = new Map<string, string>();
	const arrived: Cookie[] = [];
	for (const [id, {text, cookie}] of theirs) {
		texts.set(id, text);
		if (!changed.has(id) && base.get(id) !== text) arrived.push(cookie);
	}
	for (const id of changed) {
		const text = ours(id);
		if (text === undefined) texts.delete(id);
		else texts.set(id, text);
	}
	const gone = [...base.keys()].filter((id) => !theirs.has(id) && !changed.has(id));
	return {texts, arrived, gone};
}

function textsOf({entries}: Content): ReadonlyMap<string, string> {
	return new Map([...entries].map(([id, {text}]) => [id, text]));
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
	return one.size === other.size && [...one].every(([id, text]) => other.get(id) === text);
}
