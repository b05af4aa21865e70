/*
 * The objects that stand in for Node's request and response: what apps read on `response.request`.
 */
import {EventEmitter} from 'node:events';
import http from 'node:http';
import type {Agent} from 'node:https';
import type {Socket} from 'node:net';
import {Readable} from 'node:stream';
import {withoutPrototype} from '../util/check-options.ts';
import {bareHost} from '../util/url.ts';
import {withCode} from './axios-errors.ts';
import type {Hop} from './hop.ts';

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
 * `response.request` and `error.request`: the fields that apps read on Node's `ClientRequest`. It is for
 * reading only; a connection has sent the request.
 */
export class SentRequest extends PastEvents {
	readonly method: string;
	/** Path and query. */
	readonly path: string;
	/** The connection in use, once there is one. */
	socket: Socket | undefined = undefined;
	/** Whether the connection had carried a request before. */
	reusedSocket = false;
	/** Set once the head of the response is there: a stream of its body, if the app asked for one. */
	res: (MessageHead & {responseUrl?: string}) | undefined = undefined;
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
		const headers: Record<string, string | string[]> = withoutPrototype({});
		for (let i = 0; i < this.#headers.length; i += 2) {
			const name = String(this.#headers[i]).toLowerCase();
			const value = String(this.#headers[i + 1]);
			const seen = headers[name];
			headers[name] = seen === undefined ? value : [seen, value].flat();
		}
		headers.host ??= this.#url.host;
		return headers;
	}

	getHeaderNames(): string[] {
		return Object.keys(this.getHeaders());
	}

	/** @throws {Error} Node's own: the headers were sent. */
	setHeader(): never {
		throw withCode('Cannot set headers after they are sent to the client', 'ERR_HTTP_HEADERS_SENT');
	}

	/** As in Node, also called for a loop over the body of the response that ends early. */
	abort(): void {
		if (this.res instanceof Readable) {
			this.res.destroy(withCode('aborted', 'ECONNRESET'));
		}
	}

	/** Ends a response whose body is still arriving. */
	override destroy(error?: Error): this {
		if (this.res instanceof Readable) this.res.destroy(error);
		return this;
	}

	/** As in Node, once the response is complete. */
	override get destroyed(): boolean {
		return !(this.res instanceof Readable) || this.res.closed;
	}
}

/** The head of a response, as Node has it. */
export interface MessageHead {
	readonly statusCode: number;
	readonly statusMessage: string;
	/** Names in lower case. */
	readonly headers: Headers;
	/** `1.1`, `1.0` or `2.0`. */
	readonly httpVersion: string;
}

/** `response.request.res` of a response in memory: the fields that apps read on Node's `IncomingMessage`. */
export class ReceivedResponse extends PastEvents implements MessageHead {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly headers: Record<string, string | string[]>;
	readonly req: SentRequest;
	/** The URL that the response came from, after redirects. */
	declare responseUrl?: string;
	readonly #version: string;
	#raw: readonly (Buffer | string)[];
	#rawHeaders: string[] | undefined;

	constructor(req: SentRequest, head: MessageHead, raw: readonly (Buffer | string)[]) {
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
		const text = rawText(this.#raw);
		this.#rawHeaders = text;
		this.#raw = [];
		return text;
	}

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

/** Raw headers as Node has them. */
export function rawText(raw: readonly (Buffer | string)[]): string[] {
	return raw.map((part) => (typeof part === 'string' ? part : trimEnd(part.toString('latin1'))));
}

/** A part of the head keeps its packet in memory: a part of a larger packet is made text at once. */
const maxKeptBytes = 4_096;

function isLarge(part: Buffer | string | undefined): boolean {
	return Buffer.isBuffer(part) && part.buffer.byteLength > maxKeptBytes;
}

export type Headers = Record<string, string | string[]>;

/** If repeated, Node keeps the first of these and drops the rest (`IncomingMessage.headers`). */
const single: ReadonlySet<string> = new Set([
	'age',
	'authorization',
	'content-length',
	'content-type',
	'etag',
	'expires',
	'from',
	'host',
	'if-modified-since',
	'if-unmodified-since',
	'last-modified',
	'location',
	'max-forwards',
	'proxy-authorization',
	'referer',
	'retry-after',
	'server',
	'user-agent',
]);

/** Joins repeated headers as Node does: https://nodejs.org/api/http.html#messageheaders. Changes `headers`. */
export function joinHeaders(headers: Record<string, string | string[] | undefined>): Headers {
	for (const name of Object.keys(headers)) {
		const given = headers[name];
		const value = Array.isArray(given) ? given.map(trimEnd) : trimEnd(given ?? '');
		if (name === 'set-cookie') {
			headers[name] = typeof value === 'string' ? [value] : value;
		} else if (Array.isArray(value)) {
			headers[name] = single.has(name) ? value[0] : value.join(name === 'cookie' ? '; ' : ', ');
		} else if (value !== given) headers[name] = value;
		// Node drops a header of this name: it would set the prototype of its object.
		if (name === '__proto__') delete headers[name];
	}
	return headers as Headers;
}

// undici keeps the blanks after a value.
function trimEnd(value: string): string {
	return value.charCodeAt(value.length - 1) > 0x20 ? value : value.replace(/[\t ]+$/, '');
}
