import type {AxiosRequestConfig} from 'axios';
import {anyEnd, parity, redirect, type Scenario} from '../support/parity.ts';

class Custom {
	own = 'field';
}

const values: Readonly<Record<string, unknown>> = {
	letters: {q: 'a b+c&d=e/f?g#h%i'},
	'what axios leaves': {q: '\'[]|\\^`{}<>":,$!*()~@;'},
	unicode: {q: 'Zo\u00eb \u4f60 \u{1F600}', '\u00e9': 1},
	'a lone surrogate': {q: '\ud800'},
	nothing: {a: null, b: undefined, c: ''},
	lists: {a: [1, 2], b: ['x', null], c: []},
	objects: {a: {b: {c: 1}}, d: [{e: 1}]},
	dates: {at: new Date(0)},
	booleans: {a: true, b: false, n: Number.NaN},
	URLSearchParams: new URLSearchParams("a=1&a=2&q='x'"),
	text: 'a=1&b=2',
	'an empty object': {},
	'a class': new Custom(),
	'brackets in names': {'a[]': [1, 2], 'b[c]': 1},
	'a long value': {q: 'x'.repeat(5000)},
};

const serializers: Readonly<Record<string, AxiosRequestConfig['paramsSerializer']>> = {
	'indexes: null': {indexes: null},
	'indexes: true': {indexes: true},
	dots: {dots: true},
	'an encoder': {encode: (text) => `<${text}>`},
	'a serializer': {serialize: () => "raw='|[]{}"},
	'a serializer that says nothing': {serialize: () => ''},
	'a function': (() => 'of=old') as unknown as {serialize: () => string},
	'a serializer with a blank': {serialize: () => 'a b'},
	'a serializer with unicode': {serialize: () => 'q=\u4f60'},
	'a serializer with Latin-1': {serialize: () => 'q=\u00eb'},
	'a serializer with a line end': {serialize: () => 'q=a\r\nX: 1'},
	'a serializer that throws': {
		serialize: () => {
			throw new Error('cannot');
		},
	},
};

const paths = [
	'',
	'/',
	'?',
	'?a=1',
	'/a b',
	"/it's",
	'/a|b',
	'/[x]',
	'/{x}',
	'/"x"',
	'/<x>',
	'/^`',
	'/a\\b',
	'/%',
	'/%2F',
	'/%zz',
	'/\u00e9',
	'/\u4f60',
	'/a//b',
	'/./a/../b',
	'/#frag',
	'/a?b#c',
	"/?q='[]|^`{}",
	'/?q=\u4f60',
	'/?q=a b',
	'/;a=1',
	'/?',
	'/a?b?c',
	'/*',
	'//double',
	'/@x',
	'/a:b',
	'/\ta',
	'/ ',
	'/x?a=1&a=2&a[]=3',
];

const byUrl: Scenario[] = [
	...Object.entries(values).map(
		([title, params]): Scenario => ({
			title: `params: ${title}`,
			request: (s) => ({url: s.url('a', '/p?own=1#frag'), params}),
			ends: anyEnd,
			requests: anyEnd,
			by: 'any',
		}),
	),
	...Object.entries(serializers).map(
		([title, paramsSerializer]): Scenario => ({
			title: `paramsSerializer: ${title}`,
			request: (s) => ({
				url: s.url('a', '/p'),
				params: {a: [1, 2], b: {c: "x'y"}},
				...(paramsSerializer && {paramsSerializer}),
			}),
			ends: anyEnd,
			requests: anyEnd,
			by: 'any',
		}),
	),
	...paths.flatMap((path): Scenario[] => [
		{
			title: `the path ${JSON.stringify(path)}`,
			request: (s) => ({url: s.url('a', path)}),
			ends: 200,
		},
		{
			title: `the path ${JSON.stringify(path)} with params and a redirect`,
			request: (s) => ({url: s.url('a', path), params: {"o'": "[n]'|"}}),
			answers: () => [redirect('?next'), {}],
			ends: 200,
		},
		{
			title: `the path ${JSON.stringify(path)} on a baseURL`,
			request: (s) => ({url: path, baseURL: s.url('a', '/base/')}),
			ends: anyEnd,
			requests: anyEnd,
			by: 'any',
		},
	]),
];

const bases: readonly [string, (of: (path?: string) => string) => AxiosRequestConfig][] = [
	['a relative url', (of) => ({baseURL: of('/v1'), url: 'x'})],
	['no url', (of) => ({baseURL: of('/v1')})],
	['an empty url', (of) => ({baseURL: of('/v1'), url: ''})],
	['an absolute url', (of) => ({baseURL: 'http://127.0.0.1:1/', url: of('/x')})],
	[
		'an absolute url that is not allowed',
		(of) => ({baseURL: of('/v1'), url: 'http://127.0.0.1:1/x', allowAbsoluteUrls: false}),
	],
	['a network path', (of) => ({baseURL: of('/v1'), url: of('/x').slice(5)})],
	[
		'a network path that is not allowed',
		(of) => ({baseURL: of('/v1'), url: '//127.0.0.1:1/x', allowAbsoluteUrls: false}),
	],
	['slashes on both sides', (of) => ({baseURL: of('/v1//'), url: '//x'})],
	['a query on the base', (of) => ({baseURL: of('/v1?a=1'), url: 'x'})],
	['dots', (of) => ({baseURL: of('/v1/v2'), url: '../../../x'})],
	['upper case', (of) => ({url: of('/X').toUpperCase()})],
	['blanks around', (of) => ({url: ` ${of('/x')} `})],
	['a URL object', (of) => ({url: new URL(of('/x')) as unknown as string})],
	['127.0.0.1 as a number', (of) => ({url: of('/x').replace('localhost', '2130706433')})],
];

const refused: readonly [string, AxiosRequestConfig][] = [
	['no URL', {}],
	['an empty URL', {url: ''}],
	['a path', {url: '/x'}],
	['a word', {url: 'x'}],
	['http: alone', {url: 'http:'}],
	['http:// alone', {url: 'http://'}],
	['http:x', {url: 'http:x'}],
	['http:/x', {url: 'http:/x'}],
	['no host', {url: 'http:///'}],
	['a bad port', {url: 'http://localhost:99999/'}],
	['a blank in the host', {url: 'http://a b/'}],
	['a bad IPv6 address', {url: 'http://[::1/'}],
	['ftp', {url: 'ftp://localhost/'}],
	['ws', {url: 'ws://localhost/'}],
	['javascript', {url: 'javascript:alert(1)'}],
	['mailto', {url: 'mailto:a@b.test'}],
	['a port where nobody listens', {url: 'http://127.0.0.1:1/'}],
	['a port where nobody listens, over TLS', {url: 'https://127.0.0.1:1/'}],
	['a name that nobody has', {url: 'http://no-such.invalid/'}],
	['a base that is no URL', {baseURL: 'nowhere', url: 'x'}],
	['data: text', {url: 'data:text/plain,hello%20you'}],
	['data: base64', {url: 'data:text/plain;base64,aGVsbG8='}],
	['data: as text', {url: 'data:,x', responseType: 'text'}],
	['data: by POST', {url: 'data:,x', method: 'post'}],
	['data: too long', {url: 'data:,xxxxxxxx', maxContentLength: 3}],
	['data: broken', {url: 'data:'}],
	['blob:', {url: 'blob:http://localhost/x'}],
	['a socket that is not there', {url: '/x', socketPath: '/tmp/axios-mtls-no-such.sock'}],
	['a socket that is no text', {url: '/x', socketPath: 5 as unknown as string}],
	[
		'a socket that is not allowed',
		{
			url: '/x',
			socketPath: '/tmp/x.sock',
			allowedSocketPaths: ['/tmp/y.sock'],
		} as AxiosRequestConfig,
	],
	['a method with a blank', {url: 'http://127.0.0.1:1/', method: 'G T'}],
	['httpVersion 3', {url: 'http://127.0.0.1:1/', httpVersion: 3} as unknown as AxiosRequestConfig],
	[
		'httpVersion two',
		{url: 'http://127.0.0.1:1/', httpVersion: 'two'} as unknown as AxiosRequestConfig,
	],
];

parity([
	...byUrl,
	...bases.map(
		([title, make]): Scenario => ({
			title: `a baseURL: ${title}`,
			request: (s) => make((path) => s.url('a', path)),
			ends: anyEnd,
			requests: anyEnd,
			by: 'any',
		}),
	),
	...refused.map(
		([title, config]): Scenario => ({
			title: `what goes to no server: ${title}`,
			request: () => config,
			answers: () => [],
			ends: anyEnd,
			requests: anyEnd,
			by: 'any',
		}),
	),
]);
