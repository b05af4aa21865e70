import type {Socket} from 'node:net';
import {TimeoutError} from '../connection/connect-timeout.ts';
import {authorityOfUrl} from '../util/url.ts';

/** `firstByteMs`: how long the head of the response may take after the request was sent. */
export class FirstByteTimer {
	#timer: NodeJS.Timeout | undefined;
	#stopped = false;
	readonly #start: () => void;

	/** @param expire - Called when the head is not there in time. */
	constructor(url: URL, firstByteMs: number, expire: (error: TimeoutError) => void) {
		this.#start = () => {
			if (this.#stopped) return;
			const error = new TimeoutError('firstByte', authorityOfUrl(url), firstByteMs);
			this.#timer = setTimeout(() => expire(error), firstByteMs);
		};
	}

	/** All of the request was written to `socket`. */
	start(socket: Socket | undefined): void {
		// A large body is written at once, and goes out as fast as the server reads.
		if (socket?.writableNeedDrain) socket.once('drain', this.#start);
		else this.#start();
	}

	stop(): void {
		this.#stopped = true;
		clearTimeout(this.#timer);
	}
}
