import zlib from 'node:zlib';
import {type Answer, anyEnd, parity, type Scenario} from '../support/parity.ts';

const json = '{"name":"Zoë","list":[1,2]}';
const ok = 'HTTP/1.1 200 OK\r\n';

const byType = [undefined, 'json', 'text', 'arraybuffer', 'stream', 'document', 'unknown'].flatMap(
	(responseType): Scenario[] =>
		[json, 'no {json', '', '\ufeff{"bom":1}', '"text"', '123'].map((body) => ({
			title: `responseType ${responseType} and ${JSON.stringify(body)}`,
			request: (s) => ({
				url: s.url('a'),
				...(responseType && {responseType: responseType as 'json'}),
			}),
			answers: () => [{headers: ['Content-Type', 'application/json'], body}],
			ends: 200,
			by: 'any',
		})),
);

const latin1 = Buffer.from('Zo\xeb \u0080', 'latin1');
const byEncoding = [
	'utf8',
	'utf-8',
	'UTF8',
	'latin1',
	'binary',
	'base64',
	'hex',
	'ucs2',
	'ascii',
	null,
	'no-such',
].map(
	(responseEncoding): Scenario => ({
		title: `responseEncoding ${responseEncoding}`,
		request: (s) => ({url: s.url('a'), responseEncoding: responseEncoding as 'utf8'}),
		answers: () => [{body: Buffer.concat([Buffer.from('\ufeff'), latin1])}],
		ends: ['no-such', null].includes(responseEncoding) ? 'ERR_UNKNOWN_ENCODING' : 200,
	}),
);

const encoders: Readonly<Record<string, (text: string | Buffer) => Buffer>> = {
	gzip: zlib.gzipSync,
	GZip: zlib.gzipSync,
	'x-gzip': zlib.gzipSync,
	compress: zlib.gzipSync,
	'x-compress': zlib.deflateSync,
	deflate: zlib.deflateSync,
	'deflate ': zlib.deflateRawSync,
	br: zlib.brotliCompressSync,
	zstd: zlib.zstdCompressSync,
	identity: Buffer.from,
	'gzip, br': (text) => zlib.brotliCompressSync(zlib.gzipSync(text)),
	unknown: Buffer.from,
	'': Buffer.from,
	constructor: Buffer.from,
	toString: Buffer.from,
};

function encoded(encoding: string, body: Buffer, status = 200): Answer {
	return {status, headers: ['Content-Encoding', encoding], body};
}

const packed = Object.entries(encoders).flatMap(([name, encode]): Scenario[] => {
	const encoding = name.trim();
	const body = encode(json);
	const lists: readonly [string, Answer, Partial<Scenario> & {config?: object}][] = [
		['whole', encoded(encoding, body), {}],
		[
			'kept as it is',
			encoded(encoding, body),
			{config: {decompress: false, responseType: 'arraybuffer'}},
		],
		['as an arraybuffer', encoded(encoding, body), {config: {responseType: 'arraybuffer'}}],
		['for a stream', encoded(encoding, body), {config: {responseType: 'stream'}}],
		['empty', encoded(encoding, Buffer.alloc(0)), {}],
		['in an error page', encoded(encoding, body, 404), {ends: 'ERR_BAD_REQUEST'}],
		['in a 204', {raw: `HTTP/1.1 204 No\r\nContent-Encoding: ${encoding}\r\n\r\n`}, {ends: 204}],
		[
			'in a 304',
			{raw: `HTTP/1.1 304 No\r\nContent-Encoding: ${encoding}\r\n\r\n`},
			{ends: 'ERR_BAD_RESPONSE'},
		],
		[
			'in a HEAD',
			{raw: `${ok}Content-Encoding: ${encoding}\r\nContent-Length: 9\r\n\r\n`},
			{config: {method: 'head'}},
		],
		['in chunks', chunked(encoding, body), {}],
		['cut short', encoded(encoding, body.subarray(0, -5)), {ends: anyEnd}],
		['cut at its head', encoded(encoding, body.subarray(0, 3)), {ends: anyEnd}],
		['broken', encoded(encoding, Buffer.from('this is not what it says it is')), {ends: anyEnd}],
		[
			'followed by rubbish',
			encoded(encoding, Buffer.concat([body, Buffer.from('rubbish')])),
			{ends: anyEnd},
		],
		['twice in a row', encoded(encoding, Buffer.concat([body, body])), {ends: anyEnd}],
		[
			'broken off by the wire',
			{
				raw: [`${ok}Content-Encoding: ${encoding}\r\nContent-Length: 999\r\n\r\n`, body],
				next: 'end',
			},
			{ends: anyEnd},
		],
	];
	return lists.map(([title, answer, {config, ...rest}]) => ({
		title: `Content-Encoding ${JSON.stringify(name)}, ${title}`,
		request: (s) => ({url: s.url('a'), ...config}),
		answers: () => [answer],
		ends: 200,
		...rest,
	}));
});

function chunked(encoding: string, body: Buffer): Answer {
	const parts = [body.subarray(0, 4), body.subarray(4)];
	return {
		raw: [
			`${ok}Content-Encoding: ${encoding}\r\nTransfer-Encoding: chunked\r\n\r\n`,
			...parts.flatMap((part) => [`${part.length.toString(16)}\r\n`, part, '\r\n']),
			'0\r\n\r\n',
		],
	};
}

const repeated = [
	...[
		'age',
		'authorization',
		'content-type',
		'etag',
		'expires',
		'from',
		'host',
		'if-modified-since',
	],
	...['if-unmodified-since', 'last-modified', 'max-forwards', 'proxy-authorization', 'referer'],
	...['retry-after', 'server', 'user-agent', 'location', 'date', 'cookie', 'set-cookie', 'accept'],
	...[
		'accept-encoding',
		'cache-control',
		'via',
		'vary',
		'link',
		'x-own',
		'x-forwarded-for',
		'pragma',
	],
	...[
		'www-authenticate',
		'content-disposition',
		'keep-alive',
		'x',
		'constructor',
		'to-string',
		'trailer',
	],
	...[
		'access-control-allow-origin',
		'content-language',
		'allow',
		'warning',
		'upgrade',
		'__proto__',
	],
].flatMap((name): Scenario[] => [
	{
		title: `the header ${name} three times`,
		request: (s) => ({url: s.url('a')}),
		answers: () => [
			{
				headers: [
					name,
					'one; a=1',
					name.toUpperCase(),
					'two',
					'X-Between',
					'-',
					name,
					'thr\u00e9e',
				],
			},
		],
		ends: 200,
	},
]);

parity([...byType, ...byEncoding, ...packed, ...repeated]);
