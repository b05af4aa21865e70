import {extname} from 'node:path';
import {inspect} from 'node:util';
import {MtlsConfigError} from '../../config-error.ts';
import {isLogger} from '../../logging/messages.ts';
import type {Logger} from '../../options.ts';
import {describeType, readOptions} from '../../util/check-options.ts';
import {MAX_TIMER_MS} from '../../util/clock.ts';
import type {CookieFileSettings} from './cookie-file.ts';
import {formats} from './read-cookie-file.ts';

/** What {@link fileJar} takes besides the path. */
export interface FileJarOptions {
	/**
	 * What a new file is written as; one that exists stays what it is. `'netscape'` is the
	 * `cookies.txt` of curl, wget and Python's `MozillaCookieJar`: it holds no `SameSite`, no time of
	 * creation, no unknown attributes, and seconds only. `'json'` is what `CookieJar.fromJSON` of
	 * tough-cookie reads, and holds all that it knows.
	 * @defaultValue `'json'` for a name that ends in `.json`, else `'netscape'`
	 */
	format?: 'netscape' | 'json';
	/**
	 * Load and save also the cookies that end with the session, as curl does; what logs in is mostly
	 * one of these. The word is that of Python's `http.cookiejar`, where it is off.
	 * @defaultValue `true`
	 */
	ignoreDiscard?: boolean;
	/**
	 * Load and save also the cookies that have expired, as `http.cookiejar` means it. They are never
	 * sent. @defaultValue `false`
	 */
	ignoreExpires?: boolean;
	/**
	 * Of a file that is damaged: fail and leave it as it is, or rename it to `NAME.damaged-TIME`, tell
	 * the logger and begin a new one. @defaultValue `'error'`
	 */
	onDamaged?: 'error' | 'rename';
	/** From a change until it is saved, in ms: so many changes are saved at once. @defaultValue `250` */
	debounceMs?: number;
	/**
	 * tough-cookie's own. `false` is for a client with `cookies: {internalDomains}`, which looks after
	 * public suffixes itself. @defaultValue `true`
	 */
	rejectPublicSuffixes?: boolean;
	/** Told what could not be saved, and of files that others may read. `false` silences. @defaultValue `console` */
	logger?: Logger | false;
}

/** By option: what it takes, and whether a value is that. */
const checks: Readonly<
	Record<keyof FileJarOptions, readonly [expected: string, isFit: (value: unknown) => boolean]>
> = {
	format: ["'netscape' or 'json'", (value) => value === 'netscape' || value === 'json'],
	ignoreDiscard: ['true or false', (value) => typeof value === 'boolean'],
	ignoreExpires: ['true or false', (value) => typeof value === 'boolean'],
	onDamaged: ["'error' or 'rename'", (value) => value === 'error' || value === 'rename'],
	debounceMs: [
		`0 to ${MAX_TIMER_MS} ms`,
		(value) => typeof value === 'number' && value >= 0 && value <= MAX_TIMER_MS,
	],
	rejectPublicSuffixes: ['true or false', (value) => typeof value === 'boolean'],
	logger: ['error() and warn(), or false', (value) => value === false || isLogger(value)],
};

const known = Object.keys(checks) as readonly (keyof FileJarOptions)[];

/**
 * The options of the file `path`, with the defaults.
 *
 * @throws {MtlsConfigError} naming the one that cannot be used.
 */
export function resolveFileJar(
	path: string,
	given: FileJarOptions,
): CookieFileSettings & {readonly rejectPublicSuffixes: boolean} {
	const options = readOptions<FileJarOptions>(given, {known, option: 'options', prefix: ''});
	for (const [name, value] of Object.entries(options)) {
		const [expected, isFit] = checks[name as keyof FileJarOptions];
		if (isFit(value)) continue;
		const isTold = typeof value === 'string' || typeof value === 'number';
		const found = isTold ? inspect(value) : describeType(value);
		throw new MtlsConfigError('ERR_MTLS_BAD_OPTION', name, `expected ${expected}, found ${found}`);
	}
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
