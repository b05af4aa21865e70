/*
 * A connection of the undici exchange: one undici client, with one request at a time.
 *
 * undici's own Pool would wait a turn of the event loop before it uses a connection again, and open a
 * second one meanwhile; and it does not say which connection carries a request.
 */
import type {Socket} from 'node:net';
import {Client, type Dispatcher} from 'undici';
import {withoutPrototype} from '../util/check-options.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import {
	hintMarginMs,
	IdleSince,
	idleLimitFor,
	idleLimitMs,
	maxIdleMs,
	unsentGraceMs,
} from './keep-alive.ts';
import {ResponseHeads, type StatusLine} from './response-heads.ts';

/** How the pool learns what becomes of a connection. */
interface ConnectionEvents {
	/** It may carry the next request. */
	readonly onFree: () => void;
	readonly onEnd: () => void;
}

/** Receives one response, or the error: also that of a request that was never sent. */
export type ResponseHandler = Dispatcher.DispatchHandler & {
	onResponseError(controller: unknown, error: Error): void;
};

/** What carries one request. */
export interface RequestConnection
	extends Pick<
		PooledConnection,
		| 'socket'
		| 'used'
		| 'sent'
		| 'statusLine'
		| 'dispatch'
		| 'markUsed'
		| 'release'
		| 'releaseOnceSent'
		| 'destroy'
	> {
	/** The `host:port` to which it waits for a free connection. */
	readonly waitsFor: string | undefined;
}

/** One connection, until its socket closes. */
export class PooledConnection implements RequestConnection {
	/** `undefined` until it is connected; kept after it has closed, for the facts of its connection. */
	socket: Socket | undefined = undefined;
	/** It is connected or connecting. */
	readonly waitsFor = undefined;
	/** Where the number of connections is limited. */
	readonly slot: ConnectionSlot | undefined;
	#heads: ResponseHeads | undefined = undefined;
	#requests = 0;
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
			// It is given one request at a time; with 1 undici waits an event-loop turn between two.
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

	/** Sends a request. When its response is complete, call `release` or `destroy`. */
	dispatch(options: Dispatcher.DispatchOptions, handler: ResponseHandler): void {
		this.#client.dispatch(options, handler);
	}

	get usable(): boolean {
		return !this.#ended && this.socket?.destroyed === false;
	}

	/** Whether it has been idle for too long, though its timer has not fired yet. */
	get isOverdue(): boolean {
		return this.#idle?.isOver(this.#idleLimitMs) ?? false;
	}

	/** Whether it has carried a request. */
	get used(): boolean {
		return this.#requests > 0;
	}

	/** Of the latest response. */
	get statusLine(): StatusLine | undefined {
		return this.#heads;
	}

	/** A request is sent. @returns whether the connection has carried one before. */
	markUsed(): boolean {
		this.#heads?.expect();
		this.#requests += 1;
		return this.#requests > 1;
	}

	/** Whether the system has taken all that was written; known a turn of the event loop later. */
	get sent(): boolean {
		return !this.socket?.writableLength;
	}

	/** Frees it for the next request. @param keepAlive - That header of the response. */
	release(keepAlive: string | undefined): void {
		if (this.#ended) return;
		this.#idle = new IdleSince();
		this.#idleLimitMs = idleLimitFor(keepAlive);
		this.#events.onFree();
	}

	/** Frees it if the rest of the request is sent soon; its response is already complete. */
	releaseOnceSent(keepAlive: string | undefined): void {
		const release = () => {
			clearTimeout(timer);
			this.socket?.off('drain', release);
			if (this.sent) this.release(keepAlive);
			else void this.destroy();
		};
		const timer = setTimeout(release, unsentGraceMs).unref();
		this.socket?.once('drain', release);
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
