/**
 * A session for many processes: a tough-cookie store in Redis or Valkey. It works with any app that
 * has tough-cookie, with axios or without.
 *
 * @module
 */
export type {RedisCommands} from './commands.ts';
export {type RedisErrorCode, RedisJarError} from './error.ts';
export type {RedisStoreOptions} from './options.ts';
export {RedisCookieStore} from './store.ts';
