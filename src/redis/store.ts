import {type Callback, type Cookie, type ErrorCallback, type Nullable, Store} from 'tough-cookie';
import {type CookieCounts, storeCounts} from '../cookies/eviction.ts';
import {recognizeCopies} from '../copies.ts';
import {type SharedLoginLock, sharedLoginLock} from '../login/login-lock.ts';
import {withCallerStack} from '../util/check-options.ts';
import {CookieHash} from './cookie-hash.ts';
import {createCookieCipher} from './encryption.ts';
import {createLoginLock} from './login-lock.ts';
import {
	type RedisCommands,
	type RedisStoreOptions,
	resolveRedis,
	timeoutWrapper,
} from './options.ts';
import type {CookieId} from './record.ts';

/**
 * The cookies of one session in Redis or Valkey, for a tough-cookie jar. Processes with the same
 * `prefix` have the same cookies, and a client with `session` logs in once for all of them.
 *
 * A request reads with one command, and each change is one: when two processes set two cookies, both
 * are kept; when they set the same one, the later write wins. To keep the time of creation, the jar
 * reads the old cookie before it sets a new one; the two are not atomic.
 *
 * An expired cookie is not found, also where the caller asks for expired ones.
 *
 * @throws {MtlsConfigError} when an option is wrong.
 *
 * @example
 * ```ts
 * const redis = await createRedis({url: 'rediss://redis.internal'}).on('error', log).connect();
 * const jar = new CookieJar(new RedisCookieStore(redis, {prefix: 'session:alice', key}));
 * const bank = createClient({mtls, jar, session: {login: (client) => client.post('/login', user)}});
 * ```
 */
export class RedisCookieStore extends Store {
	/** The lock by which the processes of this session agree on which one logs in. */
	readonly [sharedLoginLock]: SharedLoginLock;
	readonly #hash: CookieHash;

	static {
		recognizeCopies(RedisCookieStore, 'RedisCookieStore');
	}

	/** The counts of the last read: they cost no command of their own. */
	get [storeCounts](): CookieCounts | undefined {
		return this.#hash.counts;
	}

	/** @param client - Connected, or about to be. The app closes it. */
	constructor(client: RedisCommands, options: RedisStoreOptions) {
		super();
		this.synchronous = false;
		const settings = withCallerStack(RedisCookieStore, () => resolveRedis(client, options));
		const {prefix, keys, sessionMs, timeoutMs} = settings;
		const withTimeout = timeoutWrapper(settings.client, timeoutMs);
		this[sharedLoginLock] = createLoginLock(withTimeout, prefix);
		const cipher = createCookieCipher(keys);
		this.#hash = new CookieHash({withTimeout, cipher, prefix, sessionMs});
	}

	override findCookie(
		domain: Nullable<string>,
		path: Nullable<string>,
		key: Nullable<string>,
	): Promise<Cookie | undefined>;
	override findCookie(
		domain: Nullable<string>,
		path: Nullable<string>,
		key: Nullable<string>,
		callback: Callback<Cookie | undefined>,
	): void;
	override findCookie(
		domain: Nullable<string>,
		path: Nullable<string>,
		key: Nullable<string>,
		callback?: Callback<Cookie | undefined>,
	): unknown {
		const id = idOf({domain, path, key});
		return settle(id ? this.#hash.find(id) : Promise.resolve(undefined), callback);
	}

	override findCookies(
		domain: Nullable<string>,
		path: Nullable<string>,
		allowSpecialUseDomain?: boolean,
	): Promise<Cookie[]>;
	override findCookies(
		domain: Nullable<string>,
		path: Nullable<string>,
		allowSpecialUseDomain?: boolean,
		callback?: Callback<Cookie[]>,
	): void;
	override findCookies(
		domain: Nullable<string>,
		path: Nullable<string>,
		allowSpecialUseDomain: boolean | Callback<Cookie[]> = false,
		callback?: Callback<Cookie[]>,
	): unknown {
		// tough-cookie's own store takes the callback in either place.
		const [special, done] =
			typeof allowSpecialUseDomain === 'function'
				? [true, allowSpecialUseDomain]
				: [allowSpecialUseDomain, callback];
		const found = domain ? this.#hash.findFor(domain, path || undefined, special) : [];
		return settle(Promise.resolve(found), done);
	}

	override putCookie(cookie: Cookie): Promise<void>;
	override putCookie(cookie: Cookie, callback: ErrorCallback): void;
	override putCookie(cookie: Cookie, callback?: ErrorCallback): unknown {
		const id = idOf(cookie);
		return settle(id ? this.#hash.put(cookie, id) : Promise.resolve(), callback);
	}

	override updateCookie(oldCookie: Cookie, newCookie: Cookie): Promise<void>;
	override updateCookie(oldCookie: Cookie, newCookie: Cookie, callback: ErrorCallback): void;
	override updateCookie(_: Cookie, newCookie: Cookie, callback?: ErrorCallback): unknown {
		return callback ? this.putCookie(newCookie, callback) : this.putCookie(newCookie);
	}

	override removeCookie(
		domain: Nullable<string>,
		path: Nullable<string>,
		key: Nullable<string>,
	): Promise<void>;
	override removeCookie(
		domain: Nullable<string>,
		path: Nullable<string>,
		key: Nullable<string>,
		callback: ErrorCallback,
	): void;
	override removeCookie(
		domain: Nullable<string>,
		path: Nullable<string>,
		key: Nullable<string>,
		callback?: ErrorCallback,
	): unknown {
		const id = idOf({domain, path, key});
		return settle(id ? this.#hash.remove(id) : Promise.resolve(), callback);
	}

	/** Removes the cookies of a domain or one of its paths; not those of subdomains. */
	override removeCookies(domain: string, path: Nullable<string>): Promise<void>;
	override removeCookies(domain: string, path: Nullable<string>, callback: ErrorCallback): void;
	override removeCookies(
		domain: string,
		path: Nullable<string>,
		callback?: ErrorCallback,
	): unknown {
		return settle(this.#hash.removeByPrefix(domain, path || undefined), callback);
	}

	/** Ends the session for all processes: removes every cookie, and keeps the count of logins. */
	override removeAllCookies(): Promise<void>;
	override removeAllCookies(callback: ErrorCallback): void;
	override removeAllCookies(callback?: ErrorCallback): unknown {
		return settle(this.#hash.removeAll(), callback);
	}

	/** The cookies of all processes, in the order of creation. */
	override getAllCookies(): Promise<Cookie[]>;
	override getAllCookies(callback: Callback<Cookie[]>): void;
	override getAllCookies(callback?: Callback<Cookie[]>): unknown {
		return settle(this.#hash.all(), callback);
	}
}

type Nullish<T> = {readonly [P in keyof T]: Nullable<T[P]>};

function idOf({domain, path, key}: Nullish<CookieId>): CookieId | undefined {
	if (domain == null || path == null || key == null) return undefined;
	return {domain, path, key};
}

/** tough-cookie calls a store with a callback, or without one for a promise. */
function settle<T>(work: Promise<T>, callback: Callback<T> | ErrorCallback | undefined): unknown {
	if (!callback) return work;
	// Outside of the promise: an error that the callback throws is not an error of the store.
	work.then(
		(value) => process.nextTick(callback as Callback<T>, null, value),
		(error: Error) => process.nextTick(callback, error),
	);
	return undefined;
}
