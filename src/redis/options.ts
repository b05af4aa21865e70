import {MtlsConfigError} from '../config-error.ts';
import {maxLifetimeMs} from '../cookies/expiry.ts';
import {describeType, readOptions} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';
import type {RedisCommands} from './commands.ts';

/** What {@link RedisCookieStore} takes. */
export interface RedisStoreOptions {
	/**
	 * The session's name: the key of its hash in Redis, and what its other keys begin with. All who
	 * give the same one share the cookies. On a cluster write a hash tag: `session:{alice}`. None ends
	 * in `:lease` or `:logins`, which are those other keys.
	 *
	 * Security: whoever chooses it chooses the session. Make it of what the app has verified.
	 */
	prefix: string;
	/**
	 * Encrypts each cookie with AES-256-GCM: 32 random bytes. Of a list the first one encrypts and any
	 * decrypts, so that a key can be replaced. Names, domains and paths of the cookies stay readable.
	 *
	 * Who can write to Redis cannot make a cookie, change one or move it to another name or session;
	 * but can remove one, or put back what was there before. A cookie that does not open fails the
	 * request, until `removeAllCookies()` ends the session.
	 *
	 * @defaultValue none: who reads Redis reads the session
	 */
	key?: Uint8Array | readonly Uint8Array[];
	/**
	 * How long a cookie without an end of its own is kept after it was last set, in seconds; 400 days
	 * at most. A cookie with `Max-Age` or `Expires` ends when that says.
	 *
	 * @defaultValue 86,400: a day
	 */
	ttlSeconds?: number;
	/**
	 * How long to wait for an answer of Redis, a client that reconnects included, in ms.
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
const known = ['prefix', 'key', 'ttlSeconds', 'timeoutMs'] as const;
const keyBytes = 32;

/** @throws {MtlsConfigError} for the first option that is unknown or of the wrong kind. */
export function resolveRedis(client: RedisCommands, options: RedisStoreOptions): RedisSettings {
	if (typeof client !== 'object' || client === null) {
		throw bad('client', 'a client of node-redis', client);
	}
	const missing = commands.find((name) => typeof client[name] !== 'function');
	if (missing) throw bad('client', `a client of node-redis with ${missing}()`, client[missing]);
	const own = readOptions<RedisStoreOptions>(options, {
		known,
		option: 'redis.options',
		prefix: 'redis.',
	});
	const {prefix, key, ttlSeconds = 86_400, timeoutMs = 2_000} = own;
	if (typeof prefix !== 'string' || prefix === '') {
		throw bad('prefix', 'a string that is not empty', prefix);
	}
	// Security: it would be a key of the ledger of another session, which could log in no more.
	if (/:(lease|logins)$/.test(prefix)) {
		throw badOption(
			'prefix',
			"a string that does not end in ':lease' or ':logins'",
			'one that does',
		);
	}
	return {
		client,
		prefix,
		keys: key === undefined ? [] : resolveKeys(key),
		sessionMs: Math.ceil(1_000 * inRange('ttlSeconds', ttlSeconds, maxLifetimeMs / 1_000)),
		timeoutMs: inRange('timeoutMs', timeoutMs, MAX_TIMER_MS),
	};
}

function resolveKeys(given: unknown): readonly Uint8Array[] {
	const listed = Array.isArray(given);
	// Security: an empty list is a key that was not found, not a wish to do without.
	if (listed && given.length === 0) throw badOption('key', `${keyBytes} bytes`, 'an empty list');
	const keys: unknown[] = listed ? given : [given];
	return keys.map((key, index) => {
		const name = listed ? `key[${index}]` : 'key';
		if (!(key instanceof Uint8Array)) throw bad(name, `${keyBytes} bytes`, key);
		if (key.length !== keyBytes) throw badOption(name, `${keyBytes} bytes`, `${key.length}`);
		return key;
	});
}

function inRange(name: string, value: unknown, most: number): number {
	const expected = `a number above 0, ${most} at most`;
	if (typeof value !== 'number') throw bad(name, expected, value);
	if (!(value > 0 && value <= most)) throw badOption(name, expected, String(value));
	return value;
}

function bad(name: string, expected: string, found: unknown): MtlsConfigError {
	return badOption(name, expected, describeType(found));
}

function badOption(name: string, expected: string, found: string): MtlsConfigError {
	return new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		`redis.${name}`,
		`expected ${expected}, found ${found}`,
	);
}
