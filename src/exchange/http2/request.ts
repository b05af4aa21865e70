import type {
	ClientHttp2Stream,
	IncomingHttpHeaders,
	IncomingHttpStatusHeader,
	OutgoingHttpHeaders,
} from 'node:http2';
import type {Socket} from 'node:net';
import {Readable, Writable} from 'node:stream';
import {TimeoutError} from '../../connection/connect-timeout.ts';
import type {Http2Connection} from '../../connection/http2-connection.ts';
import type {RequestLoss} from '../../connection/request-connection.ts';
import {streamOptions} from '../../connection/socket-options.ts';
import {onAbort} from '../../util/abortable.ts';
import {bareHost} from '../../util/url.ts';

/**
 * One request over HTTP/2, in the shape of Node's `ClientRequest` as far as axios's adapter and apps
 * use it: a writable for the body, with the events `response`, `timeout`, `error` and `close`.
 */
export class Http2Request extends Writable {
	/** The connection, which other requests share; `undefined` until it is open. */
	socket: Socket | undefined = undefined;
	/** Whether the connection has carried a response before. */
	reusedSocket = false;
	/** Set once the head of the response is there. */
	res: Http2Response | undefined = undefined;
	/** `https:` or `http:`. */
	protocol: string;
	/** Host without port. */
	readonly host: string;
	/** What is known of the loss when the request fails without a response. */
	loss: RequestLoss | undefined = undefined;
	#connection: Http2Connection;
	readonly #headers: OutgoingHttpHeaders;
	readonly #acquired: Promise<Http2Connection>;
	#stream: ClientHttp2Stream | undefined = undefined;
	#pauseMs = 0;

	/**
	 * @param headers - With pseudo-headers; names in lower case.
	 * @param signal - Ends the request.
	 */
	constructor(
		connection: Http2Connection,
		{protocol, hostname}: URL,
		headers: OutgoingHttpHeaders,
		signal: AbortSignal,
	) {
		// Like a ClientRequest it lives until its response is complete.
		super(streamOptions({autoDestroy: false}));
		this.#connection = connection;
		this.#headers = headers;
		this.protocol = protocol;
		this.host = bareHost(hostname);
		this.once('timeout', () => this.#connection.verifyAlive());
		this.#acquired = Promise.resolve(connection.acquire());
		this.#acquired.then(
			(open) => {
				this.#connection = open;
				this.socket = open.socket;
				this.reusedSocket = open.answered;
			},
			(error) => this.destroy(error),
		);
		this.once(
			'close',
			onAbort(signal, () => this.destroy()),
		);
	}

	/** The host to which it waits for a free connection, with its port. */
	get waitsFor(): string | undefined {
		return this.#connection.waitsFor;
	}

	get method(): string {
		return String(this.#headers[':method']);
	}

	/** Path and query. */
	get path(): string {
		return String(this.#headers[':path']);
	}

	getHeader(name: string): OutgoingHttpHeaders[string] {
		return this.#headers[name.toLowerCase()];
	}

	hasHeader(name: string): boolean {
		return this.getHeader(name) !== undefined;
	}

	/** All headers that are sent, those of HTTP/2 included. */
	getHeaders(): OutgoingHttpHeaders {
		return {...this.#headers};
	}

	/** Emits `timeout` when nothing is sent or received for `ms` once its stream is open. */
	setTimeout(ms: number, onTimeout?: () => void): this {
		if (onTimeout) this.once('timeout', onTimeout);
		this.#pauseMs = ms;
		return this;
	}

	override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error) => void): void {
		// A failure comes as the stream's `error` or `close`.
		this.#onStream(false, (stream) => {
			stream.write(chunk, encoding, (error) => {
				if (!error) done();
			});
		});
	}

	override _final(done: (error?: Error) => void): void {
		this.#onStream(true, (stream) => {
			stream.end();
			done();
		});
	}

	/** The response is complete: the server does not wait for what is left of the request. */
	finish(): void {
		// Node may report only later in this turn that the request was sent.
		if (this.#isSent) this.destroy();
		else setImmediate(() => this.destroy());
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		if (error instanceof TimeoutError) this.#connection.verifyAlive();
		if (!this.res?.complete || !this.#isSent) this.#drop();
		this.#connection.release();
		done(error);
	}

	get #isSent(): boolean {
		return this.#stream?.writableFinished === true;
	}

	// A destroyed stream frees the data that was not sent. Node destroys a stream that is closed here, but not
	// one that the server has reset without an error.
	#drop(): void {
		if (this.#stream?.closed) this.#stream.destroy();
		else this.#stream?.close(cancel);
	}

	/** @param endStream - Whether the head, if it has yet to be sent, is all of the request. */
	#onStream(endStream: boolean, use: (stream: ClientHttp2Stream) => void): void {
		this.#acquired.then(
			() => {
				if (this.destroyed) return;
				try {
					this.#stream ??= this.#openStream(endStream);
				} catch (error) {
					// The connection has ended meanwhile. Node before v24 throws; later versions emit `close`.
					if (this.#connection.closed) this.#failWithoutResponse(undefined, error as Error);
					else this.destroy(error as Error);
					return;
				}
				use(this.#stream);
			},
			() => {},
		);
	}

	#openStream(endStream: boolean): ClientHttp2Stream {
		const stream = this.#connection.request(this.#headers, endStream);
		const end = watchStreamEnd(stream, () => {
			// Without a response the stream has no reader, and Node would wait for one.
			if (this.res === undefined) stream.destroy();
		});
		let failure: Error | undefined;
		stream.on('error', (error) => {
			failure = error;
		});
		stream.once('response', (headers) => this.#onResponse(stream, end, headers));
		stream.once('close', () => this.#onClose(stream, failure));
		stream.setTimeout(this.#pauseMs, () => this.emit('timeout'));
		return stream;
	}

	#onResponse(
		stream: ClientHttp2Stream,
		end: StreamEnd,
		headers: IncomingHttpHeaders & IncomingHttpStatusHeader,
	): void {
		if (this.destroyed) return;
		this.#connection.answered = true;
		this.res = new Http2Response(stream, end, headers, this);
		this.emit('response', this.res);
	}

	#onClose(stream: ClientHttp2Stream, failure: Error | undefined): void {
		if (this.destroyed) return;
		if (this.res !== undefined) {
			this.res.settle(failure);
			this.destroy();
			return;
		}
		this.#failWithoutResponse(stream, failure);
	}

	#failWithoutResponse(stream: ClientHttp2Stream | undefined, failure: Error | undefined): void {
		const {answered: reused} = this.#connection;
		const refused = this.#connection.hasRefused(stream);
		// A second connection may accept the request that this one has refused.
		if (refused) this.#connection.retire();
		this.reusedSocket = reused;
		this.loss = {
			socket: this.socket,
			reused,
			sent: !refused,
			answered: false,
			refused,
			othersBegun: this.#connection.hasBegun,
			goneAway: this.#connection.closed,
		};
		this.destroy(this.#connection.errorOf(stream, failure));
	}
}

// RFC 9113 §7: the stream is no longer needed.
const cancel = 8;

/**
 * The response to one request over HTTP/2, in the shape of Node's `IncomingMessage`. Destroying it ends
 * its stream; the connection stays for other requests.
 */
export class Http2Response extends Readable {
	readonly httpVersion = '2.0';
	readonly statusCode: number;
	/** HTTP/2 has no reason phrase (RFC 9113 §8.3.2). */
	readonly statusMessage = '';
	readonly headers: IncomingHttpHeaders;
	readonly req: Http2Request;
	/** The whole response is there. */
	complete = false;
	/** The URL that the response came from, after redirects. */
	responseUrl?: string;
	readonly #stream: ClientHttp2Stream;

	constructor(
		stream: ClientHttp2Stream,
		end: StreamEnd,
		{':status': status, ...headers}: IncomingHttpHeaders & IncomingHttpStatusHeader,
		request: Http2Request,
	) {
		super();
		this.#stream = stream;
		this.statusCode = Number(status);
		this.headers = headers;
		this.req = request;
		// RFC 9110 §6.4.1: these have no body, but may have the length of the body that they omit.
		const hasNoBody = request.method === 'HEAD' || status === 204 || status === 304;
		const announcedBytes = hasNoBody ? 0 : Number(headers['content-length'] ?? 0);
		let bytes = 0;
		stream.on('data', (chunk: Buffer) => {
			bytes += chunk.length;
			if (!this.push(chunk)) stream.pause();
		});
		stream.once('end', () => {
			// A Node server ends an abandoned response like a complete one.
			if ((end.whole || hasNoBody) && bytes >= announcedBytes) this.#finish();
			else this.abort();
		});
		stream.pause();
	}

	get socket(): Socket | undefined {
		return this.req.socket;
	}

	/** Aborts the response, as the end of its connection does. */
	abort(): void {
		if (this.complete || this.destroyed) return;
		this.emit('aborted');
		this.destroy(Object.assign(new Error('aborted'), {code: 'ECONNRESET'}));
	}

	/** Called when its stream is closed. */
	settle(failure: Error | undefined): void {
		if (this.complete || this.destroyed) return;
		if (failure) this.destroy(failure);
		else this.abort();
	}

	override _read(): void {
		this.#stream.resume();
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		if (!this.complete) this.req.destroy();
		done(error);
	}

	#finish(): void {
		this.complete = true;
		this.push(null);
		this.req.finish();
	}
}

/** How the server has ended a stream. */
interface StreamEnd {
	/** The server has sent END_STREAM, rather than a reset. */
	readonly whole: boolean;
}

/**
 * Watches how a stream ends. Its content is complete only with END_STREAM (RFC 9113 §8.1), but Node
 * emits the same `end` for a reset with the code NO_ERROR.
 *
 * @param onReset - Called after a reset and the data before it.
 */
function watchStreamEnd(stream: ClientHttp2Stream, onReset: () => void): StreamEnd {
	const end = {whole: false};
	const {push} = stream;
	// Node pushes `null` for both, and sets `closed` first for a reset.
	stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
		if (chunk === null && !end.whole) {
			if (stream.closed) setImmediate(onReset);
			else end.whole = true;
		}
		return push.call(stream, chunk, encoding);
	};
	return end;
}
