import {recognizeCopies} from '../copies.ts';

/** Why a session in Redis cannot be used. */
export type RedisErrorCode =
	/** No response within `timeoutMs`. */
	| 'ERR_MTLS_REDIS_TIMEOUT'
	/** A cookie that none of the keys decrypts, that was changed, or that is not a cookie. */
	| 'ERR_MTLS_COOKIE_UNREADABLE';

/** Why a cookie cannot be read. */
export type UnreadableCookie =
	/** It is encrypted, and the store has no `key`. */
	| 'no-key'
	/** The store has a `key`, and the cookie was written without one. */
	| 'not-encrypted'
	/** None of the keys decrypts it: another one encrypted it, or it was changed. */
	| 'not-decrypted'
	/** It is text of another kind. */
	| 'not-a-cookie';

/**
 * A session that could not be read or written. A request of an axios-mtls client then fails with
 * `ERR_MTLS_JAR_FAILED` and has this as its `cause`.
 *
 * The message names the key and the field in Redis; never a cookie's value or a key of `key`.
 */
export class RedisJarError extends Error {
	readonly code: RedisErrorCode;
	/** Of `ERR_MTLS_COOKIE_UNREADABLE`; else `undefined`. */
	readonly reason: UnreadableCookie | undefined;

	static {
		recognizeCopies(RedisJarError, 'RedisJarError');
	}

	constructor(code: RedisErrorCode, message: string, reason?: UnreadableCookie) {
		super(message);
		this.name = 'RedisJarError';
		this.code = code;
		this.reason = reason;
	}
}
