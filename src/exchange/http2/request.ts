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
import {streamOptions} from '../../connection/socket-options.ts';
import {bareHost} from '../../util/url.ts';
import type {Progress} from '../resend.ts';

/**
 * One request over HTTP/2, in the shape of Node's `ClientRequest` as far as axios's adapter and apps
 * ask for it: a writable for the body that tells `response`, `timeout`, `error` and `close`.
 */
export class Http2Request extends Writable {
	/** The connection, which other requests share; `undefined` until it stands. */
	socket: Socket | undefined = undefined;
	/** Whether the connection has carried an answer before. */
	reusedSocket = false;
	/** Set once the head of the answer is there. */
	res: Http2Response | undefined = undefined;
	/** `https:` or `http:`. */
	protocol: string;
	/** Host without port. */
	readonly host: string;
	/** How far it came, where it failed without an answer. */
	progress: Progress | undefined = undefined;
	#session: Http2Connection;
	readonly #headers: OutgoingHttpHeaders;
	readonly #joined: Promise<unknown>;
	#stream: ClientHttp2Stream | undefined = undefined;
	#pauseMs = 0;

	/**
	 * @param headers - With pseudo-headers; names in lower case.
	 * @param signal - Gives it up.
	 */
	constructor(
		session: Http2Connection,
		{protocol, hostname}: URL,
		headers: OutgoingHttpHeaders,
		signal: AbortSignal,
	) {
		// As a ClientRequest it lives until its answer is complete.
		super(streamOptions({autoDestroy: false}));
		this.#session = session;
		this.#headers = headers;
		this.protocol = protocol;
		this.host = bareHost(hostname);
		this.once('timeout', () => this.#session.verifyAlive());
		const onAbort = () => this.destroy();
		signal.addEventListener('abort', onAbort);
		this.once('close', () => signal.removeEventListener('abort', onAbort));
		const joined = session.acquire();
		this.#joined = joined;
		joined.then(
			(standing) => {
				this.#session = standing;
				this.socket = standing.socket;
				this.reusedSocket = standing.answered;
			},
			(error) => this.destroy(error),
		);
		if (signal.aborted) onAbort();
	}

	/** The host to which it waits for a free connection, with its port. */
	get waitsFor(): string | undefined {
		return this.#session.waitsFor;
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

	/** Emits `timeout` when nothing is sent or received for `ms`, once it is on its way. */
	setTimeout(ms: number, onTimeout?: () => void): this {
		if (onTimeout) this.once('timeout', onTimeout);
		this.#pauseMs = ms;
		return this;
	}

	override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error) => void): void {
		// What fails it tells by its `error` or `close`.
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

	/** The response is complete. What of the request is not out by then, the server does not wait for. */
	finish(): void {
		// Of what is out already Node is told in this turn.
		if (this.#isSent) this.destroy();
		else setImmediate(() => this.destroy());
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		if (error instanceof TimeoutError) this.#session.verifyAlive();
		if (!this.res?.complete || !this.#isSent) this.#drop();
		this.#session.release();
		done(error);
	}

	get #isSent(): boolean {
		return this.#stream?.writableFinished === true;
	}

	// Node lets go of what is yet to be sent when a stream is destroyed, which it does by itself for one
	// that we close, but not for one that the server has reset without an error.
	#drop(): void {
		if (this.#stream?.closed) this.#stream.destroy();
		else this.#stream?.close(cancel);
	}

	/** @param bare - There is no body, if the head has yet to be sent. */
	#onStream(bare: boolean, use: (stream: ClientHttp2Stream) => void): void {
		this.#joined.then(
			() => {
				if (this.destroyed) return;
				try {
					this.#stream ??= this.#begin(bare);
				} catch (error) {
					// Before Node 24; it is by `close` that later ones tell of a session that has ended since.
					if (this.#session.closed) this.#lose(undefined, error as Error);
					else this.destroy(error as Error);
					return;
				}
				use(this.#stream);
			},
			() => {},
		);
	}

	#begin(bare: boolean): ClientHttp2Stream {
		const stream = this.#session.request(this.#headers, bare);
		const end = watchStreamEnd(stream, () => {
			// Without a response nobody reads it, and Node waits for that.
			if (this.res === undefined) stream.destroy();
		});
		let failure: Error | undefined;
		stream.on('error', (error) => {
			failure = error;
		});
		stream.once('response', (headers) => this.#answer(stream, end, headers));
		stream.once('close', () => this.#end(stream, failure));
		stream.setTimeout(this.#pauseMs, () => this.emit('timeout'));
		return stream;
	}

	#answer(
		stream: ClientHttp2Stream,
		end: StreamEnd,
		headers: IncomingHttpHeaders & IncomingHttpStatusHeader,
	): void {
		if (this.destroyed) return;
		this.#session.answered = true;
		this.res = new Http2Response(stream, end, headers, this);
		this.emit('response', this.res);
	}

	#end(stream: ClientHttp2Stream, failure: Error | undefined): void {
		if (this.destroyed) return;
		if (this.res !== undefined) {
			this.res.settle(failure);
			this.destroy();
			return;
		}
		this.#lose(stream, failure);
	}

	/** There is no response. */
	#lose(stream: ClientHttp2Stream | undefined, failure: Error | undefined): void {
		const {answered: reused} = this.#session;
		const refused = this.#session.hasRefused(stream);
		// Another one may begin where this one must not.
		if (refused) this.#session.retire();
		this.reusedSocket = reused;
		this.progress = {
			socket: this.socket,
			reused,
			sent: !refused,
			bytesBefore: Number.POSITIVE_INFINITY,
			refused,
			othersBegun: this.#session.hasBegun,
			goneAway: this.#session.closed,
		};
		this.destroy(this.#session.errorOf(stream, failure));
	}
}

// RFC 9113 §7: the stream is no longer needed.
const cancel = 8;

/**
 * The answer to one request over HTTP/2, in the shape of Node's `IncomingMessage`. To destroy it ends
 * the stream, and leaves the connection to the others.
 */
export class Http2Response extends Readable {
	readonly httpVersion = '2.0';
	readonly statusCode: number;
	/** HTTP/2 has no reason phrase (RFC 9113 §8.3.2). */
	readonly statusMessage = '';
	readonly headers: IncomingHttpHeaders;
	readonly req: Http2Request;
	/** The whole answer is there. */
	complete = false;
	/** The URL that answered, after redirects. */
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
		// RFC 9110 §6.4.1: their head is all of them, and may tell the length of what they do not send.
		const bare = request.method === 'HEAD' || status === 204 || status === 304;
		const promised = bare ? 0 : Number(headers['content-length'] ?? 0);
		let bytes = 0;
		stream.on('data', (chunk: Buffer) => {
			bytes += chunk.length;
			if (!this.push(chunk)) stream.pause();
		});
		stream.once('end', () => {
			// Servers of Node say of a response that they give up that there is no more.
			if ((end.whole || bare) && bytes >= promised) this.#finish();
			else this.breakOff();
		});
		stream.pause();
	}

	get socket(): Socket | undefined {
		return this.req.socket;
	}

	/** Ends it in the middle, as a connection that closes does. */
	breakOff(): void {
		if (this.complete || this.destroyed) return;
		this.emit('aborted');
		this.destroy(Object.assign(new Error('aborted'), {code: 'ECONNRESET'}));
	}

	/** Its stream is closed. */
	settle(failure: Error | undefined): void {
		if (this.complete || this.destroyed) return;
		if (failure) this.destroy(failure);
		else this.breakOff();
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
	/** It has said that there is no more, rather than reset it. */
	readonly whole: boolean;
}

/**
 * Watches how a stream ends. What it carries is whole only when the server says so (RFC 9113 §8.1);
 * to a reader Node tells the same end of a stream that is reset, where the code is no error.
 *
 * @param onReset - Called when it was reset, after what came before.
 */
function watchStreamEnd(stream: ClientHttp2Stream, onReset: () => void): StreamEnd {
	const end = {whole: false};
	const {push} = stream;
	// Node ends what it has closed by the same call, and says `closed` before.
	stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
		if (chunk === null && !end.whole) {
			if (stream.closed) setImmediate(onReset);
			else end.whole = true;
		}
		return push.call(stream, chunk, encoding);
	};
	return end;
}
