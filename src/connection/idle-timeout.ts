/** How long a connection is kept without a request, where the server does not say. */
export const idleLimitMs = 30_000;

/**
 * A server closes at the end of the time that it announces: a request that is on its way then is lost.
 * Node's agent stays away by 1 s, with which a server that announces 1 s is never asked twice.
 */
export const hintMarginMs = 500;

/** As undici: longer than that nobody is believed. */
export const maxIdleMs = 600_000;

/** How long a connection may be idle after a response with this `Keep-Alive` header: `timeout=5, max=100`. */
export function idleLimitFor(keepAlive: string | undefined): number {
	const seconds = keepAlive && /timeout=(\d+)/.exec(keepAlive)?.[1];
	if (!seconds) return idleLimitMs;
	return Math.min(Number(seconds) * 1_000 - hintMarginMs, maxIdleMs);
}

/**
 * Since when a connection is idle. A process that was frozen has missed its timers, and finds
 * connections that servers and firewalls have long forgotten: whoever takes one looks at the clock.
 *
 * At both clocks, for the steady one stands still while a machine sleeps, and the other may be set back.
 */
export class IdleSince {
	/** On the clock of `performance.now()`. */
	readonly steady = performance.now();
	readonly #wall = Date.now();

	isOver(limitMs: number): boolean {
		return performance.now() - this.steady > limitMs || Date.now() - this.#wall > limitMs;
	}
}
