/*
 * HTTP/2 for axios's own adapter: for the options with which it measures or slows down the streams of a
 * request.
 */
import type {ClientRequest, OutgoingHttpHeaders, RequestOptions} from 'node:http';
import type {Socket} from 'node:net';
import {PassThrough, Readable, Writable} from 'node:stream';
import {TimeoutError} from '../../connection/connect-timeout.ts';
import type {
	RequestConnection,
	RequestLoss,
	ResponseController,
	ResponseHandler,
} from '../../connection/request-connection.ts';
import type {Route} from '../../connection/route.ts';
import {streamOptions} from '../../connection/socket-options.ts';
import {onAbort} from '../../util/abortable.ts';
import {basicAuthorization} from '../../util/basic-authorization.ts';
import {bareHost} from '../../util/url.ts';
import {withCode} from '../axios-errors.ts';
import {type ExchangeInput, routeOf} from '../exchange.ts';
import {tunnelProxy} from '../outgoing/proxy-request.ts';
import type {Transport} from './axios-transport.ts';

/**
 * Sends one hop's request, until `signal` is aborted.
 *
 * @param open - Takes a stream for it.
 */
export function http2Transport(
	open: (route: Route) => RequestConnection,
	input: ExchangeInput,
	signal: AbortSignal,
): Transport {
	return {
		request(options, respond) {
			const stream = open(routeOf({...input, proxy: tunnelProxy(input)}));
			const request = new AxiosHttp2Request(stream, input.hop.url, options, signal);
			// axios uses no member of a ClientRequest that it lacks.
			return (request as unknown as ClientRequest).once('response', respond);
		},
		waitsFor: (request) => ownRequest(request).waitsFor,
		abort: (response) => (response as unknown as AxiosHttp2Response).abort(),
		lossOf: (request) => ownRequest(request).loss,
	};
}

function ownRequest(request: ClientRequest): AxiosHttp2Request {
	return request as unknown as AxiosHttp2Request;
}

/** Names and values in turn. */
function fieldsOf({headers, auth}: RequestOptions): string[] {
	const fields: string[] = [];
	for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders)) {
		if (value === undefined || (auth && name.toLowerCase() === 'authorization')) continue;
		for (const item of [value].flat()) fields.push(name, String(item));
	}
	if (auth) fields.push('Authorization', basicAuthorization(auth));
	return fields;
}

/** One request in the shape of Node's `ClientRequest`, as far as axios's adapter and apps use it. */
class AxiosHttp2Request extends Writable implements ResponseHandler {
	/** The connection, which other requests share; `undefined` until it is open. */
	socket: Socket | undefined = undefined;
	/** Whether the connection has carried a response before. */
	reusedSocket = false;
	/** Set once the head of the response is there. */
	res: AxiosHttp2Response | undefined = undefined;
	/** `https:` or `http:`. */
	protocol: string;
	/** Host without port. */
	readonly host: string;
	readonly method: string;
	/** Path and query. */
	readonly path: string;
	/** What is known of the request when it has failed without a response. */
	loss: RequestLoss | undefined = undefined;
	readonly #stream: RequestConnection;
	readonly #fields: string[];
	#body: PassThrough | undefined = undefined;
	#pauseMs = 0;
	#pause: NodeJS.Timeout | undefined = undefined;

	/** @param signal - Ends the request. */
	constructor(
		stream: RequestConnection,
		{protocol, hostname}: URL,
		options: RequestOptions,
		signal: AbortSignal,
	) {
		// Like a ClientRequest it lives until its response is complete.
		super(streamOptions({autoDestroy: false}));
		this.#stream = stream;
		this.#fields = fieldsOf(options);
		this.method = options.method ?? 'GET';
		this.path = options.path ?? '/';
		this.protocol = protocol;
		this.host = bareHost(hostname);
		this.once('timeout', () => stream.suspect());
		this.once(
			'close',
			onAbort(signal, () => this.destroy()),
		);
	}

	/** The host to which it waits for a free connection, with its port. */
	get waitsFor(): string | undefined {
		return this.#stream.waitsFor;
	}

	getHeader(name: string): string | string[] | undefined {
		const values = this.#fields.filter(
			(_, i) => i % 2 === 1 && this.#fields[i - 1]?.toLowerCase() === name.toLowerCase(),
		);
		return values.length > 1 ? values : values[0];
	}

	hasHeader(name: string): boolean {
		return this.getHeader(name) !== undefined;
	}

	/** All headers of the app and of axios, names in lower case. */
	getHeaders(): OutgoingHttpHeaders {
		const names = this.#fields.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
		return Object.fromEntries(names.map((name) => [name, this.getHeader(name)]));
	}

	/** Emits `timeout` when nothing is sent or received for `ms`. */
	setTimeout(ms: number, onTimeout?: () => void): this {
		if (onTimeout) this.once('timeout', onTimeout);
		this.#pauseMs = ms;
		return this;
	}

	override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
		if (this.#body === undefined) {
			this.#body = new PassThrough(streamOptions({}));
			this.#send(this.#body);
		}
		this.#pause?.refresh();
		this.#body.write(chunk, done);
	}

	override _final(done: () => void): void {
		if (this.#body === undefined) this.#send(null);
		else this.#body.end();
		done();
	}

	#send(body: Readable | null): void {
		const {method, path} = this;
		if (!this.destroyed) this.#stream.send({method, path, headers: this.#fields, body}, this);
	}

	onRequestStart(): void {
		this.#stream.begin();
		this.socket = this.#stream.socket;
		this.reusedSocket = this.#stream.reused;
		if (this.#pauseMs > 0) {
			this.#pause = setTimeout(() => this.emit('timeout'), this.#pauseMs);
		}
	}

	onRequestSent(): void {
		this.#pause?.refresh();
	}

	onResponseStart(
		controller: ResponseController,
		status: number,
		headers: Record<string, string | string[] | undefined>,
	): void {
		if (status < 200) return;
		this.#pause?.refresh();
		this.res = new AxiosHttp2Response(this, controller, status, headers);
		this.emit('response', this.res);
	}

	onResponseData(_: ResponseController, chunk: Buffer): void {
		this.#pause?.refresh();
		this.res?.add(chunk);
	}

	onResponseEnd(): void {
		this.res?.finish();
		const status = this.res?.statusCode ?? 0;
		const requestBytes = this.writableFinished ? 0 : Number.POSITIVE_INFINITY;
		this.#stream.complete({status, keepAlive: undefined, requestBytes}, () => this.destroy());
	}

	onResponseError(_: unknown, error: Error): void {
		const {res} = this;
		const stream = this.#stream;
		if (res === undefined) {
			this.loss = stream.loss;
			this.socket ??= this.loss.socket;
			this.reusedSocket = this.loss.reused;
			this.destroy(error);
		} else if (stream.isBrokenOff(error)) res.abort();
		else res.destroy(error);
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		clearTimeout(this.#pause);
		if (error instanceof TimeoutError) this.#stream.suspect();
		this.#body?.destroy();
		void this.#stream.destroy();
		done(error);
	}
}

/** The response in the shape of Node's `IncomingMessage`. Destroying it ends its stream alone. */
class AxiosHttp2Response extends Readable {
	readonly httpVersion = '2.0';
	readonly statusMessage = '';
	readonly statusCode: number;
	readonly headers: Record<string, string | string[] | undefined>;
	readonly req: AxiosHttp2Request;
	/** The whole response is there. */
	complete = false;
	/** The URL that the response came from, after redirects. */
	declare responseUrl?: string;
	readonly #controller: ResponseController;

	constructor(
		request: AxiosHttp2Request,
		controller: ResponseController,
		status: number,
		headers: Record<string, string | string[] | undefined>,
	) {
		super(streamOptions({}));
		this.req = request;
		this.#controller = controller;
		this.statusCode = status;
		this.headers = headers;
	}

	get socket(): Socket | undefined {
		return this.req.socket;
	}

	add(chunk: Buffer): void {
		if (!this.push(chunk)) this.#controller.pause();
	}

	finish(): void {
		this.complete = true;
		this.push(null);
	}

	/** Aborts the response, as the end of its connection does. */
	abort(): void {
		if (this.complete || this.destroyed) return;
		this.emit('aborted');
		this.destroy(withCode('aborted', 'ECONNRESET'));
	}

	override _read(): void {
		this.#controller.resume();
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		if (!this.complete) this.req.destroy();
		done(error);
	}
}
