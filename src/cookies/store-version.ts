import {MemoryCookieStore, type Store} from 'tough-cookie';

/**
 * The field by which a store tells how often its cookies have changed, so that what was read from it
 * need not be read again. A store without it, unless it is tough-cookie's own, is asked each time.
 */
export const storeVersion: unique symbol = Symbol('axios-mtls.storeVersion');

const mutators = [
	'putCookie',
	'updateCookie',
	'removeCookie',
	'removeCookies',
	'removeAllCookies',
] as const;

// `null` for a store that may change unseen.
const watched = new WeakMap<Store, {changes: number} | null>();

/** How often `store` has changed; `undefined` where nobody can say. */
export function versionOf(store: Store & {[storeVersion]?: number}): number | undefined {
	if (store[storeVersion] !== undefined) return store[storeVersion];
	let version = watched.get(store);
	if (version === undefined) {
		version = isPlain(store) ? watch(store) : null;
		watched.set(store, version);
	}
	return version?.changes;
}

// A subclass may have its cookies from elsewhere. By its code, because an app that asks for
// tough-cookie by `require` has another copy of it than we.
function isPlain(store: Store): store is MemoryCookieStore {
	return (
		String(store.constructor) === String(MemoryCookieStore) &&
		!Object.hasOwn(store, 'findCookies') &&
		Object.isExtensible(store)
	);
}

/** The store does what it did, and nobody sees the fields when it is listed or printed. */
function watch(store: MemoryCookieStore): {changes: number} {
	const version = {changes: 0};
	for (const name of mutators) {
		const mutate = store[name].bind(store) as (...args: unknown[]) => unknown;
		Object.defineProperty(store, name, {
			value: (...args: unknown[]) => {
				version.changes += 1;
				return mutate(...args);
			},
			configurable: true,
			writable: true,
		});
	}
	return version;
}
