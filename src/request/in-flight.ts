import {MAX_TIMER_MS} from '../util/clock.ts';

/** Counts what is in flight, so that an end can wait for it. */
export class InFlightRequests {
	#state: 'open' | 'closing' | 'ended' = 'open';
	#inFlight = 0;
	#whenIdle: (() => void)[] = [];
	readonly #end = new AbortController();

	/** Nothing new is to begin. */
	get closing(): boolean {
		return this.#state !== 'open';
	}

	/** Nothing is to go on either. */
	get ended(): boolean {
		return this.#state === 'ended';
	}

	/** Aborted when nothing is to go on. */
	get signal(): AbortSignal {
		return this.#end.signal;
	}

	begin(): void {
		this.#inFlight += 1;
	}

	done(): void {
		this.#inFlight -= 1;
		if (this.#inFlight > 0) return;
		for (const resolve of this.#whenIdle.splice(0)) resolve();
	}

	/** Lets nothing begin, and waits for what is in flight, at the most for `deadlineMs`. */
	async end(deadlineMs: number): Promise<void> {
		if (this.#state === 'open') this.#state = 'closing';
		if (this.#inFlight > 0 && !this.ended) await this.#idleWithin(deadlineMs);
		this.#state = 'ended';
		this.#end.abort();
	}

	#idleWithin(deadlineMs: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, Math.min(deadlineMs, MAX_TIMER_MS));
			this.#whenIdle.push(() => {
				clearTimeout(timer);
				resolve();
			});
		});
	}
}
