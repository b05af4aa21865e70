/*
 * One request for undici: what is sent, and the objects that stand in for Node's request and response.
 */
import {EventEmitter} from 'node:events';
import http from 'node:http';
import type {Agent} from 'node:https';
import type {Socket} from 'node:net';
import axios, {AxiosError, type AxiosHeaders, type InternalAxiosRequestConfig} from 'axios';
import {withoutPrototype} from '../../util/check-options.ts';
import {bareHost} from '../../util/url.ts';
import type {Hop} from '../hop.ts';
import {trimEnd} from './response.ts';

type Listener = (...given: unknown[]) => void;

/**
 * The `EventEmitter` of a stand-in for Node's request or response. An app gets it after the last of
 * Node's events, so it emits none; it is made for the first listener.
 */
class PastEvents {
	#emitter: EventEmitter | undefined;

	get #events(): EventEmitter {
		this.#emitter ??= new EventEmitter();
		return this.#emitter;
	}

	on(event: string | symbol, listener: Listener): this {
		this.#events.on(event, listener);
		return this;
	}

	addListener(event: string | symbol, listener: Listener): this {
		return this.on(event, listener);
	}

	once(event: string | symbol, listener: Listener): this {
		this.#events.once(event, listener);
		return this;
	}

	off(event: string | symbol, listener: Listener): this {
		this.#emitter?.off(event, listener);
		return this;
	}

	removeListener(event: string | symbol, listener: Listener): this {
		return this.off(event, listener);
	}

	removeAllListeners(event?: string | symbol): this {
		// Node would take `undefined` for the name of an event.
		if (event === undefined) this.#emitter?.removeAllListeners();
		else this.#emitter?.removeAllListeners(event);
		return this;
	}

	/** For an app that calls its own listeners. */
	emit(event: string | symbol, ...given: unknown[]): boolean {
		return this.#emitter?.emit(event, ...given) ?? false;
	}

	listenerCount(event: string | symbol): number {
		return this.#emitter?.listenerCount(event) ?? 0;
	}

	/** Does nothing: the response is complete, and its connection may carry another request. */
	destroy(): this {
		return this;
	}

	/** As in Node, once the response is complete. */
	get destroyed(): boolean {
		return true;
	}
}

/**
 * `response.request` and `error.request` of the undici exchange: the fields that apps read on Node's
 * `ClientRequest`. It is for reading only; undici has sent the request.
 */
export class UndiciRequest extends PastEvents {
	readonly method: string;
	/** Path and query. */
	readonly path: string;
	/** The connection in use, once there is one. */
	socket: Socket | undefined = undefined;
	/** Whether the connection had carried a request before. */
	reusedSocket = false;
	/** Set once the head of the response is there. */
	res: UndiciResponse | undefined = undefined;
	/** Names and values in turn, as they were sent. */
	readonly #headers: readonly string[];
	readonly #url: URL;
	readonly #agent: Agent | undefined;

	constructor({method, path, url}: Hop, headers: readonly string[], agent: Agent | undefined) {
		super();
		this.#agent = agent;
		this.method = method;
		this.path = path;
		this.#url = url;
		this.#headers = headers;
	}

	/** The client's agent, with the same certificate and CAs; Node's for http, which does not use it. */
	get agent(): http.Agent | undefined {
		return this.#url.protocol === 'https:' ? this.#agent : http.globalAgent;
	}

	get connection(): Socket | undefined {
		return this.socket;
	}

	/** Host without port. */
	get host(): string {
		return bareHost(this.#url.hostname);
	}

	/** `https:` or `http:`. */
	get protocol(): string {
		return this.#url.protocol;
	}

	getHeader(name: string): string | string[] | undefined {
		return this.getHeaders()[name.toLowerCase()];
	}

	hasHeader(name: string): boolean {
		return this.getHeader(name) !== undefined;
	}

	/** All headers that were sent, names in lower case. */
	getHeaders(): Record<string, string | string[]> {
		const headers: Record<string, string | string[]> = withoutPrototype({host: this.#url.host});
		for (let i = 0; i < this.#headers.length; i += 2) {
			const name = String(this.#headers[i]).toLowerCase();
			const value = String(this.#headers[i + 1]);
			const seen = headers[name];
			headers[name] = seen === undefined ? value : [seen, value].flat();
		}
		return headers;
	}

	getHeaderNames(): string[] {
		return Object.keys(this.getHeaders());
	}
}

/** `response.request.res` of the undici exchange: the fields that apps read on Node's `IncomingMessage`. */
export class UndiciResponse extends PastEvents {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly headers: Record<string, string | string[]>;
	readonly req: UndiciRequest;
	/** The URL that the response came from, after redirects. */
	declare responseUrl?: string;
	readonly #version: string;
	#raw: readonly Buffer[];
	#rawHeaders: string[] | undefined;

	constructor(
		req: UndiciRequest,
		head: Pick<UndiciResponse, 'statusCode' | 'statusMessage' | 'headers' | 'httpVersion'>,
		raw: readonly Buffer[],
	) {
		super();
		this.statusCode = head.statusCode;
		this.statusMessage = head.statusMessage;
		this.headers = head.headers;
		this.req = req;
		this.#version = head.httpVersion;
		this.#raw = raw;
		if (isLarge(raw[0]) || isLarge(raw.at(-1))) this.#toText();
	}

	get socket(): Socket | undefined {
		return this.req.socket;
	}

	get connection(): Socket | undefined {
		return this.req.socket;
	}

	/** Names and values in turn, in the server's spelling. */
	get rawHeaders(): string[] {
		return this.#rawHeaders ?? this.#toText();
	}

	#toText(): string[] {
		const text = this.#raw.map((part) => trimEnd(part.toString('latin1')));
		this.#rawHeaders = text;
		this.#raw = [];
		return text;
	}

	/** `1.1` or `1.0`. */
	get httpVersion(): string {
		return this.#version;
	}

	get httpVersionMajor(): number {
		return Number(this.#version[0]);
	}

	get httpVersionMinor(): number {
		return Number(this.#version[2]);
	}
}

/** A part of the head keeps its packet in memory: a part of a larger packet is made text at once. */
const maxKeptBytes = 4_096;

function isLarge(part: Buffer | undefined): boolean {
	return part !== undefined && part.buffer.byteLength > maxKeptBytes;
}

const agentName = `axios/${axios.VERSION}`;
const acceptEncoding = 'gzip, compress, deflate, br';

/** Adds axios's default headers for itself and the body, unless the app has set them. */
function addDefaultHeaders(headers: AxiosHeaders, body: Buffer | null): void {
	setMissing(headers, 'User-Agent', agentName);
	if (body) setMissing(headers, 'Content-Length', String(body.length));
}

// As `headers.set(name, value, false)` does, which takes 1 % of the time of a small request.
function setMissing(headers: AxiosHeaders, name: string, value: string): void {
	for (const given of Object.keys(headers)) {
		if (given.length === name.length && given.toLowerCase() === name.toLowerCase()) {
			if (headers[given] === undefined) headers[given] = value;
			return;
		}
	}
	headers[name] = value;
}

/**
 * The headers of `hop` as they are sent, names and values in turn: the app's, and those that axios adds.
 * The latter are added to the hop's own headers too, as axios adds them to `config.headers`.
 */
export function wireHeaders(
	{headers, auth}: Hop,
	{transitional}: InternalAxiosRequestConfig,
	cookie: string | undefined,
	body: Buffer | null,
): string[] {
	if (auth) headers.delete('authorization');
	addDefaultHeaders(headers, body);
	const zstd = transitional?.advertiseZstdAcceptEncoding === true;
	setMissing(headers, 'Accept-Encoding', zstd ? `${acceptEncoding}, zstd` : acceptEncoding);

	const wire: string[] = [];
	for (const name of Object.keys(headers)) {
		const value: unknown = headers[name];
		if (value === undefined || value === null || value === false) continue;
		if (cookie !== undefined && name.length === 6 && name.toLowerCase() === 'cookie') continue;
		for (const item of Array.isArray(value) ? value : [value]) wire.push(name, clean(String(item)));
	}
	// Node writes these after the app's.
	if (auth) wire.push('Authorization', basic(`${auth.username}:${auth.password}`));
	if (cookie !== undefined) wire.push('Cookie', cookie);
	return wire;
}

const unsendable = /[^\t\x20-\x7e\x80-\xff]/;

// As axios does, drops characters that a header cannot carry.
function clean(value: string): string {
	return unsendable.test(value) ? value.replace(new RegExp(unsendable, 'g'), '').trim() : value;
}

function basic(credentials: string): string {
	return `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`;
}

/**
 * The body of a hop as bytes; `null` where there is none.
 *
 * @throws {AxiosError} axios's own, when it is longer than `maxBodyLength`.
 */
export function bodyOf({headers, body}: Hop, config: InternalAxiosRequestConfig): Buffer | null {
	const bytes = bytesOf(body?.data);
	const {maxBodyLength = -1} = config;
	if (bytes === null || maxBodyLength <= -1 || bytes.length <= maxBodyLength) return bytes;
	addDefaultHeaders(headers, bytes);
	throw new AxiosError(
		'Request body larger than maxBodyLength limit',
		AxiosError.ERR_BAD_REQUEST,
		config,
	);
}

function bytesOf(data: unknown): Buffer | null {
	if (!data) return null;
	if (typeof data === 'string') return Buffer.from(data, 'utf8');
	return Buffer.isBuffer(data) ? data : Buffer.from(data as ArrayBuffer);
}
