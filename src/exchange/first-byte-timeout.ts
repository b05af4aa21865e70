import type {Socket} from 'node:net';
import {TimeoutError} from '../connection/connect-timeout.ts';
import {authorityOfUrl} from '../util/url.ts';
import type {ExchangeInput} from './exchange.ts';

/** Watches for the head of an answer, from when its request is out. */
export class FirstByteTimer {
	#timer: NodeJS.Timeout | undefined;
	#stopped = false;
	readonly #start: () => void;

	/** @param expire - Called when the head is not there in time. */
	constructor(url: URL, firstByteMs: number, expire: (late: TimeoutError) => void) {
		this.#start = () => {
			if (this.#stopped) return;
			const late = new TimeoutError('firstByte', authorityOfUrl(url), firstByteMs);
			this.#timer = setTimeout(() => expire(late), firstByteMs);
		};
	}

	/** All of the request was given to `socket`. */
	sent(socket: Socket | undefined): void {
		// A large body is given to it at once, and goes out as fast as the server reads.
		if (socket?.writableNeedDrain) socket.once('drain', this.#start);
		else this.#start();
	}

	/** The head is there, or nobody waits for it any more. */
	stop(): void {
		this.#stopped = true;
		clearTimeout(this.#timer);
	}
}

/** The watch that a request asks for. */
export function firstByteTimer(
	{hop, timeouts}: Pick<ExchangeInput, 'hop' | 'timeouts'>,
	expire: (late: TimeoutError) => void,
): FirstByteTimer | undefined {
	const {firstByteMs} = timeouts;
	return firstByteMs ? new FirstByteTimer(hop.url, firstByteMs, expire) : undefined;
}
