import {
	AxiosError,
	AxiosHeaders,
	type AxiosResponse,
	CanceledError,
	type InternalAxiosRequestConfig,
} from 'axios';
import type {Dispatcher} from 'undici';
import type {Line, Pools} from '../net/pool.ts';
import type {Exchange, ExchangeInput} from './exchange.ts';
import {timeoutError, tooLongError, wireError} from './lean-errors.ts';
import {LeanRequest, wireHeaders} from './lean-request.ts';
import {decoderFor, joinHeaders} from './lean-response.ts';

/**
 * The exchange of the plain case, over undici's `dispatch`: buffered body in, buffered body out.
 * `leanTakes` tells which requests it may be given; what they get is what axios's adapter gives.
 */
export function leanExchange(pools: Pools): Exchange {
	return (input) =>
		new Promise((resolve, reject) => {
			const {hop, config, cookie, proxy} = input;
			const body = bodyOf(hop.body?.data);
			const {maxBodyLength = -1} = config;
			if (body && maxBodyLength > -1 && body.length > maxBodyLength) {
				reject(
					new AxiosError(
						'Request body larger than maxBodyLength limit',
						AxiosError.ERR_BAD_REQUEST,
						config,
					),
				);
				return;
			}
			const headers = wireHeaders(hop, config, cookie, body);
			const line = pools.take({origin: hop.url.origin, showing: hop.showing, proxy});
			line.dispatch(
				{path: hop.path, method: hop.method as Dispatcher.HttpMethod, headers, body},
				new Answer(input, line, new LeanRequest(hop, headers), resolve, reject),
			);
		});
}

function bodyOf(data: unknown): Buffer | null {
	if (!data) return null;
	if (typeof data === 'string') return Buffer.from(data, 'utf8');
	return Buffer.isBuffer(data) ? data : Buffer.from(data as ArrayBuffer);
}

/** The answer to one request while it arrives. */
class Answer implements Dispatcher.DispatchHandler {
	readonly #line: Line;
	readonly #config: InternalAxiosRequestConfig;
	readonly #request: LeanRequest;
	readonly #resolve: (response: AxiosResponse) => void;
	readonly #reject: (error: unknown) => void;
	#settled = false;
	#timer: NodeJS.Timeout | undefined = undefined;
	#response: AxiosResponse | undefined = undefined;
	#chunks: Buffer[] = [];
	#size = 0;

	constructor(
		{config, remainingMs}: ExchangeInput,
		line: Line,
		request: LeanRequest,
		resolve: (response: AxiosResponse) => void,
		reject: (error: unknown) => void,
	) {
		this.#config = config;
		this.#line = line;
		this.#request = request;
		this.#resolve = resolve;
		this.#reject = reject;
		if (remainingMs !== undefined) {
			this.#timer = setTimeout(() => this.#fail(timeoutError(config, request)), remainingMs);
		}
		config.signal?.addEventListener?.('abort', this.#onCancel);
		config.cancelToken?.subscribe(this.#onCancel);
	}

	onRequestStart(): void {
		this.#request.socket = this.#line.socket;
		this.#request.reusedSocket = this.#line.board();
	}

	onResponseStart(
		_: unknown,
		status: number,
		fields: Record<string, string | string[] | undefined>,
		statusText = '',
	): void {
		// An interim response (RFC 9110 §15.2): the answer is still to come.
		if (status < 200) return;
		const headers = joinHeaders(fields);
		const request = this.#request;
		request.res = {
			statusCode: status,
			statusMessage: statusText,
			headers,
			socket: request.socket,
			req: request,
		};
		this.#response = {
			status,
			statusText,
			headers: new AxiosHeaders(headers),
			config: this.#config,
			request,
			data: undefined,
		};
	}

	onResponseData(_: unknown, chunk: Buffer): void {
		this.#chunks.push(chunk);
		this.#size += chunk.length;
		const {maxContentLength = -1} = this.#config;
		if (maxContentLength > -1 && this.#size > maxContentLength) {
			this.#fail(tooLongError(this.#config, this.#request));
		}
	}

	onResponseEnd(): void {
		const response = this.#response;
		if (this.#settled || response === undefined) return;
		this.#line.release();
		const body =
			this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
		const encoding = response.headers['content-encoding'];
		if (encoding === undefined || this.#config.decompress === false) this.#finish(response, body);
		else this.#decode(response, body, String(encoding));
	}

	onResponseError(_: unknown, error: Error): void {
		this.#request.socket ??= this.#line.socket;
		void this.#line.destroy();
		this.#settle(() => this.#reject(wireError(error, this.#config, this.#request, this.#response)));
	}

	#decode(response: AxiosResponse, body: Buffer, encoding: string): void {
		const decode = decoderFor(encoding);
		if (decode !== undefined || response.status === 204) {
			(response.headers as AxiosHeaders).delete('content-encoding');
		}
		if (decode === undefined || body.length === 0) {
			this.#finish(response, body);
			return;
		}

		const {maxContentLength = -1} = this.#config;
		decode(
			body,
			maxContentLength > -1 ? {maxOutputLength: Math.max(1, maxContentLength)} : {},
		).then(
			(decoded) => this.#finish(response, decoded),
			(error) => this.#failDecoding(error, response),
		);
	}

	#failDecoding(error: Error & {code?: string}, response: AxiosResponse): void {
		this.#fail(
			error.code === 'ERR_BUFFER_TOO_LARGE'
				? tooLongError(this.#config, this.#request)
				: AxiosError.from(error, undefined, this.#config, this.#request, response),
		);
	}

	#finish(response: AxiosResponse, body: Buffer): void {
		const {responseType, responseEncoding} = this.#config;
		if (responseType === 'arraybuffer') {
			response.data = body;
		} else {
			const text = body.toString((responseEncoding || 'utf8') as BufferEncoding);
			const unicode = !responseEncoding || responseEncoding === 'utf8';
			response.data = unicode && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
		}
		this.#settle(() => this.#resolve(response));
	}

	readonly #onCancel = (reason?: unknown): void => {
		// A token gives its CanceledError, a signal an event.
		this.#fail(
			reason instanceof AxiosError
				? reason
				: new CanceledError(undefined, this.#config, this.#request),
		);
	};

	/** Gives the request up: its connection is of no more use. */
	#fail(error: AxiosError): void {
		this.#settle(() => this.#reject(error));
		void this.#line.destroy(error);
	}

	#settle(settle: () => void): void {
		if (this.#settled) return;
		this.#settled = true;
		clearTimeout(this.#timer);
		this.#config.signal?.removeEventListener?.('abort', this.#onCancel);
		this.#config.cancelToken?.unsubscribe(this.#onCancel);
		settle();
	}
}
