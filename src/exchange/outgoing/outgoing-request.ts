import type {Readable} from 'node:stream';
import axios, {AxiosError, type AxiosHeaders, type InternalAxiosRequestConfig} from 'axios';
import type {WireRequest} from '../../connection/request-connection.ts';
import type {Hop} from '../hop.ts';

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
