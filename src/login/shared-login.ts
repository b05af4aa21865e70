import {type Clock, withTimeout} from '../util/clock.ts';
import {LoginProblem, loginLockFailed} from './login-error.ts';
import type {LockLease, SharedLoginLock} from './login-lock.ts';

/** A login that requests travel with. */
export interface Login {
	/** Its number in the ledger; 0 without one. */
	readonly generation: number;
	/** Another process has made it, nobody knows when. */
	readonly adopted: boolean;
}

/** What a turn is taken with. */
export interface LoginOutcome {
	readonly ledger: SharedLoginLock;
	/** The generation that is over; 0 when there was none. */
	readonly over: number;
	readonly logIn: () => Promise<unknown>;
	readonly loginTimeoutMs: number;
	readonly clock: Clock;
	/** Ends the waiting for another process. */
	readonly signal: AbortSignal;
}

/** How often another process's login is asked for. */
const pollMs = 100;

/** So long a lease outlives its login: for the ledger's own round trips. */
const marginMs = 5_000;

/**
 * Logs in for all processes, or takes over what another of them has done.
 *
 * @throws {LoginProblem} when the ledger fails, or another process never gives its turn back.
 */
export async function loginOrAdopt(turn: LoginOutcome): Promise<Login> {
	const {ledger, clock, signal} = turn;
	const leaseMs = turn.loginTimeoutMs + marginMs;
	// Its lease, and that of one who comes in between.
	const giveUpAt = clock.now() + 2 * leaseMs;
	for (;;) {
		const done = await adoptable(turn);
		if (done !== undefined) return done;
		const lease = await ask(turn, 'asked for a turn', () => ledger.acquire(leaseMs));
		if (lease !== undefined) return useTurn(turn, lease);

		if (clock.now() >= giveUpAt) {
			throw new LoginProblem(
				'ERR_MTLS_LOGIN_FAILED',
				`another process has been logging in for ${2 * leaseMs} ms`,
			);
		}
		await clock.delay(pollMs, signal);
	}
}

/** What another process has done since. Its number may be smaller: a store that lost its data begins anew. */
async function adoptable(turn: LoginOutcome): Promise<Login | undefined> {
	const generation = await ask(turn, 'read', () => turn.ledger.generation());
	if (generation === 0 || generation === turn.over) return undefined;
	return {generation, adopted: true};
}

async function useTurn(turn: LoginOutcome, lease: LockLease): Promise<Login> {
	// It ends by itself where it cannot be given back: that is no failure of ours.
	const giveBack = () => ask(turn, 'given a turn back', () => lease.release()).catch(() => {});
	let done: Login | undefined;
	try {
		// Between the look at the ledger and the lease another may have finished.
		done = await adoptable(turn);
		if (done === undefined) await turn.logIn();
	} catch (error) {
		await giveBack();
		throw error;
	}
	if (done !== undefined) {
		await giveBack();
		return done;
	}
	await ask(turn, 'told of a login', () => lease.complete());
	const generation = await ask(turn, 'read', () => turn.ledger.generation());
	return {generation, adopted: false};
}

/** One question to the ledger; a store that never answers has failed. */
async function ask<T>(
	{clock, signal, loginTimeoutMs: ms}: LoginOutcome,
	what: string,
	question: () => Promise<T>,
): Promise<T> {
	const timeoutError = () =>
		Object.assign(new Error(`no answer for ${ms} ms`), {code: 'ETIMEDOUT'});
	try {
		return await withTimeout(question, {ms, clock, signal, timeoutError});
	} catch (cause) {
		throw loginLockFailed(what, cause);
	}
}
