import {renameSync} from 'node:fs';
import type {Logger} from '../../options.ts';
import {exposedMode} from '../../tls/credentials/checks.ts';
import {CookieFileError} from './cookie-file-error.ts';
import {unwatchExit, watchExit} from './exit-hook.ts';
import {acquireLock, acquireLockSync, type FileLock, flushFolder} from './file-lock.ts';
import {logCookieFileWarning, logNotSaved} from './file-notices.ts';
import {
	type Content,
	type CookieFormat,
	CorruptFileError,
	isKept,
	type RetentionOptions,
} from './format.ts';
import {mergeVersions} from './merge.ts';
import {largestBytes, readCookieFile, resolveLinks} from './read-cookie-file.ts';
import {TrackingStore} from './tracking-store.ts';

/** How long another process is waited for: longer than one that hangs keeps its right. */
const patienceMs = 30_000;

/** The same where this process is held up meanwhile. */
const shortPatienceMs = 1_000;

export interface CookieFileSettings extends RetentionOptions {
	/** Of a file that is new. */
	readonly format: CookieFormat;
	readonly onDamaged: 'error' | 'rename';
	readonly debounceMs: number;
	readonly logger: Logger | false;
}

/** The cookies of a file, and the way back into it. */
export class CookieFile {
	readonly store = new TrackingStore(() => this.#saveSoon());
	readonly #path: string;
	readonly #settings: CookieFileSettings;
	/** The texts of the file as we last read or wrote it, by `idOf`, and their format. */
	#base: ReadonlyMap<string, string> = new Map();
	#format: CookieFormat;
	#timer: NodeJS.Timeout | undefined;
	#last: Promise<void> = Promise.resolve();
	/** What is being written just now, and into what. */
	#writing: ReadonlySet<string> = new Set();
	#draft: FileLock | undefined;
	/** A full disk need not be told four times a second. */
	readonly #told = new Set<string>();

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
		const {logger} = this.#settings;
		const target = resolveLinks(this.#path);
		const mode = exposedMode(target);
		if (mode !== undefined) {
			logCookieFileWarning(logger, {event: 'file_exposed', path: this.#path, mode});
		}
		const content = this.#readAlone(target);
		if (content === undefined) return;
		this.#format = content.format;
		this.#base = textsOf(content);
		this.store.follow([...content.entries.values()].map(({cookie}) => cookie));
	}

	/**
	 * Writes what has changed.
	 *
	 * @throws {CookieFileError}
	 */
	save(): Promise<void> {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const saved = this.#last.then(() => this.#write());
		this.#last = saved.catch(() => {});
		return saved;
	}

	/** Writes what has changed; a failure is told to the logger. */
	async flush(): Promise<void> {
		await this.save().catch((error) => this.#tellOnce(error));
	}

	/** Ends a save that is under way; what it was to write is to be written again. */
	abortSave(): void {
		this.#draft?.release();
		this.store.putBack(this.#writing);
	}

	/** Writes what has changed, in a process that ends now. */
	saveAtExit(): void {
		try {
			const target = resolveLinks(this.#path);
			this.#hold(target, (draft) => {
				const {bytes} = this.#unite(target);
				if (bytes === undefined) return;
				draft.fillNow(bytes);
				draft.commit();
			});
		} catch (error) {
			this.#tellOnce(this.#asFailure(error));
		}
	}

	#saveSoon(): void {
		watchExit(this);
		this.#timer ??= setTimeout(() => this.flush(), this.#settings.debounceMs).unref();
	}

	async #write(): Promise<void> {
		try {
			while (this.store.changed.size > 0 && !(await this.#tryWrite()));
		} catch (error) {
			throw this.#asFailure(error);
		}
		this.#told.clear();
		// What changed meanwhile has a save of its own.
		if (this.store.changed.size === 0) unwatchExit(this);
	}

	/** `false`, and the changes are to be done still, when another process took us for dead. */
	async #tryWrite(): Promise<boolean> {
		const target = resolveLinks(this.#path);
		const draft = await acquireLock(target, patienceMs);
		if (draft === undefined) throw this.#locked();
		this.#draft = draft;
		try {
			const {texts, bytes} = this.#unite(target);
			if (bytes !== undefined) {
				await draft.write(bytes);
				draft.commit();
			}
			this.#base = texts;
		} catch (error) {
			this.store.putBack(this.#writing);
			if (draft.wasStolen(error)) return false;
			throw error;
		} finally {
			this.#writing = new Set();
			this.#draft = undefined;
			draft.release();
		}
		await flushFolder(target);
		return true;
	}

	#hold<T>(target: string, work: (draft: FileLock) => T): T {
		const draft = acquireLockSync(target, shortPatienceMs);
		if (draft === undefined) throw this.#locked();
		try {
			return work(draft);
		} finally {
			draft.release();
		}
	}

	/** Unites the file and the store: what the file is to hold, and its bytes unless it does already. */
	#unite(target: string): {texts: ReadonlyMap<string, string>; bytes?: Buffer} {
		const now = Date.now();
		const theirs = this.#read(target) ?? this.#asKnown(now);
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
		return {texts, bytes: this.#join(theirs, texts.values())};
	}

	/** A whole file. One that is too large could not be read again. */
	#join({format, head}: Content, texts: Iterable<string>): Buffer {
		const all = [...texts];
		const characters = all.reduce((sum, {length}) => sum + length, 0);
		const bytes = characters > largestBytes ? undefined : format.serialize(all, head);
		if (bytes !== undefined && bytes.length <= largestBytes) return bytes;
		const why = `the cookies take more than ${largestBytes / 1024 / 1024} MiB`;
		throw new CookieFileError('ERR_MTLS_JAR_NOT_SAVED', this.#path, why);
	}

	/** The same as {@link #read}, without the right to write: only who renames needs it. */
	#readAlone(target: string): Content | undefined {
		try {
			return this.#look(target);
		} catch (error) {
			if (!this.#isToRename(error)) throw error;
			// Another process may be about to do so, or have begun a new one.
			return this.#hold(target, () => this.#read(target));
		}
	}

	/** The file as it is; `undefined` when it was damaged, and is now out of the way. */
	#read(target: string): Content | undefined {
		try {
			return this.#look(target);
		} catch (error) {
			if (!this.#isToRename(error)) throw error;
			const renamed = `${target}.damaged-${new Date().toISOString().replaceAll(':', '')}`;
			renameSync(target, renamed);
			const {message: reason} = error;
			const notice = {event: 'cookie_file_renamed', path: this.#path, renamed, reason} as const;
			logCookieFileWarning(this.#settings.logger, notice);
			return undefined;
		}
	}

	#look(target: string): Content {
		const now = Date.now();
		const {entries, ...rest} = readCookieFile(target, this.#format, now);
		const kept = [...entries].filter(([, {cookie}]) => isKept(cookie, this.#settings, now));
		return {...rest, entries: new Map(kept)};
	}

	#isToRename(error: unknown): error is CorruptFileError {
		return error instanceof CorruptFileError && this.#settings.onDamaged === 'rename';
	}

	#asKnown(now: number): Content {
		return this.#format.parse(this.#format.serialize(this.#base.values()), now);
	}

	#textOf(id: string, now: number): string | undefined {
		const cookie = this.store.find(id);
		if (cookie === undefined || !isKept(cookie, this.#settings, now)) return undefined;
		const text = this.#format.write(cookie, now);
		if (text === undefined) {
			const {key: name, domain} = cookie;
			logCookieFileWarning(this.#settings.logger, {
				event: 'cookie_not_saved',
				path: this.#path,
				name,
				domain,
			});
		}
		return text;
	}

	#locked(): CookieFileError {
		return new CookieFileError(
			'ERR_MTLS_JAR_LOCKED',
			this.#path,
			'another process is saving to it',
		);
	}

	#asFailure(error: unknown): CookieFileError {
		if (error instanceof CookieFileError) return error;
		if (error instanceof CorruptFileError) {
			const why = `it is damaged (${error.message}) and was left as it is`;
			return new CookieFileError('ERR_MTLS_JAR_DAMAGED', this.#path, why);
		}
		const {code = 'unknown error', path} = error as NodeJS.ErrnoException;
		// Nobody looks for it there; the name of a draft would be another one each time.
		const why = path?.endsWith('.lock') ? `${code} on '${path}'` : code;
		return new CookieFileError('ERR_MTLS_JAR_NOT_SAVED', this.#path, why, error);
	}

	#tellOnce(failure: CookieFileError): void {
		if (this.#told.has(failure.message)) return;
		this.#told.add(failure.message);
		logNotSaved(this.#settings.logger, failure);
	}
}

function textsOf({entries}: Content): ReadonlyMap<string, string> {
	return new Map([...entries].map(([id, {text}]) => [id, text]));
}

function isSame(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
	return one.size === other.size && [...one].every(([id, text]) => other.get(id) === text);
}
