import http from 'node:http';
import type {Agent} from 'node:https';
import type {Socket} from 'node:net';
import axios, {type AxiosHeaders, type InternalAxiosRequestConfig} from 'axios';
import {withoutPrototype} from '../../util/check-options.ts';
import {bareHost} from '../../util/url.ts';
import type {Hop} from '../hop.ts';
import {PastEvents} from './past-events.ts';
import type {UndiciResponse} from './response-view.ts';

/**
 * `response.request` and `error.request` of the lean exchange: the fields that apps read on Node's
 * `ClientRequest`. It only tells; the request itself is undici's.
 */
export class UndiciRequest extends PastEvents {
	readonly method: string;
	/** Path and query. */
	readonly path: string;
	/** The connection in use, once there is one. */
	socket: Socket | undefined = undefined;
	/** Whether the connection had carried a request before. */
	reusedSocket = false;
	/** Set once the head of the answer is there. */
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

	/** That of the client, with the same identity and trust; of http, where it has nothing to do, Node's. */
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

const agentName = `axios/${axios.VERSION}`;
const acceptEncoding = 'gzip, compress, deflate, br';

/** Sets what axios says of itself and of the body, where the app does not. */
export function ownHeaders(headers: AxiosHeaders, body: Buffer | null): void {
	setMissing(headers, 'User-Agent', agentName);
	if (body) setMissing(headers, 'Content-Length', String(body.length));
}

// As `headers.set(name, value, false)` does, which takes its time: 1 % of a small request.
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
 * The headers of `hop` on the wire, names and values in turn: the app's, and those that axios adds,
 * which are written to the hop's own headers too, as axios writes them to `config.headers`.
 */
export function wireHeaders(
	{headers, auth}: Hop,
	{transitional}: InternalAxiosRequestConfig,
	cookie: string | undefined,
	body: Buffer | null,
): string[] {
	if (auth) headers.delete('authorization');
	ownHeaders(headers, body);
	const zstd = transitional?.advertiseZstdAcceptEncoding === true;
	setMissing(headers, 'Accept-Encoding', zstd ? `${acceptEncoding}, zstd` : acceptEncoding);

	const wire: string[] = [];
	for (const name of Object.keys(headers)) {
		const value: unknown = headers[name];
		if (value === undefined || value === null || value === false) continue;
		if (cookie !== undefined && name.length === 6 && name.toLowerCase() === 'cookie') continue;
		for (const item of Array.isArray(value) ? value : [value]) wire.push(name, clean(String(item)));
	}
	// Node writes its own after the app's.
	if (auth) wire.push('Authorization', basic(`${auth.username}:${auth.password}`));
	if (cookie !== undefined) wire.push('Cookie', cookie);
	return wire;
}

const unsendable = /[^\t\x20-\x7e\x80-\xff]/;

// As axios does: characters that a header cannot carry are dropped.
function clean(value: string): string {
	return unsendable.test(value) ? value.replace(new RegExp(unsendable, 'g'), '').trim() : value;
}

function basic(credentials: string): string {
	return `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`;
}
