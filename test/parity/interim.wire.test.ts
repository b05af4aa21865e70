/*
 * Interim responses (RFC 9110 §15.2): any number of them before the one that counts, from any server.
 */
import type {AxiosRequestConfig} from 'axios';
import {type Answer, anyEnd, parity, type Scenario} from '../support/parity.ts';

/** By status, as servers write them. */
const interim: Readonly<Record<number, string>> = {
	100: 'HTTP/1.1 100 Continue\r\n\r\n',
	102: 'HTTP/1.1 102 Processing\r\nX-Step: 1\r\n\r\n',
	103: 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n',
};

function heads(statuses: readonly number[]): string {
	return statuses.map((status) => interim[status]).join('');
}

interface Final {
	readonly name: string;
	readonly config?: AxiosRequestConfig;
	readonly head: string;
	readonly ends: number | string;
	readonly follow?: Answer;
	readonly by?: 'axios';
}

const finals: readonly Final[] = [
	{name: 'a 200', head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', ends: 200},
	{name: 'a 204', head: 'HTTP/1.1 204 No Content\r\n\r\n', ends: 204},
	{
		name: 'a 302',
		head: 'HTTP/1.1 302 Found\r\nLocation: /2\r\nContent-Length: 4\r\n\r\ngone',
		ends: 200,
		follow: {},
	},
	{
		name: 'a 401',
		head: 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nwho?',
		ends: 'ERR_BAD_REQUEST',
	},
	{
		name: 'a streamed response',
		config: {responseType: 'stream'},
		head: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nend\r\n0\r\n\r\n',
		ends: 200,
	},
	{
		name: 'a response to HEAD',
		config: {method: 'head'},
		head: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n',
		ends: 200,
	},
];

const orders: readonly (readonly number[])[] = [
	[],
	[100],
	[102],
	[103],
	[100, 100],
	[100, 103],
	[103, 100],
	[102, 100, 103],
	[100, 102, 100, 103],
	[100, 100, 100, 100, 100],
	[103, 100, 102, 100, 102],
];

const before = finals.flatMap(({name, config, head, ends, follow, by}) =>
	orders.flatMap((order) =>
		(['a', 's'] as const).map((server): Scenario => {
			const statuses = order.length === 0 ? 'nothing' : order.join(', ');
			return {
				title: `${statuses} before ${name}, byte by byte, over ${server === 'a' ? 'http' : 'https'}`,
				request: (s) => ({url: s.url(server), method: 'post', data: 'x=1', ...config}),
				answers: () => [{raw: heads(order) + head, bytewise: true}, ...(follow ? [follow] : [])],
				ends,
				by,
			};
		}),
	),
);

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/* What a head is worth is the parser's to say, which is the same for both. */
const odd: readonly [string, string, Scenario['ends']][] = [
	['a 100 without a reason', 'HTTP/1.1 100\r\n\r\n', 200],
	['a 100 with an empty reason', 'HTTP/1.1 100 \r\n\r\n', 200],
	['a 100 with a field', 'HTTP/1.1 100 Continue\r\nDate: today\r\n\r\n', 200],
	['a 100 with an empty field', 'HTTP/1.1 100 Continue\r\nX:\r\n\r\n', 200],
	['a 100 with a folded field', 'HTTP/1.1 100 Continue\r\nX: a\r\n b\r\n\r\n', anyEnd],
	['a 100 whose fold is empty', 'HTTP/1.1 100 Continue\r\nX: a\r\n \r\n\r\n', anyEnd],
	[
		'a 100 that names itself in a field',
		'HTTP/1.1 100 HTTP/1.1 100\r\nX: HTTP/1.1 100\r\n\r\n',
		200,
	],
	['a 100 with a length', 'HTTP/1.1 100 Continue\r\nContent-Length: 7\r\n\r\n', 200],
	[
		'a 100 with a body',
		'HTTP/1.1 100 Continue\r\nContent-Length: 7\r\n\r\n1234567',
		'HPE_INVALID_CONSTANT',
	],
	['a 100 in chunks', 'HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n', 200],
	['a 100 that sets a cookie', 'HTTP/1.1 100 Continue\r\nSet-Cookie: a=1\r\n\r\n', 200],
	['a 100 with a short Keep-Alive', 'HTTP/1.1 100 Continue\r\nKeep-Alive: timeout=1\r\n\r\n', 200],
	['empty lines between', '\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\r\n\r\n', 200],
	['a 110', 'HTTP/1.1 110 X\r\n\r\n', 200],
	['a 199', 'HTTP/1.1 199 X\r\n\r\n', 200],
	['a 102 with Upgrade', 'HTTP/1.1 102 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', 200],
	['a 100 with Upgrade', 'HTTP/1.1 100 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', 200],
	['a 100 that closes', 'HTTP/1.1 100 X\r\nConnection: close\r\n\r\n', 'HPE_CLOSED_CONNECTION'],
	['a 100 of HTTP/1.0', 'HTTP/1.0 100 X\r\n\r\n', 'HPE_CLOSED_CONNECTION'],
	['a 100 of HTTP/1.0 that stays', 'HTTP/1.0 100 X\r\nConnection: keep-alive\r\n\r\n', 200],
	['a 100 of HTTP/2.0', 'HTTP/2.0 100 X\r\n\r\n', 'HPE_CLOSED_CONNECTION'],
	['a 100 in lower case', 'http/1.1 100 continue\r\n\r\n', 'HPE_INVALID_CONSTANT'],
	['a 1000', 'HTTP/1.1 1000 X\r\n\r\n', 'HPE_INVALID_STATUS'],
	['a 10', 'HTTP/1.1 10 X\r\n\r\n', 'HPE_INVALID_STATUS'],
	['a 100 after two spaces', 'HTTP/1.1  100 X\r\n\r\n', 'HPE_INVALID_STATUS'],
	['a 100 with line feeds alone', 'HTTP/1.1 100 Continue\n\n', 'HPE_CR_EXPECTED'],
	['a 100 whose fields end in line feeds', 'HTTP/1.1 100 X\r\nA: b\n\r\n', 'HPE_CR_EXPECTED'],
	[
		'a 100 whose head ends in a line feed',
		'HTTP/1.1 100 X\r\nA: b\r\n\n',
		'HPE_INVALID_HEADER_TOKEN',
	],
	[
		'a 100 with a field without a colon',
		'HTTP/1.1 100 X\r\nnonsense\r\n\r\n',
		'HPE_INVALID_HEADER_TOKEN',
	],
	['a 100 with a NUL', 'HTTP/1.1 100 X\r\nA: \0\r\n\r\n', 'HPE_INVALID_HEADER_TOKEN'],
	[
		'a 100 with two lengths',
		'HTTP/1.1 100 X\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
		'HPE_UNEXPECTED_CONTENT_LENGTH',
	],
];
const oddities = odd.flatMap(([name, head, ends]) =>
	[false, true].map(
		(bytewise): Scenario => ({
			title: `${name} before a 200${bytewise ? ', byte by byte' : ''}`,
			request: (s) => ({url: s.url('a'), method: 'post', data: 'x=1'}),
			answers: () => [{raw: head + ok, bytewise, next: 'end'}],
			ends,
		}),
	),
);

/* A connection that ends where a response was to come. */
const cut = [
	['after a 100', heads([100])],
	['within a 100', 'HTTP/1.1 100 Cont'],
	['before the status of a 100', 'HTTP/1.1 1'],
	['within the fields of a 100', 'HTTP/1.1 100 Continue\r\nA: b'],
	['within the head after a 100', `${heads([100])}HTTP/1.1 20`],
].flatMap(([name = '', raw = '']) =>
	(['end', 'reset'] as const).map(
		(next): Scenario => ({
			title: `a connection that ends (${next}) ${name}`,
			request: (s) => ({url: s.url('a'), method: 'post', data: 'x=1'}),
			answers: () => [{raw, next}],
			ends: 'ECONNRESET',
		}),
	),
);

const large = [16_380, 16_384, 100_000].map(
	(length): Scenario => ({
		title: `a 100 with a field of ${length} bytes`,
		request: (s) => ({url: s.url('a'), method: 'post', data: 'x=1'}),
		answers: () => [{raw: `HTTP/1.1 100 X\r\nA: ${'a'.repeat(length)}\r\n\r\n${ok}`, next: 'end'}],
		ends: length < 16_384 ? 200 : 'HPE_HEADER_OVERFLOW',
	}),
);

/* The reason phrase, which undici would read otherwise, and without a limit. */
const phrases = [
	['', 204],
	['Tr\u00e8s  bien!', 204],
	['a'.repeat(16_383), 204],
	['a'.repeat(16_384), 'HPE_HEADER_OVERFLOW'],
	['a'.repeat(16_385), 'HPE_HEADER_OVERFLOW'],
	['a'.repeat(100_000), 'HPE_HEADER_OVERFLOW'],
] as const;
const reasons = phrases.flatMap(([reason, ends]) => [
	...[[], [100]].map(
		(statuses): Scenario => ({
			title: `a reason of ${reason.length} bytes after ${statuses.length} interim responses`,
			request: (s) => ({url: s.url('a')}),
			answers: () => [{raw: `${heads(statuses)}HTTP/1.1 204 ${reason}\r\n\r\n`, next: 'end'}],
			ends,
		}),
	),
	{
		title: `a reason of ${reason.length} bytes in a 100`,
		request: (s) => ({url: s.url('a')}),
		answers: () => [{raw: `HTTP/1.1 100 ${reason}\r\n\r\n${ok}`, next: 'end'}],
		ends: ends === 204 ? 200 : ends,
	} satisfies Scenario,
]);

parity([...before, ...oddities, ...cut, ...large, ...reasons]);
