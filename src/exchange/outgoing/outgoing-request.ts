import type {Readable} from 'node:stream';
import {types} from 'node:util';
import type {AxiosError, AxiosHeaders, InternalAxiosRequestConfig} from 'axios';
import {isLogin} from '../../connection/proxy/proxy-options.ts';
import type {WireRequest} from '../../connection/request-connection.ts';
import {basicAuthorization} from '../../util/basic-authorization.ts';
import {axiosVersion} from '../axios-version.ts';
import type {Hop} from '../hop.ts';
import {type EncodedBody, encodeBody} from './encode-body.ts';
import {bodyTooLong} from './request-body.ts';

/** A request as a connection sends it. */
export class OutgoingRequest implements WireRequest {
	readonly method: string;
	readonly path: string;
	readonly headers: string[];
	readonly body: Buffer | Readable | null;
	/** For undici, which closes the connection after a HEAD unless it is told not to. */
	readonly reset = false;

	constructor(method: string, path: string, headers: string[], body: Buffer | Readable | null) {
		this.method = method;
		this.path = path;
		this.headers = headers;
		this.body = body;
	}
}
// undici reads more options than these, and must find none in `Object.prototype`, where a library may
// have put them.
Object.setPrototypeOf(OutgoingRequest.prototype, null);

const agentName = `axios/${axiosVersion}`;
const acceptEncoding = 'gzip, compress, deflate, br';

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
 *
 * @param withoutLogin - Whether a `Proxy-Authorization` is left out.
 */
export function wireHeaders(
	{headers, auth}: Hop,
	{transitional}: InternalAxiosRequestConfig,
	cookie: string | undefined,
	withoutLogin: boolean,
): string[] {
	if (auth) headers.delete('authorization');
	const zstd = transitional?.advertiseZstdAcceptEncoding === true;
	setMissing(headers, 'Accept-Encoding', zstd ? `${acceptEncoding}, zstd` : acceptEncoding);

	const wire: string[] = [];
	for (const name of Object.keys(headers)) {
		const value: unknown = headers[name];
		if (value === undefined || value === null || value === false) continue;
		const isCookie = name.length === 6 && name.toLowerCase() === 'cookie';
		if (isCookie && cookie !== undefined) continue;
		if (withoutLogin && name.length === 19 && isLogin(name)) continue;
		// Node puts its own in the place of an empty one.
		if (value === '' && name.toLowerCase() === 'host') continue;
		if (!Array.isArray(value)) wire.push(name, clean(String(value)));
		else if (isCookie) wire.push(name, clean(value.join('; ')));
		else for (const item of value) wire.push(name, clean(String(item)));
	}
	// Node writes these after the app's.
	if (auth) wire.push('Authorization', basicAuthorization(`${auth.username}:${auth.password}`));
	if (cookie !== undefined) wire.push('Cookie', cookie);
	return wire;
}

const unsendable = /[^\t\x20-\x7e\x80-\xff]/;

// As axios does, drops characters that a header cannot carry.
function clean(value: string): string {
	return unsendable.test(value) ? value.replace(new RegExp(unsendable, 'g'), '').trim() : value;
}

/** The body of a request on its way. */
export interface OutgoingBody {
	readonly content: Buffer | Readable | null;
	/** `content`, if it is one. */
	readonly stream: Readable | undefined;
	/** In bytes; `undefined` where only the end of the stream tells. */
	readonly length: number | undefined;
	/** Why it is not sent. */
	readonly failure: AxiosError | undefined;
}

const noBody: OutgoingBody = {content: null, stream: undefined, length: 0, failure: undefined};

/**
 * The body of a hop. Adds the headers that axios derives from it, and its `User-Agent` before them.
 *
 * @throws {AxiosError} axios's own, for data that cannot be a body or is longer than `maxBodyLength`.
 */
export function outgoingBody(
	hop: Hop,
	config: InternalAxiosRequestConfig,
): OutgoingBody | Promise<OutgoingBody> {
	const {body, headers} = hop;
	setMissing(headers, 'User-Agent', agentName);
	// As in axios, an empty text is no body.
	if (body === undefined || !body.data) return noBody;
	if (isParams(body.data)) {
		headers.set('Content-Type', 'application/x-www-form-urlencoded;charset=utf-8', false);
	}
	const content = bytesOf(body.data);
	if (content === undefined) {
		const encoded = encodeBody(hop, body, config);
		return encoded instanceof Promise ? encoded.then(withStream) : withStream(encoded);
	}
	const {maxBodyLength = -1} = config;
	setMissing(headers, 'Content-Length', String(content.length));
	if (maxBodyLength > -1 && content.length > maxBodyLength) {
		throw Object.assign(bodyTooLong(), {config});
	}
	return {...noBody, content, length: content.length};
}

function withStream(encoded: EncodedBody): OutgoingBody {
	const {content} = encoded;
	return {...encoded, stream: Buffer.isBuffer(content) ? undefined : content};
}

function isParams(data: unknown): data is URLSearchParams {
	return (
		typeof data === 'object' && Object.prototype.toString.call(data) === '[object URLSearchParams]'
	);
}

/** `undefined` for anything but text and bytes. */
function bytesOf(data: unknown): Buffer | undefined {
	if (typeof data === 'string') return Buffer.from(data, 'utf8');
	if (Buffer.isBuffer(data)) return data;
	if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
	if (isParams(data)) return Buffer.from(data.toString(), 'utf8');
	return types.isArrayBuffer(data) ? Buffer.from(data) : undefined;
}
