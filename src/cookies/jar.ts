import {CookieJar} from 'tough-cookie';
import {MtlsConfigError} from '../config-error.ts';
import {CausedError} from '../errors.ts';
import {causeInShort} from '../logging/redact.ts';
import type {ClientOptions, Logger} from '../options.ts';
import {badOption, describeType} from '../util/check-options.ts';
import {fileJar} from './file/file-jar.ts';
import {jarDefaults} from './jar-defaults.ts';
import type {CookiePolicy} from './policy.ts';

export {CookieJar};

/** A jar in memory for a session over TLS. */
export function makeJar({hasInternal = false}: Partial<CookiePolicy> = {}): CookieJar {
	return new CookieJar(undefined, {...jarDefaults, rejectPublicSuffixes: !hasInternal});
}

// By shape: the app may use another copy of tough-cookie.
function isJar(value: unknown): value is CookieJar {
	return (
		typeof value === 'object' &&
		value !== null &&
		typeof (value as CookieJar).getCookies === 'function' &&
		typeof (value as CookieJar).setCookie === 'function'
	);
}

/**
 * The jar of a client by its `jar` option; `inherited` without one.
 *
 * @throws {MtlsConfigError} when the option is not a jar, or names a file that cannot be used.
 */
export function clientJar(
	{jar, logger}: {jar: ClientOptions['jar'] | undefined; logger: Logger | false},
	policy: CookiePolicy,
	inherited: CookieJar | undefined,
): CookieJar | undefined {
	if (typeof jar !== 'string') {
		const expected = 'a tough-cookie CookieJar, the path of a cookie file, true or false';
		return jarOf({jar}, jar === true ? makeJar(policy) : inherited, expected);
	}
	return fileJar(jar, {rejectPublicSuffixes: !policy.hasInternal, logger});
}

/**
 * The jar of one request: its own, or that of the client unless it has `jar: false`.
 *
 * @throws {MtlsConfigError} when its own is not a jar.
 */
export function jarOf(
	{jar}: {jar?: unknown},
	fallback: CookieJar | undefined,
	expected = 'a tough-cookie CookieJar, true or false',
): CookieJar | undefined {
	if (jar === undefined || jar === null) return fallback;
	if (jar === false) return undefined;
	if (isJar(jar)) return jar;
	if (jar !== true) throw badOption('jar', expected, describeType(jar));
	if (fallback !== undefined) return fallback;
	// Cookies that are dropped without an error look like a session that does not last.
	const message = '`true` asks for the jar of a client that has none';
	throw new MtlsConfigError('ERR_MTLS_BAD_OPTION', 'jar', message);
}

/** What is known of the errors of `axios-mtls/redis`, by their `reason` or else their `code`. */
const storeFailures: ReadonlyMap<unknown, string> = new Map([
	[
		'no-key',
		'a cookie in its store is encrypted, and the store has no `key`. What to do: give the store the `key` that the cookie was written with',
	],
	[
		'not-encrypted',
		'the store has a `key`, and a cookie in it was written without one, or by somebody else. What to do: begin a new session, under another `prefix` or after `await jar.removeAllCookies()`; no `key` reads such a cookie',
	],
	[
		'not-decrypted',
		'the `key` of its store does not decrypt a cookie in it, which was written with another one, or changed. What to do: give the store the key that it was written with, and while keys are replaced both, `key: [new, old]`',
	],
	[
		'not-a-cookie',
		'what its store has for a cookie is not one. What to do: let nothing else write to the key of the session in Redis, and begin a new session, under another `prefix` or after `await jar.removeAllCookies()`',
	],
	[
		'ERR_MTLS_REDIS_TIMEOUT',
		'Redis did not answer in time. What to do: look at Redis and the network, or allow more with `timeoutMs` of the store',
	],
]);

// Security: the message of the store may quote the cookies that it could not parse.
export function jarError(action: 'read' | 'written', cause: unknown): CausedError {
	const {code, reason} = (cause ?? {}) as {code?: unknown; reason?: unknown};
	const known = storeFailures.get(code === 'ERR_MTLS_COOKIE_UNREADABLE' ? reason : code);
	const why = known === undefined ? causeInShort(cause) : `: ${known}`;
	const message = `the cookie jar could not be ${action}${why}`;
	return new CausedError(message, 'ERR_MTLS_JAR_FAILED', cause);
}
