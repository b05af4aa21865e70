import {AxiosError, type AxiosRequestConfig} from 'axios';
import {parity, redirect, type Scenario, type Stage} from '../support/parity.ts';

type BeforeRedirect = NonNullable<AxiosRequestConfig['beforeRedirect']>;
type Options = Parameters<BeforeRedirect>[0];

/** Notes what an app can rely on, then does as told. */
function noting(s: Stage, change: (options: Options) => void = () => {}): BeforeRedirect {
	return (options, answer, request) => {
		const {protocol, hostname, host, port, path, pathname, search, hash, href, method} = options;
		s.notes.push({
			to: {protocol, hostname, host, port, path, pathname, search, hash, href, method},
			headers: {...options.headers},
			answer: {status: answer.statusCode, headers: {...answer.headers}},
			request,
		});
		change(options);
	};
}

const plain = {'X-Own': '1', 'X-Gone': false as unknown as string};
const own = {...plain, Authorization: 'Bearer t'};
/** Changes of the origin: there axios takes the app's Authorization along, and ours does not. */
const moves: readonly string[] = ['the port', 'the hostname'];

const changes: readonly [string, (options: Options, s: Stage) => void, Partial<Scenario>?][] = [
	['nothing', () => {}],
	[
		'a header',
		(options) => {
			options.headers['X-New'] = '1';
		},
	],
	[
		'a header away',
		(options) => {
			delete options.headers['X-Own'];
		},
	],
	[
		'all headers',
		(options) => {
			options.headers = {'X-Alone': '1'};
		},
	],
	[
		'the path',
		(options) => {
			options.path = "/changed?x='1'";
			// What axios makes `responseUrl` of; the path alone is what it sends.
			options.pathname = '/changed';
			options.search = "?x='1'";
		},
	],
	[
		'the port',
		(options, s) => {
			options.port = s.ports.b;
		},
	],
	[
		'the hostname',
		(options) => {
			options.hostname = '127.0.0.1';
		},
	],
	[
		'the host, which says nothing',
		(options) => {
			options.host = 'elsewhere.test';
		},
	],
	[
		'the href, which says nothing',
		(options) => {
			options.href = 'http://elsewhere.test/';
		},
	],
	[
		'the method',
		(options) => {
			options.method = 'OPTIONS';
		},
	],
	[
		'the auth',
		(options) => {
			options.auth = 'a:b:c';
		},
	],
	[
		'the Authorization back',
		(options) => {
			options.headers.Authorization = 'Bearer again';
		},
	],
	[
		'the protocol to one that is none',
		(options) => {
			options.protocol = 'ftp:';
		},
		{ends: 'ERR_FR_REDIRECTION_FAILURE', requests: 1},
	],
	[
		'nothing but throws',
		() => {
			throw new Error('not there');
		},
		{ends: 'ERR_FR_REDIRECTION_FAILURE', requests: 1},
	],
	[
		'nothing but throws an AxiosError',
		() => {
			throw new AxiosError('no', 'ERR_OWN');
		},
		{ends: 'ERR_FR_REDIRECTION_FAILURE', requests: 1},
	],
];

const byChange = changes.flatMap(([title, change, rest]): Scenario[] => [
	{
		title: `beforeRedirect that changes ${title}`,
		request: (s) => ({
			url: s.url('a', '/1?q=1'),
			headers: moves.includes(title) ? plain : own,
			beforeRedirect: noting(s, (options) => change(options, s)),
		}),
		answers: () => [redirect('/2?r=2#f', 302, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']), {}],
		ends: 200,
		by: 'any',
		...rest,
	},
	{
		title: `beforeRedirect that changes ${title} of a POST to another server`,
		request: (s) => ({
			url: s.url('a', '/1'),
			method: 'post',
			data: {a: 1},
			headers: own,
			auth: {username: 'me', password: 'pw'},
			beforeRedirect: noting(s, (options) => change(options, s)),
		}),
		answers: (s) => [redirect(s.url('b', '/2'), 307), {}],
		ends: 200,
		by: 'any',
		...rest,
	},
]);

const secrets = {'X-Api-Key': 'k', 'X-API-TOKEN': 't', Authorization: 'Bearer t', 'X-Other': 'o'};
const sensitive = [
	[],
	['x-api-key'],
	['X-API-KEY', 'x-api-token'],
	['x-.*'],
	['X-Other', 'host', 'user-agent'],
].flatMap((sensitiveHeaders) =>
	(['a', 'b', 's'] as const).map(
		(to): Scenario => ({
			title: `sensitiveHeaders ${JSON.stringify(sensitiveHeaders)} and a redirect to ${to}`,
			request: (s) =>
				({
					url: s.url('a'),
					headers: secrets,
					sensitiveHeaders,
					beforeRedirect: noting(s),
				}) as AxiosRequestConfig,
			answers: (s) => [redirect(s.url(to, '/2')), redirect(s.url('a', '/3')), {}],
			ends: 200,
		}),
	),
);

// In axios one object serves all hops: what comes too late for one is in time for the next.
const later: readonly [string, (options: Options, s: Stage) => unknown][] = [
	[
		'a header one tick later',
		async (options) => {
			await undefined;
			options.headers['X-Late'] = options.path;
		},
	],
	[
		'the headers it was given, one tick later',
		async ({headers, path}) => {
			await undefined;
			headers['X-Late'] = path;
			delete headers['X-Own'];
		},
	],
	[
		'the headers for others, and these one tick later',
		async (options) => {
			const headers: Record<string, string> = {'X-Alone': '1'};
			options.headers = headers;
			await undefined;
			headers['X-Late'] = options.path;
		},
	],
	[
		'headers to names and values in turn',
		(options) => {
			options.headers = ['X-Alone', '1', 'Accept', 'text/x'] as unknown as Options['headers'];
		},
	],
	[
		'headers to none at all',
		(options) => {
			options.headers = null as unknown as Options['headers'];
		},
	],
	[
		'a field of its own, which it finds again',
		(options) => {
			options.count = (options.count ?? 0) + 1;
			options.headers['X-Count'] = String(options.count);
		},
	],
	[
		'the auth, which stays',
		(options) => {
			options.auth ??= 'a:b';
		},
	],
];

const byLater = later.flatMap(([title, change]): Scenario[] =>
	[undefined, 'x=1'].map((data) => ({
		title: `beforeRedirect that changes ${title}, of ${data === undefined ? 'a GET' : 'a POST'}`,
		request: (s) => ({
			url: s.url('a', '/1'),
			method: data === undefined ? 'get' : 'post',
			data,
			headers: own,
			beforeRedirect: (options) => {
				void change(options, s);
			},
		}),
		answers: (s) => [
			redirect('/2', 307),
			redirect('/3', 307),
			redirect(s.url('b', '/4'), 307),
			redirect('/5', 307),
			{},
		],
		ends: 200,
		by: 'any',
	})),
);

parity([...byChange, ...byLater, ...sensitive]);
