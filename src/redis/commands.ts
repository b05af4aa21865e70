import {RedisJarError} from './error.ts';

/**
 * The commands that are used: those of a client, a cluster or a pool of node-redis, connected to
 * Redis or Valkey.
 */
export interface RedisCommands {
	hGetAll(key: string): Promise<Readonly<Record<string, string>>>;
	hGet(key: string, field: string): Promise<string | null>;
	hDel(key: string, field: string): Promise<unknown>;
	del(key: string): Promise<unknown>;
	get(key: string): Promise<string | null>;
	eval(script: string, options: {keys: string[]; arguments: string[]}): Promise<unknown>;
	/** Where it is there, a command that still waits for a connection is taken back by it. */
	withAbortSignal?(signal: AbortSignal): RedisCommands;
}

/** Asks Redis, and gives up after a while. */
export type WithTimeout = <T>(question: (commands: RedisCommands) => Promise<T>) => Promise<T>;

/**
 * Makes the way in which every command goes.
 *
 * A client that has lost its connection keeps commands until it has one again: what nobody waits
 * for any more is taken back, or an old cookie would be written over a new one.
 */
export function timeoutWrapper(client: RedisCommands, timeoutMs: number): WithTimeout {
	return (question) => {
		const ending = new AbortController();
		const commands = client.withAbortSignal?.(ending.signal) ?? client;
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				reject(new RedisJarError('ERR_MTLS_REDIS_TIMEOUT', `no answer within ${timeoutMs} ms`));
				ending.abort();
			}, timeoutMs);
			// `question` may throw before there is a promise.
			(async () => question(commands))()
				.then(resolve, reject)
				.finally(() => clearTimeout(timer));
		});
	};
}
