import {Readable} from 'node:stream';
import {AxiosError} from 'axios';

/** A streamed body is kept for a 307 or 308 up to this size. */
export const replayLimitBytes = 10 * 1024 * 1024;

/** What a request sends, as often as redirects ask for it. */
export interface Body {
	/** The data for the next attempt. @throws {AxiosError} `ERR_BODY_NOT_REPLAYABLE` */
	open(): unknown;
}

/** A body for one request; a stream is recorded while it is sent when `replayable`. */
export function makeBody(data: unknown, replayable: boolean): Body {
	return data instanceof Readable && replayable ? new RecordedStream(data) : {open: () => data};
}

/**
 * Reads a stream once and gives it out as often as needed.
 *
 * A server may redirect before it has read the body: then the next attempt begins with what the
 * first one took and goes on where that one stopped.
 */
class RecordedStream implements Body {
	readonly #source: AsyncIterator<Buffer>;
	#recorded: Buffer[] = [];
	#bytes = 0;
	#attempt = 0;

	constructor(source: Readable) {
		// The source outlives an attempt that is given up.
		this.#source = source.iterator({destroyOnReturn: false})[Symbol.asyncIterator]();
	}

	open(): Readable {
		if (this.#bytes > replayLimitBytes) {
			throw new AxiosError(
				`a redirect asks for the streamed body again, and more than ${replayLimitBytes} bytes of it were sent`,
				'ERR_BODY_NOT_REPLAYABLE',
			);
		}
		this.#attempt += 1;
		return Readable.from(this.#read(this.#attempt), {objectMode: false});
	}

	async *#read(attempt: number): AsyncGenerator<Buffer> {
		yield* [...this.#recorded];
		while (attempt === this.#attempt) {
			const {value, done} = await this.#source.next();
			if (done) return;
			const chunk = Buffer.from(value);
			this.#record(chunk);
			yield chunk;
		}
	}

	#record(chunk: Buffer): void {
		this.#bytes += chunk.length;
		if (this.#bytes > replayLimitBytes) this.#recorded = [];
		else this.#recorded.push(chunk);
	}
}
