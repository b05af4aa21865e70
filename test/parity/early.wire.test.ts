/*
 * Answers that come before the request is out, and interim answers before a streamed one.
 */
import {PassThrough, Readable} from 'node:stream';
import type {AxiosRequestConfig} from 'axios';
import {
	type Answer,
	anyEnd,
	over,
	parity,
	type Row,
	type Run,
	redirect,
	type Way,
	ways,
} from '../support/parity.ts';
import {readWhole} from '../support/parity-suite.ts';

async function* endless() {
	yield 'the first of it';
	await new Promise(() => {});
}

/** Uploads of which the server reads little. */
const uploads: Readonly<Record<string, () => AxiosRequestConfig>> = {
	'8 MB': () => ({data: Buffer.alloc(8_000_000)}),
	'a stream of 8 MB': () => ({
		data: Readable.from(Array.from({length: 128}, () => Buffer.alloc(62_500))),
	}),
	'a stream of 8 MB with its length': () => ({
		data: Readable.from(Array.from({length: 128}, () => Buffer.alloc(62_500))),
		headers: {'Content-Length': '8000000'},
	}),
	'a stream without an end': () => ({data: Readable.from(endless())}),
	'a stream that gives nothing': () => ({
		data: new PassThrough(),
		headers: {Expect: '100-continue'},
	}),
	'a form with 8 MB': () => {
		const data = new FormData();
		data.append('f', new Blob([Buffer.alloc(8_000_000)]));
		return {data};
	},
};

const refusal = 'HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n';
const answers: readonly [string, Answer, AxiosRequestConfig, number | string][] = [
	[
		'a 413 that keeps the connection',
		{raw: `${refusal}\r\nlarge`, early: true},
		{},
		'ERR_BAD_REQUEST',
	],
	[
		'a 413 that says it closes',
		{raw: `${refusal}Connection: close\r\n\r\nlarge`, early: true},
		{},
		'ERR_BAD_REQUEST',
	],
	[
		'a streamed 413',
		{raw: `${refusal}\r\nlarge`, early: true},
		{responseType: 'stream'},
		'ERR_BAD_REQUEST',
	],
	['a 200', {raw: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', early: true}, {}, 200],
	[
		'a streamed 200',
		{raw: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', early: true},
		{responseType: 'stream'},
		200,
	],
	['a 204', {raw: 'HTTP/1.1 204 No\r\n\r\n', early: true}, {}, 204],
];
const byUpload = Object.entries(uploads).flatMap(([upload, make]) =>
	answers.map(
		([title, answer, config, ends]): Row => ({
			title: `${title} before ${upload}`,
			config: () => ({method: 'post', ...make(), ...config}),
			answers: () => [answer],
			looseBody: true,
			ends,
		}),
	),
);

/** Whether a read or a write meets the end first is up to the system. */
function withoutSystemCall(run: Run): unknown {
	const text = JSON.stringify(run).replaceAll(/(read|write) (ECONNRESET|EPIPE)/g, 'ECONNRESET');
	return JSON.parse(text.replaceAll('"EPIPE"', '"ECONNRESET"'));
}

/* What is broken off before an answer. */
const broken = Object.entries(uploads).flatMap(([upload, make]): Row[] =>
	(['reset', 'destroy'] as const).map((next) => ({
		title: `a connection that ends (${next}) before ${upload}`,
		config: () => ({method: 'post', ...make()}),
		answers: () => [{raw: '', early: true, next}],
		looseBody: true,
		ends: /8 MB/.test(upload) ? anyEnd : 'ECONNRESET',
		normalise: withoutSystemCall,
	})),
);

const redirected = Object.entries(uploads)
	.filter(([upload]) => !/without an end|nothing/.test(upload))
	.map(
		([upload, make]): Row => ({
			title: `a 303 before ${upload}`,
			config: () => ({method: 'post', ...make()}),
			answers: (s, server) => [{...redirect(s.url(server, '/to'), 303), early: true}, {}],
			looseBody: true,
			ends: 200,
		}),
	);

/* The app reads the answer while its upload goes on. */
const duplex: Row[] = [
	{
		title: 'an answer that is read before the upload ends',
		config: () => {
			const data = new PassThrough();
			data.write('first');
			return {method: 'post', data, responseType: 'stream'};
		},
		answers: () => [{raw: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', early: true}],
		read: () => readWhole,
		looseBody: true,
		ends: 200,
	},
	{
		title: 'an answer that the app destroys before the upload ends',
		config: () => {
			const data = new PassThrough();
			data.write('first');
			return {method: 'post', data, responseType: 'stream'};
		},
		answers: () => [{raw: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok', early: true}],
		read: (s) => async (data) => {
			data.destroy();
			await s.hungUp();
		},
		looseBody: true,
		ends: 200,
	},
];

const interim: Readonly<Record<string, string>> = {
	'a 100': 'HTTP/1.1 100 Continue\r\n\r\n',
	'a 102': 'HTTP/1.1 102 Processing\r\nX-Step: 1\r\n\r\n',
	'a 103': 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n',
	'all three': `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\nSet-Cookie: a=1\r\n\r\n`,
};
const shapes: Readonly<Record<string, () => AxiosRequestConfig>> = {
	'a streamed answer': () => ({responseType: 'stream'}),
	'an answer to a stream': () => ({method: 'post', data: Readable.from(['one', 'two'])}),
	'an answer to a stream that expects it': () => ({
		method: 'post',
		data: Readable.from(['one', 'two']),
		headers: {Expect: '100-continue'},
	}),
	'a streamed answer to a stream': () => ({
		method: 'post',
		data: Readable.from(['one', 'two']),
		responseType: 'stream',
	}),
	'a streamed error page': () => ({responseType: 'stream'}),
};
const byInterim = Object.entries(interim).flatMap(([title, heads]): Row[] =>
	Object.entries(shapes).flatMap(([shape, make]) =>
		[false, true].map((bytewise) => {
			const error = shape.includes('error');
			const head = error ? 'HTTP/1.1 500 No' : 'HTTP/1.1 200 OK';
			return {
				title: `${title} before ${shape}${bytewise ? ', byte by byte' : ''}`,
				config: (_, url) => ({...make(), url}),
				answers: () => [
					{
						raw: `${heads}${head}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
						bytewise,
					},
				],
				ends: error ? 'ERR_BAD_RESPONSE' : 200,
			};
		}),
	),
);

const twoWays = ways.filter(({config}) => config === undefined);
const direct: Way = {title: 'over http, without redirects', server: 'a', config: {maxRedirects: 0}};

parity([
	...over(byUpload, [...twoWays, direct]),
	...over(broken, [...twoWays.slice(0, 1), direct]),
	...over(redirected, twoWays),
	...over(duplex, [...twoWays, direct]),
	...over(byInterim, twoWays),
]);
