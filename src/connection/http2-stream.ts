import {
	type ClientHttp2Stream,
	constants,
	type IncomingHttpHeaders,
	type IncomingHttpStatusHeader,
} from 'node:http2';
import type {Socket} from 'node:net';
import type {Readable} from 'node:stream';
import type {Connection} from './connection.ts';
import type {Http2Connection} from './http2-connection.ts';
import {headOf} from './http2-head.ts';
import {lengthMismatch} from './node-errors.ts';
import type {
	CompleteResponse,
	RequestConnection,
	RequestLoss,
	ResponseController,
	ResponseHandler,
	WireRequest,
} from './request-connection.ts';

const {NGHTTP2_CANCEL} = constants;

type ResponseHead = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** One request over HTTP/2: a stream of a connection that carries other requests at the same time. */
export class Http2Stream implements RequestConnection, ResponseController {
	readonly httpVersion = '2.0';
	/** HTTP/2 has none (RFC 9113 §8.3.2). */
	readonly reason = '';
	rawHeaders: readonly string[] = [];
	rawTrailers: readonly string[] = [];
	reused = false;
	loss: RequestLoss = {socket: undefined, reused: false, sent: false, answered: false};
	#connection: Http2Connection;
	readonly #acquired: Http2Connection | Promise<Http2Connection>;
	#isOpen = false;
	#handler: ResponseHandler | undefined = undefined;
	#stream: ClientHttp2Stream | undefined = undefined;
	#failure: Error | undefined = undefined;
	/** The head of the final response is there. */
	#answered = false;
	/** The server has sent END_STREAM, rather than a reset. */
	#whole = false;
	/** RFC 9110 §6.4.1: the response has none, but may have the length of the body that it omits. */
	#hasNoBody = false;
	#missingBytes = 0;
	#trailers: IncomingHttpHeaders = {};
	/** The handler has got the end of the response, or the error. */
	#ended = false;
	#released = false;

	/** @param connection - Acquired at once, and released at the end. */
	constructor(connection: Http2Connection) {
		this.#connection = connection;
		this.#acquired = connection.acquire();
	}

	get socket(): Socket | undefined {
		return this.#isOpen ? this.#connection.socket : undefined;
	}

	get attempt(): Connection | undefined {
		return this.#connection.attempt;
	}

	get waitsFor(): string | undefined {
		return this.#connection.waitsFor;
	}

	/** It may have been destroyed before. */
	send(request: WireRequest, handler: ResponseHandler): void {
		this.#handler = handler;
		this.#hasNoBody = request.method === 'HEAD';
		const acquired = this.#acquired;
		if (acquired instanceof Promise) {
			acquired.then(
				(open) => this.#open(open, request, handler),
				(error) => this.#fail(error),
			);
		} else this.#open(acquired, request, handler);
	}

	begin(): void {
		this.reused = this.#connection.answered;
	}

	complete(_: CompleteResponse, done: () => void): void {
		// Node may report only later in this turn that the request was sent.
		if (this.#isSent) {
			this.#release();
			done();
			return;
		}
		setImmediate(() => {
			if (!this.#isSent) this.#drop();
			this.#release();
			done();
		});
	}

	suspect(): void {
		this.#connection.verifyAlive();
	}

	nodeError(error: Error): Error {
		return error;
	}

	isBrokenOff(error: Error): boolean {
		return error instanceof BrokenOffError;
	}

	/** Ends its stream alone: the connection stays for other requests. */
	async destroy(): Promise<void> {
		if (this.#released) return;
		this.#ended = true;
		this.#drop();
		this.#release();
	}

	pause(): void {
		this.#stream?.pause();
	}

	resume(): void {
		this.#stream?.resume();
	}

	get #isSent(): boolean {
		return this.#stream?.writableFinished === true;
	}

	// A destroyed stream frees the data that was not sent. Node destroys a stream that is closed here, but not
	// one that the server has reset without an error.
	#drop(): void {
		const stream = this.#stream;
		if (stream?.closed) stream.destroy();
		else stream?.close(NGHTTP2_CANCEL);
	}

	#release(): void {
		if (this.#released) return;
		this.#released = true;
		this.#connection.release();
	}

	#open(connection: Http2Connection, request: WireRequest, handler: ResponseHandler): void {
		if (this.#released) return;
		this.#connection = connection;
		this.#isOpen = true;
		const {body} = request;
		let stream: ClientHttp2Stream;
		try {
			const head = headOf(request, connection);
			handler.onRequestStart();
			stream = connection.request(head, body === null);
		} catch (error) {
			// The connection has ended meanwhile. Node before v24 throws; later versions emit `close`.
			if (connection.closed) this.#lose(error as Error);
			else this.#fail(error as Error);
			return;
		}
		this.#listen(stream);
		if (body === null) {
			handler.onRequestSent();
			return;
		}
		stream.once('finish', () => handler.onRequestSent());
		if (Buffer.isBuffer(body)) stream.end(body);
		else this.#sendStream(body, stream, lengthOf(request));
	}

	/** Security: a server that passes it on over HTTP/1.1 might take what is too long for another request. */
	#sendStream(body: Readable, stream: ClientHttp2Stream, length: number | undefined): void {
		if (length === undefined) {
			body.pipe(stream);
			return;
		}
		let missing = length;
		body.on('data', (chunk: Buffer) => {
			missing -= chunk.length;
			if (missing < 0) this.#fail(lengthMismatch());
			else if (!stream.write(chunk)) body.pause();
		});
		body.on('end', () => {
			if (missing > 0) this.#fail(lengthMismatch());
			else if (missing === 0) stream.end();
		});
		stream.on('drain', () => body.resume());
	}

	#listen(stream: ClientHttp2Stream): void {
		this.#stream = stream;
		this.#watchEnd(stream);
		stream.on('error', (error) => {
			this.#failure = error;
		});
		stream.on('headers', (head: ResponseHead, _: number, raw?: string[]) => {
			if (!this.#ended) this.#passHead(head, raw);
		});
		stream.on('response', (head: ResponseHead, _: number, raw?: string[]) =>
			this.#onResponse(stream, head, raw),
		);
		stream.on('close', () => this.#onClose());
	}

	/**
	 * Watches how a stream ends. Its content is complete only with END_STREAM (RFC 9113 §8.1), but Node
	 * emits the same `end` for a reset with the code NO_ERROR.
	 */
	#watchEnd(stream: ClientHttp2Stream): void {
		const {push} = stream;
		// Node pushes `null` for both, and sets `closed` first for a reset.
		stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
			if (chunk === null && !this.#whole) {
				if (!stream.closed) this.#whole = true;
				// Without a response the stream has no reader, and Node would wait for one.
				else if (!this.#answered) setImmediate(() => this.#answered || stream.destroy());
			}
			return push.call(stream, chunk, encoding);
		};
	}

	#onResponse(stream: ClientHttp2Stream, head: ResponseHead, raw?: string[]): void {
		if (this.#ended) return;
		this.#answered = true;
		this.#connection.answered = true;
		const status = head[':status'];
		if (status === 204 || status === 304) this.#hasNoBody = true;
		if (!this.#hasNoBody) this.#missingBytes = Number(head['content-length'] ?? 0);
		this.#passHead(head, raw);
		stream.on('trailers', (trailers: IncomingHttpHeaders, _: number, raw?: string[]) => {
			this.#trailers = fieldsOf(trailers);
			this.rawTrailers = raw ?? [];
		});
		stream.on('end', () => this.#onEnd());
		stream.on('data', (chunk: Buffer) => {
			this.#missingBytes -= chunk.length;
			if (!this.#ended) this.#handler?.onResponseData(this, chunk);
		});
	}

	#passHead(head: ResponseHead, raw: readonly string[] = []): void {
		this.rawHeaders = raw;
		this.#handler?.onResponseStart(this, Number(head[':status']), fieldsOf(head), '');
	}

	#onEnd(): void {
		if (this.#ended) return;
		// A Node server ends an abandoned response like a complete one.
		if ((this.#whole || this.#hasNoBody) && this.#missingBytes <= 0) {
			this.#ended = true;
			this.#handler?.onResponseEnd(this, this.#trailers);
		} else this.#breakOff();
	}

	#onClose(): void {
		if (this.#ended) return;
		if (!this.#answered) this.#lose(this.#failure);
		else if (this.#failure !== undefined) this.#fail(this.#failure);
		else this.#breakOff();
	}

	#breakOff(): void {
		this.#fail(new BrokenOffError());
	}

	/** It ended without a response. */
	#lose(failure: Error | undefined): void {
		const connection = this.#connection;
		const stream = this.#stream;
		const {answered: reused, socket} = connection;
		const refused = connection.hasRefused(stream);
		// A second connection may accept the request that this one has refused.
		if (refused) connection.retire();
		this.loss = {
			socket,
			reused,
			sent: !refused,
			answered: false,
			refused,
			othersBegun: connection.hasBegun,
			goneAway: connection.closed,
		};
		this.#fail(connection.errorOf(stream, failure));
	}

	#fail(error: Error): void {
		if (this.#ended) return;
		this.#ended = true;
		if (this.#answered) this.loss = {...this.loss, socket: this.socket, sent: true, answered: true};
		this.#handler?.onResponseError(this, error);
	}
}

/** The `Content-Length` of a request; `undefined` where only the end of its body tells. */
function lengthOf({headers}: WireRequest): number | undefined {
	const at = headers.findIndex((name, i) => i % 2 === 0 && /^content-length$/i.test(name));
	return at === -1 ? undefined : Number(headers[at + 1]);
}

/** The fields without the status, in an object that is faster to read than Node's. */
function fieldsOf(head: IncomingHttpHeaders): IncomingHttpHeaders {
	const fields: IncomingHttpHeaders = {};
	for (const name of Object.keys(head)) {
		// The second would set the prototype of the object.
		if (name !== ':status' && name !== '__proto__') fields[name] = head[name];
	}
	return fields;
}

/** The response had begun, and its stream ended before it was complete. */
class BrokenOffError extends Error {
	readonly code = 'ECONNRESET';

	constructor() {
		super('aborted');
	}
}
