import type {Socket} from 'node:net';
import {type Duplex, pipeline, Readable} from 'node:stream';
import type {AxiosError, InternalAxiosRequestConfig} from 'axios';
import type {ResponseController} from '../../connection/request-connection.ts';
import {streamOptions} from '../../connection/socket-options.ts';
import {withCode} from '../axios-errors.ts';
import {joinHeaders, type MessageHead, rawText, type SentRequest} from '../node-messages.ts';
import {compact} from './buffered-body.ts';
import type {Decoder} from './decoders.ts';
import {LimitedStream} from './limited-stream.ts';

/** What a streamed body needs of the one who reads the response. */
interface BodyEvents {
	/** The app reads again: more data may come. */
	onResume(): void;
	/** The app gave the body up before its end. */
	onAbandon(): void;
}

/**
 * The body of a response while it arrives: what `responseType: 'stream'` gives as `data`, with the fields
 * that apps read on Node's `IncomingMessage`. Destroying it ends the request.
 */
export class ResponseStream extends Readable {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly headers: Record<string, string | string[]>;
	/** Names and values in turn, in the server's spelling. */
	readonly rawHeaders: string[];
	readonly httpVersion: string;
	readonly req: SentRequest;
	/** The whole response has arrived. */
	complete = false;
	/** It ended before it was complete. */
	aborted = false;
	/** What followed the body (RFC 9110 §6.5); empty until it is complete. */
	trailers: Record<string, string | string[]> = {};
	/** The same, names and values in turn. */
	rawTrailers: string[] = [];
	/** Of a request to a server: as in Node, always `null` here. */
	readonly method = null;
	/** As `method`, always empty. */
	readonly url = '';
	/** The URL that the response came from, after redirects. */
	declare responseUrl?: string;
	readonly #controller: ResponseController;
	readonly #events: BodyEvents;

	constructor(
		request: SentRequest,
		head: MessageHead,
		controller: ResponseController,
		events: BodyEvents,
	) {
		super(streamOptions({}));
		this.statusCode = head.statusCode;
		this.statusMessage = head.statusMessage;
		this.headers = head.headers;
		this.httpVersion = head.httpVersion;
		this.rawHeaders = rawText(controller.rawHeaders ?? []);
		this.req = request;
		this.#controller = controller;
		this.#events = events;
	}

	get socket(): Socket | undefined {
		return this.req.socket;
	}

	get connection(): Socket | undefined {
		return this.req.socket;
	}

	get httpVersionMajor(): number {
		return Number(this.httpVersion[0]);
	}

	get httpVersionMinor(): number {
		return Number(this.httpVersion[2]);
	}

	/** @returns whether more may come at once. */
	add(chunk: Buffer): boolean {
		const goesOn = this.push(compact(chunk));
		if (!goesOn) this.#controller.pause();
		return goesOn;
	}

	finish(
		{rawTrailers}: ResponseController,
		trailers: Record<string, string | string[] | undefined>,
	): void {
		this.complete = true;
		this.trailers = joinHeaders({...trailers});
		this.rawTrailers = rawText(rawTrailers ?? []);
		this.push(null);
	}

	/** Ends it as Node does when the connection is lost, or with the error of an HTTP/2 stream. */
	abort(error = withCode('aborted', 'ECONNRESET')): void {
		if (!this.destroyed) this.destroy(error);
	}

	override _read(): void {
		this.#events.onResume();
		this.#controller.resume();
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		if (!this.readableEnded || !this.complete) {
			this.aborted = true;
			this.emit('aborted');
		}
		if (!this.complete) this.#events.onAbandon();
		// As in Node, an app that does not listen for errors gets none.
		done(this.listenerCount('error') > 0 ? error : null);
	}
}

/**
 * The `data` of a streamed response: `body`, decoded and within `maxContentLength`.
 *
 * @param tooLong - The error above the limit.
 */
export function streamedData(
	body: ResponseStream,
	decoder: Decoder | undefined,
	{maxContentLength = -1}: InternalAxiosRequestConfig,
	tooLong: () => AxiosError,
): Readable {
	// The error of one is the error of the last.
	const decoded = decoder ? (pipeline([body, ...decoder.stages()], () => {}) as Duplex) : body;
	if (maxContentLength <= -1) return decoded;
	return new LimitedStream(decoded, maxContentLength, tooLong);
}
