/*
 * How many cookies there may be, and which go: "remove excess cookies" of RFC 6265bis §5.7, by the
 * numbers of browsers.
 *
 * Cookies are counted by their own domain, as the RFC does, not by the registrable one, as browsers
 * do: so a host that sets them for the whole domain pushes out none that another keeps for itself.
 */
import {type Cookie, MemoryCookieStore, type Store} from 'tough-cookie';
import {isExpired} from './expiry.ts';
import {type CookieCounts, storeCounts} from './store-counts.ts';

const maxPerDomain = 180;
const maxInAll = 3_000;

/** A cookie that had to go. */
export interface Eviction {
	readonly cookie: Cookie;
	readonly reason: 'domain-full' | 'jar-full';
}

type CountingStore = Store & {readonly [storeCounts]?: CookieCounts | undefined};

const limitByStore = new WeakMap<Store, StoreLimit>();

export function limitOf(store: Store): StoreLimit {
	const limit = limitByStore.get(store) ?? new StoreLimit(store);
	limitByStore.set(store, limit);
	return limit;
}

/** Sees to it that what servers set does not make the cookies of a store too many. */
class StoreLimit {
	readonly #store: CountingStore;
	/** By domain, when the store was last listed. */
	#listed: CookieCounts | undefined;
	/** By domain, what servers have set since then. */
	#added = new Map<string, number>();

	constructor(store: CountingStore) {
		this.#store = store;
	}

	/** Counts a cookie that was stored, if there was none of its name. */
	add({domain, creation, lastAccessed}: Cookie): void {
		if (domain === null || Number(creation) !== Number(lastAccessed)) return;
		this.#added.set(domain, (this.#added.get(domain) ?? 0) + 1);
	}

	/** Whether there may be too many: what is listed costs time, and over the network a question. */
	get mayBeOver(): boolean {
		if (this.#added.size === 0) return false;
		const known = this.#store[storeCounts] ?? this.#listed;
		if (known === undefined) return true;
		const isDomainOver = [...this.#added].some(
			([domain, added]) => (known.get(domain) ?? 0) + added > maxPerDomain,
		);
		return isDomainOver || sum(known.values()) + sum(this.#added.values()) > maxInAll;
	}

	/** Removes what is expired or too many; nothing where the store cannot list its cookies. */
	async evict(now: number): Promise<Eviction[]> {
		const added = this.#added;
		// What others store meanwhile is theirs to count.
		this.#added = new Map();
		const all = await listAll(this.#store, added.keys());
		const living = all.filter((cookie) => !isExpired(cookie, now));
		const evictions = chooseExcess(living, added);
		const evicted = new Set(evictions.map(({cookie}) => cookie));
		const expired = all.filter((cookie) => isExpired(cookie, now));
		for (const cookie of [...expired, ...evicted]) await remove(this.#store, cookie);
		this.#listed = countByDomain(living.filter((cookie) => !evicted.has(cookie)));
		dropEmptyPlaces(this.#store);
		return evictions;
	}
}

/**
 * Which of the cookies have to go: those that are not `Secure` first where their domain has too many,
 * and of each kind the one that was not used for longest.
 *
 * Ours, not the RFC: never more than servers have `added`. What an app has put there itself stays.
 */
export function chooseExcess(living: readonly Cookie[], added: CookieCounts): Eviction[] {
	const evictions: Eviction[] = [];
	const left: Cookie[] = [];
	const full = new Set<string | null>();
	for (const [domain, cookies] of Map.groupBy(living, (cookie) => cookie.domain)) {
		const excess = cookies.length - maxPerDomain;
		const most = Math.min(excess, (domain !== null && added.get(domain)) || 0);
		if (most <= 0) {
			if (excess > 0) full.add(domain);
			left.push(...cookies);
			continue;
		}
		const byRank = cookies.toSorted((a, b) => Number(a.secure) - Number(b.secure) || byUse(a, b));
		for (const cookie of byRank.slice(0, most)) evictions.push({cookie, reason: 'domain-full'});
		if (most < excess) full.add(domain);
		left.push(...byRank.slice(most));
	}
	const most = Math.min(left.length - maxInAll, sum(added.values()) - evictions.length);
	if (most <= 0) return evictions;
	const rank = (cookie: Cookie) => {
		if (!full.has(cookie.domain)) return 2;
		return cookie.secure ? 1 : 0;
	};
	const byRank = left.toSorted((a, b) => rank(a) - rank(b) || byUse(a, b));
	for (const cookie of byRank.slice(0, most)) evictions.push({cookie, reason: 'jar-full'});
	return evictions;
}

/** The one that was not used for longest first. */
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

/** All cookies, or those of `domains` where the store knows no more. */
async function listAll(store: Store, domains: Iterable<string>): Promise<Cookie[]> {
	try {
		return (await ask<Cookie[]>((done) => store.getAllCookies(done))) ?? [];
	} catch {
		// Only for a jar that is to be serialized a store has to be able to do it.
	}
	const found: Cookie[] = [];
	for (const domain of domains) {
		try {
			const cookies = await ask<Cookie[]>((done) => store.findCookies(domain, null, true, done));
			// Of the domains above it, too.
			found.push(...(cookies ?? []).filter((cookie) => cookie.domain === domain));
		} catch {
			// A name that tough-cookie cannot look up.
		}
	}
	return found;
}

async function remove(store: Store, {domain, path, key}: Cookie): Promise<void> {
	await ask((done) => store.removeCookie(domain, path, key, done));
}

type Done<T> = (error: Error | null, value?: T) => void;

/** In both ways in which a store may answer: tough-cookie itself has the callback in mind. */
function ask<T>(question: (done: Done<T>) => unknown): Promise<T | undefined> {
	return new Promise((resolve, reject) => {
		const answer = question((error, value) => (error ? reject(error) : resolve(value)));
		if (answer instanceof Promise) answer.then(resolve, reject);
	});
}

/**
 * tough-cookie keeps the place of each path for ever, looks at it at each request, and a server that
 * sets its cookie without a path makes ever new ones.
 */
function dropEmptyPlaces(store: Store): void {
	// By its code: the app's copy of tough-cookie may be another one.
	const isInMemory =
		store instanceof MemoryCookieStore || String(store.constructor) === String(MemoryCookieStore);
	if (!isInMemory) return;
	const {idx} = store as MemoryCookieStore;
	for (const [domain, paths] of Object.entries(idx)) {
		for (const [path, cookies] of Object.entries(paths)) {
			if (Object.keys(cookies).length === 0) delete paths[path];
		}
		if (Object.keys(paths).length === 0) delete idx[domain];
	}
}
