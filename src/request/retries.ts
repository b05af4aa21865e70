import type {AxiosError} from 'axios';
import {type AbortSources, abortable} from '../exchange/abortable.ts';
import {type ConnectionLoss, mayResend, whyNotResent} from '../exchange/may-retry.ts';
import {appendMessage} from '../util/append-message.ts';

/** The limit of consecutive refusals by a server that accepted no request on the connection. */
const maxIdleRefusals = 10;

/** The limit of refusals of one request, however many others the server accepts meanwhile. */
const maxRefusals = 100;

/** Doubles from the first to the longest, so that ten attempts take a second. */
const pauseMs = {first: 10, longest: 250} as const;

/**
 * Counts the retries of one request. Whether it may be sent again at all is in exchange/may-retry.ts
 * (RFC 9110 §9.2.2, and RFC 9113 §8.7 for refusals over HTTP/2).
 */
export class Retries {
	#triedNewConnection = false;
	#refusals = 0;
	#idleRefusals = 0;
	/** Refusals that say the server is busy: those of a connection that closes do not count. */
	#busyRefusals = 0;

	/** Whether the request is sent again after this loss and a {@link pause}. */
	allow(loss: ConnectionLoss): boolean {
		const {refused, othersBegun, goneAway} = loss;
		if (refused) {
			this.#refusals += 1;
			this.#idleRefusals = othersBegun ? 0 : this.#idleRefusals + 1;
			this.#busyRefusals = goneAway && othersBegun ? 0 : this.#busyRefusals + 1;
		} else if (this.#triedNewConnection) return false;
		this.#triedNewConnection = true;
		return mayResend(loss) && this.#refusals < maxRefusals && this.#idleRefusals < maxIdleRefusals;
	}

	/** Waits for a busy server. One refusal is no reason to wait: it may only mean that the connection closes. */
	async pause(sources: AbortSources): Promise<void> {
		if (this.#busyRefusals < 2) return;
		const ms = Math.min(pauseMs.first * 2 ** (this.#busyRefusals - 2), pauseMs.longest);
		let timer: NodeJS.Timeout | undefined;
		const pause = new Promise<void>((resolve) => {
			timer = setTimeout(resolve, ms);
		});
		try {
			await abortable(
				pause,
				sources,
				'the server refuses the request, and it waits to be sent again',
			);
		} finally {
			clearTimeout(timer);
		}
	}

	/** Adds to the last error how often the server has refused, or why the request was not sent again. */
	explain(error: AxiosError, loss: ConnectionLoss): void {
		const why = whyNotResent(loss);
		if (why !== undefined) appendMessage(error, `: ${why}`);
		if (this.#refusals < 2) return;
		error.message = `the server refused the request ${this.#refusals} times: ${error.message}`;
	}
}
