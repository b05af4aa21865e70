import {accessSync, constants, existsSync} from 'node:fs';
import {dirname, extname, resolve} from 'node:path';
import {inspect} from 'node:util';
import {CookieJar} from 'tough-cookie';
import {type ConfigErrorCode, MtlsConfigError} from '../../config-error.ts';
import {sharedByCopies} from '../../copies.ts';
import {isLogger} from '../../logging/logger.ts';
import type {Logger} from '../../options.ts';
import {
	boolean,
	describeType,
	numberOrType,
	numeric,
	oneOf,
	readOptions,
	withCallerStack,
} from '../../util/check-options.ts';
import {MAX_TIMER_MS} from '../../util/clock.ts';
import {jarDefaults} from '../jar-defaults.ts';
import {CookieFile} from './cookie-file.ts';
import {CookieFileError} from './cookie-file-error.ts';
import {CorruptFileError} from './format.ts';
import {formats, resolveLinks} from './read-cookie-file.ts';

/** The options of {@link fileJar}. */
export interface FileJarOptions {
	/**
	 * The format of a new file; one that exists keeps its own. `'netscape'` is the
	 * `cookies.txt` of curl, wget and Python's `MozillaCookieJar`: it holds no `SameSite`, no time of
	 * creation, no unknown attributes, and seconds only. `'json'` is what `CookieJar.fromJSON` of
	 * tough-cookie reads, and holds all that it knows.
	 * @defaultValue `'json'` for a name that ends in `.json`, else `'netscape'`
	 */
	format?: 'netscape' | 'json';
	/**
	 * Load and save session cookies too, as curl does; the cookie of a login mostly is one. The name is
	 * that of Python's `http.cookiejar`, where it is off.
	 * @defaultValue `true`
	 */
	ignoreDiscard?: boolean;
	/**
	 * Load and save expired cookies too, as in `http.cookiejar`. They are never sent.
	 * @defaultValue `false`
	 */
	ignoreExpires?: boolean;
	/**
	 * When the file is damaged: fail and leave it as it is, or rename it to `NAME.damaged-TIME`, log a
	 * warning and begin a new one. @defaultValue `'error'`
	 */
	onDamaged?: 'error' | 'rename';
	/** The time from a change to its save, in ms; changes within it are saved together. @defaultValue `250` */
	debounceMs?: number;
	/**
	 * The option of tough-cookie. `false` is for a client with `cookies: {internalDomains}`, which checks
	 * public suffixes itself. @defaultValue `true`
	 */
	rejectPublicSuffixes?: boolean;
	/** Logs failed saves, and files that others may read. `false` logs nothing. @defaultValue `console` */
	logger?: Logger | false;
}

const files = sharedByCopies('cookieFiles', () => new WeakMap<CookieJar, CookieFile>());

/** A tough-cookie jar that is saved to a file. */
export class FileJar extends CookieJar {
	/** Absolute; symbolic links are followed at each save. */
	readonly path: string;
	readonly #file: CookieFile;

	/** @internal Made by {@link fileJar}. */
	constructor(path: string, file: CookieFile, rejectPublicSuffixes: boolean) {
		super(file.store, {...jarDefaults, rejectPublicSuffixes});
		this.path = path;
		this.#file = file;
		files.set(this, file);
	}

	/**
	 * Writes the changes since the last save, if any; resolves when they are on the disk.
	 *
	 * @throws {CookieFileError} when the file is damaged or locked, or cannot be written. The file is then
	 * unchanged, and the cookies are still in the jar.
	 */
	save(): Promise<void> {
		return this.#file.save();
	}
}

/**
 * Opens a cookie file: Netscape's `cookies.txt` or tough-cookie's JSON, whichever it is. If there is no
 * file, the jar is empty, and the file is made once the jar has a cookie.
 *
 * The jar is saved soon after a change, by `save()`, by `client.mtls.close()` of the client that it was
 * given to (not of one that only gets it with requests), and when the process ends by itself or by
 * `process.exit()`. A process that a signal ends loses the changes of the last `debounceMs`.
 * Several processes may share a file: a save merges the cookies that the others have set and removed; if
 * two change one cookie, the last save wins. The file is replaced as a whole, and only its owner can read it.
 *
 * Security: whoever reads the file has the session.
 *
 * @throws {MtlsConfigError} for `jar`, when the file is damaged, or cannot be read or written; for an
 * option that cannot be used.
 */
export function fileJar(path: string, options: FileJarOptions = {}): FileJar {
	return withCallerStack(fileJar, () => openFile(path, options));
}

function openFile(path: string, options: FileJarOptions): FileJar {
	if (typeof path !== 'string' || path.trim() === '' || /\p{Cc}/u.test(path)) {
		const found =
			path === '' || typeof path !== 'string' ? describeType(path) : 'a string that is none';
		throw configError('ERR_MTLS_BAD_OPTION', `expected the path of a file, found ${found}`);
	}
	const absolute = resolve(path);
	const {rejectPublicSuffixes, ...settings} = resolveOptions(path, options);
	const file = new CookieFile(absolute, settings);
	try {
		file.load();
		assertWritable(absolute);
	} catch (error) {
		throw loadError(path, error);
	}
	return new FileJar(absolute, file, rejectPublicSuffixes);
}

/** Saves a jar that has a file; resolves at once for any other. A failure is logged. */
export async function flushJar(jar: CookieJar | undefined): Promise<void> {
	if (jar !== undefined) await files.get(jar)?.flush();
}

const known = {
	format: oneOf('netscape', 'json'),
	ignoreDiscard: boolean,
	ignoreExpires: boolean,
	onDamaged: oneOf('error', 'rename'),
	debounceMs: numeric(`0 to ${MAX_TIMER_MS} ms`, (ms) => ms >= 0 && ms <= MAX_TIMER_MS),
	rejectPublicSuffixes: boolean,
	logger: {
		expected: 'error() and warn(), or false',
		accepts: (value: unknown) => value === false || isLogger(value),
	},
};

function resolveOptions(path: string, given: FileJarOptions) {
	const options = readOptions<FileJarOptions>(given, {
		known,
		option: 'options',
		prefix: '',
		describe: (value) => (typeof value === 'string' ? inspect(value) : numberOrType(value)),
	});
	const byName = extname(path).toLowerCase() === '.json' ? 'json' : 'netscape';
	return {
		format: formats[options.format ?? byName],
		ignoreDiscard: options.ignoreDiscard ?? true,
		ignoreExpires: options.ignoreExpires ?? false,
		onDamaged: options.onDamaged ?? 'error',
		debounceMs: options.debounceMs ?? 250,
		logger: options.logger ?? console,
		rejectPublicSuffixes: options.rejectPublicSuffixes ?? true,
	};
}

// Checked now rather than after a login.
function assertWritable(path: string): void {
	const target = resolveLinks(path);
	try {
		// To replace a file, only its folder must be writable; but a file is read-only on purpose.
		accessSync(dirname(target), constants.W_OK);
		if (existsSync(target)) accessSync(target, constants.W_OK);
	} catch (cause) {
		const {code} = cause as NodeJS.ErrnoException;
		throw configError('ERR_MTLS_UNWRITABLE_FILE', `cannot write file '${path}': ${code}`, cause);
	}
}

function loadError(path: string, error: unknown): MtlsConfigError {
	if (error instanceof MtlsConfigError) return error;
	if (error instanceof CorruptFileError) {
		const why = `file '${path}' is damaged: ${error.message}; it was left as it is`;
		return configError('ERR_MTLS_JAR_DAMAGED', why);
	}
	if (error instanceof CookieFileError) {
		return configError('ERR_MTLS_UNREADABLE_FILE', error.message, error);
	}
	const {code} = error as NodeJS.ErrnoException;
	return code === 'ENOENT'
		? configError('ERR_MTLS_NO_SUCH_FILE', `no such folder '${dirname(path)}'`, error)
		: configError('ERR_MTLS_UNREADABLE_FILE', `cannot read file '${path}': ${code}`, error);
}

function configError(code: ConfigErrorCode, message: string, cause?: unknown): MtlsConfigError {
	return new MtlsConfigError(code, 'jar', message, cause);
}
