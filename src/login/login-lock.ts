/** The right of one process to log in for all processes that share a jar. Expires by itself. */
export interface LockLease {
	/** Counts the login, so that the other processes adopt it, and releases the lock. */
	complete(): Promise<void>;
	/** Releases the lock without a login. */
	release(): Promise<void>;
}

/** The lock by which processes that share a jar agree on which one logs in. */
export interface SharedLoginLock {
	/** The number of the last login, unique; 0 before the first. */
	generation(): Promise<number>;
	/** @returns `undefined` while another process has the lock. */
	acquire(leaseMs: number): Promise<LockLease | undefined>;
}

/** The field of a tough-cookie store that holds its lock. */
export const sharedLoginLock: unique symbol = Symbol.for('axios-mtls.loginLedger');
