import {type Cookie, CookieJar, pathMatch} from 'tough-cookie';
import {BoundedMap} from '../util/bounded-map.ts';
import {expiresAt, isExpired} from './expiry.ts';
import {jarUrl} from './jar-url.ts';
import {isSendable} from './policy.ts';
import {versionOf} from './store-version.ts';

/** The cookies of one URL, in the order in which a request says them. */
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

/** A list that was read from a store when it had changed `version` times. */
interface Entry extends CookieList {
	readonly version: number;
	/** When the first of the cookies expires, in ms since the epoch. */
	readonly validUntil: number;
	readonly seen: readonly Seen[];
	/** In ms since the epoch: no store hears of it. */
	usedAt: number;
}

/** What an app may change on a cookie that it has got from the jar, which the store does not hear of. */
interface Seen extends Pick<Cookie, 'value' | 'expires' | 'maxAge'> {
	readonly cookie: Cookie;
}

/** What is remembered of a jar, for as long as it reads from its store as it did. */
interface Memory extends Pick<CookieJar, 'store' | 'getCookies'> {
	/** `undefined` of a jar that reads in a way of its own: what it says may depend on anything. */
	readonly entries: BoundedMap<string, Entry> | undefined;
}

/**
 * Of each jar.
 *
 * Security: a server chooses how large its cookies are, and by redirects how many paths there are.
 * What is larger than most servers take as a header is looked up each time.
 */
const bounds = {maxEntries: 1_000, maxBytes: 1024 * 1024};

const memories = new WeakMap<CookieJar, Memory>();

/**
 * The cookies of `jar` for `url` (RFC 6265 §5.4), remembered while its store does not change and
 * none expires: to look up a hundred takes tough-cookie 10 % of a small request's time.
 *
 * @param path - As it goes on the wire, without its query.
 */
export function cookiesFor(
	jar: CookieJar,
	url: URL,
	now: number,
	path = url.pathname,
): CookieList | Promise<CookieList> {
	const entries = entriesOf(jar);
	const version = entries && versionOf(jar.store);
	if (entries === undefined || version === undefined)
		return readCookies(jar, url, now, path).then(listOf);

	const key = `${url.protocol}${url.hostname}${path}`;
	const known = entries.get(key);
	if (known?.version === version && known.validUntil > now && known.seen.every(isUnchanged)) {
		known.usedAt = now;
		return known;
	}
	return readCookies(jar, url, now, path).then((cookies) => {
		const entry = {
			...listOf(cookies),
			version,
			validUntil: firstExpiry(cookies, now),
			seen: cookies.map((cookie) => {
				const {value, expires, maxAge} = cookie;
				return {cookie, value, expires, maxAge};
			}),
			usedAt: now,
		};
		entries.set(key, entry, bytesOf(key, entry));
		return entry;
	});
}

/** Tells the cookies of a jar when they were used last, where the jar was not asked for them. */
export function noteUse(jar: CookieJar): void {
	for (const {seen, usedAt} of memories.get(jar)?.entries?.values() ?? []) {
		for (const {cookie} of seen) {
			if (Number(cookie.lastAccessed) < usedAt) cookie.lastAccessed = new Date(usedAt);
		}
	}
}

/** About what an entry holds: its text, each pair once more, and some 250 bytes a cookie for objects. */
function bytesOf(key: string, {text, pairs}: Entry): number {
	return 2 * (key.length + text.length) + 250 * (pairs.length + 1);
}

function entriesOf(jar: CookieJar): BoundedMap<string, Entry> | undefined {
	const {store, getCookies} = jar;
	const known = memories.get(jar);
	if (known && known.store === store && known.getCookies === getCookies) return known.entries;
	// By its code: the app's copy of tough-cookie may be another one.
	const isPlain = String(getCookies) === String(CookieJar.prototype.getCookies);
	const entries = isPlain ? new BoundedMap<string, Entry>(bounds) : undefined;
	memories.set(jar, {store, getCookies, entries});
	return entries;
}

function isUnchanged({cookie, value, expires, maxAge}: Seen): boolean {
	return cookie.value === value && cookie.expires === expires && cookie.maxAge === maxAge;
}

async function readCookies(jar: CookieJar, url: URL, now: number, path: string): Promise<Cookie[]> {
	const cookies = await jar.getCookies(jarUrl(jar, url, path));
	return cookies.filter((cookie) => !isExpired(cookie, now) && isOn(cookie, path));
}

/** A jar that reads in a way of its own may have compared another path (RFC 6265 §5.1.4). */
function isOn(cookie: Cookie, path: string): boolean {
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
	// With one that an app, or a file, has put there no request would leave any more.
	const pairs = all.filter(({text}) => isSendable(text));
	return {text: pairs.map(({text}) => text).join('; '), pairs};
}
