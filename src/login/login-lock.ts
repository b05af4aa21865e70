/** One process's right to log in for all that share a jar. It ends by itself when its lease is over. */
export interface LockLease {
	/** Counts the login, so that the other processes take it over, and gives the right back. */
	complete(): Promise<void>;
	/** Gives the right back without a login. */
	release(): Promise<void>;
}

/** How processes that share a jar agree on who logs in. */
export interface SharedLoginLock {
	/** The number of the last login, which no other has; 0 before the first. */
	generation(): Promise<number>;
	/**
	 * Takes the right to log in.
	 *
	 * @returns `undefined` while another process has it.
	 */
	acquire(leaseMs: number): Promise<LockLease | undefined>;
}

/** The field of a tough-cookie store that holds its ledger. */
export const sharedLoginLock: unique symbol = Symbol.for('axios-mtls.loginLedger');
