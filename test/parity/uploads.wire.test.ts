/*
 * Bodies that are there as a whole: every method, every kind of bytes, and what axios refuses.
 */
import {Blob as NodeBlob} from 'node:buffer';
import type {AxiosRequestConfig} from 'axios';
import {anyEnd, over, parity, plainWay, type Row} from '../support/parity.ts';

const methods = [
	...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'LINK'],
	...['QUERY', 'PROPFIND', 'MKCOL', 'BREW', 'query', 'Brew'],
] as const;

const short: Readonly<Record<string, AxiosRequestConfig>> = {
	'no body': {},
	'an empty string': {data: ''},
	'an empty buffer': {data: Buffer.alloc(0)},
	'a string': {data: 'body'},
	'a buffer': {data: Buffer.from([1, 2, 3])},
	'no body and Content-Length: 0': {headers: {'Content-Length': '0'}},
	'an empty string and Content-Length: 0': {data: '', headers: {'Content-Length': 0}},
	'no body and a Content-Type': {headers: {'Content-Type': 'text/x-own'}},
	'a string and a Content-Type': {data: 'body', headers: {'Content-Type': 'text/x-own'}},
};

const byMethod = methods.flatMap((method) =>
	Object.entries(short).map(
		([title, config]): Row => ({
			title: `${method} with ${title}`,
			config: () => ({method, ...config}),
			answers: () =>
				method === 'HEAD'
					? [{raw: 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nX-A: 1\r\n\r\n'}]
					: [{}],
			ends: 200,
		}),
	),
);

const floats = Float64Array.from([1.5, -0, Number.NaN]);
const views: Readonly<Record<string, () => unknown>> = {
	'a Uint8Array': () => Uint8Array.from([0, 127, 128, 255]),
	'an empty Uint8Array': () => new Uint8Array(),
	'a subarray with an offset': () => Uint8Array.from([1, 2, 3, 4, 5]).subarray(2, 4),
	'a slice of a pooled buffer': () => Buffer.from('0123456789').subarray(3, 6),
	'a Float64Array': () => floats,
	'a Uint16Array': () => Uint16Array.from([1, 256]),
	'a DataView': () => new DataView(Uint8Array.from([1, 2, 3, 4, 5]).buffer, 1, 3),
	'an ArrayBuffer': () => floats.buffer,
	'an empty ArrayBuffer': () => new ArrayBuffer(0),
	'a SharedArrayBuffer': () => new SharedArrayBuffer(4),
	'a view of a SharedArrayBuffer': () => new Uint8Array(new SharedArrayBuffer(4)),
	'a resizable ArrayBuffer': () => new ArrayBuffer(2, {maxByteLength: 4}),
	'a String object': () => new String('boxed'),
	'a Blob without a type': () => new Blob(['blob ', new Uint8Array([1, 2])]),
	'a Blob with a type': () => new Blob(['{"a":1}'], {type: 'application/json'}),
	'a Blob of node:buffer': () => new NodeBlob(['node'], {type: 'text/x-node'}),
	'an empty Blob': () => new Blob([]),
	'an empty Blob with a type': () => new Blob([], {type: 'text/x-empty'}),
	'a slice of a Blob': () => new Blob(['0123456789']).slice(2, 5, 'text/x-slice'),
	'a Blob of 300 kB': () => new Blob(['x'.repeat(100_000), Buffer.alloc(200_000, 1)]),
	'a File': () => new File(['file'], 'näme.txt', {type: 'text/x-file'}),
	'an empty File': () => new File([], 'empty.txt'),
	'empty URLSearchParams': () => new URLSearchParams(),
	'URLSearchParams of odd letters': () => new URLSearchParams({'a b': '&=+%', ü: '\u{1F600}\r\n'}),
	'a string with a lone surrogate': () => 'a\ud800b',
	'a string of 1 MB': () => 'ä'.repeat(500_000),
	'a buffer of 1 MB': () => Buffer.alloc(1_000_000, 7),
	'a string that looks like JSON': () => '{"a": 1}',
	'an array': () => [1, 'two', null],
	'a Date': () => new Date(0),
	null: () => null,
	true: () => true,
};

function isTakenByClientAlone(data: unknown): boolean {
	return data instanceof URLSearchParams || (ArrayBuffer.isView(data) && !Buffer.isBuffer(data));
}

const byView = Object.entries(views).flatMap(([title, make]): Row[] => [
	{
		title: `POST of ${title}`,
		config: () => ({method: 'post', data: make()}),
		answers: () => [{}],
		ends: anyEnd,
		requests: anyEnd,
	},
	{
		title: `PUT of ${title} with a type of the app`,
		config: () => ({method: 'put', data: make(), headers: {'Content-Type': 'text/x-own'}}),
		answers: () => [{}],
		ends: anyEnd,
		requests: anyEnd,
	},
	// axios refuses these if it has not transformed them, and the client sends them.
	...(isTakenByClientAlone(make())
		? []
		: [
				{
					title: `POST of ${title} after an identity transformRequest`,
					config: () => ({
						method: 'post',
						data: make(),
						transformRequest: (data: unknown) => data,
					}),
					answers: () => [{}],
					ends: anyEnd,
					requests: anyEnd,
				} satisfies Row,
			]),
]);

const refused: Readonly<Record<string, () => unknown>> = {
	'a number': () => 42,
	'a bigint': () => 42n,
	'a symbol': () => Symbol('odd'),
	'a plain object': () => ({a: 1}),
	'an object without a prototype': () => Object.assign(Object.create(null), {a: 1}),
	'an array': () => [1],
	'a Map': () => new Map([['a', 1]]),
	'a function': () => () => 'text',
	'a promise': () => Promise.resolve('text'),
	'a Response': () => new Response('text'),
};

const byRefusal = Object.entries(refused).flatMap(([title, make]): Row[] => [
	{
		title: `the refusal of ${title} after an identity transformRequest`,
		config: () => ({method: 'post', data: make(), transformRequest: (data: unknown) => data}),
		answers: () => [],
		ends: 'ERR_BAD_REQUEST',
	},
	{
		title: `POST of ${title}, as axios transforms it`,
		config: () => ({method: 'post', data: make()}),
		answers: () => [{}],
		ends: anyEnd,
		requests: anyEnd,
	},
]);

parity([
	...over(byMethod),
	...over(byView, [plainWay]),
	...over(
		byView.filter((_, index) => index % 3 === 0),
		[{title: 'over https with a client certificate', server: 'm'}],
	),
	...over(byRefusal),
]);
