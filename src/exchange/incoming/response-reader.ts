import {AxiosError, AxiosHeaders, type AxiosResponse} from 'axios';
import type {
	RequestConnection,
	ResponseController,
	ResponseHandler,
} from '../../connection/request-connection.ts';
import {onCancel} from '../abortable.ts';
import {abortedError, timeoutError, tooLongError} from '../axios-errors.ts';
import type {ExchangeInput} from '../exchange.ts';
import {headerOf, isRedirect, redirectBody} from '../exchange.ts';
import {FirstByteTimer} from '../first-byte-timeout.ts';
import {attachLoss} from '../may-retry.ts';
import {joinHeaders, ReceivedResponse, type SentRequest} from '../node-messages.ts';
import {ResponseBody, textOf, tooLarge} from './buffered-body.ts';

/** Reads the response to one request, and settles the promise of its exchange. */
export class ResponseReader implements ResponseHandler {
	readonly #input: ExchangeInput;
	readonly #connection: RequestConnection;
	readonly #request: SentRequest;
	readonly #requestBytes: number;
	readonly #resolve: (response: AxiosResponse) => void;
	readonly #reject: (error: unknown) => void;
	#stopCancel: (() => void) | undefined = undefined;

	/** `timeout`: until the head of the response, then for each pause in its body. */
	#timer: NodeJS.Timeout | undefined = undefined;
	readonly #firstByteTimer: FirstByteTimer | undefined = undefined;
	/** How long the body of a redirect may take. */
	#drainTimer: NodeJS.Timeout | undefined = undefined;

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
		request: SentRequest,
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
			const expire = () => this.#expire(timeoutError(config, request, connection.waitsFor));
			this.#timer = setTimeout(expire, remainingMs);
		}
		if (timeouts.firstByteMs) {
			this.#firstByteTimer = new FirstByteTimer(hop.url, timeouts.firstByteMs, (error) =>
				this.#expire(AxiosError.from(error, undefined, config, request)),
			);
		}
		if (config.signal || config.cancelToken) {
			this.#stopCancel = onCancel(config, request, (error) => this.#fail(error));
		}
	}

	onRequestStart(): void {
		const connection = this.#connection;
		connection.begin();
		this.#request.socket = connection.socket;
		this.#request.reusedSocket = connection.reused;
	}

	onRequestSent(): void {
		this.#firstByteTimer?.start(this.#connection.socket);
	}

	onResponseStart(
		{rawHeaders}: ResponseController,
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
		const {reason: statusText, httpVersion} = this.#connection;
		const head = {statusCode: status, statusMessage: statusText, headers, httpVersion};
		request.res = new ReceivedResponse(request, head, rawHeaders ?? []);
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
		const response = this.#response;
		const status = response?.status ?? 0;
		const keepAlive = response?.headers['keep-alive'];
		const requestBytes = this.#requestBytes;
		this.#connection.complete({status, keepAlive, requestBytes}, () => this.#end());
	}

	onResponseError(_: unknown, error: Error): void {
		const connection = this.#connection;
		const {loss} = connection;
		this.#request.socket ??= loss.socket;
		this.#request.reusedSocket = loss.reused;
		const response = this.#response;
		if (response !== undefined && this.#body === undefined) {
			this.#endRedirect();
			return;
		}
		void connection.destroy();
		this.#settle(() => {
			if (response !== undefined && connection.isBrokenOff(error)) {
				this.#reject(this.#abortedError(response));
				return;
			}
			const {config} = this.#input;
			const failure = connection.nodeError(error);
			// A stream of HTTP/2 fails after its head like a response, a connection of HTTP/1.1 like a request.
			const failed = connection.httpVersion === '2.0' ? response : undefined;
			const reason = AxiosError.from(failure, undefined, config, this.#request, failed);
			this.#reject(attachLoss(reason, loss));
		});
	}

	#end(): void {
		const response = this.#response;
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
			this.#expire(
				followsRedirect && response
					? this.#abortedError(response)
					: timeoutError(config, this.#request),
			);
		}, idleMs);
	}

	#expire(error: AxiosError): void {
		this.#connection.suspect();
		this.#fail(error);
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
