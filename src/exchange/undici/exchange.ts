import {AxiosError, AxiosHeaders, type AxiosResponse} from 'axios';
import type {Dispatcher} from 'undici';
import {mayBeUnread} from '../../connection/keep-alive.ts';
import type {Pool} from '../../connection/pool.ts';
import type {RequestConnection} from '../../connection/pooled-connection.ts';
import {isForwarded} from '../../connection/route.ts';
import {onCancel} from '../abortable.ts';
import {abortedError, timeoutError, tooLongError} from '../axios-errors.ts';
import type {ExchangeInput} from '../exchange.ts';
import {headerOf, isRedirect, redirectBody, routeOf} from '../exchange.ts';
import {FirstByteTimer} from '../first-byte-timeout.ts';
import {attachLoss, type SeenLoss} from '../may-retry.ts';
import {absoluteForm, forwardHeaders} from '../proxy-request.ts';
import {isBrokenOff, wireError} from './errors.ts';
import {bodyOf, UndiciRequest, UndiciResponse, wireHeaders} from './request.ts';
import {joinHeaders, ResponseBody, textOf, tooLarge} from './response.ts';

/**
 * The exchange of plain requests, over undici's `dispatch`: a body that is in memory, and a response
 * that is read into memory. It sends the requests that `supported.ts` allows, as axios's adapter would.
 */
export function undiciExchange(pool: Pool, input: ExchangeInput): Promise<AxiosResponse> {
	return new Promise((resolve, reject) => {
		const {hop, config, cookie} = input;
		const body = bodyOf(hop, config);
		const headers = wireHeaders(hop, config, cookie, body);
		const route = routeOf(input);
		const connection = pool.take(route);
		const method = hop.method as Dispatcher.HttpMethod;
		const request = new UndiciRequest(hop, headers, input.agent);
		connection.dispatch(
			isForwarded(route)
				? new DispatchOptions(
						absoluteForm(hop, hop.path),
						method,
						forwardHeaders(hop, headers, route.proxy),
						body,
					)
				: new DispatchOptions(hop.path, method, headers, body),
			new ResponseReader(input, connection, request, body?.length ?? 0, resolve, reject),
		);
	});
}

/** The options of a request for undici, which reads more than these, such as `upgrade` and `query`. */
class DispatchOptions implements Dispatcher.DispatchOptions {
	readonly path: string;
	readonly method: Dispatcher.HttpMethod;
	readonly headers: string[];
	readonly body: Buffer | null;

	constructor(path: string, method: Dispatcher.HttpMethod, headers: string[], body: Buffer | null) {
		this.path = path;
		this.method = method;
		this.headers = headers;
		this.body = body;
	}
}
// undici must find none of those in `Object.prototype`, where a library may have put them.
Object.setPrototypeOf(DispatchOptions.prototype, null);

/** Reads the response to one request, and settles the promise of its exchange. */
class ResponseReader implements Dispatcher.DispatchHandler {
	readonly #input: ExchangeInput;
	readonly #connection: RequestConnection;
	readonly #request: UndiciRequest;
	readonly #requestBytes: number;
	readonly #resolve: (response: AxiosResponse) => void;
	readonly #reject: (error: unknown) => void;
	#stopCancel: (() => void) | undefined = undefined;

	/** `timeout`: until the head of the response, then for each pause in its body. */
	#timer: NodeJS.Timeout | undefined = undefined;
	readonly #firstByteTimer: FirstByteTimer | undefined = undefined;
	/** How long the body of a redirect may take. */
	#drainTimer: NodeJS.Timeout | undefined = undefined;

	/** The bytes that the connection had read before the request; `undefined` until some of it was written. */
	#bytesBefore: number | undefined = undefined;
	/** The head, as soon as it is there. */
	#response: AxiosResponse | undefined = undefined;
	/** `undefined` for a redirect, whose body is dropped. */
	#body: ResponseBody | undefined = undefined;
	#droppedBytes = 0;
	/** The response is complete: the connection may carry another request by now. */
	#complete = false;
	#settled = false;

	constructor(
		input: ExchangeInput,
		connection: RequestConnection,
		request: UndiciRequest,
		requestBytes: number,
		resolve: (response: AxiosResponse) => void,
		reject: (error: unknown) => void,
	) {
		const {hop, config, remainingMs, timeouts} = input;
		this.#input = input;
		this.#connection = connection;
		this.#request = request;
		this.#requestBytes = requestBytes;
		this.#resolve = resolve;
		this.#reject = reject;
		if (remainingMs !== undefined) {
			const expire = () => this.#fail(timeoutError(config, request, connection.waitsFor));
			this.#timer = setTimeout(expire, remainingMs);
		}
		if (timeouts.firstByteMs) {
			this.#firstByteTimer = new FirstByteTimer(hop.url, timeouts.firstByteMs, (error) =>
				this.#fail(wireError(error, config, request)),
			);
		}
		if (config.signal || config.cancelToken) {
			this.#stopCancel = onCancel(config, request, (error) => this.#fail(error));
		}
	}

	onRequestStart(): void {
		const {socket} = this.#connection;
		this.#request.socket = socket;
		this.#request.reusedSocket = this.#connection.markUsed();
		this.#bytesBefore = socket?.bytesRead;
	}

	onRequestSent(): void {
		this.#firstByteTimer?.start(this.#connection.socket);
	}

	onResponseStart(
		{rawHeaders}: Dispatcher.DispatchController,
		status: number,
		fields: Record<string, string | string[] | undefined>,
	): void {
		// An interim response (RFC 9110 §15.2): the final one is still to come.
		if (status < 200) return;
		this.#firstByteTimer?.stop();
		const {config, followsRedirect} = this.#input;
		const request = this.#request;
		const headers = joinHeaders(fields);
		const dropsBody =
			followsRedirect && isRedirect(status) && Boolean(headerOf(headers, 'location'));
		if (!dropsBody) this.#body = new ResponseBody(config, status, headers);
		const {reason: statusText = '', httpVersion = '1.1'} = this.#connection.statusLine ?? {};
		const head = {statusCode: status, statusMessage: statusText, headers, httpVersion};
		// Over HTTP/1.1 names and values come in turn.
		request.res = new UndiciResponse(request, head, (rawHeaders ?? []) as Buffer[]);
		this.#response = {
			status,
			statusText,
			// They have the form of AxiosHeaders already: parsing them again takes 1 % of a small request.
			headers: Object.assign(new AxiosHeaders(), headers),
			config,
			request,
			data: undefined,
		};
		if (dropsBody) this.#drainTimer = setTimeout(() => this.#endRedirect(), redirectBody.limitMs);
		else if (this.#timer !== undefined) this.#watchPauses();
	}

	onResponseData(_: unknown, chunk: Buffer): void {
		if (this.#body === undefined) {
			this.#droppedBytes += chunk.length;
			if (this.#droppedBytes > redirectBody.limitBytes) this.#endRedirect();
			return;
		}
		this.#timer?.refresh();
		if (!this.#body.add(chunk)) this.#fail(this.#tooLongError());
	}

	onResponseEnd(): void {
		this.#complete = true;
		// undici may report only later in this turn that the body of the request was sent.
		if (this.#requestBytes > 0 && !this.#connection.sent) setImmediate(() => this.#end());
		else this.#end();
	}

	onResponseError(_: unknown, error: Error): void {
		this.#request.socket ??= this.#connection.socket;
		if (this.#bytesBefore === undefined) this.#request.reusedSocket = this.#connection.used;
		const response = this.#response;
		if (response !== undefined && this.#body === undefined) {
			this.#endRedirect();
			return;
		}
		void this.#connection.destroy();
		this.#settle(() =>
			this.#reject(
				response !== undefined && isBrokenOff(error)
					? this.#abortedError(response)
					: attachLoss(wireError(error, this.#input.config, this.#request), this.#loss),
			),
		);
	}

	#end(): void {
		const response = this.#response;
		this.#releaseConnection(response);
		if (this.#settled || response === undefined) return;
		const body = this.#body?.whole();
		if (body === undefined) this.#settle(() => this.#resolve(response));
		else if (body instanceof Promise) {
			body.then(
				(decoded) => this.#finish(response, decoded),
				(error) => this.#failDecoding(response, error),
			);
		} else this.#finish(response, body);
	}

	#releaseConnection(response: AxiosResponse | undefined): void {
		const connection = this.#connection;
		const keepAlive = response?.headers['keep-alive'];
		if (mayBeUnread(response?.status ?? 0, this.#requestBytes)) void connection.destroy();
		else if (this.#requestBytes > 0 && !connection.sent) connection.releaseOnceSent(keepAlive);
		else connection.release(keepAlive);
	}

	#finish(response: AxiosResponse, body: Buffer): void {
		const {responseType, responseEncoding} = this.#input.config;
		try {
			response.data =
				responseType === 'arraybuffer' ? body : textOf(body, responseEncoding as BufferEncoding);
		} catch (error) {
			this.#settle(() => this.#reject(this.#errorFrom(error as Error, response)));
			return;
		}
		this.#settle(() => this.#resolve(response));
	}

	#failDecoding(response: AxiosResponse, error: NodeJS.ErrnoException): void {
		this.#fail(error.code === tooLarge ? this.#tooLongError() : this.#errorFrom(error, response));
	}

	/** A redirect needs its head only; its body was read so that the connection can be used again. */
	#endRedirect(): void {
		const response = this.#response;
		if (response !== undefined) this.#settle(() => this.#resolve(response));
		void this.#connection.destroy();
	}

	/** The head is there in time: from now on `timeout` is for each pause. */
	#watchPauses(): void {
		clearTimeout(this.#timer);
		const {config, followsRedirect, idleMs} = this.#input;
		this.#timer = setTimeout(() => {
			const response = this.#response;
			// follow-redirects closes the socket, and so axios does not know of the timeout.
			this.#fail(
				followsRedirect && response
					? this.#abortedError(response)
					: timeoutError(config, this.#request),
			);
		}, idleMs);
	}

	/** Fails the request: its connection cannot be used again. */
	#fail(error: AxiosError): void {
		this.#settle(() => this.#reject(error));
		if (!this.#complete) void this.#connection.destroy(error);
	}

	#settle(settle: () => void): void {
		if (this.#settled) return;
		this.#settled = true;
		clearTimeout(this.#timer);
		this.#firstByteTimer?.stop();
		clearTimeout(this.#drainTimer);
		this.#stopCancel?.();
		settle();
	}

	get #loss(): SeenLoss {
		const {socket, reusedSocket: reused} = this.#request;
		const before = this.#bytesBefore;
		if (before === undefined) return {socket, reused, sent: false, answered: false};
		return {socket, reused, sent: true, answered: (socket?.bytesRead ?? 0) > before};
	}

	#tooLongError(): AxiosError {
		return tooLongError(this.#input.config, this.#request);
	}

	#abortedError(response: AxiosResponse): AxiosError {
		const isEncoded = this.#body?.isEncoded === true;
		return abortedError(this.#input.config, this.#request, response, isEncoded);
	}

	#errorFrom(error: Error, response: AxiosResponse): AxiosError {
		return AxiosError.from(error, undefined, this.#input.config, this.#request, response);
	}
}
