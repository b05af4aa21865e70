import {createHash} from 'node:crypto';
import {once} from 'node:events';
import type {ClientRequest, IncomingMessage} from 'node:http';
import {Readable} from 'node:stream';
import axios, {
	type AxiosError,
	AxiosHeaders,
	type AxiosResponse,
	type InternalAxiosRequestConfig,
} from 'axios';

/* Plain data for what an app can see of an outcome, so that two of them can be compared. */

export interface Outcome {
	readonly response?: object;
	readonly error?: object;
}

/** What an app does with a streamed body, and what it is to be compared by. */
export type ReadBody = (data: Readable, response: AxiosResponse) => Promise<unknown>;

export async function describeResponse(
	response: AxiosResponse,
	config: InternalAxiosRequestConfig | undefined,
	read: ReadBody = readWhole,
): Promise<object> {
	return {
		status: response.status,
		statusText: response.statusText,
		headers: Object.entries(response.headers),
		headersAreAxios: response.headers instanceof AxiosHeaders,
		data: await describeData(response, read),
		sameConfig: response.config === config,
		configHeaders: describeHeaders(config),
		request: describeRequest(response.request),
	};
}

export async function describeError(
	error: unknown,
	config: InternalAxiosRequestConfig | undefined,
	read?: ReadBody,
): Promise<object> {
	if (!(error instanceof Error)) return {thrown: error};
	const {name, message} = error;
	const {code, status, isAxiosError, request, response} = error as Partial<AxiosError>;
	return {
		kind: error.constructor.name,
		name,
		message: wordsOfAxios(message),
		code,
		status,
		isAxiosError,
		isCancel: axios.isCancel(error),
		cause: describeCause(error.cause),
		sameConfig: (error as Partial<AxiosError>).config === config,
		configHeaders: describeHeaders(config),
		// Ours hides from prints what axios's lets Node enumerate, and says how it is to be printed.
		fields: Object.getOwnPropertyNames(error)
			.filter((name) => name !== 'toJSON')
			.sort(),
		sentUserAgent: sentUserAgent(request),
		response: response && (await describeResponse(response, config, read)),
	};
}

// What follows is ours: how far a request had come, and why it was not sent again.
function wordsOfAxios(message: string): string {
	return message
		.replace(/^(timeout of \S+ exceeded): (the|there|part) .*$/, '$1')
		.replace(/^(stream has been aborted|aborted): nothing came for .*$/, '$1')
		.replace(/: the server closed this kept-alive connection .*$/, '');
}

function describeCause(cause: unknown): object | undefined {
	if (!(cause instanceof Error)) return cause === undefined ? undefined : {thrown: cause};
	const {name, message, code} = cause as NodeJS.ErrnoException;
	return {name, message, code, cause: describeCause(cause.cause)};
}

function describeHeaders(config: InternalAxiosRequestConfig | undefined): unknown {
	return config && Object.entries(config.headers);
}

async function describeData(response: AxiosResponse, read: ReadBody): Promise<unknown> {
	const {data} = response;
	if (data instanceof Readable) return {stream: await describeStream(data, response, read)};
	if (Buffer.isBuffer(data)) return {buffer: data.toString('latin1')};
	return {value: data};
}

async function describeStream(
	stream: Readable,
	response: AxiosResponse,
	read: ReadBody,
): Promise<object> {
	const events: unknown[] = [];
	// With those of axios, of Node and of the app, these are more than ten.
	stream.setMaxListeners(20);
	for (const name of ['aborted', 'end', 'close']) stream.on(name, () => events.push(name));
	stream.on('error', (error) => events.push(describeStreamError(error)));
	const before = streamFields(stream, response);
	const outcome = await read(stream, response);
	// Whatever has been decided becomes an event within the turn, or in the next ones.
	if ((stream.readableEnded || stream.destroyed) && !stream.closed) await once(stream, 'close');
	return {outcome, events, before, after: streamFields(stream, response)};
}

/** A text as it is compared: of a long one its length and its hash. */
export function shortened(text: string): string {
	if (text.length < 50_000) return text;
	return `${text.length} bytes ${createHash('sha256').update(text, 'latin1').digest('hex')}`;
}

/** Reads a stream to its end. */
export async function readWhole(stream: Readable): Promise<object> {
	const chunks: Buffer[] = [];
	try {
		for await (const chunk of stream) chunks.push(Buffer.from(chunk));
		return {text: shortened(Buffer.concat(chunks).toString('latin1'))};
	} catch (error) {
		const text = shortened(Buffer.concat(chunks).toString('latin1'));
		return {text, ...describeStreamError(error)};
	}
}

/** Reads a stream whose end is a race: what comes before its error is not compared. */
export async function readToError(stream: Readable): Promise<object> {
	const {text: _, ...error} = (await readWhole(stream)) as {text: string};
	return error;
}

/** What an app can see of an error that a stream emits. */
export function describeStreamError(error: unknown): object {
	const {name, message, code, isAxiosError, status} = error as AxiosError;
	const isCancel = axios.isCancel(error);
	return {
		kind: (error as Error).constructor.name,
		name,
		message: wordsOfAxios(message),
		code,
		status,
		isAxiosError,
		isCancel,
	};
}

// What apps read on the body itself, as it is an IncomingMessage of Node where nothing is unpacked.
function streamFields(stream: Readable, {request}: AxiosResponse): object {
	const {destroyed, errored, readableEnded, readableAborted, readableEncoding} = stream;
	const {statusCode, statusMessage, headers, rawHeaders, httpVersion, req, socket, aborted} =
		stream as Partial<IncomingMessage> & {req?: unknown};
	const {complete, trailers, rawTrailers, method, url} = stream as Partial<IncomingMessage>;
	return {
		...{
			destroyed,
			readableEnded,
			readableAborted,
			readableEncoding,
			aborted,
			complete,
			method,
			url,
		},
		...{statusCode, statusMessage, headers: headers && Object.entries(headers), rawHeaders},
		...{httpVersion, trailers: trailers && Object.entries(trailers), rawTrailers},
		objectMode: stream.readableObjectMode,
		errored: errored?.message,
		sameRequest: req === request,
		socket: socket === undefined ? 'none' : typeof socket,
	};
}

// What apps read there; of an answer it is Node's ClientRequest, or looks like one.
function describeRequest(request: ClientRequest | undefined): object | undefined {
	if (request === undefined) return undefined;
	const {path, method, host, protocol} = request;
	const res = (request as unknown as {res?: Answered}).res;
	return {
		path,
		method,
		host,
		protocol,
		headers: Object.fromEntries(
			Object.entries(request.getHeaders?.() ?? {}).flatMap(([name, value]) => {
				if (!Array.isArray(value)) return [[name, String(value)]];
				// What was sent of a list: one line of cookies or of a single value, and nothing of an empty one.
				const sent = name === 'cookie' || value.length === 1 ? value.join('; ') : value;
				return value.length > 0 ? [[name, sent]] : [];
			}),
		),
		accept: request.getHeader?.('ACCEPT'),
		hasCookie: request.hasHeader?.('cookie'),
		hasSocket: typeof request.socket === 'object',
		// Ours is a subclass of Node's.
		agent: agentOf(request)?.constructor.name.replace('MtlsAgent', 'Agent'),
		methods: [request.on, request.once, request.off, request.emit, request.destroy].map(
			(method) => typeof method,
		),
		res: res && {
			status: res.statusCode,
			reason: res.statusMessage,
			headers: Object.entries(res.headers),
			responseUrl: res.responseUrl,
			req: res.req === request,
			rawHeaders: res.rawHeaders,
			httpVersion: [res.httpVersion, res.httpVersionMajor, res.httpVersionMinor],
		},
	};
}

// Node's types leave it out.
function agentOf(request: ClientRequest): object | undefined {
	return (request as {agent?: object}).agent;
}

interface Answered {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly headers: object;
	readonly responseUrl?: string;
	readonly rawHeaders: readonly string[];
	readonly httpVersion: string;
	readonly httpVersionMajor: number;
	readonly httpVersionMinor: number;
	readonly req: unknown;
}

// Of a failure axios shows follow-redirects' object, or Node's: this works on both.
function sentUserAgent(request: unknown): unknown {
	if (request === undefined) return 'no request';
	return (request as ClientRequest).getHeader?.('User-Agent');
}

/** What carried a request: the connections of the client, or axios's adapter; `undefined` where that cannot be told. */
export function exchangeOf(value: unknown): 'client' | 'axios' | undefined {
	const request = (value as Partial<AxiosError> | undefined)?.request;
	if (typeof request !== 'object' || request === null) return undefined;
	return request.constructor?.name === 'SentRequest' ? 'client' : 'axios';
}
