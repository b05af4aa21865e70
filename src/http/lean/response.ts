import {promisify} from 'node:util';
import zlib from 'node:zlib';

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
	for (const name in headers) {
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
function trimEnd(value: string): string {
	return value.charCodeAt(value.length - 1) > 0x20 ? value : value.replace(/[\t ]+$/, '');
}

/** Undoes one content encoding. */
export type Decoder = (body: Buffer, options: zlib.ZlibOptions) => Promise<Buffer>;

// As axios sets them: a body that ends early is given out as far as it goes.
const flush = {
	flush: zlib.constants.Z_SYNC_FLUSH,
	finishFlush: zlib.constants.Z_SYNC_FLUSH,
};
const unzip = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.unzip);
const zlibHeader = Buffer.from([0x78, 0x9c]);
const brotli = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress);
const zstd = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);

const decoders: Readonly<Record<string, Decoder>> = {
	gzip: (body, options) => unzip(body, {...flush, ...options}),
	// Some servers send raw deflate, without the header of RFC 1950 §2.2: axios lends them one.
	deflate: (body, options) =>
		unzip(body.length === 0 || body[0] === 0x78 ? body : Buffer.concat([zlibHeader, body]), {
			...flush,
			...options,
		}),
	br: (body, {maxOutputLength}) =>
		brotli(body, {
			flush: zlib.constants.BROTLI_OPERATION_FLUSH,
			finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH,
			...(maxOutputLength !== undefined && {maxOutputLength}),
		}),
	zstd: (body, {maxOutputLength}) =>
		zstd(body, {
			flush: zlib.constants.ZSTD_e_flush,
			finishFlush: zlib.constants.ZSTD_e_flush,
			...(maxOutputLength !== undefined && {maxOutputLength}),
		}),
};
const aliases: Readonly<Record<string, string>> = {
	'x-gzip': 'gzip',
	compress: 'gzip',
	'x-compress': 'gzip',
};

/** What undoes `encoding`; `undefined` for one that axios leaves alone. */
export function decoderFor(encoding: string): Decoder | undefined {
	const name = encoding.toLowerCase();
	return decoders[aliases[name] ?? name];
}
