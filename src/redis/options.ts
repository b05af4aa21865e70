import {types} from 'node:util';
import {maxLifetimeMs} from '../cookies/expiry.ts';
import {
	anything,
	assertOption,
	badOption,
	describeType,
	numeric,
	readOptions,
} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';
import {RedisJarError} from './error.ts';

/**
 * The commands that the store uses: of a client, a cluster or a pool of node-redis, connected to Redis
 * or Valkey.
 */
export interface RedisCommands {
	hGetAll(key: string): Promise<Readonly<Record<string, string>>>;
	hGet(key: string, field: string): Promise<string | null>;
	hDel(key: string, field: string): Promise<unknown>;
	del(key: string): Promise<unknown>;
	get(key: string): Promise<string | null>;
	eval(script: string, options: {keys: string[]; arguments: string[]}): Promise<unknown>;
	/** Optional: cancels a command that still waits for a connection. */
	withAbortSignal?(signal: AbortSignal): RedisCommands;
}

/** Sends a command, and fails when Redis does not answer in time. */
export type WithTimeout = <T>(command: (redis: RedisCommands) => Promise<T>) => Promise<T>;

/**
 * A client that has lost its connection queues commands until it has one again. A command that has
 * timed out is removed from the queue, or it would overwrite a new cookie with an old one.
 */
export function timeoutWrapper(client: RedisCommands, timeoutMs: number): WithTimeout {
	return (command) => {
		const controller = new AbortController();
		const redis = client.withAbortSignal?.(controller.signal) ?? client;
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				reject(new RedisJarError('ERR_MTLS_REDIS_TIMEOUT', `no answer within ${timeoutMs} ms`));
				controller.abort();
			}, timeoutMs);
			// `command` may throw before there is a promise.
			(async () => command(redis))()
				.then(resolve, reject)
				.finally(() => clearTimeout(timer));
		});
	};
}

/** The options of {@link RedisCookieStore}. */
export interface RedisStoreOptions {
	/**
	 * The name of the session: the key of its hash in Redis, and the prefix of its other keys. Stores
	 * with the same prefix share the cookies. On a cluster use a hash tag: `session:{alice}`. It must not
	 * end in `:lease` or `:logins`, which are the other keys.
	 *
	 * Security: whoever chooses it chooses the session. Make it of data that the app has verified.
	 */
	prefix: string;
	/**
	 * Encrypts each cookie with AES-256-GCM: 32 random bytes. In a list the first key encrypts and any key
	 * decrypts, so that a key can be replaced. Names, domains and paths of the cookies stay readable.
	 *
	 * Whoever can write to Redis but has no key cannot make a cookie, change one or move it to another
	 * name or session, but can remove one, or restore an earlier value. A cookie that cannot be decrypted
	 * fails the request, until `removeAllCookies()` ends the session.
	 *
	 * @defaultValue none: whoever reads Redis reads the session
	 */
	key?: Uint8Array | readonly Uint8Array[];
	/**
	 * How long a session cookie is kept after it was last set, in seconds; 400 days at most. A cookie with
	 * `Max-Age` or `Expires` is kept until it expires.
	 *
	 * @defaultValue 86,400: a day
	 */
	ttlSeconds?: number;
	/**
	 * How long to wait for a response of Redis, also while the client reconnects, in ms.
	 *
	 * @defaultValue 2,000
	 */
	timeoutMs?: number;
}

/** The options, checked. */
export interface RedisSettings {
	readonly client: RedisCommands;
	readonly prefix: string;
	/** Empty: not encrypted. */
	readonly keys: readonly Uint8Array[];
	readonly sessionMs: number;
	readonly timeoutMs: number;
}

const commands = ['hGetAll', 'hGet', 'hDel', 'del', 'get', 'eval'] as const;
const keyBytes = 32;

const prefixCheck = {
	expected: 'a string that is not empty',
	accepts: (value: unknown) => typeof value === 'string' && value !== '',
};

const known = {
	prefix: prefixCheck,
	key: anything,
	ttlSeconds: numberUpTo(maxLifetimeMs / 1_000),
	timeoutMs: numberUpTo(MAX_TIMER_MS),
};

function numberUpTo(most: number) {
	return numeric(`a number above 0, ${most} at most`, (value) => value > 0 && value <= most);
}

/** @throws {MtlsConfigError} for the first option that is unknown or of the wrong kind. */
export function resolveRedis(client: RedisCommands, options: RedisStoreOptions): RedisSettings {
	if (typeof client !== 'object' || client === null) {
		throw badOption('redis.client', 'a client of node-redis', describeType(client));
	}
	const missing = commands.find((name) => typeof client[name] !== 'function');
	if (missing) {
		const expected = `a client of node-redis with ${missing}()`;
		throw badOption('redis.client', expected, describeType(client[missing]));
	}
	const {prefix, key, ttlSeconds, timeoutMs} = readOptions<RedisStoreOptions>(options, {
		known,
		option: 'redis.options',
		prefix: 'redis.',
	});
	assertOption(prefix, 'redis.prefix', prefixCheck);
	// Security: such a prefix is a key of another session's login lock, and that session could not log in.
	if (/:(lease|logins)$/.test(prefix)) {
		const expected = "a string that does not end in ':lease' or ':logins'";
		throw badOption('redis.prefix', expected, 'one that does');
	}
	return {
		client,
		prefix,
		keys: key === undefined ? [] : resolveKeys(key),
		sessionMs: Math.ceil(1_000 * (ttlSeconds ?? 86_400)),
		timeoutMs: timeoutMs ?? 2_000,
	};
}

function resolveKeys(given: unknown): readonly Uint8Array[] {
	const expected = `${keyBytes} bytes`;
	const isList = Array.isArray(given);
	// Security: an empty list means that a key was not found, not that none is wanted.
	if (isList && given.length === 0) throw badOption('redis.key', expected, 'an empty list');
	const keys: unknown[] = isList ? given : [given];
	return keys.map((key, index) => {
		const option = isList ? `redis.key[${index}]` : 'redis.key';
		if (!types.isUint8Array(key)) throw badOption(option, expected, describeType(key));
		if (key.length !== keyBytes) throw badOption(option, expected, `${key.length}`);
		return key;
	});
}
