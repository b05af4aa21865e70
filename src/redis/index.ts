/**
 * A session that many processes share: a tough-cookie store in Redis or Valkey. It works in any app
 * with tough-cookie, with axios or without.
 *
 * @module
 */
import '../runtime/check-runtime.ts';

export {type RedisErrorCode, RedisJarError, type UnreadableCookie} from './error.ts';
export type {RedisCommands, RedisStoreOptions} from './options.ts';
export {RedisCookieStore} from './store.ts';
