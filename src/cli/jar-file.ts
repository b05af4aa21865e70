import {accessSync, constants, readFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {CookieJar} from '../index.ts';
import {fileErrorCode, privateMode, replaceFile} from './files.ts';
import {UsageError} from './usage-error.ts';

/** The cookies of a file, and the way back into it. */
export interface JarFile {
	readonly jar: CookieJar;
	/** Writes the cookies back, readable by the owner alone. Does nothing when none has changed. */
	save(): void;
}

/**
 * Opens `--jar FILE`: tough-cookie's JSON. No such file is an empty jar.
 *
 * Two runs at the same time do not see each other's cookies: the one that ends last is kept.
 *
 * @throws {UsageError} when the file is damaged, which leaves it as it is, or could not be written
 * later; now is better than after a login.
 */
export function openJarFile(path: string): JarFile {
	const text = readIfThere(path);
	assertWritable(path, text !== undefined);
	const jar = text === undefined ? emptyJar() : parseJar(path, text);
	const before = cookiesOf(jar);
	return {
		jar,
		save() {
			if (cookiesOf(jar) === before) return;
			try {
				replaceFile(path, `${JSON.stringify(jar.serializeSync(), null, 2)}\n`, privateMode);
			} catch (error) {
				throw new UsageError('--jar', `cannot write '${path}': ${fileErrorCode(error)}`);
			}
		},
	};
}

function readIfThere(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		const code = fileErrorCode(error);
		if (code === 'ENOENT') return undefined;
		throw new UsageError('--jar', `cannot read '${path}': ${code}`);
	}
}

function assertWritable(path: string, exists: boolean): void {
	try {
		accessSync(dirname(path), constants.W_OK);
		if (exists) accessSync(path, constants.W_OK);
	} catch (error) {
		throw new UsageError('--jar', `cannot write '${path}': ${fileErrorCode(error)}`);
	}
}

function emptyJar(store?: CookieJar['store']): CookieJar {
	// Without this tough-cookie sends Secure cookies to http://localhost; it does not serialize it either.
	return new CookieJar(store, {allowSecureOnLocal: false});
}

function parseJar(path: string, text: string): CookieJar {
	let jar: CookieJar;
	let written: number;
	try {
		const serialized: {cookies: unknown[]} = JSON.parse(text);
		jar = emptyJar(CookieJar.fromJSON(text).store);
		written = serialized.cookies.length;
	} catch {
		// Security: JSON.parse quotes what it stumbled over, which may be a cookie.
		throw damaged(path, `${Buffer.byteLength(text)} bytes that are no cookie jar`);
	}
	// tough-cookie drops what it cannot read without a word, and the next save would make that final.
	const read = jar.serializeSync()?.cookies.length ?? 0;
	if (read !== written) throw damaged(path, `${written} cookies of which ${read} can be read`);
	return jar;
}

function damaged(path: string, found: string): UsageError {
	return new UsageError(
		'--jar',
		`'${path}' is damaged: found ${found}`,
		'the file was left as it is; move it away to begin a new session',
	);
}

// lastAccessed changes with each request that sends the cookie: not worth a write.
function cookiesOf(jar: CookieJar): string {
	return JSON.stringify(jar.serializeSync()?.cookies, (name, value) =>
		name === 'lastAccessed' ? undefined : value,
	);
}
