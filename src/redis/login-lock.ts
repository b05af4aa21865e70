import {randomUUID} from 'node:crypto';
import {maxLifetimeMs} from '../cookies/expiry.ts';
import type {LockLease, SharedLoginLock} from '../login/login-lock.ts';
import type {WithTimeout} from './commands.ts';
import {acquireScript, completeScript, releaseScript} from './scripts.ts';

/**
 * The ledger of a session: `PREFIX:lease`, held by a random token until the lease is over, and the
 * counter `PREFIX:logins`.
 */
export function createLoginLock(ask: WithTimeout, prefix: string): SharedLoginLock {
	const lease = `${prefix}:lease`;
	const logins = `${prefix}:logins`;
	return {
		async generation() {
			return Number((await ask((redis) => redis.get(logins))) ?? 0);
		},
		async acquire(leaseMs) {
			const token = randomUUID();
			const run = (script: string, keys: string[], ...rest: string[]) =>
				ask((redis) => redis.eval(script, {keys, arguments: [token, ...rest]}));
			const taken = await run(acquireScript, [lease], String(Math.ceil(leaseMs)));
			if (taken === null) return undefined;
			return {
				async complete() {
					// Counted also when the lease has ended meanwhile: the cookies are there.
					// No cookie outlives the counter, which would then start from 0 beside it.
					await run(completeScript, [lease, logins], String(maxLifetimeMs));
				},
				async release() {
					await run(releaseScript, [lease]);
				},
			} satisfies LockLease;
		},
	};
}
