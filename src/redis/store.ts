import {type Callback, type Cookie, type ErrorCallback, type Nullable, Store} from 'tough-cookie';
import {type CookieCounts, storeCounts} from '../cookies/eviction.ts';
import {type SharedLoginLock, sharedLoginLock} from '../login/login-lock.ts';
import {type RedisCommands, timeoutWrapper} from './commands.ts';
import {CookieHash} from './cookie-hash.ts';
import {createCookieCipher} from './encryption.ts';
import type {CookieId} from './field.ts';
import {createLoginLock} from './login-lock.ts';
import {type RedisStoreOptions, resolveRedis} from './options.ts';

/**
 * The cookies of one session in Redis or Valkey, for a tough-cookie jar. Every process that gives
 * the same `prefix` has the same cookies, and a client with `session` logs in once for all of them.
 *
 * Reading is one command a request, and so is each change: two processes that set two cookies keep
 * both, of two that set the same one the later stays. The jar itself asks for the old cookie before
 * it sets one, to keep its time of creation; that is not one step with the setting.
 *
 * A cookie that is over is not found, also where the caller asks for expired ones.
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
	/** How the processes of this session agree on who logs in. */
	readonly [sharedLoginLock]: SharedLoginLock;
	readonly #hash: CookieHash;

	/** What the last reading has seen: none is made for it. */
	get [storeCounts](): CookieCounts | undefined {
		return this.#hash.counts;
	}

	/** @param client - Connected, or about to be; whoever made it closes it. */
	constructor(client: RedisCommands, options: RedisStoreOptions) {
		super();
		this.synchronous = false;
		const settings = resolveRedis(client, options);
		const {prefix, keys, sessionMs, timeoutMs} = settings;
		const ask = timeoutWrapper(settings.client, timeoutMs);
		this[sharedLoginLock] = createLoginLock(ask, prefix);
		this.#hash = new CookieHash({ask, seal: createCookieCipher(keys), prefix, sessionMs});
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
		return answer(id ? this.#hash.find(id) : Promise.resolve(undefined), callback);
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
		return answer(Promise.resolve(found), done);
	}

	override putCookie(cookie: Cookie): Promise<void>;
	override putCookie(cookie: Cookie, callback: ErrorCallback): void;
	override putCookie(cookie: Cookie, callback?: ErrorCallback): unknown {
		const id = idOf(cookie);
		return answer(id ? this.#hash.put(cookie, id) : Promise.resolve(), callback);
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
		return answer(id ? this.#hash.remove(id) : Promise.resolve(), callback);
	}

	/** Removes the cookies of a domain, or of one of its paths; not those of its subdomains. */
	override removeCookies(domain: string, path: Nullable<string>): Promise<void>;
	override removeCookies(domain: string, path: Nullable<string>, callback: ErrorCallback): void;
	override removeCookies(
		domain: string,
		path: Nullable<string>,
		callback?: ErrorCallback,
	): unknown {
		return answer(this.#hash.removeBelow(domain, path || undefined), callback);
	}

	/** Ends the session for all: every cookie goes, the count of logins stays. */
	override removeAllCookies(): Promise<void>;
	override removeAllCookies(callback: ErrorCallback): void;
	override removeAllCookies(callback?: ErrorCallback): unknown {
		return answer(this.#hash.removeAll(), callback);
	}

	/** The cookies in the order of their creation, over all processes. */
	override getAllCookies(): Promise<Cookie[]>;
	override getAllCookies(callback: Callback<Cookie[]>): void;
	override getAllCookies(callback?: Callback<Cookie[]>): unknown {
		return answer(this.#hash.all(), callback);
	}
}

type Nullish<T> = {readonly [P in keyof T]: Nullable<T[P]>};

function idOf({domain, path, key}: Nullish<CookieId>): CookieId | undefined {
	if (domain == null || path == null || key == null) return undefined;
	return {domain, path, key};
}

/** In the two ways in which tough-cookie asks: by callback, or by promise. */
function answer<T>(work: Promise<T>, callback: Callback<T> | ErrorCallback | undefined): unknown {
	if (!callback) return work;
	// Out of the promise: what a callback throws is its caller's failure, not the store's.
	work.then(
		(value) => process.nextTick(callback as Callback<T>, null, value),
		(error: Error) => process.nextTick(callback, error),
	);
	return undefined;
}
