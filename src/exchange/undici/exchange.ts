import {
	AxiosError,
	AxiosHeaders,
	type AxiosResponse,
	CanceledError,
	type InternalAxiosRequestConfig,
	isCancel,
} from 'axios';
import type {Dispatcher} from 'undici';
import {mayBeUnread} from '../../connection/keep-alive.ts';
import type {Pools} from '../../connection/pool.ts';
import type {RequestConnection} from '../../connection/pooled-connection.ts';
import {abortedError, timeoutError, tooLongError} from '../axios-errors.ts';
import type {Exchange, ExchangeInput} from '../exchange.ts';
import {headerOf, isRedirect, redirectBody} from '../exchange.ts';
import {type FirstByteTimer, firstByteTimer} from '../first-byte-timeout.ts';
import {absoluteForm, forwardHeaders, isForwarded} from '../proxy-request.ts';
import {attachProgress, type Progress} from '../resend.ts';
import {isBrokenOff, wireError} from './errors.ts';
import {bodyOf, UndiciRequest, UndiciResponse, wireHeaders} from './request.ts';

import {type Decoder, decoderFor, joinHeaders} from './response.ts';

/**
 * The exchange of the plain case, over undici's `dispatch`: buffered body in, buffered body out.
 * `leanTakes` tells which requests it may be given; what they get is what axios's adapter gives.
 */
export function undiciExchange(pools: Pools): Exchange {
	return (input) =>
		new Promise((resolve, reject) => {
			const {hop, config, cookie, snapshot, proxy, timeouts, fresh} = input;
			const body = bodyOf(hop, config);
			const headers = wireHeaders(hop, config, cookie, body);
			const {origin} = hop.url;
			const route = {origin, snapshot, presentCertificate: hop.presentCertificate, proxy, timeouts};
			const line = pools.take(route, fresh);
			const method = hop.method as Dispatcher.HttpMethod;
			line.dispatch(
				isForwarded(hop, proxy)
					? new DispatchOptions(
							absoluteForm(hop, hop.path),
							method,
							forwardHeaders(hop, headers, proxy),
							body,
						)
					: new DispatchOptions(hop.path, method, headers, body),
				new Answer(
					input,
					line,
					new UndiciRequest(hop, headers, input.agent),
					body?.length ?? 0,
					resolve,
					reject,
				),
			);
		});
}

/** A request as undici takes it. It reads more options than these, such as `upgrade` and `query`. */
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
// So that what somebody has put into `Object.prototype` is none of them.
Object.setPrototypeOf(DispatchOptions.prototype, null);

/**
 * A piece of a body that holds no more memory than it counts for. undici hands out views on what it has
 * read, and of that a server can make most the framing: a chunk of one byte with an extension of 15 kB.
 */
function owned(chunk: Buffer): Buffer {
	return chunk.buffer.byteLength > 4 * chunk.length ? Buffer.from(chunk) : chunk;
}

/** The answer to one request while it arrives. */
class Answer implements Dispatcher.DispatchHandler {
	readonly #line: RequestConnection;
	readonly #input: ExchangeInput;
	readonly #config: InternalAxiosRequestConfig;
	readonly #request: UndiciRequest;
	readonly #bodyBytes: number;
	readonly #resolve: (response: AxiosResponse) => void;
	readonly #reject: (error: unknown) => void;
	readonly #watch: FirstByteTimer | undefined;
	/** What the connection had read before; `undefined` while nothing of the request was given to it. */
	#bytesBefore: number | undefined = undefined;
	#settled = false;
	/** The answer is complete: the line may carry another request by now. */
	#complete = false;
	#timer: NodeJS.Timeout | undefined = undefined;
	#response: AxiosResponse | undefined = undefined;
	#decode: Decoder | undefined = undefined;
	/** The answer is a redirect: nobody waits for more than its head. */
	#left = false;
	#patience: NodeJS.Timeout | undefined = undefined;
	#chunks: Buffer[] = [];
	#size = 0;
	#limit: number;

	constructor(
		input: ExchangeInput,
		line: RequestConnection,
		request: UndiciRequest,
		bodyBytes: number,
		resolve: (response: AxiosResponse) => void,
		reject: (error: unknown) => void,
	) {
		const {config, remainingMs} = input;
		const {maxContentLength = -1} = config;
		this.#input = input;
		this.#config = config;
		this.#line = line;
		this.#request = request;
		this.#bodyBytes = bodyBytes;
		this.#resolve = resolve;
		this.#reject = reject;
		this.#limit = maxContentLength > -1 ? maxContentLength : Number.POSITIVE_INFINITY;
		if (remainingMs !== undefined) {
			const expire = () => this.#fail(timeoutError(config, request, line.waitsFor));
			this.#timer = setTimeout(expire, remainingMs);
		}
		this.#watch = firstByteTimer(input, (late) => this.#fail(wireError(late, config, request)));
		config.signal?.addEventListener?.('abort', this.#onCancel);
		config.cancelToken?.subscribe(this.#onCancel);
	}

	onRequestStart(): void {
		const socket = this.#line.socket;
		this.#request.socket = socket;
		this.#request.reusedSocket = this.#line.markUsed();
		this.#bytesBefore = socket?.bytesRead;
	}

	onRequestSent(): void {
		this.#watch?.sent(this.#line.socket);
	}

	onResponseStart(
		{rawHeaders}: Dispatcher.DispatchController,
		status: number,
		fields: Record<string, string | string[] | undefined>,
	): void {
		// An interim response (RFC 9110 §15.2): the answer is still to come.
		if (status < 200) return;
		this.#watch?.stop();
		const headers = joinHeaders(fields);
		this.#left =
			this.#input.followsRedirect && isRedirect(status) && Boolean(headerOf(headers, 'location'));
		if (
			!this.#left &&
			headerOf(headers, 'content-encoding') !== undefined &&
			this.#config.decompress !== false
		) {
			this.#decode = decoderFor(String(headers['content-encoding']));
			const gone = status === 204 && headers['content-encoding'] !== '';
			if (this.#decode !== undefined || gone) delete headers['content-encoding'];
		}
		const {reason: statusText = '', httpVersion = '1.1'} = this.#line.statusLine ?? {};
		const request = this.#request;
		const head = {statusCode: status, statusMessage: statusText, headers, httpVersion};
		// Of a connection of HTTP/1.1 they are in turn.
		request.res = new UndiciResponse(request, head, (rawHeaders ?? []) as Buffer[]);
		this.#response = {
			status,
			statusText,
			// They are what AxiosHeaders would make of them: to have it look again is 1 % of a small request.
			headers: Object.assign(new AxiosHeaders(), headers),
			config: this.#config,
			request,
			data: undefined,
		};
		if (this.#left) this.#patience = setTimeout(() => this.#leave(), redirectBody.limitMs);
		else if (this.#timer !== undefined) this.#watchPauses();
	}

	onResponseData(_: unknown, chunk: Buffer): void {
		this.#size += chunk.length;
		if (this.#left) {
			if (this.#size > redirectBody.limitBytes) this.#leave();
			return;
		}
		this.#timer?.refresh();
		this.#chunks.push(owned(chunk));
		// Encoded it may be a little longer than decoded, where the limit holds.
		const limit = this.#decode === undefined ? this.#limit : 2 * this.#limit + 65_536;
		if (this.#size > limit) this.#fail(tooLongError(this.#config, this.#request));
	}

	onResponseEnd(): void {
		this.#complete = true;
		// Of a body that is out already we are told in this turn.
		if (this.#bodyBytes > 0 && !this.#line.sent) setImmediate(() => this.#end());
		else this.#end();
	}

	#end(): void {
		const response = this.#response;
		const {status = 0, headers} = response ?? {};
		const keepAlive = headers?.['keep-alive'];
		if (mayBeUnread(status, this.#bodyBytes)) void this.#line.destroy();
		else if (this.#bodyBytes > 0 && !this.#line.sent) this.#line.releaseOnceSent(keepAlive);
		else this.#line.release(keepAlive);
		if (this.#settled || response === undefined) return;
		if (this.#left) {
			this.#settle(() => this.#resolve(response));
			return;
		}
		const body =
			this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
		if (this.#decode === undefined || body.length === 0) this.#finish(response, body);
		else this.#finishDecoded(response, body, this.#decode);
	}

	onResponseError(_: unknown, error: Error): void {
		this.#request.socket ??= this.#line.socket;
		if (this.#bytesBefore === undefined) this.#request.reusedSocket = this.#line.used;
		if (this.#left) {
			this.#leave();
			return;
		}
		void this.#line.destroy();
		const response = this.#response;
		this.#settle(() =>
			this.#reject(
				response !== undefined && isBrokenOff(error)
					? this.#abortedError(response)
					: attachProgress(wireError(error, this.#config, this.#request), this.#progress),
			),
		);
	}

	get #progress(): Progress {
		const {socket, reusedSocket: reused} = this.#request;
		const sent = this.#bytesBefore !== undefined;
		return {socket, reused, sent, bytesBefore: this.#bytesBefore ?? Number.POSITIVE_INFINITY};
	}

	/** A redirect is told by its head; its body was read for the sake of the connection only. */
	#leave(): void {
		const response = this.#response;
		if (response !== undefined) this.#settle(() => this.#resolve(response));
		void this.#line.destroy();
	}

	/** The head is there in time: from now on it is pauses that are too long. */
	#watchPauses(): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			// follow-redirects closes the socket, without a word of why.
			const {followsRedirect} = this.#input;
			this.#fail(
				followsRedirect && this.#response
					? this.#abortedError(this.#response)
					: timeoutError(this.#config, this.#request),
			);
		}, this.#input.idleMs);
	}

	#abortedError(response: AxiosResponse): AxiosError {
		return abortedError(this.#config, this.#request, response, this.#decode !== undefined);
	}

	#finishDecoded(response: AxiosResponse, body: Buffer, decode: Decoder): void {
		const limit = Number.isFinite(this.#limit) ? {maxOutputLength: Math.max(1, this.#limit)} : {};
		decode(body, limit).then(
			(decoded) => {
				if (decoded.length > this.#limit) this.#fail(tooLongError(this.#config, this.#request));
				else this.#finish(response, decoded);
			},
			(error) => this.#failDecoding(error, response),
		);
	}

	#failDecoding(error: Error & {code?: string}, response: AxiosResponse): void {
		this.#fail(
			error.code === 'ERR_BUFFER_TOO_LARGE'
				? tooLongError(this.#config, this.#request)
				: this.#errorFrom(error, response),
		);
	}

	#finish(response: AxiosResponse, body: Buffer): void {
		try {
			response.data = this.#config.responseType === 'arraybuffer' ? body : this.#read(body);
		} catch (error) {
			// No such encoding.
			this.#settle(() => this.#reject(this.#errorFrom(error as Error, response)));
			return;
		}
		this.#settle(() => this.#resolve(response));
	}

	#read(body: Buffer): string {
		const encoding = this.#config.responseEncoding as BufferEncoding | undefined;
		const text = body.toString(encoding);
		const unicode = !encoding || encoding === 'utf8';
		return unicode && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
	}

	#errorFrom(error: Error, response: AxiosResponse): AxiosError {
		return AxiosError.from(error, undefined, this.#config, this.#request, response);
	}

	readonly #onCancel = (reason?: unknown): void => {
		// A token gives its CanceledError, of a CommonJS app another class than ours; a signal an event.
		this.#fail(
			isCancel(reason) ? reason : new CanceledError(undefined, this.#config, this.#request),
		);
	};

	/** Gives the request up: its connection is of no more use. */
	#fail(error: AxiosError): void {
		this.#settle(() => this.#reject(error));
		if (!this.#complete) void this.#line.destroy(error);
	}

	#settle(settle: () => void): void {
		if (this.#settled) return;
		this.#settled = true;
		clearTimeout(this.#timer);
		this.#watch?.stop();
		clearTimeout(this.#patience);
		this.#config.signal?.removeEventListener?.('abort', this.#onCancel);
		this.#config.cancelToken?.unsubscribe(this.#onCancel);
		settle();
	}
}
