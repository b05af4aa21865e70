import type {Readable} from 'node:stream';
import {AxiosError, AxiosHeaders, type AxiosResponse, CanceledError} from 'axios';
import type {
	RequestConnection,
	ResponseController,
	ResponseHandler,
} from '../../connection/request-connection.ts';
import {appendMessage} from '../../util/append-message.ts';
import {authorityOfUrl} from '../../util/url.ts';
import {onCancel} from '../abortable.ts';
import {abortedError, timeoutError, tooLongError} from '../axios-errors.ts';
import type {ExchangeInput} from '../exchange.ts';
import {headerOf, isRedirect, redirectBody} from '../exchange.ts';
import {FirstByteTimer} from '../first-byte-timeout.ts';
import {attachLoss} from '../may-retry.ts';
import {joinHeaders, ReceivedResponse, type SentRequest} from '../node-messages.ts';
import type {OutgoingBody} from '../outgoing/outgoing-request.ts';
import {describeProgress} from '../progress.ts';
import {BufferedBody, dataOf, tooLarge} from './buffered-body.ts';
import {takeDecoder} from './decoders.ts';
import {ResponseStream, streamedData} from './response-stream.ts';

/** A request on its way. */
export interface Exchanged {
	readonly input: ExchangeInput;
	readonly connection: RequestConnection;
	readonly request: SentRequest;
	readonly body: OutgoingBody;
}

/** Reads the response to one request, and settles the promise of its exchange. */
export class ResponseReader implements ResponseHandler {
	readonly #input: ExchangeInput;
	readonly #connection: RequestConnection;
	readonly #request: SentRequest;
	readonly #requestBody: OutgoingBody;
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
	/** The body; `undefined` for a redirect, whose body is dropped. */
	#body: BufferedBody | ResponseStream | undefined = undefined;
	#droppedBytes = 0;
	/** The app does not read, so that no data is to come. */
	#paused = false;
	/** All of the request was written. */
	#sent = false;
	/** The response is complete: the connection may carry another request by now. */
	#complete = false;
	/** The app has its response or its error. It may still read the body of the response. */
	#settled = false;

	constructor(
		{input, connection, request, body}: Exchanged,
		resolve: (response: AxiosResponse) => void,
		reject: (error: unknown) => void,
	) {
		const {hop, config, remainingMs, timeouts} = input;
		this.#input = input;
		this.#connection = connection;
		this.#request = request;
		this.#requestBody = body;
		this.#resolve = resolve;
		this.#reject = reject;
		if (remainingMs !== undefined) {
			const expire = () => this.#expire(timeoutError(config, request, this.#progress()));
			this.#timer = setTimeout(expire, remainingMs);
		}
		if (timeouts.firstByteMs) {
			this.#firstByteTimer = new FirstByteTimer(hop.url, timeouts.firstByteMs, (error) =>
				this.#expire(AxiosError.from(error, undefined, config, request)),
			);
		}
		if (config.signal || config.cancelToken) {
			const cancel = (error: AxiosError) => this.#fail(error);
			this.#stopCancel = onCancel(config, request, cancel, () => this.#progress());
		}
		if (body.stream !== undefined) this.#watchUpload(body.stream);
	}

	onRequestStart(): void {
		const connection = this.#connection;
		connection.begin();
		this.#request.socket = connection.socket;
		this.#request.reusedSocket = connection.reused;
	}

	onRequestSent(): void {
		this.#sent = true;
		this.#firstByteTimer?.start(this.#connection.socket);
	}

	onResponseStart(
		controller: ResponseController,
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
		const isStream = config.responseType === 'stream' && !dropsBody;
		const isEncoded = !dropsBody && Boolean(headerOf(headers, 'content-encoding'));
		const decoder = isEncoded ? takeDecoder(config, request.method, status, headers) : undefined;
		const {reason: statusText, httpVersion} = this.#connection;
		const head = {statusCode: status, statusMessage: statusText, headers, httpVersion};
		const body = isStream ? this.#streamOf(head, controller) : undefined;
		request.res = body ?? new ReceivedResponse(request, head, controller.rawHeaders ?? []);
		const response: AxiosResponse = {
			status,
			statusText,
			// They have the form of AxiosHeaders already: parsing them again takes 1 % of a small request.
			headers: Object.assign(new AxiosHeaders(), headers),
			config,
			request,
			data: undefined,
		};
		this.#response = response;
		if (dropsBody) this.#drainTimer = setTimeout(() => this.#endRedirect(), redirectBody.limitMs);
		else {
			this.#body = body ?? new BufferedBody(config, decoder);
			if (this.#timer !== undefined) this.#watchPauses();
			if (body !== undefined) this.#passStream(response, body, decoder);
		}
	}

	onResponseData(_: unknown, chunk: Buffer): void {
		const body = this.#body;
		if (body === undefined) {
			this.#droppedBytes += chunk.length;
			if (this.#droppedBytes > redirectBody.limitBytes) this.#endRedirect();
			return;
		}
		this.#timer?.refresh();
		if (body instanceof BufferedBody) {
			if (!body.add(chunk)) this.#fail(this.#tooLongError());
			// A pause of the app's is not one of the server's.
		} else if (!body.add(chunk)) {
			this.#paused = true;
			clearTimeout(this.#timer);
		}
	}

	onResponseEnd(
		controller: ResponseController,
		trailers: Record<string, string | string[] | undefined>,
	): void {
		this.#complete = true;
		clearTimeout(this.#timer);
		if (this.#body instanceof ResponseStream) this.#body.finish(controller, trailers);
		const response = this.#response;
		const status = response?.status ?? 0;
		const keepAlive = response?.headers['keep-alive'];
		const {length = this.#input.hop.body?.bytesRead ?? 0} = this.#requestBody;
		const requestBytes = this.#sent ? length : Number.POSITIVE_INFINITY;
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
		const brokenOff = response !== undefined && connection.isBrokenOff(error);
		if (this.#body instanceof ResponseStream) {
			const isReset = connection.httpVersion === '2.0' && !brokenOff;
			this.#body.abort(isReset ? error : undefined);
			this.#stop();
			return;
		}
		if (brokenOff) {
			this.#fail(this.#abortedError(response));
			return;
		}
		const {config} = this.#input;
		const failure = connection.nodeError(error);
		// A stream of HTTP/2 fails after its head like a response, a connection of HTTP/1.1 like a request.
		const failed = connection.httpVersion === '2.0' ? response : undefined;
		const reason = AxiosError.from(failure, undefined, config, this.#request, failed);
		this.#fail(attachLoss(reason, loss));
	}

	/** As axios: the error of a body ends its request, and so does a body that is closed before its end. */
	#watchUpload(upload: Readable): void {
		const {config} = this.#input;
		const request = this.#request;
		upload.once('error', (error) => {
			// The response is there: the connection gave the rest of the request up.
			if (this.#complete) return;
			// undici ends it with an error of its own when it is not as long as its Content-Length.
			const cause = this.#connection.nodeError(error);
			this.#fail(AxiosError.from(cause, undefined, config, request));
		});
		upload.once('close', () => {
			if (this.#complete || upload.readableEnded || upload.errored) return;
			this.#fail(new CanceledError('Request stream has been aborted', config, request));
		});
	}

	#streamOf(
		head: ConstructorParameters<typeof ResponseStream>[1],
		controller: ResponseController,
	): ResponseStream {
		return new ResponseStream(this.#request, head, controller, {
			onResume: () => {
				if (!this.#paused) return;
				this.#paused = false;
				if (this.#timer !== undefined) this.#watchPauses();
			},
			onAbandon: () => {
				this.#stop();
				void this.#connection.destroy();
			},
		});
	}

	/** Gives the app its response. The exchange goes on until the body is read. */
	#passStream(
		response: AxiosResponse,
		body: ResponseStream,
		decoder: ReturnType<typeof takeDecoder>,
	): void {
		const {config} = this.#input;
		const data = streamedData(body, decoder, config, () => this.#tooLongError());
		response.data = data;
		if (this.#stopCancel !== undefined) data.once('close', this.#stopCancel);
		this.#settled = true;
		this.#resolve(response);
	}

	#end(): void {
		const response = this.#response;
		const body = this.#body;
		if (body instanceof ResponseStream) this.#endUpload();
		if (this.#settled || response === undefined) return;
		if (!(body instanceof BufferedBody)) {
			this.#settle(() => this.#resolve(response));
			return;
		}
		const whole = body.whole();
		if (whole instanceof Promise) {
			whole.then(
				(decoded) => this.#finish(response, decoded),
				(error) => this.#failDecoding(response, error),
			);
		} else this.#finish(response, whole);
	}

	#finish(response: AxiosResponse, body: Buffer): void {
		try {
			response.data = dataOf(body, this.#input.config);
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
			if (followsRedirect && this.#body instanceof ResponseStream) {
				this.#connection.suspect();
				this.#body.abort();
			} else if (followsRedirect && response) {
				const error = this.#abortedError(response);
				appendMessage(error, `: nothing came for ${idleMs} ms (\`timeout\`)${this.#progress()}`);
				this.#expire(error);
			} else this.#expire(timeoutError(config, this.#request, this.#progress()));
		}, idleMs);
	}

	/** How far the request has come, for the message of a timeout. */
	#progress(): string {
		const connection = this.#connection;
		const body = this.#body;
		return describeProgress({
			host: authorityOfUrl(this.#input.hop.url),
			waitsFor: connection.waitsFor,
			connected: connection.socket !== undefined,
			attempt: connection.attempt,
			sent: this.#request.socket === undefined ? undefined : this.#sent,
			status: this.#response?.status,
			bytes: body instanceof BufferedBody ? body.size : undefined,
		});
	}

	#expire(error: AxiosError): void {
		this.#connection.suspect();
		this.#fail(error);
	}

	/** Fails the request: its connection cannot be used again. */
	#fail(error: AxiosError): void {
		if (this.#body instanceof ResponseStream) {
			const data: Readable = this.#response?.data;
			// As axios does. An app that does not listen for its errors must not crash.
			if (data.listenerCount('error') > 0 && !data.destroyed) data.emit('error', error);
			data.destroy();
			this.#stop();
		} else this.#settle(() => this.#reject(error));
		if (!this.#complete) void this.#connection.destroy(error);
	}

	#settle(settle: () => void): void {
		if (this.#settled) return;
		this.#settled = true;
		this.#stop();
		settle();
	}

	/** The exchange is over. */
	#stop(): void {
		clearTimeout(this.#timer);
		this.#firstByteTimer?.stop();
		clearTimeout(this.#drainTimer);
		this.#stopCancel?.();
		this.#endUpload();
	}

	#endUpload(): void {
		const {stream} = this.#requestBody;
		if (stream !== undefined) this.#input.hop.body?.stop(stream);
	}

	#tooLongError(): AxiosError {
		return tooLongError(this.#input.config, this.#request);
	}

	#abortedError(response: AxiosResponse): AxiosError {
		const isEncoded = this.#body instanceof BufferedBody && this.#body.isEncoded;
		return abortedError(this.#input.config, this.#request, response, isEncoded);
	}

	#errorFrom(error: Error, response: AxiosResponse): AxiosError {
		return AxiosError.from(error, undefined, this.#input.config, this.#request, response);
	}
}
