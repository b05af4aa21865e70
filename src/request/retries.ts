import type {AxiosError} from 'axios';
import {type AbortSources, abortable} from '../exchange/abortable.ts';
import {type ConnectionLoss, mayResend} from '../exchange/resend.ts';

/** How often in a row a server may refuse a request on connections on which it has begun with none. */
const maxRefusedInVain = 10;

/** How often it may refuse one at all, however many others it takes meanwhile. */
const maxRefused = 100;

/** Doubles from the first to the longest: ten attempts take a second. */
const pauseMs = {first: 10, longest: 250} as const;

/** How often one request is sent. */
export class Retries {
	#sentFresh = false;
	#refused = 0;
	#inVain = 0;
	/** Refusals but those by a connection that goes away, where the next one has room. */
	#busy = 0;

	/** Whether a request that ended so is sent again, after {@link pause}. */
	allow(ending: ConnectionLoss): boolean {
		const {refused, othersBegun, goneAway} = ending;
		if (refused) {
			this.#refused += 1;
			this.#inVain = othersBegun ? 0 : this.#inVain + 1;
			this.#busy = goneAway && othersBegun ? 0 : this.#busy + 1;
		} else if (this.#sentFresh) return false;
		this.#sentFresh = true;
		return mayResend(ending) && this.#refused < maxRefused && this.#inVain < maxRefusedInVain;
	}

	/** Gives a server time that is busy; the first refusal may be the end of a connection. */
	async pause(waiting: AbortSources): Promise<void> {
		if (this.#busy < 2) return;
		const ms = Math.min(pauseMs.first * 2 ** (this.#busy - 2), pauseMs.longest);
		let timer: NodeJS.Timeout | undefined;
		const over = new Promise<void>((resolve) => {
			timer = setTimeout(resolve, ms);
		});
		try {
			await abortable(over, waiting);
		} finally {
			clearTimeout(timer);
		}
	}

	/** Says in the last error that it was not the only one. */
	explain(error: AxiosError): void {
		if (this.#refused < 2) return;
		error.message = `the server refused the request ${this.#refused} times: ${error.message}`;
	}
}
