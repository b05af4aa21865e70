import {AxiosError} from 'axios';
import {CookieJar} from 'tough-cookie';
import {MtlsConfigError} from '../errors.ts';
import {type CookieList, cookiesFor} from './cookie-cache.ts';

export {CookieJar};

/**
 * A jar for a session over TLS: a cookie that is `Secure` travels over TLS alone, on localhost too,
 * which is where tough-cookie would make an exception.
 */
export function makeJar(): CookieJar {
	return new CookieJar(undefined, {allowSecureOnLocal: false});
}

// By shape: the app's copy of tough-cookie may be another one.
function isJar(value: unknown): value is CookieJar {
	return (
		typeof value === 'object' &&
		value !== null &&
		typeof (value as CookieJar).getCookies === 'function' &&
		typeof (value as CookieJar).setCookie === 'function'
	);
}

/**
 * The jar of one request: its own, or the client's unless it says `jar: false`.
 *
 * @throws {MtlsConfigError} when what it names is no jar.
 */
export function jarOf(
	{jar}: {jar?: unknown},
	fallback: CookieJar | undefined,
): CookieJar | undefined {
	if (jar === undefined || jar === null) return fallback;
	if (jar === false) return undefined;
	if (isJar(jar)) return jar;
	if (jar !== true) {
		throw badJar(`expected a tough-cookie CookieJar, true or false, found ${typeof jar}`);
	}
	// Cookies that are dropped without a word look like a session that does not last.
	if (fallback === undefined) throw badJar('`true` asks for the jar of a client that has none');
	return fallback;
}

/**
 * The `Cookie` header of a request to `url`: the jar's cookies (RFC 6265 §5.4) after those that the
 * app set itself. Of two with one name the app's wins.
 *
 * @returns a promise only when the jar has to be asked: to wait for nothing costs a turn, too.
 */
export function cookieHeader(
	jar: CookieJar,
	url: URL,
	own: string | undefined,
): string | undefined | Promise<string | undefined> {
	const cookies = cookiesFor(jar, url, Date.now());
	if (!(cookies instanceof Promise)) return joinCookies(cookies, own);
	return cookies.then(
		(read) => joinCookies(read, own),
		(cause) => {
			throw jarFailure('read', cause);
		},
	);
}

function joinCookies({text, pairs}: CookieList, own: string | undefined): string | undefined {
	if (own === undefined) return text || undefined;
	const taken = new Set(own.split(';').map((pair) => pair.split('=', 1)[0]?.trim()));
	const kept = pairs.filter(({name}) => !taken.has(name)).map(({text}) => text);
	return [own, ...kept].filter(Boolean).join('; ') || undefined;
}

/** Puts the `Set-Cookie` lines of a response of `url` into the jar, in their order. */
export async function storeCookies(
	jar: CookieJar,
	url: URL,
	lines: readonly string[],
): Promise<void> {
	for (const line of lines) {
		// One malformed or foreign cookie fails neither the others nor the request (RFC 6265 §5.2).
		await jar.setCookie(line, url.href, {ignoreError: true}).catch((cause) => {
			throw jarFailure('written', cause);
		});
	}
}

function badJar(reason: string): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_BAD_OPTION', 'jar', reason);
}

// Security: the store's own words may quote the cookies that it could not parse.
function jarFailure(what: 'read' | 'written', cause: unknown): AxiosError {
	const code = (cause as NodeJS.ErrnoException | null)?.code;
	const error = new AxiosError(
		`the cookie jar could not be ${what}${typeof code === 'string' ? ` (${code})` : ''}`,
		'ERR_MTLS_JAR_FAILED',
	);
	Object.defineProperty(error, 'cause', {value: cause, writable: true, configurable: true});
	return error;
}
