import {promisify} from 'node:util';
import zlib from 'node:zlib';
import {withoutPrototype} from '../../util/check-options.ts';

/** Headers of which Node keeps the first and drops the rest (`IncomingMessage.headers`). */
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
export function joinHeaders(
	headers: Record<string, string | string[] | undefined>,
): Record<string, string | string[]> {
	for (const name of Object.keys(headers)) {
		const given = headers[name];
		const value = Array.isArray(given) ? given.map(trimEnd) : trimEnd(given ?? '');
		if (name === 'set-cookie') {
			headers[name] = typeof value === 'string' ? [value] : value;
		} else if (Array.isArray(value)) {
			headers[name] = single.has(name) ? value[0] : value.join(name === 'cookie' ? '; ' : ', ');
		} else if (value !== given) headers[name] = value;
		// Node loses it where the name means the prototype of its object.
		if (name === '__proto__') delete headers[name];
	}
	return headers as Record<string, string | string[]>;
}

// undici leaves the blanks behind a value.
export function trimEnd(value: string): string {
	return value.charCodeAt(value.length - 1) > 0x20 ? value : value.replace(/[\t ]+$/, '');
}

/** Undoes one content encoding. */
export type Decoder = (body: Buffer, limit: {readonly maxOutputLength?: number}) => Promise<Buffer>;

// As axios sets them: a body that ends early is given out as far as it goes.
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

// By the server's word, which may be `constructor`.
const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
	['gzip', gunzip],
	['x-gzip', gunzip],
	['compress', gunzip],
	['x-compress', gunzip],
	// Some servers send raw deflate, without the header of RFC 1950 §2.2: axios lends them one.
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

/** What undoes `encoding`; `undefined` for one that axios leaves alone. */
export function decoderFor(encoding: string): Decoder | undefined {
	return decoders.get(encoding.toLowerCase());
}
