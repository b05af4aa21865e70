/*
 * Bodies other than text and bytes, as axios sends them: forms, Blobs and streams.
 */
import {randomBytes} from 'node:crypto';
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {AxiosError, type AxiosHeaders, type InternalAxiosRequestConfig} from 'axios';
import {streamOptions} from '../../connection/socket-options.ts';
import {axiosVersion} from '../axios-version.ts';
import type {Hop} from '../hop.ts';
import {type Body, bodyTooLong, type Form, isForm} from './request-body.ts';

/** A body as it is sent. */
export interface EncodedBody {
	readonly content: Buffer | Readable;
	/** In bytes; `undefined` where only its end tells. */
	readonly length: number | undefined;
	/** Why it is not sent: it is longer than `maxBodyLength`. */
	readonly failure: AxiosError | undefined;
}

/**
 * The body of a hop; sets `Content-Type` and `Content-Length` on its headers where axios does.
 *
 * @throws {AxiosError} axios's own, for data that cannot be a body.
 */
export function encodeBody(
	{headers}: Hop,
	body: Body,
	config: InternalAxiosRequestConfig,
): EncodedBody | Promise<EncodedBody> {
	const {maxBodyLength = -1} = config;
	const limit = maxBodyLength > -1 ? maxBodyLength : Number.POSITIVE_INFINITY;
	if (body.isStream) return encodeStream(headers, body, config, limit);
	const {data} = body;
	if (isFormData(data)) {
		const {boundary, parts, length} = formParts(data, boundaryOf(headers));
		headers.set('Content-Type', `multipart/form-data; boundary=${boundary}`);
		if (length !== undefined) headers.set('Content-Length', String(length));
		return joined(parts, length, limit);
	}
	if (isBlob(data)) {
		if (data.size) headers.set('Content-Type', data.type || 'application/octet-stream');
		headers.set('Content-Length', String(data.size || 0));
		return joined([data], data.size || 0, limit);
	}
	throw new AxiosError(
		'Data after transformation must be a string, an ArrayBuffer, a Buffer, or a Stream',
		AxiosError.ERR_BAD_REQUEST,
		config,
	);
}

function encodeStream(
	headers: AxiosHeaders,
	body: Body,
	{formDataHeaderPolicy}: InternalAxiosRequestConfig,
	limit: number,
): EncodedBody | Promise<EncodedBody> {
	const content = body.open(limit) as Readable;
	if (!isForm(content)) return withLength(headers, content, limit);
	for (const [name, value] of Object.entries(content.getHeaders())) {
		const isOfContent = /^content-(type|length)$/i.test(name);
		if (isOfContent || formDataHeaderPolicy !== 'content-only') headers.set(name, value);
	}
	if (headers.has('Content-Length')) return withLength(headers, content, limit);
	return formLength(content).then((length) => {
		if (length !== undefined) headers.set('Content-Length', String(length));
		return withLength(headers, content, limit);
	});
}

function withLength(headers: AxiosHeaders, content: Readable, limit: number): EncodedBody {
	const given = headers.get('Content-Length');
	const length = given ? Number(given) : undefined;
	if (length === undefined || !(length > limit)) return {content, length, failure: undefined};
	// Nothing is sent of a body that is known to be too long.
	const failure = bodyTooLong();
	content.once('error', () => {}).destroy(failure);
	return {content, length, failure};
}

/** `undefined` where the form does not know it: axios then sends chunks. */
function formLength(form: Form): Promise<number | undefined> {
	return new Promise((resolve) => {
		if (form.getLength === undefined) resolve(undefined);
		form.getLength?.((error, length) =>
			resolve(!error && Number.isFinite(length) && length >= 0 ? length : undefined),
		);
	});
}

/** Up to this size, Blobs are read first, and sent in one piece. */
const wholeLimitBytes = 256 * 1024;

function joined(
	parts: readonly Part[],
	length: number | undefined,
	limit: number,
): EncodedBody | Promise<EncodedBody> {
	if (length !== undefined && length > limit) {
		return {content: Buffer.alloc(0), length, failure: bodyTooLong()};
	}
	if (parts.every((part) => Buffer.isBuffer(part))) {
		return {content: Buffer.concat(parts), length, failure: undefined};
	}
	if (length === undefined || length > wholeLimitBytes) {
		return {
			content: Readable.from(chunksOf(parts), streamOptions({objectMode: false})),
			length,
			failure: undefined,
		};
	}
	return inOnePiece(parts, length);
}

// Async itself: a promise of Node's own is of another class where a test runner has its own globals.
async function inOnePiece(parts: readonly Part[], length: number): Promise<EncodedBody> {
	return {content: await buffer(chunksOf(parts)), length, failure: undefined};
}

type Part = Buffer | Blob;

async function* chunksOf(parts: readonly Part[]): AsyncGenerator<Uint8Array> {
	for (const part of parts) {
		if (Buffer.isBuffer(part)) yield part;
		// A Blob that is not Node's may lack one of the two.
		else if (part.stream) yield* part.stream();
		else yield new Uint8Array(await part.arrayBuffer());
	}
}

function isBlob(data: unknown): data is Blob {
	return /^\[object (Blob|File)\]$/.test(Object.prototype.toString.call(data));
}

function isFormData(data: unknown): data is FormData {
	if (data instanceof FormData) return true;
	if (typeof data !== 'object' || data === null) return false;
	const {append, [Symbol.toStringTag]: name, [Symbol.iterator]: entries} = data as FormData;
	return typeof append === 'function' && (name as string) === 'FormData' && Boolean(entries);
}

/** The boundary that the app has given. */
function boundaryOf(headers: AxiosHeaders): string | undefined {
	return /boundary=([-_\w\d]{10,70})/i.exec(String(headers.get('Content-Type') ?? ''))?.[1];
}

/** A form as `multipart/form-data` (RFC 7578), byte for byte as axios encodes it. */
function formParts(form: FormData, given: string | undefined) {
	const boundary = given ?? randomBoundary();
	const parts: Part[] = [];
	let length = 0;
	const add = (part: Part, bytes: number) => {
		parts.push(part);
		length += bytes;
	};
	const addText = (text: string) => {
		const bytes = Buffer.from(text, 'utf8');
		add(bytes, bytes.length);
	};
	let text = '';
	for (const [name, value] of form.entries()) {
		text += `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"`;
		if (typeof value === 'string') {
			text += `\r\n\r\n${value.replace(/\r?\n|\r\n?/g, '\r\n')}\r\n`;
			continue;
		}
		if (value.name) text += `; filename="${escaped(value.name)}"`;
		// Security: a line end in the type would begin another header, or the content.
		const type = (value.type || 'application/octet-stream').replace(/[\r\n]/g, '');
		addText(`${text}\r\nContent-Type: ${type}\r\n\r\n`);
		add(value, value.size);
		text = '\r\n';
	}
	addText(`${text}--${boundary}--\r\n`);
	return {boundary, parts, length: Number.isFinite(length) ? length : undefined};
}

// Of the same form as those of axios, by which some servers know it.
function randomBoundary(): string {
	const random = randomBytes(19).toString('base64url').slice(0, 25);
	return `axios-${axiosVersion}-boundary-${random}`;
}

const escapes: Readonly<Record<string, string>> = {'\r': '%0D', '\n': '%0A', '"': '%22'};

function escaped(name: string): string {
	return name.replace(/[\r\n"]/g, (character) => escapes[character] ?? character);
}
