/*
 * A connection of HTTP/1.1: one undici client, with one request at a time.
 *
 * undici's own Pool would wait a turn of the event loop before it uses a connection again, and open a
 * second one meanwhile; and it does not say which connection carries a request.
 */
import {channel} from 'node:diagnostics_channel';
import {maxHeaderSize} from 'node:http';
import type {Socket} from 'node:net';
import {Client, type Dispatcher} from 'undici';
import {withoutSpans} from '../logging/opentelemetry.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {type Connection, connectionOf} from './connection.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import {
	hintMarginMs,
	IdleSince,
	idleLimitFor,
	idleLimitMs,
	maxIdleMs,
	mayBeUnread,
	unsentGraceMs,
} from './keep-alive.ts';
import {isBrokenOff, toNodeError} from './node-errors.ts';
import type {
	CompleteResponse,
	RequestConnection,
	RequestLoss,
	ResponseHandler,
	WireRequest,
} from './request-connection.ts';

/** By which undici tells instrumentations of a request. */
const undiciRequests = channel('undici:request:create');

/** Called when the state of a connection changes. */
interface ConnectionEvents {
	/** It may carry the next request. */
	readonly onFree: () => void;
	readonly onEnd: () => void;
}

/** One connection, until its socket closes. */
export class Http1Connection implements RequestConnection {
	socket: Socket | undefined = undefined;
	/** It is connected or connecting. */
	readonly waitsFor = undefined;
	/** `undefined` where the number of connections is not limited. */
	readonly slot: ConnectionSlot | undefined;
	#heads: ResponseHeads | undefined = undefined;
	#requests = 0;
	/** The bytes that were read before the request; `undefined` until some of it was written. */
	#bytesBefore: number | undefined = undefined;
	#ended = false;
	#idle: IdleSince | undefined;
	#idleLimitMs = idleLimitMs;
	readonly #client: Client;
	readonly #attempt = new AbortController();
	readonly #events: ConnectionEvents;

	constructor(
		origin: string,
		open: (signal: AbortSignal) => Promise<Socket>,
		events: ConnectionEvents,
		slot: ConnectionSlot | undefined,
	) {
		this.#events = events;
		this.slot = slot;
		const options: Client.Options = {
			// It gets one request at a time; with 1 undici waits an event-loop turn between two.
			pipelining: 2,
			// The exchange has timers of its own.
			headersTimeout: 0,
			bodyTimeout: 0,
			keepAliveTimeout: idleLimitMs,
			keepAliveTimeoutThreshold: hintMarginMs,
			keepAliveMaxTimeout: maxIdleMs,
			allowH2: false,
			connect: (_, callback) => {
				// undici reconnects by itself when the connection is lost before the request is sent.
				if (this.#ended) return callback(new Error('the connection was closed'), null);
				open(this.#attempt.signal).then(
					(socket) => {
						this.socket = socket;
						this.#heads = new ResponseHeads(socket);
						callback(null, socket);
					},
					(error: Error) => callback(error, null),
				);
			},
		};
		this.#client = new Client(origin, withoutPrototype(options));
		this.#client.on('disconnect', () => this.#end());
		this.#client.on('connectionError', () => this.#end());
	}

	send(request: WireRequest, handler: ResponseHandler): void {
		this.#bytesBefore = undefined;
		const dispatch = () =>
			// undici has the method's name as a list of the usual ones, and takes any.
			this.#client.dispatch(
				request as Dispatcher.DispatchOptions,
				handler as Dispatcher.DispatchHandler,
			);
		// The request has its span already.
		if (undiciRequests.hasSubscribers) withoutSpans(dispatch);
		else dispatch();
	}

	get attempt(): Connection | undefined {
		return connectionOf(this.#attempt.signal);
	}

	get usable(): boolean {
		return !this.#ended && this.socket?.destroyed === false;
	}

	/** Whether it has been idle for too long, though its timer has not fired yet. */
	get isOverdue(): boolean {
		return this.#idle?.isOver(this.#idleLimitMs) ?? false;
	}

	begin(): void {
		this.#heads?.expect();
		this.#requests += 1;
		this.#bytesBefore = this.socket?.bytesRead;
	}

	get reused(): boolean {
		return this.#requests > (this.#bytesBefore === undefined ? 0 : 1);
	}

	get reason(): string {
		return this.#heads?.reason ?? '';
	}

	get httpVersion(): string {
		return this.#heads?.httpVersion ?? '1.1';
	}

	get loss(): RequestLoss {
		const {socket, reused} = this;
		const before = this.#bytesBefore;
		if (before === undefined) return {socket, reused, sent: false, answered: false};
		return {socket, reused, sent: true, answered: (socket?.bytesRead ?? 0) > before};
	}

	complete(response: CompleteResponse, done: () => void): void {
		const {requestBytes} = response;
		if (requestBytes === Number.POSITIVE_INFINITY) void this.destroy();
		// undici may report only later in this turn that the body of the request was sent.
		else if (requestBytes > 0 && !this.#isSent) {
			setImmediate(() => {
				this.#free(response);
				done();
			});
			return;
		} else this.#free(response);
		done();
	}

	#free({status, keepAlive, requestBytes}: CompleteResponse): void {
		if (mayBeUnread(status, requestBytes)) void this.destroy();
		else if (requestBytes > 0 && !this.#isSent) this.#releaseOnceSent(keepAlive);
		else this.#release(keepAlive);
	}

	/** Whether the system has taken all that was written; known a turn of the event loop later. */
	get #isSent(): boolean {
		return !this.socket?.writableLength;
	}

	#release(keepAlive: string | undefined): void {
		if (this.#ended) return;
		this.#idle = new IdleSince();
		this.#idleLimitMs = idleLimitFor(keepAlive);
		this.#events.onFree();
	}

	/** Frees it if the rest of the request is sent soon. */
	#releaseOnceSent(keepAlive: string | undefined): void {
		const release = () => {
			clearTimeout(timer);
			this.socket?.off('drain', release);
			if (this.#isSent) this.#release(keepAlive);
			else void this.destroy();
		};
		const timer = setTimeout(release, unsentGraceMs).unref();
		this.socket?.once('drain', release);
	}

	/** Does nothing: a request that is over ends the connection. */
	suspect(): void {}

	nodeError(error: Error): Error {
		return toNodeError(error);
	}

	isBrokenOff(error: Error): boolean {
		return isBrokenOff(error);
	}

	/** Ends the connection, or the attempt to make it. */
	async destroy(reason?: Error): Promise<void> {
		this.#end();
		this.#attempt.abort(reason);
		await this.#client.destroy(reason ?? null);
	}

	#end(): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#events.onEnd();
		void this.#client.destroy();
	}
}

/** The server switched to another protocol (RFC 9110 §15.2.2), which no request asks for. */
export class ProtocolSwitchError extends Error {
	readonly code = 'ERR_MTLS_PROTOCOL_SWITCH';

	constructor() {
		super('the server switched to another protocol (101), which was not asked for');
		this.name = 'ProtocolSwitchError';
	}
}

/** Where the digits of `HTTP/1.1 100` are: the parser accepts no other place (RFC 9112 §4). */
const majorAt = 5;
const minorAt = 7;
const statusBegins = 9;
const statusEnds = 12;

const cr = 13;
const lf = 10;
const digit0 = 48;
const digit2 = 50;

/** The parts of a status line that undici drops or changes. */
interface StatusLine {
	/** In latin1, as Node reads it. */
	readonly reason: string;
	/** `1.1`, `1.0`. */
	readonly httpVersion: string;
}

/**
 * Reads the head of each response before undici does.
 *
 * A server may send any number of interim responses before the final one (RFC 9110 §15.2), and Node, curl
 * and browsers ignore them. So does undici, except for `100 Continue`: its parser then gives up the
 * connection, and the request, which was sent, cannot be sent again. So a 100 is changed to a 102 on
 * its way to undici, which ignores it. One digit is changed and no byte is held back: undici's parser,
 * which is Node's own, still decides whether a head is valid and where it ends.
 *
 * undici keeps only the second part of a reason phrase in two packets, and only some letters of one that
 * is not UTF-8, and reads one without an end for ever.
 */
class ResponseHeads implements StatusLine {
	/** Where the next byte is: in a status line, its reason, or the fields of an interim response. */
	#part: 'status' | 'reason' | 'fields' | undefined = undefined;
	/** Bytes of the status line so far. */
	#length = 0;
	#status = 0;
	#reason = '';
	#major = 1;
	#minor = 1;
	/** Bytes so far of the CRLF CRLF that ends a head. */
	#ending = 0;

	constructor(socket: Socket) {
		const {push} = socket;
		// `push` gets all bytes first, however undici reads them.
		socket.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
			const error = chunk === null ? undefined : this.#read(chunk);
			if (error === undefined) return push.call(socket, chunk, encoding);
			socket.destroy(error);
			return false;
		};
	}

	/** The reason phrase of the latest response. */
	get reason(): string {
		return this.#reason.slice(1);
	}

	/** The HTTP version of the latest response. */
	get httpVersion(): string {
		return `${this.#major}.${this.#minor}`;
	}

	/** A request is sent: the next byte begins its response. */
	expect(): void {
		this.#part = 'status';
		this.#length = 0;
		this.#status = 0;
		this.#reason = '';
	}

	/** Changes each 100 in `chunk` to a 102. @returns an error that ends the connection. */
	#read(chunk: Buffer): Error | undefined {
		for (let i = 0; i < chunk.length && this.#part !== undefined; ) {
			if (this.#part === 'status') i = this.#readStatus(chunk, i);
			else if (this.#part === 'reason') i = this.#readReason(chunk, i);
			else i = this.#passFields(chunk, i);
			if (this.#status === 101) return new ProtocolSwitchError();
			if (this.#reason.length > maxHeaderSize) return headerOverflow();
		}
		return undefined;
	}

	#readStatus(chunk: Buffer, from: number): number {
		for (let i = from; i < chunk.length; i++) {
			const byte = chunk[i] as number;
			// Empty lines before a head are ignored (RFC 9112 §2.2).
			if (this.#length === 0 && (byte === cr || byte === lf)) continue;
			if (this.#length === majorAt) this.#major = byte - digit0;
			else if (this.#length === minorAt) this.#minor = byte - digit0;
			if (this.#length >= statusBegins) this.#status = this.#status * 10 + byte - digit0;
			this.#length += 1;
			if (this.#length < statusEnds) continue;
			if (this.#status === 100) chunk[i] = digit2;
			this.#part = 'reason';
			return i + 1;
		}
		return chunk.length;
	}

	#readReason(chunk: Buffer, from: number): number {
		const found = chunk.indexOf(cr, from);
		const end = found === -1 ? chunk.length : found;
		this.#reason += chunk.toString('latin1', from, end);
		if (found === -1) return end;
		const interim = this.#status >= 100 && this.#status < 200;
		this.#part = interim ? 'fields' : undefined;
		this.#ending = 0;
		return end;
	}

	#passFields(chunk: Buffer, from: number): number {
		for (let i = from; i < chunk.length; i++) {
			const byte = chunk[i];
			// The parser accepts no other line end.
			if (byte === (this.#ending % 2 === 0 ? cr : lf)) this.#ending += 1;
			else this.#ending = byte === cr ? 1 : 0;
			if (this.#ending < 4) continue;
			this.expect();
			return i + 1;
		}
		return chunk.length;
	}
}

// Node's own error, though its limit is on the whole head.
function headerOverflow(): Error {
	const error = new Error('Parse Error: Header overflow');
	return Object.assign(error, {code: 'HPE_HEADER_OVERFLOW'});
}
