import {randomUUID} from 'node:crypto';
import {maxLifetimeMs} from '../cookies/expiry.ts';
import type {LockLease, SharedLoginLock} from '../login/login-lock.ts';
import type {WithTimeout} from './options.ts';
import {acquireScript, completeScript, releaseScript} from './scripts.ts';

/**
 * The login lock of a session: `PREFIX:lease`, which holds the random token of its owner until the lease
 * ends, and the counter `PREFIX:logins`.
 */
export function createLoginLock(withTimeout: WithTimeout, prefix: string): SharedLoginLock {
	const lease = `${prefix}:lease`;
	const logins = `${prefix}:logins`;
	return {
		async generation() {
			return Number((await withTimeout((redis) => redis.get(logins))) ?? 0);
		},
		async acquire(leaseMs) {
			const token = randomUUID();
			const run = (script: string, keys: string[], ...rest: string[]) =>
				withTimeout((redis) => redis.eval(script, {keys, arguments: [token, ...rest]}));
			const acquired = await run(acquireScript, [lease], String(Math.ceil(leaseMs)));
			if (acquired === null) return undefined;
			return {
				async complete() {
					// Counted even if the lease has ended meanwhile: the cookies are there.
					// The counter outlives every cookie: it must not start from 0 again while one is left.
					await run(completeScript, [lease, logins], String(maxLifetimeMs));
				},
				async release() {
					await run(releaseScript, [lease]);
				},
			} satisfies LockLease;
		},
	};
}
