/*
 * Bodies that are streams: how they are framed, how they end, and what becomes of them.
 */
import {Readable} from 'node:stream';
import type {AxiosRequestConfig, RawAxiosRequestHeaders} from 'axios';
import {anyEnd, type Row} from '../parity.ts';
import {brokenStreams, wholeStreams} from '../parity-streams.ts';

const post = (data: unknown, more: AxiosRequestConfig = {}): AxiosRequestConfig => ({
	method: 'post',
	data,
	...more,
});

export const whole = Object.entries(wholeStreams).map(
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
export const byMethod = methods.flatMap((method): Row[] => [
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
export const byHeader = Object.entries(headers).map(
	([title, own]): Row => ({
		title: `a stream with ${title}`,
		config: () => post(six(), {headers: own}),
		watchBody: true,
		ends: 200,
	}),
);

export const failing = Object.entries(brokenStreams).flatMap(([title, [make, ends]]): Row[] =>
	[{}, {responseType: 'stream' as const}, {maxBodyLength: 1_000}].map((more) => ({
		title: `a stream that ${title}, with ${JSON.stringify(more)}`,
		config: () => post(make(), more),
		answers: () => [{raw: ''}],
		requests: anyEnd,
		looseWire: true,
		ends,
	})),
);

export const emptyString: Row = {
	title: 'a stream of an empty string',
	config: () => post(Readable.from([''])),
	ends: 200,
};
