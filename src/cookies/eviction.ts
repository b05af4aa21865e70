/*
 * "Remove excess cookies" of RFC 6265bis §5.7, with the limits of browsers.
 *
 * Cookies are counted by their own domain, as in the RFC, not by the registrable one, as in browsers:
 * a host that sets cookies for the whole domain evicts no host-only cookie of another.
 */
import {type Cookie, MemoryCookieStore, type Store} from 'tough-cookie';
import {isExpired} from './expiry.ts';
import {isMemoryStore} from './store-version.ts';

const maxPerDomain = 180;
const maxTotal = 3_000;

/** A cookie that was removed to make room. */
export interface Eviction {
	readonly cookie: Cookie;
	readonly reason: 'domain-full' | 'jar-full';
}

/**
 * The field with the number of cookies by domain when the store was last read: the store then need not
 * be listed to find out whether a limit is exceeded.
 */
export const storeCounts: unique symbol = Symbol.for('axios-mtls.storeCounts');

export type CookieCounts = ReadonlyMap<string, number>;

type CountingStore = Store & {readonly [storeCounts]?: CookieCounts | undefined};

const limitByStore = new WeakMap<Store, StoreLimit>();

export function limitOf(store: Store): StoreLimit {
	const limit = limitByStore.get(store) ?? new StoreLimit(store);
	limitByStore.set(store, limit);
	return limit;
}

/** Keeps the cookies of a store within the limits, by removing some of those that servers have set. */
class StoreLimit {
	readonly #store: CountingStore;
	/** The number by domain when all cookies were last listed. */
	#listed: CookieCounts | undefined;
	/** The number by domain that servers have added since then. */
	#added = new Map<string, number>();

	constructor(store: CountingStore) {
		this.#store = store;
	}

	/** Counts a stored cookie, unless it replaced another. */
	add({domain, creation, lastAccessed}: Cookie): void {
		if (domain === null || Number(creation) !== Number(lastAccessed)) return;
		this.#added.set(domain, (this.#added.get(domain) ?? 0) + 1);
	}

	/** Whether there may be too many. Listing them costs time, and for a remote store a round trip. */
	get mayBeExceeded(): boolean {
		if (this.#added.size === 0) return false;
		const known = this.#store[storeCounts] ?? this.#listed;
		if (known === undefined) return true;
		const isDomainExceeded = [...this.#added].some(
			([domain, added]) => (known.get(domain) ?? 0) + added > maxPerDomain,
		);
		return isDomainExceeded || sum(known.values()) + sum(this.#added.values()) > maxTotal;
	}

	/** Removes expired and excess cookies; none where the store cannot list them. */
	async evict(now: number): Promise<Eviction[]> {
		const added = this.#added;
		// Cookies that are stored from now on count for the next eviction.
		this.#added = new Map();
		const all = await listAll(this.#store, added.keys());
		const unexpired = all.filter((cookie) => !isExpired(cookie, now));
		const evictions = chooseExcess(unexpired, added);
		const evicted = new Set(evictions.map(({cookie}) => cookie));
		const expired = all.filter((cookie) => isExpired(cookie, now));
		for (const cookie of [...expired, ...evicted]) await remove(this.#store, cookie);
		this.#listed = countByDomain(unexpired.filter((cookie) => !evicted.has(cookie)));
		dropEmptyPaths(this.#store);
		return evictions;
	}
}

/**
 * The cookies to remove: in a domain with too many, those without `Secure` first, and among equals the
 * least recently used.
 *
 * Unlike the RFC, never more than servers have `added`, so that the app's cookies stay.
 */
export function chooseExcess(unexpired: readonly Cookie[], added: CookieCounts): Eviction[] {
	const evictions: Eviction[] = [];
	const left: Cookie[] = [];
	const full = new Set<string | null>();
	for (const [domain, cookies] of Map.groupBy(unexpired, (cookie) => cookie.domain)) {
		const excess = cookies.length - maxPerDomain;
		const count = Math.min(excess, (domain !== null && added.get(domain)) || 0);
		if (count <= 0) {
			if (excess > 0) full.add(domain);
			left.push(...cookies);
			continue;
		}
		const byRank = cookies.toSorted((a, b) => Number(a.secure) - Number(b.secure) || byUse(a, b));
		for (const cookie of byRank.slice(0, count)) evictions.push({cookie, reason: 'domain-full'});
		if (count < excess) full.add(domain);
		left.push(...byRank.slice(count));
	}
	const count = Math.min(left.length - maxTotal, sum(added.values()) - evictions.length);
	if (count <= 0) return evictions;
	const rank = (cookie: Cookie) => {
		if (!full.has(cookie.domain)) return 2;
		return cookie.secure ? 1 : 0;
	};
	const byRank = left.toSorted((a, b) => rank(a) - rank(b) || byUse(a, b));
	for (const cookie of byRank.slice(0, count)) evictions.push({cookie, reason: 'jar-full'});
	return evictions;
}

/** The least recently used first. */
function byUse(a: Cookie, b: Cookie): number {
	return usedAt(a) - usedAt(b) || (a.creationIndex ?? 0) - (b.creationIndex ?? 0);
}

function usedAt({lastAccessed, creation}: Cookie): number {
	if (lastAccessed instanceof Date) return lastAccessed.getTime();
	return creation instanceof Date ? creation.getTime() : 0;
}

function countByDomain(cookies: readonly Pick<Cookie, 'domain'>[]): CookieCounts {
	const counts = new Map<string, number>();
	for (const {domain} of cookies) {
		if (domain !== null) counts.set(domain, (counts.get(domain) ?? 0) + 1);
	}
	return counts;
}

function sum(numbers: Iterable<number>): number {
	let total = 0;
	for (const each of numbers) total += each;
	return total;
}

/** All cookies; only those of `domains` where the store cannot list all. */
async function listAll(store: Store, domains: Iterable<string>): Promise<Cookie[]> {
	try {
		return (await callStore<Cookie[]>((done) => store.getAllCookies(done))) ?? [];
	} catch {
		// tough-cookie requires `getAllCookies` only of a store whose jar is serialized.
	}
	const found: Cookie[] = [];
	for (const domain of domains) {
		try {
			const cookies = await callStore<Cookie[]>((done) =>
				store.findCookies(domain, null, true, done),
			);
			// The store also returns cookies of parent domains.
			found.push(...(cookies ?? []).filter((cookie) => cookie.domain === domain));
		} catch {
			// tough-cookie refuses to look up some names.
		}
	}
	return found;
}

async function remove(store: Store, {domain, path, key}: Cookie): Promise<void> {
	await callStore((done) => store.removeCookie(domain, path, key, done));
}

type Done<T> = (error: Error | null, value?: T) => void;

/** A store may use the callback, as tough-cookie expects, or return a promise. */
function callStore<T>(method: (done: Done<T>) => unknown): Promise<T | undefined> {
	return new Promise((resolve, reject) => {
		const result = method((error, value) => (error ? reject(error) : resolve(value)));
		if (result instanceof Promise) result.then(resolve, reject);
	});
}

/**
 * tough-cookie keeps the index of a path for ever and searches it at each request, and a server that
 * sets cookies without `Path` makes a new one for each path that is requested.
 */
function dropEmptyPaths(store: Store): void {
	if (!(store instanceof MemoryCookieStore || isMemoryStore(store))) return;
	const {idx} = store;
	for (const [domain, paths] of Object.entries(idx)) {
		for (const [path, cookies] of Object.entries(paths)) {
			if (Object.keys(cookies).length === 0) delete paths[path];
		}
		if (Object.keys(paths).length === 0) delete idx[domain];
	}
}
