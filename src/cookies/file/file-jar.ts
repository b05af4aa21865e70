import {accessSync, constants, existsSync} from 'node:fs';
import {dirname, resolve} from 'node:path';
import {CookieJar} from 'tough-cookie';
import {type ConfigErrorCode, MtlsConfigError} from '../../config-error.ts';
import {describeType} from '../../util/check-options.ts';
import {jarDefaults} from '../jar-defaults.ts';
import {CookieFile} from './cookie-file.ts';
import {CookieFileError} from './cookie-file-error.ts';
import {type FileJarOptions, resolveFileJar} from './file-jar-options.ts';
import {CorruptFileError} from './format.ts';
import {resolveLinks} from './read-cookie-file.ts';

const files = new WeakMap<CookieJar, CookieFile>();

/** A tough-cookie jar that is kept in a file. */
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
	 * Writes what has changed since the last save; resolves when it is on the disk. Does nothing when
	 * nothing has.
	 *
	 * @throws {CookieFileError} when the file is damaged or locked, or cannot be written. It is then as
	 * it was, and the cookies are still in the jar.
	 */
	save(): Promise<void> {
		return this.#file.save();
	}
}

/**
 * Opens a cookie file: Netscape's `cookies.txt` or tough-cookie's JSON, whichever it is. No such
 * file is an empty jar, which is written when it has a cookie.
 *
 * Saved soon after a change, at `client.mtls.close()` of the client that has it, by `save()`, and when
 * the process ends by itself or by `process.exit()`. One that only requests bring is not saved by
 * `close()`. What a signal ends loses the changes of the last `debounceMs`.
 * Several processes may share a file: a save takes over what the others have set and removed, and
 * of one cookie the last save counts. It is replaced as a whole, readable by its owner alone.
 *
 * Security: whoever reads the file has the session.
 *
 * @throws {MtlsConfigError} for `jar`, when the file is damaged, or cannot be read or written; for the
 * option that cannot be used.
 */
export function fileJar(path: string, options: FileJarOptions = {}): FileJar {
	if (typeof path !== 'string' || path.trim() === '' || /\p{Cc}/u.test(path)) {
		const found =
			path === '' || typeof path !== 'string' ? describeType(path) : 'a string that is none';
		throw refusal('ERR_MTLS_BAD_OPTION', `expected the path of a file, found ${found}`);
	}
	const absolute = resolve(path);
	const {rejectPublicSuffixes, ...settings} = resolveFileJar(path, options);
	const file = new CookieFile(absolute, settings);
	try {
		file.load();
		assertWritable(absolute);
	} catch (error) {
		throw loadFailure(path, error);
	}
	return new FileJar(absolute, file, rejectPublicSuffixes);
}

/** Saves a jar that has a file; resolves at once for any other. What fails is told to its logger. */
export async function flushJar(jar: CookieJar | undefined): Promise<void> {
	if (jar !== undefined) await files.get(jar)?.flush();
}

// Better now than after a login.
function assertWritable(path: string): void {
	const target = resolveLinks(path);
	try {
		// A file is replaced, so what counts is the folder; but who made it read-only meant it.
		accessSync(dirname(target), constants.W_OK);
		if (existsSync(target)) accessSync(target, constants.W_OK);
	} catch (cause) {
		const {code} = cause as NodeJS.ErrnoException;
		throw refusal('ERR_MTLS_UNWRITABLE_FILE', `cannot write file '${path}': ${code}`, cause);
	}
}

function loadFailure(path: string, error: unknown): MtlsConfigError {
	if (error instanceof MtlsConfigError) return error;
	if (error instanceof CorruptFileError) {
		const why = `file '${path}' is damaged: ${error.message}; it was left as it is`;
		return refusal('ERR_MTLS_JAR_DAMAGED', why);
	}
	if (error instanceof CookieFileError) {
		return refusal('ERR_MTLS_UNREADABLE_FILE', error.message, error);
	}
	const {code} = error as NodeJS.ErrnoException;
	return code === 'ENOENT'
		? refusal('ERR_MTLS_NO_SUCH_FILE', `no such folder '${dirname(path)}'`, error)
		: refusal('ERR_MTLS_UNREADABLE_FILE', `cannot read file '${path}': ${code}`, error);
}

function refusal(code: ConfigErrorCode, message: string, cause?: unknown): MtlsConfigError {
	return new MtlsConfigError(code, 'jar', message, cause);
}
