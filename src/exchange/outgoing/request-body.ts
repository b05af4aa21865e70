import {ReadStream} from 'node:fs';
import {PassThrough, Readable, type Stream} from 'node:stream';
import type {ReadableStream as WebStream} from 'node:stream/web';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {AxiosError} from 'axios';
import {streamOptions} from '../../connection/socket-options.ts';
import {describeType} from '../../util/check-options.ts';

/** A streamed body is kept up to this size, to be sent again after a 307 or 308. */
export const replayLimitBytes = 10 * 1024 * 1024;

/** The body of a request, for each attempt to send it. */
export interface Body {
	/** As the app gave it. */
	readonly data: unknown;
	/** Whether it is read once, while it is sent. */
	readonly isStream: boolean;
	/** Whether it can be sent again. */
	readonly replayable: boolean;
	/** The bytes of a stream so far. */
	readonly bytesRead: number;
	/**
	 * The data for the next attempt: `data` itself, or a stream of its own.
	 *
	 * @param maxBytes - Above it, a stream fails as axios fails it. @defaultValue without limit
	 * @throws {AxiosError} `ERR_BODY_NOT_REPLAYABLE`
	 */
	open(maxBytes?: number): unknown;
	/** Ends the attempt that `open` returned; the next attempt reads the rest of a stream. */
	stop(attempt: unknown): void;
	/** The present attempt is the last: the rest of a stream is read and dropped after it. */
	last(): void;
	/** As `last`, and ends the present attempt. */
	discard(): void;
	/** There is no further attempt: the call has failed. A stream of which nothing was read stays as it is. */
	abandon(): void;
}

/** The body of one request; when `replayable`, a stream is recorded while it is sent. */
export function makeBody(data: unknown, replayable: boolean, limitBytes = replayLimitBytes): Body {
	const source = sourceOf(data);
	if (source === undefined) return new DataBody(data);
	return new StreamBody(source, replayable ? limitBytes : 0, source !== data);
}

/** A body in memory, or one that can be read any number of times, such as a Blob. */
class DataBody implements Body {
	readonly data: unknown;
	readonly isStream = false;
	readonly replayable = true;
	readonly bytesRead = 0;

	constructor(data: unknown) {
		this.data = data;
	}

	open(): unknown {
		return this.data;
	}

	stop(): void {}
	last(): void {}
	discard(): void {}
	abandon(): void {}
}

/** A body that can be read once; `undefined` for any other. */
function sourceOf(data: unknown): Source | undefined {
	if (typeof data !== 'object' || data === null) return undefined;
	if (typeof (data as Source).pipe === 'function') return data as Source;
	if (isWebStream(data)) return fromWeb(data);
	const iterable = data as Partial<AsyncIterable<unknown> & IterableIterator<unknown>>;
	const isIterator = typeof iterable.next === 'function' && Symbol.iterator in data;
	if (!(Symbol.asyncIterator in data || isIterator)) return undefined;
	return Readable.from(data as AsyncIterable<unknown>, streamOptions({objectMode: false}));
}

/** @throws {AxiosError} `ERR_BAD_REQUEST` for a stream that another reader has locked. */
function fromWeb(stream: WebStream): Readable {
	try {
		return Readable.fromWeb(stream);
	} catch (error) {
		throw AxiosError.from(error as Error, AxiosError.ERR_BAD_REQUEST);
	}
}

// Not by its class, of which a test environment may have another.
function isWebStream(data: object): data is WebStream {
	return Object.prototype.toString.call(data) === '[object ReadableStream]';
}

/** @throws {TypeError} for anything but text and bytes. */
function bytesOf(chunk: unknown): Buffer {
	if (Buffer.isBuffer(chunk)) return chunk;
	if (typeof chunk === 'string') return Buffer.from(chunk, 'utf8');
	if (!ArrayBuffer.isView(chunk)) throw wrongChunk(chunk);
	return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

// With the code of Node's own error for what it cannot write.
function wrongChunk(chunk: unknown): TypeError {
	const error = new TypeError(
		`expected text or bytes as a part of the streamed body, found a ${describeType(chunk)}`,
	);
	return Object.assign(error, {code: 'ERR_INVALID_ARG_TYPE'});
}

/** axios's error for a body above `maxBodyLength`. */
export function bodyTooLong(): AxiosError {
	return new AxiosError('Request body larger than maxBodyLength limit', AxiosError.ERR_BAD_REQUEST);
}

/** What axios treats as a stream: anything that can be piped. */
type Source = Stream & Partial<Form>;

/** The part of npm's `form-data` that axios reads headers and length from; without a length it sends chunks. */
export interface Form {
	append(...field: unknown[]): unknown;
	getHeaders(): Record<string, string>;
	getLength?(callback: (error: Error | null, length: number) => void): void;
}

/**
 * Reads a stream once, for any number of attempts.
 *
 * A server may redirect before it has read the body: then the next attempt begins with the chunks that
 * were read for the first one, sent or not, and goes on reading the source.
 */
class StreamBody implements Body {
	readonly data: Source;
	readonly isStream = true;
	readonly #limitBytes: number;
	/** It was made here, from an iterator or a web stream of the app. */
	readonly #isWrapper: boolean;
	#chunks: Buffer[] = [];
	/** The index of the attempt's next chunk. */
	#position = 0;
	/** Read so far. */
	#bytes = 0;
	/** Given to the present attempt. */
	#sentBytes = 0;
	#maxBytes = Number.POSITIVE_INFINITY;
	#ended = false;
	/** Sent chunks were dropped: there is no second attempt. */
	#lost = false;
	/** The present attempt is the last. */
	#last = false;
	#attempt: Readable | undefined;
	#reader: AsyncIterator<Uint8Array | string> | undefined;
	#pulling: Promise<void> | undefined;
	#length: Promise<number> | undefined;

	constructor(data: Source, limitBytes: number, isWrapper: boolean) {
		this.data = data;
		this.#limitBytes = limitBytes;
		this.#isWrapper = isWrapper;
		// A file that does not open emits its error before it is read, and the reader gets it again.
		data.on('error', () => {});
	}

	get replayable(): boolean {
		return !this.#lost;
	}

	get bytesRead(): number {
		return this.#bytes;
	}

	open(maxBytes = Number.POSITIVE_INFINITY): Readable {
		if (this.#lost) {
			throw new AxiosError(
				`a redirect asks for the streamed body again, and more than ${this.#limitBytes} bytes of it were sent`,
				'ERR_BODY_NOT_REPLAYABLE',
			);
		}
		this.#position = 0;
		this.#sentBytes = 0;
		this.#maxBytes = maxBytes;
		const attempt: Readable = new Readable(
			streamOptions({
				read: () => {
					this.#feed(attempt).catch((error) => attempt.destroy(error));
				},
				destroy: (error: Error | null, done: (error?: Error | null) => void) => {
					if (error && attempt === this.#attempt) closeSource(this.data);
					done(error);
				},
			}),
		);
		this.#attempt = attempt;
		return isForm(this.data) ? this.#asForm(attempt, this.data) : attempt;
	}

	stop(attempt: unknown): void {
		if (attempt !== this.#attempt) return;
		this.#attempt = undefined;
		if (this.#last) this.discard();
	}

	last(): void {
		this.#last = true;
		if (this.#attempt === undefined) this.discard();
	}

	// As axios does: a file that is not read to its end would keep its descriptor open.
	discard(): void {
		this.#attempt = undefined;
		// An iterator may have no end.
		if (this.#isWrapper) closeSource(this.data);
		else this.#drain().catch(() => {});
	}

	abandon(): void {
		if (this.#reader === undefined) return;
		if (this.data instanceof ReadStream) closeSource(this.data);
		this.discard();
	}

	async #drain(): Promise<void> {
		while (!this.#ended) {
			await this.#pull();
			this.#chunks = [];
			// A source that always has data would leave no turn of the event loop to anything else.
			await nextTurn();
		}
	}

	async #feed(attempt: Readable): Promise<void> {
		if (this.#position === this.#chunks.length && !this.#ended) {
			try {
				await this.#pull();
			} catch (error) {
				// A stream that is closed early has no error: axios calls that a cancelled request.
				const closed = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
				attempt.destroy(closed ? undefined : (error as Error));
				return;
			}
		}
		// Stopped while it waited: the chunk belongs to the next attempt.
		if (attempt !== this.#attempt) return;

		const chunk = this.#chunks[this.#position];
		if (chunk !== undefined) {
			this.#position += 1;
			this.#forget();
			this.#sentBytes += chunk.length;
			if (this.#sentBytes > this.#maxBytes) attempt.destroy(bodyTooLong());
			else attempt.push(chunk);
		} else if (this.#ended) attempt.push(null);
		else await this.#feed(attempt);
	}

	/** Keeps the next chunk of the source; there is one read at a time. */
	#pull(): Promise<void> {
		this.#pulling ??= this.#read().finally(() => {
			this.#pulling = undefined;
		});
		return this.#pulling;
	}

	async #read(): Promise<void> {
		this.#reader ??= readerOf(this.data);
		const {value, done} = await this.#reader.next();
		if (done) this.#ended = true;
		else {
			const chunk = bytesOf(value);
			if (chunk.length === 0) return;
			this.#bytes += chunk.length;
			this.#chunks.push(chunk);
		}
	}

	#forget(): void {
		if (this.#bytes <= this.#limitBytes) return;
		this.#lost = true;
		this.#chunks.splice(0, this.#position);
		this.#position = 0;
	}

	/** Gives an attempt the members by which axios recognises a form. */
	#asForm(attempt: Readable, form: Form): Readable {
		const copy = Object.assign(attempt, {
			append() {},
			toString: () => '[object FormData]',
			getHeaders: () => form.getHeaders(),
		});
		if (typeof form.getLength !== 'function') return copy;
		// Called once: a form that was read no longer knows its length.
		this.#length ??= new Promise((resolve, reject) =>
			form.getLength?.((error, length) => (error ? reject(error) : resolve(length))),
		);
		const length = this.#length;
		length.catch(() => {});
		return Object.assign(copy, {
			getLength: (callback: (error: unknown, length?: number) => void) => {
				length.then((value) => callback(null, value), callback);
			},
		});
	}
}

// axios recognises a form by these methods and its name.
export function isForm<S extends Source>(source: S): source is S & Form {
	const {append, getHeaders} = source;
	if (typeof append !== 'function' || typeof getHeaders !== 'function') return false;
	// Security: a method that was put into Object.prototype does not turn the app's stream into a form.
	if (getHeaders === (Object.prototype as Partial<Form>).getHeaders) return false;
	const name = Object.prototype.toString.call(source);
	return (name === '[object Object]' ? source.toString() : name) === '[object FormData]';
}

function readerOf(source: Source): AsyncIterator<Uint8Array | string> {
	const readable = source instanceof Readable ? source : piped(source);
	// The source outlives an attempt that is stopped.
	return readable.iterator({destroyOnReturn: false})[Symbol.asyncIterator]();
}

// A stream of the old kind, such as that of `form-data`.
function piped(source: Stream): Readable {
	const readable = new PassThrough(streamOptions({}));
	source.on('error', (error) => readable.destroy(error));
	return source.pipe(readable);
}

function closeSource(source: Source): void {
	if (source instanceof Readable) source.destroy();
}
