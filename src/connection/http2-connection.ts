import {
	type ClientHttp2Session,
	type ClientHttp2Stream,
	type ClientSessionOptions,
	connect,
	constants,
	type OutgoingHttpHeaders,
} from 'node:http2';
import type {Socket} from 'node:net';
import {onAbort} from '../util/abortable.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';
import {authorityOfUrl} from '../util/url.ts';
import type {ConnectTimeouts} from './connect-timeout.ts';
import {attachConnection, connectionOf, refusedSession} from './connection.ts';
import {IdleSince, idleLimitMs} from './keep-alive.ts';
import {http2Options} from './socket-options.ts';

/** How an app wants its sessions: the part of axios's `http2Options` that does not decide about TLS. */
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
	/** How long a session is kept without a request, in ms; `null` for as long as the server does. @defaultValue 30,000 */
	readonly sessionTimeout?: number | null;
};

interface SessionTarget {
	/** `https://host:port` or `http://host:port`. */
	readonly origin: string;
	readonly options: Http2Options;
	readonly timeouts: ConnectTimeouts;
}

/** Tells what becomes of a session. */
interface SessionEvents {
	/** It takes no more requests. */
	readonly onEnd: () => void;
	/** It is no more. */
	readonly onClose: () => void;
	/** It stands. */
	readonly onOpen: () => void;
	/** No request is on it, and the next one may come. */
	readonly onIdle: () => void;
	/** A request joins it. */
	readonly onJoin: () => void;
}

/** As axios has it for HTTP/1.1: how often TCP asks whether a silent other end is still there. */
const keepAliveMs = 60_000;

/** The settings begin what a server says (RFC 9113 §3.4), so they are there within a round trip. */
const settingsDeadlineMs = 10_000;

// Node counts what waits to be sent, and past its own 10 MB resets the answers that come: two large
// uploads at a time would do. What a server can have us keep, the windows limit.
const memoryMb = 1_000_000;

// With the 64 KiB of RFC 9113 §6.9.2 a download over 50 ms of way would be held to 1.3 MB/s.
const windows = {streamBytes: 1024 * 1024, sessionBytes: 4 * 1024 * 1024};

/**
 * One connection that carries many requests at a time, from the attempt to make it until it is closed.
 *
 * It stands when the settings of the server have come. Then a server that refuses our certificate with
 * TLS 1.3, which is after our side of the handshake, has mostly done so, and has seen no request.
 */
export class Http2Connection {
	/** `undefined` until it is connected; stays after it was closed, for its facts. */
	socket: Socket | undefined;
	/** The host to which it waits for a place, with its port. */
	waitsFor: string | undefined = undefined;
	/** A request on it was answered. */
	answered = false;
	#session: ClientHttp2Session | undefined;
	#users = 0;
	#ended = false;
	#suspected = false;
	#idle: NodeJS.Timeout | undefined;
	#idleSince: IdleSince | undefined;
	#error: Error | undefined;
	#lastStreamId = Number.POSITIVE_INFINITY;
	readonly #attempt = new AbortController();
	readonly #opened: Promise<Http2Connection>;
	/** The one that its requests went over to. */
	#heir: Http2Connection | undefined;
	readonly #idleMs: number | null;
	readonly #settingsMs: number;
	readonly #events: SessionEvents;

	constructor(
		{origin, options, timeouts}: SessionTarget,
		connectTo: (signal: AbortSignal) => Promise<Socket | undefined>,
		events: SessionEvents,
	) {
		const {sessionTimeout = idleLimitMs, ...rest} = withoutPrototype(options);
		this.#idleMs = sessionTimeout;
		this.#settingsMs = withoutPrototype(timeouts).handshakeMs || settingsDeadlineMs;
		this.#events = events;
		this.#opened = this.#open(origin, rest, connectTo);
		// Those who wait are told by `join`.
		this.#opened.catch(() => this.#close());
	}

	/** Whether a new request may join. */
	get usable(): boolean {
		return !this.#ended && !this.#suspected && this.#session?.closed !== true;
	}

	/** Whether it has been idle for longer than it is kept: its timer has yet to say so. */
	get isOverdue(): boolean {
		if (this.#users > 0 || this.#idleMs === null) return false;
		return this.#idleSince?.isOver(this.#idleMs) ?? false;
	}

	/** Requests that wait for it, or are on it. */
	get activeStreams(): number {
		return this.#users;
	}

	get connecting(): boolean {
		return this.#session === undefined;
	}

	/**
	 * Counts a request in and waits until the session stands. `leave` has to follow in any case.
	 *
	 * @returns the session that stands, which may be another.
	 */
	acquire(): Promise<Http2Connection> {
		this.#add(1);
		return this.#opened;
	}

	/** Gives its requests to `other`, which stands, and does without a connection. */
	yieldTo(other: Http2Connection): void {
		this.#heir = other;
		other.#add(this.#users);
		this.#users = 0;
		this.#end();
	}

	#add(users: number): void {
		this.#users += users;
		clearTimeout(this.#idle);
		this.#events.onJoin();
		this.#session?.ref();
	}

	/** Counts a request out. */
	release(): void {
		if (this.#heir !== undefined) {
			this.#heir.release();
			return;
		}
		this.#users -= 1;
		if (this.#users > 0) return;
		if (this.#session === undefined) void this.destroy(new Error('nobody waits for it'));
		else if (this.usable) this.#startIdleTimer(this.#session);
		else if (this.#suspected) void this.destroy();
		else this.#session.close();
	}

	/** Sends the head of a request that has joined. */
	request(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
		if (this.#session === undefined) throw hangUp();
		return this.#session.request(headers, withoutPrototype({endStream}));
	}

	/** Whether requests that have joined come too late. */
	get closed(): boolean {
		const session = this.#session;
		return session === undefined || session.closed || session.destroyed;
	}

	/** Whether the server has not begun with a request that failed, and never will (RFC 9113 §8.7). */
	hasRefused(stream: ClientHttp2Stream | undefined): boolean {
		if (stream?.id === undefined) return true;
		return stream.id > this.#lastStreamId || stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
	}

	/** Whether the server has begun with a request, as far as it has said. */
	get hasBegun(): boolean {
		// RFC 9113 §6.8: the largest is said by a server that is yet to say which is the last.
		return this.answered || (this.#lastStreamId > 0 && this.#lastStreamId < 2 ** 31 - 1);
	}

	/** Why a stream ended: the session's own error, where it took the stream with it. */
	errorOf(stream: ClientHttp2Stream | undefined, error: Error | undefined): Error {
		const gone = this.#session === undefined || this.#session.destroyed || this.socket?.destroyed;
		const first = connectionOf(this.socket)?.firstError;
		const lost = this.#session?.destroyed && (first ?? this.#error);
		return lost || error || (gone ? hangUp() : resetError(stream?.rstCode));
	}

	/** Takes no more requests until the server has answered a ping: what waited on it was not answered. */
	verifyAlive(): void {
		const session = this.#session;
		if (session === undefined || session.destroyed || this.#suspected) return;
		this.#suspected = true;
		session.ping((error) => {
			this.#suspected = error !== null;
		});
	}

	/** Lets the requests on it finish, and takes no more. */
	retire(): void {
		this.#end();
		if (this.#users === 0) this.#session?.close();
	}

	/** Ends it with the requests on it, or the attempt to make it. */
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
		const late = new AbortController();
		const signal = AbortSignal.any([this.#attempt.signal, late.signal]);
		let timer: NodeJS.Timeout | undefined;
		try {
			for (;;) {
				const socket = await connectTo(signal);
				if (socket === undefined) {
					this.#close();
					return this.#heir ?? this;
				}
				// A second attempt has what is left of the first.
				timer ??= setTimeout(() => {
					late.abort(new NoSettingsError(new URL(origin), this.#settingsMs));
				}, this.#settingsMs);
				try {
					return await this.#start(socket, origin, options, signal);
				} catch (error) {
					// With TLS 1.3 a session can be refused as late as this, and no request was sent.
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
		// An alert may come with the last of the handshake, and a session on a closed socket never ends.
		if (socket.destroyed) throw this.#connectionError(socket);
		const session = begin(origin, socket, options);
		session.on('error', (error) => {
			this.#error ??= error;
		});
		// Node would first send its goodbye, which after an alert never goes out, and then wait for that
		// of the server, which need not come.
		socket.once('error', () => socket.destroy()).once('finish', () => socket.destroy());
		session.on('goaway', (_, lastStreamId) => {
			this.#lastStreamId = lastStreamId;
		});
		await this.#settings(session, socket, signal);
		// It may have ended, or nobody may wait for it any more, since the settings came.
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

	/** Why there is no session on a connection that stood. */
	#connectionError(socket: Socket): Error {
		const connection = connectionOf(socket);
		const error = connection?.firstError ?? this.#error ?? hangUp();
		if (connection) attachConnection(connection, {error});
		return error;
	}

	/** Waits for the next request; the process need not. */
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

/** @throws what Node says of options that it does not take. */
function begin(origin: string, socket: Socket, given: Http2Options): ClientHttp2Session {
	const {settings, ...options} = withoutPrototype(given);
	const initialWindowSize = windows.streamBytes;
	try {
		return connect(
			origin,
			http2Options({
				maxSessionMemory: memoryMb,
				...options,
				// What a server pushes is nobody's.
				settings: withoutPrototype({initialWindowSize, ...settings, enablePush: false}),
				createConnection: () => socket,
			}),
		);
	} catch (error) {
		socket.destroy();
		throw error;
	}
}

// A part of the handshake: the half of it that is HTTP/2's.
class NoSettingsError extends Error {
	readonly code = 'ERR_MTLS_HANDSHAKE_TIMEOUT';

	constructor(url: URL, limitMs: number) {
		super(`no HTTP/2 settings from ${authorityOfUrl(url)} within ${limitMs} ms`);
		this.name = 'NoSettingsError';
	}
}

// In Node's words, which has none for the codes that are no error.
function resetError(rstCode: number | undefined): Error {
	const name = rstCode === constants.NGHTTP2_CANCEL ? 'NGHTTP2_CANCEL' : 'NGHTTP2_NO_ERROR';
	const error = new Error(`Stream closed with error code ${name}`);
	return Object.assign(error, {code: 'ERR_HTTP2_STREAM_ERROR'});
}

// In Node's words for a connection that ends without a word.
function hangUp(): Error {
	return Object.assign(new Error('socket hang up'), {code: 'ECONNRESET'});
}
