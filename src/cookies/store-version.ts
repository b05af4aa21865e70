import {MemoryCookieStore, type Store} from 'tough-cookie';

/**
 * The field in which a store counts the changes of its cookies: unchanged cookies need not be read
 * again. A store without it, unless it is tough-cookie's own, is read each time.
 */
export const storeVersion: unique symbol = Symbol.for('axios-mtls.storeVersion');

const mutators = [
	'putCookie',
	'updateCookie',
	'removeCookie',
	'removeCookies',
	'removeAllCookies',
] as const;

// `null` for a store that may change unseen.
const counters = new WeakMap<Store, {changes: number} | null>();

/** How often `store` has changed; `undefined` where that is not known. */
export function versionOf(store: Store & {[storeVersion]?: number}): number | undefined {
	if (store[storeVersion] !== undefined) return store[storeVersion];
	let counter = counters.get(store);
	if (counter === undefined) {
		counter = isUnmodified(store) ? countChanges(store) : null;
		counters.set(store, counter);
	}
	return counter?.changes;
}

/**
 * Whether a store is tough-cookie's own and not of a subclass, which may get its cookies from
 * elsewhere. Compares the source: an app that loads tough-cookie by `require` has another copy of it.
 */
export function isMemoryStore(store: Store): store is MemoryCookieStore {
	return String(store.constructor) === String(MemoryCookieStore);
}

function isUnmodified(store: Store): store is MemoryCookieStore {
	return isMemoryStore(store) && !Object.hasOwn(store, 'findCookies') && Object.isExtensible(store);
}

// Wraps the store itself: an app may change cookies without its jar. The properties are not enumerable,
// so that a store that is listed, printed or cloned looks as before.
function countChanges(store: MemoryCookieStore): {changes: number} {
	const counter = {changes: 0};
	for (const name of mutators) {
		const mutate = store[name].bind(store) as (...args: unknown[]) => unknown;
		Object.defineProperty(store, name, {
			value: (...args: unknown[]) => {
				counter.changes += 1;
				return mutate(...args);
			},
			configurable: true,
			writable: true,
		});
	}
	return counter;
}
