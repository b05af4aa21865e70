/*
 * Bodies that are streams: how they are framed, how they end, and what becomes of them.
 */
import {Readable} from 'node:stream';
import type {AxiosRequestConfig, RawAxiosRequestHeaders} from 'axios';
import {anyEnd, over, parity, plainWay, type Row, ways} from '../support/parity.ts';
import {brokenStreams, oddChunks, wholeStreams} from '../support/parity-streams.ts';

const post = (data: unknown, more: AxiosRequestConfig = {}): AxiosRequestConfig => ({
	method: 'post',
	data,
	...more,
});

const whole = Object.entries(wholeStreams).map(
	([title, make]): Row => ({
		title: `POST of a stream of ${title}`,
		config: () => post(make()),
		watchBody: true,
		ends: 200,
	}),
);

const six = () => wholeStreams.buffers?.();
const methods = ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'PROPFIND'];
const answer = (method: string) =>
	method === 'HEAD' ? [{raw: 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n'}] : [{}];
const byMethod = methods.flatMap((method): Row[] => [
	{
		title: `${method} with a stream of known length`,
		config: () => ({method, data: six(), headers: {'Content-Length': '6'}}),
		answers: () => answer(method),
		ends: 200,
	},
	{
		title: `${method} with a stream in chunks`,
		config: () => ({method, data: six(), headers: {'Transfer-Encoding': 'chunked'}}),
		answers: () => answer(method),
		ends: 200,
	},
]);

const headers: Readonly<Record<string, RawAxiosRequestHeaders>> = {
	'its length as text': {'Content-Length': '6'},
	'its length as a number': {'content-length': 6},
	'a length of false': {'Content-Length': false},
	'a length of null': {'Content-Length': null},
	'a Content-Type': {'Content-Type': 'text/x-own'},
	'no Content-Type': {'Content-Type': false},
	'a Content-Encoding': {'Content-Encoding': 'gzip'},
	'Transfer-Encoding: chunked': {'Transfer-Encoding': 'chunked'},
	'Connection: close': {Connection: 'close'},
};
const byHeader = Object.entries(headers).map(
	([title, own]): Row => ({
		title: `a stream with ${title}`,
		config: () => post(six(), {headers: own}),
		watchBody: true,
		ends: 200,
	}),
);

const failing = Object.entries(brokenStreams).flatMap(([title, [make, ends]]): Row[] =>
	[{}, {responseType: 'stream' as const}, {maxBodyLength: 1_000}].map((more) => ({
		title: `a stream that ${title}, with ${JSON.stringify(more)}`,
		config: () => post(make(), more),
		answers: () => [{raw: ''}],
		requests: anyEnd,
		looseWire: true,
		ends,
	})),
);

// By axios, and by Node without redirects, these are refused.
const odd = Object.entries(oddChunks).map(
	([title, make]): Row => ({
		title: `a stream of ${title}`,
		config: () => post(make()),
		requests: anyEnd,
		looseWire: true,
		ends: anyEnd,
		differs: 'chunks that are no bytes are dropped, or become bytes',
	}),
);

const emptyString: Row = {
	title: 'a stream of an empty string',
	config: () => post(Readable.from([''])),
	ends: 200,
};

const direct = {title: 'without redirects', server: 'a', config: {maxRedirects: 0}} as const;
const twoWays = ways.filter(({config}) => config === undefined);

parity([
	...over(whole),
	...over(byMethod),
	...over(byHeader),
	...over(failing, [
		...twoWays,
		{title: 'without redirects', server: 'a', config: {maxRedirects: 0}},
	]),
	...over(odd, [plainWay, direct]),
	...over([emptyString], [plainWay]),
	...over(
		[{...emptyString, differs: 'the empty chunk is not sent: no body, not an empty one in chunks'}],
		[direct],
	),
]);
