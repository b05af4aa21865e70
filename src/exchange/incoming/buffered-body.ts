import {promisify} from 'node:util';
import zlib from 'node:zlib';
import type {InternalAxiosRequestConfig} from 'axios';
import {withoutPrototype} from '../../util/check-options.ts';
import {withCode} from '../axios-errors.ts';
import {headerOf} from '../exchange.ts';
import type {Headers} from '../node-messages.ts';

/** Undoes one content encoding. */
type Decoder = (body: Buffer, limit: {readonly maxOutputLength?: number}) => Promise<Buffer>;

// As in axios: a body that ends early is decoded as far as it goes.
const zlibFlush = {
	flush: zlib.constants.Z_SYNC_FLUSH,
	finishFlush: zlib.constants.Z_SYNC_FLUSH,
};
const brotliFlush = {
	flush: zlib.constants.BROTLI_OPERATION_FLUSH,
	finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH,
};
const zstdFlush = {flush: zlib.constants.ZSTD_e_flush, finishFlush: zlib.constants.ZSTD_e_flush};
const unzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.unzip);
const zlibHeader = Buffer.from([0x78, 0x9c]);
const brotli = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress);
const zstd = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

const gunzip: Decoder = (body, limit) => unzip(body, withoutPrototype({...zlibFlush, ...limit}));

// A Map, because a server may name the encoding `constructor`.
const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
	['gzip', gunzip],
	['x-gzip', gunzip],
	['compress', gunzip],
	['x-compress', gunzip],
	// Some servers send raw deflate, without the header of RFC 1950 §2.2: as axios does, one is added.
	[
		'deflate',
		(body, limit) => {
			const bare = body.length > 0 && body[0] !== 0x78;
			return gunzip(bare ? Buffer.concat([zlibHeader, body]) : body, limit);
		},
	],
	['br', (body, limit) => brotli(body, withoutPrototype({...brotliFlush, ...limit}))],
	['zstd', (body, limit) => zstd(body, withoutPrototype({...zstdFlush, ...limit}))],
]);

/** The body of a response while it arrives. */
export class ResponseBody {
	readonly #limit: number;
	readonly #decode: Decoder | undefined;
	readonly #chunks: Buffer[] = [];
	#size = 0;

	/** @param headers - Their `content-encoding` is deleted if the body is decoded, as in axios. */
	constructor(
		{maxContentLength = -1, decompress}: InternalAxiosRequestConfig,
		status: number,
		headers: Headers,
	) {
		this.#limit = maxContentLength > -1 ? maxContentLength : Number.POSITIVE_INFINITY;
		const encoding = headerOf(headers, 'content-encoding');
		if (encoding === undefined || decompress === false) return;
		this.#decode = decoders.get(String(encoding).toLowerCase());
		// axios deletes it from a 204 too, which has nothing to decode.
		const isEmpty = status === 204 && encoding !== '';
		if (this.#decode !== undefined || isEmpty) delete headers['content-encoding'];
	}

	get isEncoded(): boolean {
		return this.#decode !== undefined;
	}

	/** @returns whether it is still within `maxContentLength`. */
	add(chunk: Buffer): boolean {
		this.#size += chunk.length;
		this.#chunks.push(compact(chunk));
		// An encoded body may be a little longer than the decoded one, which has the limit.
		return this.#size <= (this.isEncoded ? 2 * this.#limit + 65_536 : this.#limit);
	}

	/** The whole body, decoded. Rejects with zlib's code: {@link tooLarge} above `maxContentLength`. */
	whole(): Buffer | Promise<Buffer> {
		const [first] = this.#chunks;
		const body = first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
		return this.#decode === undefined || body.length === 0
			? body
			: this.#decoded(body, this.#decode);
	}

	async #decoded(body: Buffer, decode: Decoder): Promise<Buffer> {
		const limit = this.#limit;
		// zlib accepts no limit of 0.
		const options = Number.isFinite(limit) ? {maxOutputLength: Math.max(1, limit)} : {};
		const decoded = await decode(body, options);
		if (decoded.length > limit) throw withCode('the decoded body is too long', tooLarge);
		return decoded;
	}
}

/** The code of zlib's error for a decoded body above the limit. */
export const tooLarge = 'ERR_BUFFER_TOO_LARGE';

/**
 * A chunk that keeps little more memory than its length. undici passes views of the packets that it has
 * read, and a server can make most of one framing: a chunk of one byte with an extension of 15 kB.
 */
function compact(chunk: Buffer): Buffer {
	return chunk.buffer.byteLength > 4 * chunk.length ? Buffer.from(chunk) : chunk;
}

/** A body as text. @throws {TypeError} for an encoding that Node does not know. */
export function textOf(body: Buffer, encoding: BufferEncoding | undefined): string {
	const text = body.toString(encoding);
	const isUnicode = !encoding || encoding === 'utf8';
	return isUnicode && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
