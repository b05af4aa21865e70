import {Cookie, CookieJar, defaultPath, domainMatch, pathMatch} from 'tough-cookie';
import {MtlsConfigError} from '../config-error.ts';
import {CausedError} from '../errors.ts';
import {causeInShort} from '../logging/redact.ts';
import type {ClientOptions, CookieRefusal, Logger} from '../options.ts';
import {describeType} from '../util/check-options.ts';
import {type CookieList, cookiesFor, noteUse} from './cookie-cache.ts';
import {type Eviction, limitOf} from './eviction.ts';
import {isExpired, maxAgeStart} from './expiry.ts';
import {fileJar} from './file/file-jar.ts';
import {createDefaultJar} from './jar-defaults.ts';
import {jarUrl} from './jar-url.ts';
import type {CookiePolicy} from './policy.ts';

export {CookieJar};

/** A jar for a session over TLS. */
export function makeJar({hasInternal = false}: Partial<CookiePolicy> = {}): CookieJar {
	return new CookieJar(undefined, {...createDefaultJar, rejectPublicSuffixes: !hasInternal});
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
 * The jar of a client: what it is given or told to make, or `inherited` where it says nothing.
 *
 * @throws {MtlsConfigError} when what it names is no jar, or a file that cannot be used.
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
 * The jar of one request: its own, or the client's unless it says `jar: false`.
 *
 * @throws {MtlsConfigError} when what it names is no jar.
 */
export function jarOf(
	{jar}: {jar?: unknown},
	fallback: CookieJar | undefined,
	expected = 'a tough-cookie CookieJar, true or false',
): CookieJar | undefined {
	if (jar === undefined || jar === null) return fallback;
	if (jar === false) return undefined;
	if (isJar(jar)) return jar;
	if (jar !== true) {
		throw badJar(`expected ${expected}, found ${describeType(jar)}`);
	}
	// Cookies that are dropped without a word look like a session that does not last.
	if (fallback === undefined) throw badJar('`true` asks for the jar of a client that has none');
	return fallback;
}

/**
 * The jar's cookies for `url` (RFC 6265 §5.4).
 *
 * @param path - That of the request as it goes on the wire, without its query.
 * @returns a promise only when the jar has to be asked: to wait for nothing costs a turn, too.
 */
export function readCookies(
	jar: CookieJar,
	url: URL,
	policy: CookiePolicy,
	path = url.pathname,
): CookieList | Promise<CookieList> {
	const cookies = cookiesFor(policy.filter(jar, url), url, Date.now(), path);
	if (!(cookies instanceof Promise)) return cookies;
	return cookies.catch((cause) => {
		throw jarFailure('read', cause);
	});
}

/**
 * The `Cookie` header: the jar's cookies, then those that the app set itself, word for word. Of two
 * with one name the app's wins.
 */
export function cookieHeader(
	{text, pairs}: CookieList,
	own: string | undefined,
): string | undefined {
	if (own === undefined) return text || undefined;
	const taken = new Set(own.split(';').map((pair) => pair.split('=', 1)[0]?.trim()));
	const kept = pairs.filter(({name}) => !taken.has(name)).map(({text}) => text);
	if (kept.length === 0) return own || undefined;
	return [...kept, own.replace(/^[;\s]+|[;\s]+$/g, '')].filter(Boolean).join('; ');
}

/**
 * Puts the `Set-Cookie` lines of a response of `url` into the jar, in their order. One that is
 * refused fails neither the others nor the request (RFC 6265 §5.2): it is told. So is one that has to
 * go, because they are too many.
 *
 * @param path - That of the request as it went on the wire, without its query.
 */
export async function storeCookies(
	jar: CookieJar,
	url: URL,
	lines: readonly string[],
	policy: CookiePolicy,
	tell: (refusal: CookieRefusal) => void,
	path = url.pathname,
): Promise<void> {
	for (const given of lines) {
		const {name, line, reason} = policy.check(given, url, Date.now());
		const refused = line === undefined ? reason : await storeCookie(jar, {url, path}, line, policy);
		if (refused !== undefined) tell({name, host: url.hostname, reason: refused});
	}
	for (const {cookie, reason} of await evictExcess(jar)) {
		tell({name: cookie.key, host: cookie.domain ?? '', reason});
	}
}

async function evictExcess(jar: CookieJar): Promise<readonly Eviction[]> {
	if (!hasStore(jar)) return [];
	const limit = limitOf(jar.store);
	if (!limit.mayBeOver) return [];
	noteUse(jar);
	try {
		return await limit.evict(Date.now());
	} catch (cause) {
		throw jarFailure('written', cause);
	}
}

// By shape, a jar may be of another make than tough-cookie's.
function hasStore({store}: Partial<CookieJar>): boolean {
	return typeof store === 'object' && store !== null;
}

/** Who has set a cookie. */
interface Sender {
	readonly url: URL;
	readonly path: string;
}

async function storeCookie(
	jar: CookieJar,
	{url, path}: Sender,
	line: string,
	policy: CookiePolicy,
): Promise<CookieRefusal['reason'] | undefined> {
	if (url.protocol !== 'https:' && (await hidesSecure(jar, {url, path}, line, policy)))
		return 'hides-secure';
	let kept: Cookie | undefined | null;
	try {
		kept = await jar.setCookie(line, jarUrl(jar, url, path), {ignoreError: true});
	} catch (cause) {
		throw jarFailure('written', cause);
	}
	// Before it is read, which would let `Max-Age` begin anew.
	if (kept) maxAgeStart(kept, Date.now());
	if (kept && hasStore(jar)) limitOf(jar.store).add(kept);
	if (kept !== undefined) return undefined;
	// A cookie without a name, of which only a loose jar makes something.
	return Cookie.parse(line) === undefined ? 'malformed' : 'refused-by-jar';
}

/**
 * Whether a cookie without TLS would take the place of one that came over TLS, or be said beside it
 * anywhere (RFC 6265bis §5.7, "leave secure cookies alone").
 */
async function hidesSecure(
	jar: CookieJar,
	sender: Sender,
	line: string,
	policy: CookiePolicy,
): Promise<boolean> {
	const cookie = Cookie.parse(line, {loose: true});
	const path = cookie?.path ?? defaultPath(sender.path);
	let there: Cookie[];
	try {
		const secure = new URL(sender.url.href.replace(/^http:/, 'https:'));
		const from = jarUrl(jar, secure, sender.path);
		there = await policy.filter(jar, secure).getCookies(from, {allPaths: true});
		if (cookie?.domain) there = [...there, ...(await cookiesBelow(jar, cookie.domain))];
	} catch (cause) {
		throw jarFailure('read', cause);
	}
	return there.some(
		(other) => other.secure && other.key === cookie?.key && pathMatch(path, other.path ?? '/'),
	);
}

/** What the hosts below a domain have, and no others see; nothing where the store cannot list it. */
async function cookiesBelow({store}: CookieJar, domain: string): Promise<Cookie[]> {
	let all: Cookie[];
	try {
		all = await store.getAllCookies();
	} catch {
		return [];
	}
	const now = Date.now();
	return all.filter(
		(cookie) => !isExpired(cookie, now) && domainMatch(cookie.domain ?? '', domain),
	);
}

function badJar(reason: string): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_BAD_OPTION', 'jar', reason);
}

// Security: the store's own words may quote the cookies that it could not parse.
function jarFailure(what: 'read' | 'written', cause: unknown): CausedError {
	const message = `the cookie jar could not be ${what}${causeInShort(cause)}`;
	return new CausedError(message, 'ERR_MTLS_JAR_FAILED', cause);
}
