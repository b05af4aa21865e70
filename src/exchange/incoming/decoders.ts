/*
 * Content codings (RFC 9110 §8.4.1) as axios undoes them: for a body in memory, and while one arrives.
 */
import {type Duplex, Transform} from 'node:stream';
import {promisify} from 'node:util';
import zlib from 'node:zlib';
import type {InternalAxiosRequestConfig} from 'axios';
import {withoutPrototype} from '../../util/check-options.ts';
import {headerOf} from '../exchange.ts';
import type {Headers} from '../node-messages.ts';

/** Undoes one content coding. */
export interface Decoder {
	whole(body: Buffer, limit: {readonly maxOutputLength?: number}): Promise<Buffer>;
	/** The streams to send the body through, one after the other. */
	stages(): Duplex[];
}

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
const unbrotli = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress);
const unzstd = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

const gzip: Decoder = {
	whole: (body, limit) => unzip(body, withoutPrototype({...zlibFlush, ...limit})),
	stages: () => [zlib.createUnzip(withoutPrototype({...zlibFlush}))],
};

const zlibHeader = Buffer.from([0x78, 0x9c]);

// Some servers send raw deflate, without the header of RFC 1950 §2.2: as axios does, one is added.
const deflate: Decoder = {
	whole: (body, limit) => gzip.whole(withZlibHeader(body), limit),
	stages: () => [addZlibHeader(), ...gzip.stages()],
};

function withZlibHeader(begin: Buffer): Buffer {
	return begin.length > 0 && begin[0] !== 0x78 ? Buffer.concat([zlibHeader, begin]) : begin;
}

function addZlibHeader(): Transform {
	let begun = false;
	return new Transform(
		withoutPrototype({
			transform(chunk: Buffer, _: BufferEncoding, done: (error: null, chunk: Buffer) => void) {
				done(null, begun ? chunk : withZlibHeader(chunk));
				begun = true;
			},
		}),
	);
}

const brotli: Decoder = {
	whole: (body, limit) => unbrotli(body, withoutPrototype({...brotliFlush, ...limit})),
	stages: () => [zlib.createBrotliDecompress(withoutPrototype({...brotliFlush}))],
};

const zstd: Decoder = {
	whole: (body, limit) => unzstd(body, withoutPrototype({...zstdFlush, ...limit})),
	stages: () => [zlib.createZstdDecompress(withoutPrototype({...zstdFlush}))],
};

// A Map, because a server may name the coding `constructor`.
const decoders: ReadonlyMap<string, Decoder> = new Map([
	['gzip', gzip],
	['x-gzip', gzip],
	['compress', gzip],
	['x-compress', gzip],
	['deflate', deflate],
	['br', brotli],
	['zstd', zstd],
]);

/**
 * What undoes the coding of a response; `undefined` where it is to stay.
 *
 * @param headers - Their `content-encoding` is deleted if the body is decoded, as in axios.
 */
export function takeDecoder(
	{decompress}: InternalAxiosRequestConfig,
	method: string,
	status: number,
	headers: Headers,
): Decoder | undefined {
	if (decompress === false) return undefined;
	const coding = headerOf(headers, 'content-encoding');
	const decoder = decoders.get(String(coding).toLowerCase());
	// axios deletes it where there is no body, too, and decodes nothing then.
	const isEmpty = method === 'HEAD' || status === 204;
	if (decoder !== undefined || isEmpty) delete headers['content-encoding'];
	return isEmpty ? undefined : decoder;
}
