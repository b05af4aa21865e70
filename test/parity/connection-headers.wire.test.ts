/*
 * Headers that are about the connection or the length, and headers that cannot be sent, on every shape
 * of request.
 */
import {Readable} from 'node:stream';
import type {AxiosRequestConfig, RawAxiosRequestHeaders} from 'axios';
import {anyEnd, over, parity, plainWay, type Row, redirect, ways} from '../support/parity.ts';

const shapes: Readonly<Record<string, () => AxiosRequestConfig>> = {
	'a GET for a stream': () => ({responseType: 'stream'}),
	'a HEAD': () => ({method: 'head'}),
	'a POST': () => ({method: 'post', data: 'body'}),
	'a POST of a stream': () => ({method: 'post', data: Readable.from(['bo', 'dy'])}),
	'a DELETE with a body': () => ({method: 'delete', data: 'body'}),
};

type Headers = RawAxiosRequestHeaders;

/** Those that change what the two sides say to each other, and end well. */
const usual: Readonly<Record<string, Headers>> = {
	'Connection: close': {Connection: 'close'},
	'Connection: keep-alive': {Connection: 'keep-alive'},
	'a Connection that names a header': {Connection: 'X-Hop', 'X-Hop': '1'},
	'Keep-Alive': {'Keep-Alive': 'timeout=5, max=10'},
	'TE: trailers': {TE: 'trailers'},
	'TE and Connection': {TE: 'trailers', Connection: 'TE'},
	'Upgrade alone': {Upgrade: 'h2c'},
	'Upgrade and Connection': {Upgrade: 'websocket', Connection: 'Upgrade'},
	'Proxy-Connection': {'Proxy-Connection': 'keep-alive'},
	'a Content-Length of false': {'Content-Length': false},
	'a Content-Length of null': {'Content-Length': null},
	'no header of axios': {Accept: false, 'User-Agent': false, 'Accept-Encoding': false},
	'a list': {'X-List': ['one', 'two']},
	'a list of cookies': {Cookie: ['a=1', 'b=2']},
	'an empty list': {'X-List': []},
	'an empty value': {'X-Empty': ''},
	'a number and booleans': {'X-N': 0, 'X-True': true, 'X-False': false},
	'a value beyond Latin-1': {'X-Uni': 'a\u4f60b'},
	'a value of Latin-1': {'X-Latin': 'Zo\u00eb'},
	'control characters in a value': {'X-Ctl': 'a\x01b\x7fc\td'},
	'line ends in a value': {'X-Split': 'a\r\nX-Injected: 1'},
	'odd casing': {'x-oDD': '1', 'content-TYPE': 'text/x-own', ACCEPT: 'text/x'},
	Date: {Date: 'Thu, 01 Jan 1970 00:00:00 GMT'},
	'Accept-Encoding: identity': {'Accept-Encoding': 'identity'},
};

/** Those that Node refuses, or sends as no server understands them. */
const odd: Readonly<Record<string, Headers>> = {
	// Node sends it with chunks alone.
	Trailer: {Trailer: 'X-T'},
	'Trailer and chunks': {Trailer: 'X-T', 'Transfer-Encoding': 'chunked'},
	// With a length of axios beside it, where the body is no stream.
	'Transfer-Encoding: chunked': {'Transfer-Encoding': 'chunked'},
	'a Host of the app': {Host: 'virtual.test'},
	'an empty Host': {Host: ''},
	'a blank in a name': {'X Name': '1'},
	'an empty name': {'': '1'},
	'a colon in a name': {'X:Name': '1'},
	'a line end in a name': {'X\r\nName': '1'},
	'a name beyond ASCII': {'X-Zo\u00eb': '1'},
	'Transfer-Encoding: identity': {'Transfer-Encoding': 'identity'},
	'Transfer-Encoding: gzip, chunked': {'Transfer-Encoding': 'gzip, chunked'},
	'an Expect that is none': {Expect: 'the-unexpected'},
	'a Content-Length that is none': {'Content-Length': 'four'},
	'a Content-Length below zero': {'Content-Length': '-1'},
	'two Content-Lengths': {'Content-Length': '4, 4'},
};

const heads = (method: string | undefined) =>
	method === 'head' ? [{raw: 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n'}] : [{}];

/** What a server makes of it is up to chance: a body without a frame, or the refusal of its parser. */
const byUsual = Object.entries(shapes).flatMap(([shape, make]) =>
	Object.entries(usual)
		.filter(([title]) => !(shape === 'a DELETE with a body' && /of (false|null)$/.test(title)))
		.map(
			([title, headers]): Row => ({
				title: `${shape} with ${title}`,
				config: () => ({...make(), headers}),
				answers: () => heads(make().method),
				ends: 200,
			}),
		),
);

const byOdd = Object.entries(shapes).flatMap(([shape, make]) =>
	Object.entries(odd).map(
		([title, headers]): Row => ({
			title: `${shape} with ${title}`,
			config: () => ({...make(), headers, timeout: 300}),
			// What the server took for the next request spoils no other scenario.
			answers: () =>
				make().method === 'head'
					? [
							{
								raw: 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n',
								next: 'end',
							},
						]
					: [{close: true}],
			requests: anyEnd,
			looseBody: true,
			ends: anyEnd,
		}),
	),
);

/* The server sees a 100 Continue first, or answers at once. */
const expecting = Object.entries(shapes).flatMap(([shape, make]): Row[] => [
	{
		title: `${shape} that expects a 100, and a server that gives none`,
		config: () => ({...make(), headers: {Expect: '100-continue'}}),
		answers: () =>
			make().method === 'head'
				? [{raw: 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n', early: true}]
				: [{early: true, close: true}],
		looseBody: true,
		ends: 200,
	},
	{
		title: `${shape} that expects a 100, and a server that gives one`,
		config: () => ({...make(), headers: {Expect: '100-continue'}}),
		answers: () => [
			{
				raw: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ${make().method === 'head' ? '2\r\n\r\n' : '2\r\n\r\nok'}`,
				early: true,
			},
		],
		looseBody: true,
		ends: 200,
	},
	{
		title: `${shape} that expects a 100, and a server that refuses`,
		config: () => ({...make(), headers: {Expect: '100-continue'}}),
		answers: () => [
			{
				raw: 'HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
				early: true,
				next: 'end',
			},
		],
		looseBody: true,
		ends: 'ERR_BAD_REQUEST',
	},
]);

const lengths: Row[] = ['3', '5', '0'].flatMap((length) =>
	[
		['a string', () => 'body'],
		['a buffer', () => Buffer.from('body')],
		['a stream', () => Readable.from(['body'])],
		['a Blob', () => new Blob(['body'])],
	].map(
		([title, make]): Row => ({
			// Too short, the rest is the server's next request; too long, it waits for more.
			title: `a Content-Length of ${length} and four bytes of ${title}`,
			config: () => ({
				method: 'post',
				data: (make as () => unknown)(),
				headers: {'Content-Length': length},
				timeout: length === '5' && title !== 'a Blob' ? 300 : 0,
			}),
			answers: () => [{close: true}],
			looseWire: true,
			requests: anyEnd,
			ends: anyEnd,
			...(title === 'a stream' && {differs: 'the client says that the length is wrong'}),
		}),
	),
);

const kept: Row[] = [
	...['Connection', 'Host', 'TE', 'Keep-Alive', 'Transfer-Encoding', 'Expect', 'Trailer'],
].map((name) => ({
	title: `a POST with ${name} and a 307`,
	config: () => ({
		method: 'post',
		data: 'body',
		headers: {
			[name]: {Connection: 'close', 'Transfer-Encoding': 'chunked', TE: 'trailers'}[name] ?? 'x',
		},
	}),
	answers: (s, server) => [redirect(s.url(server, '/to'), 307), {}],
	requests: anyEnd,
	ends: anyEnd,
}));

const direct = {
	title: 'over http, without redirects',
	server: 'a',
	config: {maxRedirects: 0},
} as const;
const mutual = ways.filter(({server, config}) => server === 'm' && config === undefined);

parity([
	...over(byUsual, [plainWay, ...mutual]),
	// Over TLS axios verifies the name of a Host header: a difference on purpose.
	...over(byOdd, [plainWay, direct]),
	...over(expecting, [plainWay, direct]),
	...over(lengths, [plainWay, direct]),
	...over(kept, [plainWay]),
]);
