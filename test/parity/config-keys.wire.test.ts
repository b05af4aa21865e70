/*
 * Options of a config: those of apps, which axios does not know, and those that choose a connection.
 */
import type {LookupFunction} from 'node:net';
import {Readable} from 'node:stream';
import type {AxiosRequestConfig} from 'axios';
import {
	anyEnd,
	inChunks,
	over,
	parity,
	plainWay,
	type Row,
	redirect,
	type Way,
	ways,
} from '../support/parity.ts';

const shapes: Readonly<Record<string, () => AxiosRequestConfig>> = {
	'a GET': () => ({}),
	'a GET for a stream': () => ({responseType: 'stream'}),
	'a HEAD': () => ({method: 'head'}),
	'a POST': () => ({method: 'post', data: {a: 1}}),
	'a POST of a stream': () => ({method: 'post', data: Readable.from(['one', 'two'])}),
};
const heads = (method: string | undefined) =>
	method === 'head' ? [{raw: 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n'}] : [{}];

/* Keys of apps and of plugins: nothing changes. */
class Own {
	value = 1;
}
const unknown: Readonly<Record<string, object>> = {
	metadata: {metadata: {started: 1, nested: {deep: [1]}}},
	retry: {retry: 3, retryDelay: (count: number) => count * 100},
	requestId: {requestId: 'a-b-c'},
	'a null': {tracing: null},
	'an undefined': {tracing: undefined},
	'a function': {onRetry: () => 'never'},
	'an instance': {owner: new Own()},
	'a symbol': {[Symbol('key')]: 1},
	'a Map': {cache: new Map([['a', 1]])},
	'a name like one of Node': {agent: false, hostname: 'elsewhere.test', port: 1, path: '/no'},
	'a name like one of TLS': {rejectUnauthorized: true, servername: 'elsewhere.test', ca: 'none'},
	'options of http.request': {setHost: false, joinDuplicateHeaders: true, maxHeaderSize: 10},
	'a getter': {
		get lazy() {
			return 'value';
		},
	},
	'an accessor that is gone': Object.defineProperty({}, 'hidden', {value: 1}),
	localAddress: {localAddress: '127.0.0.1'},
	signal: {signal: undefined, cancelToken: undefined},
	keepAlive: {keepAlive: false},
};
const byUnknown = Object.entries(shapes).flatMap(([shape, make]) =>
	Object.entries(unknown).map(
		([title, own]): Row => ({
			title: `${shape} with a key of the app: ${title}`,
			config: () => ({...make(), ...own}),
			answers: () => heads(make().method),
			ends: 200,
		}),
	),
);

type Lookup = (s: {notes: unknown[]}) => unknown;
const one = {address: '127.0.0.1', family: 4};
/** All of which axios takes, for a name that is in no DNS. */
const lookups: Readonly<Record<string, readonly [Lookup, (number | string | undefined)?]>> = {
	'by callback': [
		() => (_host: string, _options: object, done: (...args: unknown[]) => void) =>
			done(null, '127.0.0.1', 4),
	],
	'by callback, later': [
		() => (_host: string, _options: object, done: (...args: unknown[]) => void) =>
			setImmediate(() => done(null, '127.0.0.1', 4)),
	],
	'by callback, without a family': [
		() => (_host: string, _options: object, done: (...args: unknown[]) => void) =>
			done(null, '127.0.0.1'),
	],
	'by callback, in a list': [
		() => (_host: string, _options: object, done: (...args: unknown[]) => void) =>
			done(null, [one]),
	],
	'by callback, in a list of text': [
		() => (_host: string, _options: object, done: (...args: unknown[]) => void) =>
			done(null, ['127.0.0.1']),
	],
	'by callback, as an object': [
		() => (_host: string, _options: object, done: (...args: unknown[]) => void) => done(null, one),
	],
	'by callback that notes what it is asked': [
		(s) => (host: string, options: object, done: (...args: unknown[]) => void) => {
			s.notes.push(host, Object.entries(options).sort());
			done(null, '127.0.0.1', 4);
		},
	],
	'by promise': [() => async () => '127.0.0.1'],
	'by promise of a pair': [() => async () => ['127.0.0.1', 4]],
	'by promise of an object': [() => async () => one],
	'by promise of a list': [() => async () => [one]],
	'by promise of two addresses, of which one refuses': [
		() => async () => [[{address: '127.0.0.2', family: 4}, one]],
	],
	'that fails': [
		() => (_host: string, _options: object, done: (error: Error) => void) =>
			done(Object.assign(new Error('no such name'), {code: 'ENOTFOUND'})),
		'ENOTFOUND',
	],
	'whose promise fails': [
		() => async () => {
			throw Object.assign(new Error('no such name'), {code: 'EAI_AGAIN'});
		},
		'EAI_AGAIN',
	],
	'that fails without a code': [
		() => async () => {
			throw new Error('odd');
		},
		undefined,
	],
	'whose address is a number': [() => async () => 42, 'ERR_BAD_OPTION_VALUE'],
	'whose address is none': [() => async () => 'not an address', 'ERR_INVALID_IP_ADDRESS'],
	'of another family': [() => async () => ['127.0.0.1', 6], 'EINVAL'],
};
const byLookup = ['a GET', 'a GET for a stream', 'a POST of a stream'].flatMap((shape) =>
	Object.entries(lookups).map(
		([title, [make, ...ends]], index): Row => ({
			title: `${shape} and a lookup ${title}`,
			config: (s, url) => ({
				...shapes[shape]?.(),
				url: url.replace('localhost', `looked-up-${index}.test`),
				lookup: make(s) as LookupFunction as AxiosRequestConfig['lookup'] & object,
			}),
			// No connection is kept, so that each request looks the name up.
			answers: () => (ends.length > 0 ? [] : [{close: true}]),
			ends: ends.length > 0 ? ends[0] : 200,
		}),
	),
);

const lookupOverTls: Row[] = [
	{
		title: 'a lookup by promise over TLS',
		config: () => ({lookup: async () => '127.0.0.1'}),
		ends: 200,
	},
	{
		title: 'a lookup by callback over TLS',
		config: () => ({
			lookup: (_: string, __: object, done: (...args: never[]) => void) =>
				(done as (...args: unknown[]) => void)(null, '127.0.0.1', 4),
		}),
		ends: 200,
	},
	{
		title: 'a lookup and a redirect',
		config: () => ({lookup: async () => '127.0.0.1'}),
		answers: (s, server) => [redirect(s.url(server, '/to'), 302), {}],
		ends: 200,
	},
];

const familyValues: readonly (readonly [unknown, Row['ends']])[] = [
	[4, 200],
	[6, anyEnd],
	[0, 200],
	[undefined, 200],
	[null, anyEnd],
	// Not 5: axios may find a kept connection, and Node refuses it otherwise.
	['IPv4', anyEnd],
];
const families = familyValues.flatMap(([family, ends]) =>
	['a GET', 'a GET for a stream', 'a POST of a stream'].map(
		(shape): Row => ({
			title: `${shape} and the family ${family}`,
			config: () => ({...shapes[shape]?.(), family}) as AxiosRequestConfig,
			requests: anyEnd,
			ends,
		}),
	),
);

/* A Unix socket: what the URL says is sent, and no connection is made to it. */
const bySocket = Object.entries(shapes).flatMap(([shape, make]): Row[] => [
	{
		title: `${shape} by a socket path`,
		config: (s) => ({...make(), socketPath: s.socketPaths.u}),
		answers: () => heads(make().method),
		ends: 200,
	},
	{
		title: `${shape} by a socket path that is allowed`,
		config: (s) => ({
			...make(),
			socketPath: s.socketPaths.u,
			allowedSocketPaths: ['/elsewhere', s.socketPaths.u],
		}),
		answers: () => heads(make().method),
		ends: 200,
	},
	{
		title: `${shape} by a socket path that is not allowed`,
		config: (s) => ({...make(), socketPath: '/elsewhere', allowedSocketPaths: s.socketPaths.u}),
		answers: () => [],
		ends: 'ERR_BAD_OPTION_VALUE',
	},
	{
		title: `${shape} by a socket path where nothing is`,
		config: () => ({...make(), socketPath: '/nowhere/at/all'}),
		answers: () => [],
		ends: 'ENOENT',
	},
	{
		title: `${shape} by a socket path and a URL that is a path`,
		config: (s) => ({...make(), url: '/only?a=1', socketPath: s.socketPaths.u}),
		answers: () => heads(make().method),
		ends: 200,
	},
	{
		title: `${shape} by a socket path and a host with a port`,
		config: (s) => ({...make(), url: 'http://virtual.test:81/x', socketPath: s.socketPaths.u}),
		answers: () => heads(make().method),
		ends: 200,
	},
]);
const socketRedirects: Row[] = [302, 307].map((status) => ({
	title: `a POST by a socket path and a ${status}`,
	config: (s) => ({method: 'post', data: 'x', socketPath: s.socketPaths.u}),
	answers: () => [redirect('/to', status), {}],
	ends: 200,
}));
// With redirects axios has follow-redirects name a host, and without them Node.
const hostOfSocket: Partial<Row> = {
	differs: 'the client sends the host of the URL to a socket, and reports the URL',
	except: (text) =>
		text
			.replaceAll(/"host":"[^"]*"/g, '"host":""')
			.replaceAll(/\["host","[^"]*"\]/g, '["host",""]')
			.replaceAll(/"responseUrl":"[^"]*"/g, '"responseUrl":""'),
};
const followed = (rows: readonly Row[]) =>
	rows.map((row): Row => (row.ends === 200 ? {...row, ...hostOfSocket} : row));
// Where axios compares the path its adapter sends the request, and Node says localhost.
const namesHost = ({title}: Row) => !/allowed|a URL that is a path/.test(title);
const oddSockets: Row[] = [
	['a number', 42],
	['an object', {}],
	['nothing', ''],
	['null', null],
].map(([title, socketPath]) => ({
	title: `a socket path that is ${title}`,
	config: () => ({socketPath}) as AxiosRequestConfig,
	requests: anyEnd,
	ends: anyEnd,
}));
const mutualSocket: Way = {title: 'over TLS on a Unix socket', server: 'v'};
const byMutualSocket = Object.entries(shapes).map(
	([shape, make]): Row => ({
		title: shape,
		config: (s) => ({...make(), socketPath: s.socketPaths.v}),
		answers: () => heads(make().method),
		ends: 200,
	}),
);

/* What stays with axios's adapter. */
const progress = Object.entries(shapes).flatMap(([shape, make]): Row[] => [
	{
		title: `${shape} with progress`,
		config: (s) => ({
			...make(),
			onUploadProgress: ({loaded, total}) => s.notes.push(['up', loaded, total]),
			onDownloadProgress: ({loaded, total}) => s.notes.push(['down', loaded, total]),
		}),
		answers: () => heads(make().method),
		ends: 200,
	},
	{
		title: `${shape} with a rate`,
		config: () => ({...make(), maxRate: [1_000_000, 1_000_000]}),
		answers: () => heads(make().method),
		ends: 200,
	},
]);

const lax = 'HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 2\r\n\r\nok';
const parsers: Row[] = [false, true, 'yes', 1, null, undefined].flatMap(
	(insecureHTTPParser): Row[] =>
		['a GET', 'a GET for a stream'].map((shape) => ({
			title: `${shape} with insecureHTTPParser ${insecureHTTPParser} and a control character in a header`,
			config: () => ({...shapes[shape]?.(), insecureHTTPParser}) as AxiosRequestConfig,
			answers: () => [{raw: lax, next: 'end'}],
			ends: insecureHTTPParser ? 200 : 'HPE_INVALID_HEADER_TOKEN',
		})),
);

const paths = [
	'/a b',
	'/ü',
	'/\u{1F600}',
	'/a\u0001b',
	'/a\\b',
	'/a|b',
	'/"<>`',
	'/%zz',
	'/a%00b',
	"/a'b",
];
const byPath = paths.flatMap((path): Row[] =>
	['a GET for a stream', 'a HEAD', 'a POST of a stream'].map((shape) => ({
		title: `${shape} of the path ${JSON.stringify(path)}`,
		config: (_, url) => ({...shapes[shape]?.(), url: url.replace('/parity', path)}),
		answers: () => heads(shapes[shape]?.().method),
		requests: anyEnd,
		ends: anyEnd,
	})),
);
const unescaped = Object.entries(shapes).map(
	([shape, make]): Row => ({
		title: `${shape} with parameters that no path can carry`,
		config: () => ({...make(), params: {a: 1}, paramsSerializer: () => 'a=\u4f60 \u0001'}),
		answers: () => heads(make().method),
		requests: anyEnd,
		ends: anyEnd,
	}),
);

const redirects: Row[] = ['a GET for a stream', 'a POST of a stream'].map((shape) => ({
	title: `${shape} and a beforeRedirect`,
	config: (s) => ({
		...shapes[shape]?.(),
		beforeRedirect: (options, {statusCode, headers}, {method, url, headers: sent}) => {
			s.notes.push(options.path, options.method, Object.keys(options.headers).sort());
			s.notes.push(statusCode, headers, method, url, Object.keys(sent).sort());
		},
	}),
	answers: (s, server) => [redirect(s.url(server, '/to'), 307), inChunks(['at ', 'last'])],
	ends: 200,
}));

const twoWays = ways.filter(({config}) => config === undefined);
const direct: Way = {title: 'over http, without redirects', server: 'a', config: {maxRedirects: 0}};

parity([
	...over(byUnknown, twoWays),
	...over(byLookup, [plainWay]),
	...over(lookupOverTls, twoWays.slice(1)),
	...over(families, [plainWay]),
	...over(followed(bySocket.filter(namesHost)), [direct]),
	...over(
		bySocket.filter((row) => !namesHost(row)),
		[direct],
	),
	...over(followed([...bySocket, ...socketRedirects]), [plainWay]),
	...over(oddSockets, [plainWay]),
	...over(byMutualSocket, [{...mutualSocket, config: {maxRedirects: 0}}]),
	...over(
		followed(byMutualSocket).map((row) => ({...row, title: `${row.title} with redirects`})),
		// On Node 22 axios itself fails: follow-redirects has it verify the certificate for ::1.
		Number.parseInt(process.versions.node, 10) < 24 ? [] : [mutualSocket],
	),
	...over(progress, twoWays),
	...over(parsers, [plainWay, direct]),
	...over(byPath, [plainWay]),
	...over(unescaped, [plainWay, direct]),
	...over(redirects, twoWays),
]);
