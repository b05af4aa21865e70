/*
 * From the jar to the `Cookie` header (RFC 6265 §5.4). The cookies of a URL are remembered while the
 * store does not change and none of them expires: looking up a hundred costs tough-cookie 10 % of the
 * time of a small request.
 */
import {type Cookie, CookieJar, pathMatch} from 'tough-cookie';
import {BoundedMap} from '../util/bounded-map.ts';
import {expiresAt, isExpired} from './expiry.ts';
import {jarError} from './jar.ts';
import {jarUrl} from './jar-url.ts';
import {type CookiePolicy, isSendable} from './policy.ts';
import {versionOf} from './store-version.ts';

/** The cookies of one URL, in the order of the header. */
export interface CookieList {
	/** `name=value; name=value`, or empty. */
	readonly text: string;
	readonly pairs: readonly CookiePair[];
}

interface CookiePair {
	readonly name: string;
	/** `name=value` */
	readonly text: string;
	readonly httpOnly: boolean;
}

/**
 * The jar's cookies for `url` that `policy` allows.
 *
 * @param path - As in the request line, without its query.
 * @returns a promise only when the jar has to be read: each `await` costs a turn of the event loop.
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
		throw jarError('read', cause);
	});
}

/**
 * The `Cookie` header: the jar's cookies, then those of the app, unchanged. A cookie of the app replaces
 * one of the jar with the same name.
 */
export function cookieHeader(
	{text, pairs}: CookieList,
	ofApp: string | undefined,
): string | undefined {
	if (ofApp === undefined) return text || undefined;
	const replaced = new Set(ofApp.split(';').map((pair) => pair.split('=', 1)[0]?.trim()));
	const kept = pairs.filter(({name}) => !replaced.has(name)).map(({text}) => text);
	if (kept.length === 0) return ofApp || undefined;
	return [...kept, ofApp.replace(/^[;\s]+|[;\s]+$/g, '')].filter(Boolean).join('; ');
}

/** The cookies of a URL when the store had the version `version`. */
interface CacheEntry extends CookieList {
	readonly version: number;
	/** When the first of the cookies expires, in ms since the epoch. */
	readonly validUntil: number;
	readonly cookies: readonly CachedCookie[];
	/** When the entry was last used, in ms since the epoch; the store does not know it. */
	usedAt: number;
}

/** The fields that an app may change on a cookie from the jar without a call to the store. */
interface CachedCookie extends Pick<Cookie, 'value' | 'expires' | 'maxAge'> {
	readonly cookie: Cookie;
}

/** The cache of a jar, as long as the jar has the same store and the same `getCookies`. */
interface JarCache extends Pick<CookieJar, 'store' | 'getCookies'> {
	/** `undefined` for a jar with its own `getCookies`: what that returns may depend on anything. */
	readonly entries: BoundedMap<string, CacheEntry> | undefined;
}

/**
 * The limits of each jar's cache.
 *
 * Security: a server chooses how large its cookies are, and by redirects how many paths there are.
 * A list larger than the header that most servers take is read each time.
 */
const bounds = {maxEntries: 1_000, maxBytes: 1024 * 1024};

const caches = new WeakMap<CookieJar, JarCache>();

/** The cookies of `jar` for `url`, from the cache if they are there and still valid. */
export function cookiesFor(
	jar: CookieJar,
	url: URL,
	now: number,
	path = url.pathname,
): CookieList | Promise<CookieList> {
	const entries = entriesOf(jar);
	const version = entries && versionOf(jar.store);
	if (entries === undefined || version === undefined)
		return lookUp(jar, url, now, path).then(listOf);

	const key = `${url.protocol}${url.hostname}${path}`;
	const entry = entries.get(key);
	if (entry?.version === version && entry.validUntil > now && entry.cookies.every(isUnchanged)) {
		entry.usedAt = now;
		return entry;
	}
	return lookUp(jar, url, now, path).then((cookies) => {
		const entry = {
			...listOf(cookies),
			version,
			validUntil: firstExpiry(cookies, now),
			cookies: cookies.map((cookie) => {
				const {value, expires, maxAge} = cookie;
				return {cookie, value, expires, maxAge};
			}),
			usedAt: now,
		};
		entries.set(key, entry, bytesOf(key, entry));
		return entry;
	});
}

/** Sets `lastAccessed` of the cookies that were sent from the cache, for eviction. */
export function updateLastAccessed(jar: CookieJar): void {
	for (const {cookies, usedAt} of caches.get(jar)?.entries?.values() ?? []) {
		for (const {cookie} of cookies) {
			if (Number(cookie.lastAccessed) < usedAt) cookie.lastAccessed = new Date(usedAt);
		}
	}
}

/** An estimate: the text, each pair once more, and some 250 bytes of objects for each cookie. */
function bytesOf(key: string, {text, pairs}: CacheEntry): number {
	return 2 * (key.length + text.length) + 250 * (pairs.length + 1);
}

function entriesOf(jar: CookieJar): BoundedMap<string, CacheEntry> | undefined {
	const {store, getCookies} = jar;
	const cache = caches.get(jar);
	if (cache && cache.store === store && cache.getCookies === getCookies) return cache.entries;
	// Compares the source: the app may use another copy of tough-cookie.
	const isStandard = String(getCookies) === String(CookieJar.prototype.getCookies);
	const entries = isStandard ? new BoundedMap<string, CacheEntry>(bounds) : undefined;
	caches.set(jar, {store, getCookies, entries});
	return entries;
}

function isUnchanged({cookie, value, expires, maxAge}: CachedCookie): boolean {
	return cookie.value === value && cookie.expires === expires && cookie.maxAge === maxAge;
}

async function lookUp(jar: CookieJar, url: URL, now: number, path: string): Promise<Cookie[]> {
	const cookies = await jar.getCookies(jarUrl(jar, url, path));
	return cookies.filter((cookie) => !isExpired(cookie, now) && matchesPath(cookie, path));
}

/** A jar with its own `getCookies` may have compared another path (RFC 6265 §5.1.4). */
function matchesPath(cookie: Cookie, path: string): boolean {
	return !cookie.path || pathMatch(path, cookie.path);
}

function firstExpiry(cookies: readonly Cookie[], now: number): number {
	return cookies.reduce(
		(first, cookie) => Math.min(first, expiresAt(cookie, now)),
		Number.POSITIVE_INFINITY,
	);
}

function listOf(cookies: readonly Cookie[]): CookieList {
	const all = cookies.map((cookie) => ({
		name: cookie.key,
		text: cookie.cookieString(),
		httpOnly: cookie.httpOnly,
	}));
	// A cookie of the app or of a file may hold characters that HTTP cannot carry: every request would fail.
	const pairs = all.filter(({text}) => isSendable(text));
	return {text: pairs.map(({text}) => text).join('; '), pairs};
}
