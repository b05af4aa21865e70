import {parity, redirect, type Scenario} from '../support/parity.ts';
import {bodies} from '../support/parity-bodies.ts';
import type {ServerName} from '../support/parity-server.ts';

const statuses = [300, 301, 302, 303, 307, 308] as const;
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const byMethod = statuses.flatMap((status) =>
	methods.map(
		(method): Scenario => ({
			title: `${method} after a ${status}`,
			request: (s) => ({
				url: s.url('a', '/from?x=1'),
				method,
				...(['POST', 'PUT', 'PATCH'].includes(method) && {data: {kept: true}}),
				headers: {'X-Own': '1', 'Content-Language': 'de', 'Content-MD5': 'x'},
			}),
			answers: () => [
				method === 'HEAD'
					? {raw: `HTTP/1.1 ${status} Elsewhere\r\nLocation: /to?y=2\r\nContent-Length: 0\r\n\r\n`}
					: redirect('/to?y=2', status),
				method === 'HEAD' ? {body: ''} : {},
			],
			ends: 200,
		}),
	),
);

const byBody = [302, 303, 307, 308].flatMap((status) =>
	Object.entries(bodies)
		.filter(([body]) => body !== 'a number')
		.map(
			([body, make]): Scenario => ({
				title: `POST of ${body} after a ${status}`,
				request: (s) => ({url: s.url('a', '/from'), method: 'post', data: make()}),
				answers: (s) => [redirect(s.url('b', '/to'), status), {}],
				ends: 200,
				// The last request tells: where it has no body left, ours takes the connections of the client again.
				by: 'any',
			}),
		),
);

const secrets = {
	Authorization: 'Bearer t',
	Cookie: 'own=1',
	'Proxy-Authorization': 'Basic cA==',
	'X-Api-Key': 'k',
	Referer: 'http://x.test/',
};

interface Way {
	readonly from: ServerName;
	readonly to: ServerName;
	readonly host?: string;
}

const ways: Readonly<Record<string, Way>> = {
	'the same origin': {from: 'a', to: 'a'},
	'another port': {from: 'a', to: 'b'},
	'another name of the host': {from: 'a', to: 'a', host: '127.0.0.1'},
	'another name and port': {from: 'a', to: 'b', host: '127.0.0.1'},
	'https from http': {from: 'a', to: 's'},
	'http from https': {from: 's', to: 'a'},
	'the same https origin': {from: 's', to: 's'},
	'another https port': {from: 's', to: 't'},
	'another name of the https host': {from: 's', to: 's', host: '127.0.0.1'},
};

const byWay = Object.entries(ways).flatMap(([way, {from, to, host}]) =>
	[301, 302, 303, 307, 308].flatMap((status): Scenario[] => [
		{
			title: `a ${status} to ${way}, with headers that tell who asks`,
			request: (s) => ({
				url: s.url(from, '/from'),
				// Over TLS ours shows the login of a proxy to no origin: a difference on purpose.
				headers: from === 's' ? {...secrets, 'Proxy-Authorization': undefined} : secrets,
			}),
			answers: (s) => [redirect(s.url(to, '/to', host), status), {}],
			ends: 200,
		},
		{
			title: `a POST and a ${status} to ${way}, with config.auth`,
			request: (s) => ({
				url: s.url(from, '/from'),
				method: 'post',
				data: 'body',
				auth: {username: 'me', password: 'p:wörd'},
			}),
			answers: (s) => [redirect(s.url(to, '/to', host), status), {}],
			ends: 200,
		},
	]),
);

const chains: Scenario[] = [
	{
		title: 'a way that leaves its origin, with config.auth',
		request: (s) => ({url: s.url('a', '/1'), auth: {username: 'me', password: 'pw'}}),
		answers: (s) => [
			redirect(s.url('a', '/2')),
			redirect('/3'),
			redirect(s.url('s', '/4')),
			redirect('/5'),
			{},
		],
		ends: 200,
	},
	{
		title: 'a way there and back, with a header of the app',
		request: (s) => ({url: s.url('a', '/1'), headers: secrets}),
		answers: (s) => [redirect(s.url('b', '/2')), redirect(s.url('a', '/3')), {}],
		ends: 200,
	},
	{
		title: 'a PUT that becomes a GET at the second redirect',
		request: (s) => ({url: s.url('a', '/1'), method: 'put', data: {a: 1}}),
		answers: () => [redirect('/2', 307), redirect('/3', 303), redirect('/4', 307), {}],
		ends: 200,
	},
	{
		title: 'a redirect that ends in a 404',
		request: (s) => ({url: s.url('a', '/1')}),
		answers: (s) => [redirect(s.url('b', '/2')), {status: 404, body: '{"no":true}'}],
		ends: 'ERR_BAD_REQUEST',
	},
	{
		title: 'a redirect to a port where nobody listens',
		request: (s) => ({url: s.url('a', '/1')}),
		answers: () => [redirect('http://127.0.0.1:1/')],
		ends: 'ECONNREFUSED',
	},
	{
		// A POST: what may be asked for twice we ask for again where a kept connection hangs up.
		title: 'a redirect to a server that hangs up',
		request: (s) => ({url: s.url('a', '/1'), method: 'post', data: 'x'}),
		answers: (s) => [redirect(s.url('b', '/2'), 307), {raw: '', next: 'destroy'}],
		ends: 'ECONNRESET',
	},
	{
		title: 'an own Host header and a redirect to another port',
		request: (s) => ({url: s.url('a', '/1'), headers: {Host: 'virtual.test'}}),
		answers: (s) => [redirect(s.url('b', '/2')), {}],
		ends: 200,
		by: 'any',
	},
	{
		title: 'an own Host header and an absolute redirect to the same origin',
		request: (s) => ({url: s.url('a', '/1'), headers: {host: 'virtual.test'}}),
		answers: (s) => [redirect(s.url('a', '/2')), {}],
		ends: 200,
		by: 'any',
	},
	{
		title: 'a redirect of many bytes that are not wanted',
		request: (s) => ({url: s.url('a', '/1')}),
		answers: () => [{...redirect('/2'), body: 'x'.repeat(300_000)}, {}],
		ends: 200,
	},
	{
		title: 'a redirect longer than maxContentLength',
		request: (s) => ({url: s.url('a', '/1'), maxContentLength: 5}),
		answers: () => [{...redirect('/2'), body: 'x'.repeat(300)}, {body: 'short'}],
		ends: 200,
	},
	{
		title: 'a redirect with a body that is not what it says',
		request: (s) => ({url: s.url('a', '/1')}),
		answers: () => [redirect('/2', 302, ['Content-Encoding', 'gzip']), {}],
		ends: 200,
	},
	{
		title: 'a redirect that breaks off',
		request: (s) => ({url: s.url('a', '/1')}),
		answers: () => [
			{raw: 'HTTP/1.1 302 Found\r\nLocation: /2\r\nContent-Length: 99\r\n\r\nx', next: 'destroy'},
			{},
		],
		ends: 200,
	},
	{
		title: 'a redirect whose body never ends',
		request: (s) => ({url: s.url('a', '/1')}),
		answers: () => [
			{raw: 'HTTP/1.1 302 Found\r\nLocation: /2\r\nContent-Length: 99\r\n\r\nx', next: 'nothing'},
			{},
		],
		ends: 200,
	},
	{
		title: 'a redirect with two Locations',
		request: (s) => ({url: s.url('a', '/1')}),
		answers: () => [redirect('/2', 302, ['Location', '/3']), {}],
		ends: 200,
	},
];

parity([...byMethod, ...byBody, ...byWay, ...chains]);
