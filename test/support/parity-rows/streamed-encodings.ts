/*
 * Streamed answers in a content coding, and `maxContentLength`.
 */
import {once} from 'node:events';
import type {Readable} from 'node:stream';
import zlib from 'node:zlib';
import type {AxiosRequestConfig} from 'axios';
import {type Answer, anyEnd, inChunks, type Row, redirect} from '../parity.ts';
import {readToError} from '../parity-suite.ts';

const ok = 'HTTP/1.1 200 OK\r\n';
const stream: AxiosRequestConfig = {responseType: 'stream'};
const text = 'packed text, '.repeat(1_000);

const codings: readonly [string, string, (text: string) => Buffer][] = [
	['gzip', 'gzip', zlib.gzipSync],
	['x-gzip', 'x-gzip', zlib.gzipSync],
	['GZIP', 'GZIP', zlib.gzipSync],
	['compress', 'compress', zlib.gzipSync],
	['x-compress', 'x-compress', zlib.gzipSync],
	['deflate', 'deflate', zlib.deflateSync],
	['deflate without a zlib header', 'deflate', zlib.deflateRawSync],
	['br', 'br', zlib.brotliCompressSync],
	['zstd', 'zstd', zlib.zstdCompressSync],
	['an unknown coding', 'x-own', Buffer.from],
	['identity', 'identity', Buffer.from],
	['two codings', 'gzip, br', (text) => zlib.brotliCompressSync(zlib.gzipSync(text))],
];

function coded(coding: string, body: Buffer, status = 200): Answer {
	return {status, headers: ['Content-Encoding', coding], body};
}

const wire = (fields: string, body: Buffer, end?: 'end'): Answer => ({
	raw: [`${ok}${fields}\r\n`, body],
	...(end && {next: end}),
});

export const byCoding = codings.flatMap(([name, coding, encode]): Row[] => {
	const body = encode(text);
	const field = `Content-Encoding: ${coding}\r\n`;
	const rows: readonly [string, Answer, AxiosRequestConfig?, (number | string)?][] = [
		['whole', coded(coding, body)],
		['in chunks', inChunks([body.subarray(0, 9), body.subarray(9)], '0\r\n\r\n', field)],
		['with trailers', inChunks([body], '0\r\nX-T: 1\r\n\r\n', field)],
		['up to the end of the connection', wire(field, body, 'end')],
		['not to be unpacked', coded(coding, body), {decompress: false}],
		['empty', coded(coding, Buffer.alloc(0))],
		['in an error page', coded(coding, body, 500), {}, 'ERR_BAD_RESPONSE'],
		['on a 204', {raw: `HTTP/1.1 204 No\r\n${field}\r\n`}, {}, 204],
		['on a 304', {raw: `HTTP/1.1 304 No\r\n${field}\r\n`}, {}, 'ERR_BAD_RESPONSE'],
		['on a HEAD', {raw: `${ok}${field}Content-Length: 9\r\n\r\n`}, {method: 'head'}],
		['on a HEAD that keeps it', {raw: `${ok}${field}\r\n`}, {method: 'head', decompress: false}],
	];
	return rows.map(([title, answer, config, ends = 200]) => ({
		title: `a streamed answer in ${name}, ${title}`,
		config: () => ({...stream, ...config}),
		answers: () => [answer],
		ends,
	}));
});

/* What the unpacker says of what is no such coding, and how often. */
export const byFault = codings.flatMap(([name, coding, encode]): Row[] => {
	const body = encode(text);
	const half = body.subarray(0, body.length >> 1);
	const rows: readonly [string, Answer][] = [
		['cut short', coded(coding, body.subarray(0, -5))],
		['cut in half', coded(coding, half)],
		['cut at its first byte', coded(coding, body.subarray(0, 1))],
		['that is none', coded(coding, Buffer.from('this is something else'))],
		[
			'that is none in chunks',
			inChunks(['this', ' is '], '0\r\n\r\n', `Content-Encoding: ${coding}\r\n`),
		],
		['followed by rubbish', coded(coding, Buffer.concat([body, Buffer.from('rubbish')]))],
		[
			'that breaks off',
			wire(`Content-Encoding: ${coding}\r\nContent-Length: 99999\r\n`, half, 'end'),
		],
	];
	return rows.map(([title, answer]) => ({
		title: `a streamed answer in ${name} ${title}`,
		config: () => stream,
		answers: () => [answer],
		// How much was unpacked before is up to another thread.
		read: () => readToError,
		ends: 200,
	}));
});

const content = 'x'.repeat(100);
const limits = [-1, 0, 99, 100, 101];
const hundred: readonly [string, Answer][] = [
	['100 bytes', {body: content}],
	['100 bytes in chunks', inChunks([content.slice(50), content.slice(50)])],
	['100 bytes in gzip', coded('gzip', zlib.gzipSync(content))],
	['100 bytes in deflate', coded('deflate', zlib.deflateRawSync(content))],
	['100 bytes in br', coded('br', zlib.brotliCompressSync(content))],
	['100 bytes in zstd', coded('zstd', zlib.zstdCompressSync(content))],
	['100 bytes of an error page', {status: 500, body: content}],
	['100 bytes that stay packed', {headers: ['Content-Encoding', 'x-own'], body: content}],
];
export const byLimit = limits.flatMap((maxContentLength) =>
	hundred.flatMap(([title, answer]): Row[] =>
		(['stream', 'text', 'arraybuffer'] as const).map((responseType) => ({
			title: `maxContentLength ${maxContentLength} and ${title} as ${responseType}`,
			config: () => ({responseType, maxContentLength}),
			answers: () => [answer],
			ends: anyEnd,
			// How much of it comes before the one that is too long is up to the system.
			...(responseType === 'stream' && maxContentLength === 99 && {read: () => readToError}),
		})),
	),
);

const overLimit: readonly [string, Row['read'], Answer][] = [
	[
		'destroys it before the limit',
		() => async (data: Readable) => {
			data.destroy();
		},
		{raw: `${ok}Content-Length: 999\r\n\r\nsome`},
	],
	[
		'reads in events up to the limit',
		(s) => async (data: Readable) => {
			data.resume();
			await new Promise((done) => data.once('close', done));
			await s.hungUp();
		},
		{raw: `${ok}Content-Length: 999\r\n\r\n${content}`},
	],
	[
		'reads what ends too early',
		undefined,
		{raw: `${ok}Content-Length: 60\r\n\r\nsome`, next: 'end'},
	],
	['leaves it unread', (s) => () => s.quiet(), {body: 'short'}],
	[
		'reads text',
		() => async (data: Readable) => {
			data.setEncoding('utf8').resume();
			await once(data, 'end');
		},
		{body: 'short'},
	],
];
export const atLimit = overLimit.map(
	([title, read, answer]): Row => ({
		title: `maxContentLength 99 of an app that ${title}`,
		config: () => ({...stream, maxContentLength: 99}),
		answers: () => [answer],
		...(read && {read}),
		ends: 200,
	}),
);

export const limitAfterRedirect: Row[] = [99, 100].map((maxContentLength) => ({
	title: `maxContentLength ${maxContentLength} and 100 bytes after a longer redirect`,
	config: () => ({...stream, maxContentLength}),
	answers: (s, server) => [
		{...redirect(s.url(server, '/to')), body: content + content},
		{body: content},
	],
	ends: 200,
}));

const encodings = ['utf8', 'latin1', 'binary', 'base64', 'hex', 'utf16le', 'ascii', 'no-such'];
export const byEncoding = encodings.flatMap((responseEncoding): Row[] =>
	(['stream', 'arraybuffer', 'json', 'text'] as const).map((responseType) => ({
		title: `responseEncoding ${responseEncoding} as ${responseType}`,
		config: () => ({responseType, responseEncoding: responseEncoding as 'utf8'}),
		answers: () => [
			inChunks([Buffer.from('\ufeffZo\u00eb').subarray(0, 6), Buffer.from([0xab, 0x80])]),
		],
		ends: anyEnd,
	})),
);
