import {createReadStream} from 'node:fs';
import {PassThrough, type Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import zlib from 'node:zlib';
import type {AxiosRequestConfig} from 'axios';
import {type Answer, anyEnd, inChunks, type Row, redirect} from '../parity.ts';
import {describeStreamError, readToError} from '../parity-suite.ts';

const ok = 'HTTP/1.1 200 OK\r\n';
const stream: AxiosRequestConfig = {responseType: 'stream'};
const large = Buffer.alloc(3_000_000, 'large ');

const answers: Readonly<Record<string, Answer>> = {
	'no byte': {body: ''},
	'a few bytes': {body: 'some'},
	'3 MB': {body: large},
	'no byte in chunks': inChunks([]),
	'a few bytes in chunks': inChunks(['so', 'me']),
	'3 MB in chunks': inChunks([large.subarray(0, 1_000_000), large.subarray(1_000_000)]),
	trailers: inChunks(['some'], '0\r\nX-T: 1\r\nx-t: 2\r\nX-U: ü\r\n\r\n', 'Trailer: X-T\r\n'),
	'bytes up to the end of the connection': {raw: `${ok}X-A: 1\r\n\r\nup to the end`, next: 'end'},
	'repeated headers': {headers: ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'X-A', '1', 'x-a', '2']},
	'a reason of its own': {status: 200, reason: 'Tr\u00e8s bien'},
	'a 206': {status: 206, headers: ['Content-Range', 'bytes 0-1/9']},
	'a 204': {raw: 'HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n'},
	'Connection: close': {close: true},
	'HTTP/1.0': {raw: 'HTTP/1.0 200 Fine\r\n\r\nold', next: 'end'},
	'interim answers before': {
		raw: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 P\r\nX-Step: 1\r\n\r\nHTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`,
	},
};

export const byAnswer = Object.entries(answers).map(
	([title, answer]): Row => ({
		title: `a streamed answer of ${title}`,
		config: () => stream,
		answers: () => [answer],
		ends: anyEnd,
	}),
);

export const byStatus = [301, 304, 400, 404, 500, 503].map(
	(status): Row => ({
		title: `a streamed answer with the status ${status}`,
		config: () => stream,
		answers: () =>
			status === 304
				? [{raw: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'}]
				: [{status, body: 'not as wished'}],
		ends: status < 400 || status >= 500 ? 'ERR_BAD_RESPONSE' : 'ERR_BAD_REQUEST',
	}),
);

const head = (status: number, fields: string) => ({raw: `HTTP/1.1 ${status} X\r\n${fields}\r\n`});
export const bare: Row[] = [
	['a HEAD with a length', head(200, 'Content-Length: 9\r\n')],
	['a HEAD with chunks', head(200, 'Transfer-Encoding: chunked\r\n')],
	['a HEAD with a coding', head(200, 'Content-Encoding: gzip\r\nContent-Length: 9\r\n')],
].map(([title, answer]) => ({
	title: `a streamed answer to ${title}`,
	config: () => ({...stream, method: 'head'}),
	answers: () => [answer as Answer],
	ends: 200,
}));

const breaks: readonly [string, Answer, number | string][] = [
	['in the head', {raw: `${ok}Content-Le`, next: 'end'}, 'ECONNRESET'],
	['in the body', {raw: `${ok}Content-Length: 9\r\n\r\nsome`, next: 'end'}, 200],
	['in the body of chunks', {...inChunks(['some'], '5\r\nmo'), next: 'end'}, 200],
	['after the last chunk', {...inChunks(['some'], ''), next: 'end'}, 200],
	['within the last chunk', {...inChunks(['some'], '0\r\n'), next: 'end'}, 200],
	['within the trailers', {...inChunks(['some'], '0\r\nX-T: 1\r\n'), next: 'end'}, 200],
	[
		'in the body of an error page',
		{raw: 'HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nsome', next: 'end'},
		'ERR_BAD_RESPONSE',
	],
	['with a chunk that is none', inChunks(['some'], 'zz\r\nmore\r\n'), 200],
	['with bytes after its end', inChunks(['some'], '0\r\n\r\nrubbish'), 200],
	[
		'in the body of gzip',
		{
			raw: [`${ok}Content-Encoding: gzip\r\nContent-Length: 99\r\n\r\n`, zlib.gzipSync('some')],
			next: 'end',
		},
		200,
	],
	[
		'in the body of gzip in chunks',
		{
			...inChunks([zlib.gzipSync('some text').subarray(0, 15)], '', 'Content-Encoding: gzip\r\n'),
			next: 'end',
		},
		200,
	],
];
export const byBreak = breaks.flatMap(([title, answer, ends]): Row[] => [
	{
		title: `a streamed answer that breaks off ${title}`,
		config: () => ({...stream, method: 'post'}),
		answers: () => [answer],
		// Unpacking is done in another thread.
		...(title.includes('gzip') && {read: () => readToError}),
		ends,
	},
	...(ends === 'ECONNRESET'
		? []
		: [
				{
					title: `a pipeline of a streamed answer that breaks off ${title}`,
					config: () => ({...stream, method: 'post'}),
					answers: () => [answer],
					read: () => (data: Readable) =>
						pipeline(data, new PassThrough().resume()).catch(describeStreamError),
					ends,
				},
			]),
]);

export const redirected: Row[] = [301, 302, 303, 307, 308].flatMap((status): Row[] => [
	{
		title: `a ${status} before a streamed answer`,
		config: () => stream,
		answers: (s, server) => [redirect(s.url(server, '/to'), status), inChunks(['some', 'more'])],
		ends: 200,
	},
	{
		title: `a POST and a ${status} before a streamed answer`,
		config: () => ({...stream, method: 'post', data: 'body'}),
		answers: (s, server) => [redirect(s.url(server, '/to'), status), {body: large}],
		ends: 200,
	},
	{
		title: `a POST of a stream and a ${status} before a streamed answer that breaks off`,
		config: () => ({...stream, method: 'post', data: createReadStream(import.meta.filename)}),
		answers: (s, server) => [
			redirect(s.url(server, '/to'), status),
			{raw: `${ok}Content-Length: 9\r\n\r\nsome`, next: 'end'},
		],
		ends: 200,
	},
]);

const types = ['arraybuffer', 'json', 'text', 'document', 'blob', 'formdata', 'STREAM', 'Stream'];
export const byType = types.flatMap((responseType): Row[] =>
	[inChunks(['{"a":', '"ü"}']), {body: ''}, {status: 500, body: '{"a":1}'}].map(
		(answer, index): Row => ({
			title: `responseType ${responseType} and answer ${index}`,
			config: () => ({responseType: responseType as 'json'}),
			answers: () => [answer],
			ends: index === 2 ? 'ERR_BAD_RESPONSE' : 200,
		}),
	),
);
