/*
 * The two kinds of connection, of HTTP/1.1 and of HTTP/2, as an exchange sees them: it gives a request
 * and a handler, and the handler gets the head, the data, and the end or the error.
 */
import type {Socket} from 'node:net';
import type {Readable} from 'node:stream';
import type {Connection} from './connection.ts';

/** A request as it is sent. */
export interface WireRequest {
	readonly method: string;
	/** The request target: path and query, or the whole URL for a proxy that gets the request itself. */
	readonly path: string;
	/** Names and values in turn. */
	readonly headers: string[];
	readonly body: Buffer | Readable | null;
}

/** Pauses and resumes the data of a response; has the fields of its head as they came. */
export interface ResponseController {
	/** Names and values in turn. */
	readonly rawHeaders?: readonly (Buffer | string)[] | null;
	/** The same, once the response is complete. */
	readonly rawTrailers?: readonly (Buffer | string)[] | null;
	pause(): void;
	resume(): void;
}

/** Receives one response: in this order, each at most once, `onResponseData` any number of times. */
export interface ResponseHandler {
	/** There is a connection, and the request is about to be written. Calls `begin` of the connection. */
	onRequestStart(): void;
	/** All of the request was written. */
	onRequestSent(): void;
	/** With a status below 200 for an interim response: the final one is still to come. */
	onResponseStart(
		controller: ResponseController,
		status: number,
		headers: Record<string, string | string[] | undefined>,
		statusText?: string,
	): void;
	onResponseData(controller: ResponseController, chunk: Buffer): void;
	onResponseEnd(
		controller: ResponseController,
		trailers: Record<string, string | string[] | undefined>,
	): void;
	/** The end of a request without its whole response, also of one that was never sent. */
	onResponseError(controller: unknown, error: Error): void;
}

/** What is known of a request that has failed. */
export interface RequestLoss {
	readonly socket: Socket | undefined;
	/** The connection had carried a request before. */
	readonly reused: boolean;
	/** Some of the request was written. */
	readonly sent: boolean;
	/** Part of a response had arrived, if only half a head. */
	readonly answered: boolean;
	/** HTTP/2: the server has said that it did not process the request, and never will. */
	readonly refused?: boolean;
	/** HTTP/2: it has begun to process other requests on that connection. */
	readonly othersBegun?: boolean;
	/** HTTP/2: the connection takes no more requests. */
	readonly goneAway?: boolean;
}

/** What a connection may need to know of a complete response. */
export interface CompleteResponse {
	readonly status: number;
	/** Its `Keep-Alive` header. */
	readonly keepAlive: string | undefined;
	/** The length of the body of the request; `Infinity` if it was not all sent. */
	readonly requestBytes: number;
}

/** What carries one request. */
export interface RequestConnection {
	/** `undefined` until it is connected; kept after it has closed, for the facts of its connection. */
	readonly socket: Socket | undefined;
	/** Whether it had carried another request before this one. */
	readonly reused: boolean;
	/** `1.1`, `1.0` or `2.0`; of the response, once its head is there. */
	readonly httpVersion: string;
	/** The reason phrase of the response, in latin1, as Node reads it. Empty over HTTP/2. */
	readonly reason: string;
	/** The `host:port` to which the request waits for a free connection. */
	readonly waitsFor: string | undefined;
	/** The facts of the connection that is being made; `undefined` where there are none yet. */
	readonly attempt: Connection | undefined;
	/** What is known of the request, for the case that it has failed. */
	readonly loss: RequestLoss;
	/** Sends the request, when its turn comes. Call `complete` or `destroy` at its end. */
	send(request: WireRequest, handler: ResponseHandler): void;
	/** The request is about to be written. */
	begin(): void;
	/**
	 * Frees it for other requests: the response is complete. If the request is not, the rest of it may be
	 * given up.
	 *
	 * @param done - Called when the next request may use it, or never will.
	 */
	complete(response: CompleteResponse, done: () => void): void;
	/** Nothing came in time: it takes no more requests until the server has given a sign of life. */
	suspect(): void;
	/** The error in Node's words. */
	nodeError(error: Error): Error;
	/** Whether the response had begun, and broke off with its connection or stream. */
	isBrokenOff(error: Error): boolean;
	/** Ends the request; over HTTP/1.1 this ends the connection, or the attempt to make it. */
	destroy(reason?: Error): Promise<void>;
}
