import {
	type ClientHttp2Session,
	type ClientHttp2Stream,
	type ClientSessionOptions,
	connect,
	constants,
} from 'node:http2';
import type {Socket} from 'node:net';
import {onAbort} from '../util/abortable.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';
import {authorityOfUrl} from '../util/url.ts';
import {attachConnection, type Connection, connectionOf, refusedSession} from './connection.ts';
import {IdleSince, idleLimitMs} from './keep-alive.ts';
import {hangUp} from './node-errors.ts';
import {originOf, type Route} from './route.ts';
import {http2Options, streamRequestOptions} from './socket-options.ts';

/** The part of axios's `http2Options` that does not decide about TLS. */
export type Http2Options = Pick<
	ClientSessionOptions,
	| 'maxDeflateDynamicTableSize'
	| 'maxHeaderListPairs'
	| 'maxOutstandingPings'
	| 'maxSendHeaderBlockLength'
	| 'maxSessionMemory'
	| 'maxSettings'
	| 'paddingStrategy'
	| 'peerMaxConcurrentStreams'
	| 'settings'
> & {
	/** How long an idle connection is kept, in ms; `null` for as long as the server keeps it. @defaultValue 30,000 */
	readonly sessionTimeout?: number | null;
};

const headOnly = streamRequestOptions(true);
const headAndBody = streamRequestOptions(false);

/** Called when the state of a connection changes. */
interface Http2ConnectionEvents {
	/** It takes no more requests. */
	readonly onEnd: () => void;
	readonly onClose: () => void;
	readonly onOpen: () => void;
	/** It carries no request, and can take the next one. */
	readonly onIdle: () => void;
	/** It gets a request. */
	readonly onAcquire: () => void;
}

/** As axios for HTTP/1.1: how often TCP probes a silent connection. */
const keepAliveMs = 60_000;

/** A server sends its settings first (RFC 9113 §3.4), so they arrive within a round trip. */
const settingsTimeoutMs = 10_000;

// Node counts unsent data towards it, and beyond its default of 10 MB resets responses: two large uploads
// at a time are enough. The windows limit what a server can make the client buffer.
const memoryMb = 1_000_000;

// With the 64 KiB of RFC 9113 §6.9.2 a download with a round trip of 50 ms is limited to 1.3 MB/s.
const windows = {streamBytes: 1024 * 1024, sessionBytes: 4 * 1024 * 1024};

/**
 * One connection that carries many requests at a time, from connecting until it is closed.
 *
 * It is open when the server's settings have arrived. By then a server that refuses the client certificate
 * in TLS 1.3, after the client's side of the handshake, has usually done so, and has seen no request.
 */
export class Http2Connection {
	/** `undefined` until it is connected; kept after it has closed, for the facts of its connection. */
	socket: Socket | undefined;
	/** The `host:port` for which it waits for a slot. */
	waitsFor: string | undefined = undefined;
	/** Of the attempt to connect. */
	#connecting: AbortSignal | undefined = undefined;
	/** It has carried a response. */
	answered = false;
	/** `https` or `http`. */
	readonly scheme: string;
	/** Host and port as a URL has them (RFC 9113 §8.3.1). */
	readonly authority: string;
	#session: ClientHttp2Session | undefined;
	#activeStreams = 0;
	#ended = false;
	/** It takes no requests until a ping is answered. */
	#verifying = false;
	#idle: NodeJS.Timeout | undefined;
	#idleSince: IdleSince | undefined;
	#error: Error | undefined;
	#lastStreamId = Number.POSITIVE_INFINITY;
	readonly #attempt = new AbortController();
	readonly #opened: Promise<Http2Connection>;
	/** The connection that took over its requests. */
	#successor: Http2Connection | undefined;
	readonly #idleMs: number | null;
	readonly #settingsMs: number;
	readonly #events: Http2ConnectionEvents;

	constructor(
		route: Pick<Route, 'secure' | 'host' | 'port' | 'timeouts'>,
		options: Http2Options,
		connectTo: (signal: AbortSignal) => Promise<Socket | undefined>,
		events: Http2ConnectionEvents,
	) {
		const {sessionTimeout = idleLimitMs, ...rest} = withoutPrototype(options);
		this.#idleMs = sessionTimeout;
		this.#settingsMs = withoutPrototype(route.timeouts ?? {}).handshakeMs || settingsTimeoutMs;
		this.#events = events;
		const origin = originOf(route);
		const {host, protocol} = new URL(origin);
		this.scheme = protocol.slice(0, -1);
		this.authority = host;
		this.#opened = this.#open(origin, rest, connectTo);
		// The requests that wait get the error from `acquire`.
		this.#opened.catch(() => this.#close());
	}

	/** Whether it takes a new request. */
	get usable(): boolean {
		return !this.#ended && !this.#verifying && this.#session?.closed !== true;
	}

	/** Whether it has been idle for too long, though its timer has not fired yet. */
	get isOverdue(): boolean {
		if (this.#activeStreams > 0 || this.#idleMs === null) return false;
		return this.#idleSince?.isOver(this.#idleMs) ?? false;
	}

	/** Requests on it, or waiting for it. */
	get activeStreams(): number {
		return this.#activeStreams;
	}

	/** The facts of the connection that is being made. */
	get attempt(): Connection | undefined {
		return connectionOf(this.#connecting);
	}

	get connecting(): boolean {
		return this.#session === undefined;
	}

	/**
	 * Adds a request. Call `release` in any case.
	 *
	 * @returns the connection once it is open, which may be another one.
	 */
	acquire(): Http2Connection | Promise<Http2Connection> {
		this.#add(1);
		return this.#session === undefined ? this.#opened : this;
	}

	/** Gives its requests to `other`, which is open, instead of connecting. */
	yieldTo(other: Http2Connection): void {
		this.#successor = other;
		other.#add(this.#activeStreams);
		this.#activeStreams = 0;
		this.#end();
	}

	#add(requests: number): void {
		const wasIdle = this.#activeStreams === 0;
		this.#activeStreams += requests;
		if (!wasIdle) return;
		clearTimeout(this.#idle);
		this.#events.onAcquire();
		this.#session?.ref();
	}

	/** Removes a request. */
	release(): void {
		if (this.#successor !== undefined) {
			this.#successor.release();
			return;
		}
		this.#activeStreams -= 1;
		if (this.#activeStreams > 0) return;
		if (this.#session === undefined) void this.destroy(new Error('no request waits for it'));
		else if (this.usable) this.#startIdleTimer(this.#session);
		else if (this.#verifying) void this.destroy();
		else this.#session.close();
	}

	/** Sends the head of an acquired request. */
	request(head: readonly string[], endStream: boolean): ClientHttp2Stream {
		if (this.#session === undefined) throw hangUp();
		return this.#session.request(head, endStream ? headOnly : headAndBody);
	}

	/** Whether it takes no request any more, acquired ones included. */
	get closed(): boolean {
		const session = this.#session;
		return session === undefined || session.closed || session.destroyed;
	}

	/** Whether the server has not processed a failed request, and never will (RFC 9113 §8.7). */
	hasRefused(stream: ClientHttp2Stream | undefined): boolean {
		if (stream?.id === undefined) return true;
		return stream.id > this.#lastStreamId || stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
	}

	/** Whether the server has begun to process a request, as far as is known. */
	get hasBegun(): boolean {
		// RFC 9113 §6.8: a server sends the largest id before it knows the last one.
		return this.answered || (this.#lastStreamId > 0 && this.#lastStreamId < 2 ** 31 - 1);
	}

	/** Why a stream ended: the error of the connection, if that ended it. */
	errorOf(stream: ClientHttp2Stream | undefined, error: Error | undefined): Error {
		const gone = this.#session === undefined || this.#session.destroyed || this.socket?.destroyed;
		const first = connectionOf(this.socket)?.firstError;
		const lost = this.#session?.destroyed && (first ?? this.#error);
		return lost || error || (gone ? hangUp() : resetError(stream?.rstCode));
	}

	/** Takes no more requests until the server has answered a ping, after a request got no response. */
	verifyAlive(): void {
		const session = this.#session;
		if (session === undefined || session.destroyed || this.#verifying) return;
		this.#verifying = true;
		session.ping((error) => {
			this.#verifying = error !== null;
		});
	}

	/** Takes no more requests, and ends after those on it. */
	retire(): void {
		this.#end();
		if (this.#activeStreams === 0) this.#session?.close();
	}

	/** Ends it with the requests on it, or gives up connecting. */
	async destroy(reason: Error = hangUp()): Promise<void> {
		this.#end();
		this.#attempt.abort(reason);
		const session = this.#session;
		if (session === undefined) {
			await this.#opened.catch(() => {});
			return;
		}
		const {socket} = this;
		session.destroy();
		if (socket === undefined || socket.closed) return;
		await new Promise((resolve) => socket.once('close', resolve).destroy());
	}

	async #open(
		origin: string,
		options: Http2Options,
		connectTo: (signal: AbortSignal) => Promise<Socket | undefined>,
	): Promise<Http2Connection> {
		const timeout = new AbortController();
		const signal = AbortSignal.any([this.#attempt.signal, timeout.signal]);
		this.#connecting = signal;
		let timer: NodeJS.Timeout | undefined;
		try {
			for (;;) {
				const socket = await connectTo(signal);
				if (socket === undefined) {
					this.#close();
					return this.#successor ?? this;
				}
				// A second attempt gets the time that the first one left.
				timer ??= setTimeout(() => {
					timeout.abort(new NoSettingsError(new URL(origin), this.#settingsMs));
				}, this.#settingsMs);
				try {
					return await this.#start(socket, origin, options, signal);
				} catch (error) {
					// With TLS 1.3 a session can be refused as late as this; no request was sent.
					if (!refusedSession(connectionOf(socket)) || signal.aborted) throw error;
					this.#error = undefined;
				}
			}
		} finally {
			clearTimeout(timer);
		}
	}

	async #start(
		socket: Socket,
		origin: string,
		options: Http2Options,
		signal: AbortSignal,
	): Promise<Http2Connection> {
		this.socket = socket;
		socket.setKeepAlive(true, keepAliveMs);
		// An alert may come with the end of the handshake, and a session on a closed socket never ends.
		if (socket.destroyed) throw this.#connectionError(socket);
		const session = begin(origin, socket, options);
		session.on('error', (error) => {
			this.#error ??= error;
		});
		// Node would first send a GOAWAY, which is never sent after an alert, and then wait for the server's,
		// which may not come.
		socket.once('error', () => socket.destroy()).once('finish', () => socket.destroy());
		session.on('goaway', (_, lastStreamId) => {
			this.#lastStreamId = lastStreamId;
		});
		await this.#settings(session, socket, signal);
		// It may have ended, or its requests may have been given up, since the settings arrived.
		if (signal.aborted) session.destroy();
		if (session.destroyed) throw this.#connectionError(socket);
		session.setLocalWindowSize(windows.sessionBytes);
		session.once('close', () => this.#close());
		this.#session = session;
		this.#events.onOpen();
		return this;
	}

	#settings(session: ClientHttp2Session, socket: Socket, signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const settle = onAbort(signal, () => session.destroy(signal.reason as Error));
			session.once('remoteSettings', () => {
				settle();
				resolve();
			});
			session.once('close', () => {
				settle();
				reject(this.#connectionError(socket));
			});
		});
	}

	/** Why a connected socket got no HTTP/2 session. */
	#connectionError(socket: Socket): Error {
		const connection = connectionOf(socket);
		const error = connection?.firstError ?? this.#error ?? hangUp();
		if (connection) attachConnection(connection, {error});
		return error;
	}

	/** Waits for the next request, without keeping the process alive. */
	#startIdleTimer(session: ClientHttp2Session): void {
		session.unref();
		this.#idleSince = new IdleSince();
		this.#events.onIdle();
		if (this.#idleMs === null) return;
		this.#idle = setTimeout(() => this.retire(), Math.min(this.#idleMs, MAX_TIMER_MS)).unref();
	}

	#end(): void {
		if (this.#ended) return;
		this.#ended = true;
		clearTimeout(this.#idle);
		this.#events.onEnd();
	}

	#close(): void {
		this.#end();
		this.#events.onClose();
	}
}

/** @throws the error of Node for options that it refuses. */
function begin(origin: string, socket: Socket, given: Http2Options): ClientHttp2Session {
	const {settings, ...options} = withoutPrototype(given);
	const initialWindowSize = windows.streamBytes;
	try {
		return connect(
			origin,
			http2Options({
				maxSessionMemory: memoryMb,
				...options,
				// No request would use a pushed response.
				settings: withoutPrototype({initialWindowSize, ...settings, enablePush: false}),
				createConnection: () => socket,
			}),
		);
	} catch (error) {
		socket.destroy();
		throw error;
	}
}

// Counts as part of the handshake.
class NoSettingsError extends Error {
	readonly code = 'ERR_MTLS_HANDSHAKE_TIMEOUT';

	constructor(url: URL, limitMs: number) {
		super(`no HTTP/2 settings from ${authorityOfUrl(url)} within ${limitMs} ms`);
		this.name = 'NoSettingsError';
	}
}

// In the form of Node's errors; Node makes none for these two codes.
function resetError(rstCode: number | undefined): Error {
	const name = rstCode === constants.NGHTTP2_CANCEL ? 'NGHTTP2_CANCEL' : 'NGHTTP2_NO_ERROR';
	const error = new Error(`Stream closed with error code ${name}`);
	return Object.assign(error, {code: 'ERR_HTTP2_STREAM_ERROR'});
}
