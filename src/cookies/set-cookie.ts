/*
 * From `Set-Cookie` to the jar (RFC 6265bis §5.7).
 */
import {Cookie, type CookieJar, defaultPath, domainMatch, pathMatch} from 'tough-cookie';
import type {CookieRefusal} from '../options.ts';
import {updateLastAccessed} from './cookie-header.ts';
import {type Eviction, limitOf} from './eviction.ts';
import {isExpired, maxAgeStart} from './expiry.ts';
import {jarError} from './jar.ts';
import {jarUrl} from './jar-url.ts';
import type {CookiePolicy} from './policy.ts';

/**
 * Puts the `Set-Cookie` lines of a response of `url` into the jar, in their order. A cookie that is
 * rejected fails neither the others nor the request (RFC 6265 §5.2): it is reported. So is one that is
 * evicted because there are too many.
 *
 * @param path - As in the request line, without its query.
 */
export async function storeCookies(
	jar: CookieJar,
	url: URL,
	lines: readonly string[],
	policy: CookiePolicy,
	onRejected: (refusal: CookieRefusal) => void,
	path = url.pathname,
): Promise<void> {
	for (const given of lines) {
		const {name, domain, line, reason} = policy.check(given, url, Date.now());
		const rejection =
			line === undefined ? reason : await storeCookie(jar, {url, path}, line, policy);
		if (rejection === undefined) continue;
		const host = url.hostname;
		onRejected({name, host, ...(domain !== undefined && {domain}), reason: rejection});
	}
	for (const {cookie, reason} of await evictExcess(jar)) {
		onRejected({name: cookie.key, host: cookie.domain ?? '', reason});
	}
}

async function evictExcess(jar: CookieJar): Promise<readonly Eviction[]> {
	if (!hasStore(jar)) return [];
	const limit = limitOf(jar.store);
	if (!limit.mayBeExceeded) return [];
	updateLastAccessed(jar);
	try {
		return await limit.evict(Date.now());
	} catch (cause) {
		throw jarError('written', cause);
	}
}

// A jar need not be one of tough-cookie.
function hasStore({store}: Partial<CookieJar>): boolean {
	return typeof store === 'object' && store !== null;
}

/** The request whose response has set a cookie. */
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
	let stored: Cookie | undefined | null;
	try {
		stored = await jar.setCookie(line, jarUrl(jar, url, path), {ignoreError: true});
	} catch (cause) {
		throw jarError('written', cause);
	}
	// Before the first read, which would let `Max-Age` start again.
	if (stored) maxAgeStart(stored, Date.now());
	if (stored && hasStore(jar)) limitOf(jar.store).add(stored);
	if (stored !== undefined) return undefined;
	// A cookie without a name, which only a loose jar parses.
	return Cookie.parse(line) ? 'refused-by-jar' : 'malformed';
}

/**
 * Whether a cookie that came without TLS would replace one that came over TLS, or be sent beside it
 * for any path or host (RFC 6265bis §5.7, "leave secure cookies alone").
 */
async function hidesSecure(
	jar: CookieJar,
	sender: Sender,
	line: string,
	policy: CookiePolicy,
): Promise<boolean> {
	const cookie = Cookie.parse(line, {loose: true});
	const path = cookie?.path ?? defaultPath(sender.path);
	let present: Cookie[];
	try {
		const secure = new URL(sender.url.href.replace(/^http:/, 'https:'));
		const from = jarUrl(jar, secure, sender.path);
		present = await policy.filter(jar, secure).getCookies(from, {allPaths: true});
		if (cookie?.domain) present = [...present, ...(await cookiesBelow(jar, cookie.domain))];
	} catch (cause) {
		throw jarError('read', cause);
	}
	return present.some(
		(other) => other.secure && other.key === cookie?.key && pathMatch(path, other.path ?? '/'),
	);
}

/**
 * The cookies of a domain and of the hosts below it; none where the store cannot list any.
 *
 * Security: a store that fails must not count as one without Secure cookies.
 */
async function cookiesBelow({store}: CookieJar, domain: string): Promise<Cookie[]> {
	let all: Cookie[];
	try {
		all = await store.getAllCookies();
	} catch (error) {
		// What tough-cookie's own `Store` throws, which a store that cannot list its cookies inherits.
		if (/not implemented/.test(String((error as Error)?.message))) return [];
		throw error;
	}
	const now = Date.now();
	return all.filter(
		(cookie) => !isExpired(cookie, now) && domainMatch(cookie.domain ?? '', domain),
	);
}
