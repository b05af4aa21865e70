import type {ClientRequest} from 'node:http';
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

export async function describeResponse(
	response: AxiosResponse,
	config: InternalAxiosRequestConfig | undefined,
): Promise<object> {
	return {
		status: response.status,
		statusText: response.statusText,
		headers: Object.entries(response.headers),
		headersAreAxios: response.headers instanceof AxiosHeaders,
		data: await describeData(response.data),
		sameConfig: response.config === config,
		configHeaders: describeHeaders(config),
		request: describeRequest(response.request),
	};
}

export async function describeError(
	error: unknown,
	config: InternalAxiosRequestConfig | undefined,
): Promise<object> {
	if (!(error instanceof Error)) return {thrown: error};
	const {name, message} = error;
	const {code, status, isAxiosError, request, response} = error as Partial<AxiosError>;
	return {
		kind: error.constructor.name,
		name,
		message,
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
		response: response && (await describeResponse(response, config)),
	};
}

function describeCause(cause: unknown): object | undefined {
	if (!(cause instanceof Error)) return cause === undefined ? undefined : {thrown: cause};
	const {name, message, code} = cause as NodeJS.ErrnoException;
	return {name, message, code, cause: describeCause(cause.cause)};
}

function describeHeaders(config: InternalAxiosRequestConfig | undefined): unknown {
	return config && Object.entries(config.headers);
}

async function describeData(data: unknown): Promise<unknown> {
	if (data instanceof Readable) return {stream: await describeStream(data)};
	if (Buffer.isBuffer(data)) return {buffer: data.toString('latin1')};
	return {value: data};
}

async function describeStream(stream: Readable): Promise<object> {
	const chunks: Buffer[] = [];
	try {
		for await (const chunk of stream) chunks.push(Buffer.from(chunk));
		return {text: Buffer.concat(chunks).toString('latin1')};
	} catch (error) {
		const {name, message, code} = error as NodeJS.ErrnoException;
		return {text: Buffer.concat(chunks).toString('latin1'), name, message, code};
	}
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
			Object.entries(request.getHeaders?.() ?? {}).map(([name, value]) => [
				name,
				Array.isArray(value) ? value : String(value),
			]),
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

/** Which exchange a request took; `undefined` where that cannot be told. */
export function exchangeOf(value: unknown): 'undici' | 'axios' | undefined {
	const request = (value as Partial<AxiosError> | undefined)?.request;
	if (typeof request !== 'object' || request === null) return undefined;
	return request.constructor?.name === 'UndiciRequest' ? 'undici' : 'axios';
}
