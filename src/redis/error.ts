import {recognizeCopies} from '../copies.ts';

/** Why a session in Redis cannot be used. */
export type RedisErrorCode =
	/** No response within `timeoutMs`. */
	| 'ERR_MTLS_REDIS_TIMEOUT'
	/** A cookie that none of the keys decrypts, that was changed, or that is not a cookie. */
	| 'ERR_MTLS_COOKIE_UNREADABLE';

/**
 * A session that could not be read or written. A request of an axios-mtls client then fails with
 * `ERR_MTLS_JAR_FAILED` and has this as its `cause`.
 *
 * The message names the key and the field in Redis; never a cookie's value or a key of `key`.
 */
export class RedisJarError extends Error {
	readonly code: RedisErrorCode;

	static {
		recognizeCopies(RedisJarError, 'RedisJarError');
	}

	constructor(code: RedisErrorCode, message: string) {
		super(message);
		this.name = 'RedisJarError';
		this.code = code;
	}
}
