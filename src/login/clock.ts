import {setTimeout} from 'node:timers/promises';

/** The time, as an argument. */
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

/** How long something is waited for. */
export interface Wait {
	readonly ms: number;
	readonly clock: Clock;
	/** Ends the waiting before that. */
	readonly signal: AbortSignal;
	/** What it fails with when the time is over. */
	late(): Error;
}

/** Waits for `work` no longer than it may take. */
export async function within<T>(work: Promise<T>, {ms, clock, signal, late}: Wait): Promise<T> {
	const over = new AbortController();
	const deadline = clock.delay(ms, AbortSignal.any([over.signal, signal])).then(() => {
		throw late();
	});
	try {
		return await Promise.race([work, deadline]);
	} finally {
		over.abort();
	}
}
