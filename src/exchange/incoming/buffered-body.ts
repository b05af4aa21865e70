import type {AxiosResponse, InternalAxiosRequestConfig} from 'axios';
import {withCode} from '../axios-errors.ts';
import type {Decoder} from './decoders.ts';

/** The body of a response that is read into memory. */
export class BufferedBody {
	readonly #limit: number;
	readonly #decoder: Decoder | undefined;
	readonly #chunks: Buffer[] = [];
	#size = 0;

	constructor({maxContentLength = -1}: InternalAxiosRequestConfig, decoder: Decoder | undefined) {
		this.#limit = maxContentLength > -1 ? maxContentLength : Number.POSITIVE_INFINITY;
		this.#decoder = decoder;
	}

	/** How many bytes have arrived, still encoded. */
	get size(): number {
		return this.#size;
	}

	get isEncoded(): boolean {
		return this.#decoder !== undefined;
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
		return this.#decoder === undefined || body.length === 0
			? body
			: this.#decoded(body, this.#decoder);
	}

	async #decoded(body: Buffer, decoder: Decoder): Promise<Buffer> {
		const limit = this.#limit;
		// zlib accepts no limit of 0.
		const options = Number.isFinite(limit) ? {maxOutputLength: Math.max(1, limit)} : {};
		const decoded = await decoder.whole(body, options);
		if (decoded.length > limit) throw withCode('the decoded body is too long', tooLarge);
		return decoded;
	}
}

/** The code of zlib's error for a decoded body above the limit. */
export const tooLarge = 'ERR_BUFFER_TOO_LARGE';

/**
 * A chunk that keeps little more memory than its length. A connection passes views of the packets that it
 * has read, and a server can make most of one framing: a chunk of one byte with an extension of 15 kB.
 */
export function compact(chunk: Buffer): Buffer {
	return chunk.buffer.byteLength > 4 * chunk.length ? Buffer.from(chunk) : chunk;
}

/** The `data` of a response. @throws {TypeError} for an encoding that Node does not know. */
export function dataOf(
	body: Buffer,
	{responseType, responseEncoding}: InternalAxiosRequestConfig,
): AxiosResponse['data'] {
	if (responseType === 'arraybuffer') return body;
	const text = body.toString(responseEncoding as BufferEncoding | undefined);
	const isUnicode = !responseEncoding || responseEncoding === 'utf8';
	return isUnicode && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
