import {CookieJar} from '../../src/index.ts';
import {type LockLease, type SharedLoginLock, sharedLoginLock} from '../../src/login/login-lock.ts';

/** A lock in memory, for jars that stand for those of several processes. */
export class FakeLoginLock implements SharedLoginLock {
	/** What it was asked, in order. */
	readonly asked: string[] = [];
	generations = 0;
	/** Fails at each question that begins with one of these. */
	failing: readonly string[] = [];
	#holder: LockLease | undefined;

	async generation(): Promise<number> {
		this.#note('generation');
		return this.generations;
	}

	async acquire(leaseMs: number): Promise<LockLease | undefined> {
		this.#note(`acquire ${leaseMs}`);
		if (this.#holder !== undefined) return undefined;
		const lease: LockLease = {
			complete: async () => {
				this.#note('complete');
				if (this.#holder === lease) this.generations += 1;
				this.#end(lease);
			},
			release: async () => {
				this.#note('release');
				this.#end(lease);
			},
		};
		this.#holder = lease;
		return lease;
	}

	/** What time does to a lease whose process is gone. */
	expire(): void {
		this.#holder = undefined;
	}

	#end(lease: LockLease): void {
		if (this.#holder === lease) this.#holder = undefined;
	}

	#note(question: string): void {
		this.asked.push(question);
		if (this.failing.some((word) => question.startsWith(word))) {
			throw Object.assign(new Error('away, SECRET'), {code: 'ECONNREFUSED'});
		}
	}
}

/** A jar whose store has `lock`, and the cookies of `shared` where that is given. */
export function jarWith(lock: SharedLoginLock, shared?: CookieJar): CookieJar {
	const jar = shared === undefined ? new CookieJar() : new CookieJar(shared.store);
	Object.assign(jar.store, {[sharedLoginLock]: lock});
	return jar;
}
