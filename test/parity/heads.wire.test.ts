import type {AxiosRequestConfig, RawAxiosRequestHeaders} from 'axios';
import {anyEnd, parity, redirect, type Scenario} from '../support/parity.ts';

const headers: Readonly<Record<string, object>> = {
	'odd casing': {
		'x-LOWER-uPPer': '1',
		ACCEPT: 'text/plain',
		'user-AGENT': 'me',
		'accept-ENCODING': 'br',
	},
	'no User-Agent': {'User-Agent': false},
	'no Accept': {Accept: null},
	'an empty value': {'X-Empty': ''},
	'a number': {'X-Number': 42},
	'a boolean': {'X-True': true},
	'a list': {'X-List': ['one', 'two']},
	'a list of one': {'X-List': ['one']},
	'an empty list': {'X-List': []},
	'a list with gaps': {'X-List': ['one', null, undefined, false, 'two'] as unknown as string[]},
	'an object': {'X-Object': {a: 1} as unknown as string},
	cookies: {Cookie: 'a=1; b=2'},
	'cookies in a list': {Cookie: ['a=1', 'b=2']},
	'Latin-1': {'X-Latin': 'Zo\u00eb \u00ff'},
	'letters beyond Latin-1': {'X-Uni': 'Zo\u00eb \u4f60\u597d \u{1F600}!'},
	'control characters': {'X-Ctl': 'a\tb\x00c\x7fd'},
	'line ends': {'X-Split': 'a\r\nX-Injected: 1'},
	'blanks around': {'X-Padded': '  padded  '},
	'a blank in a name': {'X Name': '1'},
	'blanks around a name': {' X-Name ': '1'},
	'an empty name': {'': '1'},
	'a colon in a name': {'X:Name': '1'},
	'a name of Latin-1': {'X-Zo\u00eb': '1'},
	'an own Host': {Host: 'virtual.test'},
	'an own Connection': {Connection: 'close'},
	'Keep-Alive': {'Keep-Alive': 'timeout=5'},
	TE: {TE: 'trailers'},
	Upgrade: {Upgrade: 'h2c'},
	Trailer: {Trailer: 'X-T'},
	Authorization: {Authorization: 'Bearer t'},
	'authorization in lower case': {authorization: 'Bearer t'},
	'Proxy-Authorization': {'Proxy-Authorization': 'Basic x'},
	'Content-Type without body': {'Content-Type': 'text/x-own'},
	'Content-Encoding': {'Content-Encoding': 'x-own'},
	'Content-Length: 0': {'Content-Length': '0'},
	'names of methods': {constructor: '1', toString: '2', get: '3', set: '4'},
	__proto__: JSON.parse('{"__proto__": "1"}'),
	Range: {Range: 'bytes=0-1'},
	Date: {Date: 'now'},
	many: Object.fromEntries(Array.from({length: 200}, (_, i) => [`X-${i}`, `${i}`])),
	'a long one': {'X-Long': 'x'.repeat(10_000)},
};

const byHeaders = Object.entries(headers).flatMap(([title, own]): Scenario[] => [
	{
		title: `headers: ${title}`,
		request: (s) => ({url: s.url('a'), headers: own as RawAxiosRequestHeaders}),
		ends: anyEnd,
		requests: anyEnd,
		by: 'any',
	},
	{
		title: `headers of a POST: ${title}`,
		request: (s) => ({
			url: s.url('a'),
			method: 'post',
			data: 'body',
			headers: own as RawAxiosRequestHeaders,
		}),
		ends: anyEnd,
		requests: anyEnd,
		by: 'any',
	},
]);

const auth: Readonly<Record<string, AxiosRequestConfig>> = {
	'a user alone': {auth: {username: 'me', password: ''}},
	'a password alone': {auth: {username: '', password: 'pw'}},
	nobody: {auth: {username: '', password: ''}},
	'letters beyond ASCII': {auth: {username: 'Zo\u00eb', password: '\u4f60:\u597d'}},
	colons: {auth: {username: 'a:b', password: 'c:d'}},
	'no password': {auth: {username: 'me'} as unknown as {username: string; password: string}},
	'a header besides': {
		auth: {username: 'me', password: 'pw'},
		headers: {AUTHORIZATION: 'Bearer t'},
	},
	'an empty object': {auth: {} as unknown as {username: string; password: string}},
	numbers: {auth: {username: 1, password: 2} as unknown as {username: string; password: string}},
};

const inUrl = [
	'me:pw@',
	'me@',
	':pw@',
	'm%40e:p%3Aw@',
	'%zz:pw@',
	'Zo\u00eb:p@',
	':@',
	'@',
	'a:b:c@',
];

const byAuth: Scenario[] = [
	...Object.entries(auth).map(
		([title, config]): Scenario => ({
			title: `config.auth with ${title}`,
			request: (s) => ({url: s.url('a'), ...config}),
			ends: 200,
		}),
	),
	...inUrl.flatMap((login): Scenario[] => [
		{
			title: `${login} in the URL`,
			request: (s) => ({url: s.url('a', '/x').replace('//', `//${login}`)}),
			ends: 200,
		},
		{
			title: `${login} in the URL and redirects`,
			request: (s) => ({
				url: s.url('a', '/x').replace('//', `//${login}`),
				headers: {Authorization: 'Bearer t'},
			}),
			answers: (s) => [redirect('/2'), redirect('/3'), redirect(s.url('b')), {}],
			ends: 200,
		},
		{
			title: `${login} in the URL and config.auth`,
			request: (s) => ({
				url: s.url('a', '/x').replace('//', `//${login}`),
				auth: {username: 'other', password: 'one'},
				params: {q: 1},
			}),
			ends: 200,
		},
	]),
];

parity([...byHeaders, ...byAuth]);
