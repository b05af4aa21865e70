import {parity, redirect, type Scenario, type Stage} from '../support/parity.ts';

/** Followed: what it says there, on whichever server that leads to. */
const followed: readonly (string | ((s: Stage) => string))[] = [
	'/abs',
	'rel',
	'./rel',
	'../up',
	'../../../../top',
	'/a/../b/./c',
	'?q=2',
	'?',
	'#frag',
	'/path#frag',
	'/path?x=1#a?b',
	'/with space',
	'  /padded  ',
	'/tab\there',
	'/ä-latin1',
	'/\u00c3\u00a4-utf8',
	'/%C3%A4-escaped',
	'/%zz-broken-escape',
	'/%2e%2e/dots',
	'/%00',
	'/quote"\'<>`{}|\\^[]',
	'?quote"\'<>`{}|\\^[]',
	'\\back\\slash',
	'/;param=1?a=b;c',
	'/:8080/port',
	':80/colon',
	'/@at',
	`/${'long/'.repeat(1500)}`,
	`?${'q'.repeat(7000)}`,
	(s) => `//localhost:${s.ports.b}/network`,
	(s) => `\\\\localhost:${s.ports.b}\\network`,
	(s) => `///localhost:${s.ports.b}/three`,
	(s) => s.url('b', ''),
	(s) => s.url('b', '?only=query'),
	(s) => s.url('b').toUpperCase(),
	(s) => s.url('b', '/x').replace('http://', 'http:'),
	(s) => s.url('b', '/x').replace('http://', 'http:\\\\'),
	(s) => s.url('b', '/x').replace('http://', 'http:////'),
	(s) => s.url('b', '/user').replace('//', '//mallory:pass@'),
	(s) => s.url('a', '/user').replace('//', '//mallory@'),
	(s) => s.url('b', '/numeric', '2130706433'),
	(s) => s.url('b', '/short', '127.1'),
	(s) => s.url('b', '/hex', '0x7f.1'),
	(s) => s.url('b', '/wide', '\uff4cocalhost'),
	(s) => s.url('s', '/tls'),
];

const refused: readonly string[] = [
	'javascript:alert(1)',
	'data:text/plain,hello',
	'file:///etc/passwd',
	'ftp://localhost/',
	'mailto:a@b.test',
	'about:blank',
	'ws://localhost/',
	'blob:http://localhost/x',
	'unix:/run/docker.sock',
	'http://',
	'https://',
	'http://[::1',
	'http://a b.test/',
	'http://localhost:99999/',
	'http://localhost:port/',
	'http://%/',
	'http://local<host/',
	'//[bad',
	'//',
	'a:b@c/d',
	'http:// /',
];

function title(location: string | ((s: Stage) => string)): string {
	return typeof location === 'string'
		? JSON.stringify(location).slice(0, 60)
		: String(location).replace('(s) => ', '');
}

function told(location: string | ((s: Stage) => string), s: Stage): string {
	return typeof location === 'string' ? location : location(s);
}

parity([
	...followed.map(
		(location): Scenario => ({
			title: `a Location of ${title(location)}`,
			request: (s) => ({url: s.url('a', '/dir/page?q=1'), headers: {Authorization: 'Bearer t'}}),
			answers: (s) => [redirect(told(location, s)), {}],
			ends: 200,
		}),
	),
	...refused.map(
		(location): Scenario => ({
			title: `a Location of ${title(location)}, which is not followed`,
			request: (s) => ({url: s.url('a', '/dir/page')}),
			answers: () => [redirect(location)],
			ends: 'ERR_FR_REDIRECTION_FAILURE',
		}),
	),
	{
		title: 'an empty Location',
		request: (s) => ({url: s.url('a')}),
		answers: () => [redirect('')],
		ends: 'ERR_BAD_RESPONSE',
	},
	{
		title: 'a Location of blanks',
		request: (s) => ({url: s.url('a')}),
		answers: () => [redirect('   ')],
		ends: 'ERR_BAD_RESPONSE',
	},
	{
		title: 'no Location',
		request: (s) => ({url: s.url('a')}),
		answers: () => [{status: 302}],
		ends: 'ERR_BAD_RESPONSE',
	},
	{
		title: 'a Location with a 200',
		request: (s) => ({url: s.url('a')}),
		answers: () => [redirect('/2', 200)],
		ends: 200,
	},
	{
		title: 'a Location with a 201',
		request: (s) => ({url: s.url('a'), method: 'post', data: {a: 1}}),
		answers: () => [redirect('/2', 201)],
		ends: 201,
	},
	...[306, 310, 399].map(
		(status): Scenario => ({
			title: `a Location with a ${status}`,
			request: (s) => ({url: s.url('a')}),
			answers: () => [redirect('/2', status), {}],
			ends: 200,
		}),
	),
	...[300, 304, 305].map(
		(status): Scenario => ({
			title: `a ${status} without Location`,
			request: (s) => ({url: s.url('a')}),
			answers: () => [
				status === 304 ? {raw: 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'} : {status},
			],
			ends: 'ERR_BAD_RESPONSE',
		}),
	),
]);
