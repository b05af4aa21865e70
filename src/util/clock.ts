import {setTimeout} from 'node:timers/promises';

/** In ms. A timer of Node fires at once when it is given more. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The clock, as an argument for tests. */
export interface Clock {
	/** In ms; never goes back. */
	now(): number;
	/** Rejects when `signal` is aborted. */
	delay(ms: number, signal: AbortSignal): Promise<unknown>;
}

export const systemClock: Clock = {
	now: () => performance.now(),
	delay: (ms, signal) => setTimeout(ms, undefined, {signal}),
};

/** How long some work may take. */
export interface TimeLimit {
	readonly ms: number;
	readonly clock: Clock;
	/** Ends the wait earlier. */
	readonly signal: AbortSignal;
	timeoutError(): Error;
}

/** Waits for `work`, which may also throw before it returns a promise, up to a limit. */
export async function withTimeout<T>(
	work: () => T | Promise<T>,
	{ms, clock, signal, timeoutError}: TimeLimit,
): Promise<T> {
	const timer = new AbortController();
	const timeout = clock.delay(ms, AbortSignal.any([timer.signal, signal])).then(() => {
		throw timeoutError();
	});
	try {
		return await Promise.race([(async () => work())(), timeout]);
	} finally {
		timer.abort();
	}
}
