import {Readable} from 'node:stream';
import {streamOptions} from '../../connection/socket-options.ts';

/**
 * `source` up to a number of bytes; above it, an error. It is read only when the app reads, so that the
 * error finds its listeners. Destroying it destroys the source at once.
 */
export class LimitedStream extends Readable {
	readonly #source: Readable;
	readonly #tooLong: () => Error;
	#leftBytes: number;
	#begun = false;

	/** @param tooLong - The error above `maxBytes`. */
	constructor(source: Readable, maxBytes: number, tooLong: () => Error) {
		super(streamOptions({}));
		this.#source = source;
		this.#leftBytes = maxBytes;
		this.#tooLong = tooLong;
		source.on('error', (error) => this.destroy(error));
		source.on('close', () => {
			if (!source.readableEnded) this.destroy();
		});
	}

	override _read(): void {
		if (this.#begun) {
			this.#source.resume();
			return;
		}
		this.#begun = true;
		this.#source.on('data', (chunk: Buffer) => this.#pass(chunk));
		this.#source.on('end', () => this.push(null));
	}

	#pass(chunk: Buffer): void {
		this.#leftBytes -= chunk.length;
		if (this.#leftBytes < 0) this.destroy(this.#tooLong());
		else if (!this.push(chunk)) this.#source.pause();
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		this.#source.destroy();
		// As in Node, an app that does not listen for errors gets none.
		done(this.listenerCount('error') > 0 ? error : null);
	}
}
