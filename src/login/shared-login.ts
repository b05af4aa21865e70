import {type Clock, withTimeout} from '../util/clock.ts';
import {LoginFailure, loginLockFailed} from './login-error.ts';
import type {LockLease, SharedLoginLock} from './login-lock.ts';

/** A login whose session is used by requests. */
export interface Login {
	/** Its number in the shared store; 0 without one. */
	readonly generation: number;
	/** Made by another process, at an unknown time. */
	readonly adopted: boolean;
}

export interface SharedLoginOptions {
	readonly lock: SharedLoginLock;
	/** The generation whose session has ended; 0 when there was none. */
	readonly endedGeneration: number;
	readonly logIn: () => Promise<unknown>;
	readonly loginTimeoutMs: number;
	readonly clock: Clock;
	/** Ends the wait for another process. */
	readonly signal: AbortSignal;
}

/** How often to look for the login of another process. */
const pollMs = 100;

/** The lease is this much longer than the login timeout, for the round trips to the store. */
const marginMs = 5_000;

/**
 * Logs in for all processes, or adopts the login that another of them has made.
 *
 * @throws {LoginFailure} when the store fails, or another process does not release the lock.
 */
export async function loginOrAdopt(options: SharedLoginOptions): Promise<Login> {
	const {lock, clock, signal} = options;
	const leaseMs = options.loginTimeoutMs + marginMs;
	// The lease of the process that has the lock, and of one that gets it before this one.
	const waitMs = 2 * leaseMs;
	const deadline = clock.now() + waitMs;
	for (;;) {
		const adopted = await adoptableLogin(options);
		if (adopted !== undefined) return adopted;
		const lease = await callStore(
			options,
			'the login lock of the shared store could not be acquired',
			() => lock.acquire(leaseMs),
		);
		if (lease !== undefined) return loginWithLease(options, lease);

		if (clock.now() >= deadline) {
			throw new LoginFailure(
				'ERR_MTLS_LOGIN_FAILED',
				`another process has been logging in for ${waitMs} ms`,
			);
		}
		await clock.delay(pollMs, signal);
	}
}

/** A login that another process has made since. Its number may be smaller: a store may lose its data. */
async function adoptableLogin(options: SharedLoginOptions): Promise<Login | undefined> {
	const generation = await readGeneration(options);
	if (generation === 0 || generation === options.endedGeneration) return undefined;
	return {generation, adopted: true};
}

async function loginWithLease(options: SharedLoginOptions, lease: LockLease): Promise<Login> {
	// A lease that cannot be released expires: that is not an error.
	const release = () =>
		callStore(options, 'the login lock could not be released', () => lease.release()).catch(
			() => {},
		);
	let adopted: Login | undefined;
	try {
		// Another process may have finished since the last look, just before the lock was acquired.
		adopted = await adoptableLogin(options);
		if (adopted === undefined) await options.logIn();
	} catch (error) {
		await release();
		throw error;
	}
	if (adopted !== undefined) {
		await release();
		return adopted;
	}
	await callStore(options, 'the login could not be recorded in the shared store', () =>
		lease.complete(),
	);
	return {generation: await readGeneration(options), adopted: false};
}

function readGeneration(options: SharedLoginOptions): Promise<number> {
	const message = 'the last login could not be read from the shared store';
	return callStore(options, message, () => options.lock.generation());
}

/** A store that does not respond in time has failed. */
async function callStore<T>(
	{clock, signal, loginTimeoutMs: ms}: SharedLoginOptions,
	failureMessage: string,
	call: () => Promise<T>,
): Promise<T> {
	const timeoutError = () =>
		Object.assign(new Error(`no answer for ${ms} ms`), {code: 'ETIMEDOUT'});
	try {
		return await withTimeout(call, {ms, clock, signal, timeoutError});
	} catch (cause) {
		throw loginLockFailed(failureMessage, cause);
	}
}
