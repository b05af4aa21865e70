/*
 * `maxBodyLength` for every kind of body, and bodies across redirects.
 */
import {createRequire} from 'node:module';
import {PassThrough, Readable} from 'node:stream';
import type {AxiosRequestConfig} from 'axios';
import {anyEnd, type Row, redirect} from '../parity.ts';
import {wholeStreams} from '../parity-streams.ts';

const content = 'x'.repeat(100);

interface NpmForm {
	append(name: string, value: string): void;
	setBoundary(boundary: string): void;
}
const [npmFormData = ''] = ['form-data'];
const fromAxios = createRequire(createRequire(import.meta.url).resolve('axios'));
const NpmFormData: new () => NpmForm = fromAxios(npmFormData);

/** Bodies of a hundred bytes. */
const hundred: Readonly<Record<string, () => unknown>> = {
	'a string': () => content,
	'letters of two bytes': () => 'ä'.repeat(50),
	'a buffer': () => Buffer.from(content),
	'an ArrayBuffer': () => new ArrayBuffer(100),
	'a typed array': () => new Uint8Array(100),
	'an object': () => ({a: 'x'.repeat(92)}),
	URLSearchParams: () => new URLSearchParams({a: 'x'.repeat(98)}),
	'a Blob': () => new Blob([content]),
	'a stream of strings': () => Readable.from([content.slice(50), content.slice(50)]),
	'a stream of letters of two bytes': () => Readable.from(['ä'.repeat(25), 'ä'.repeat(25)]),
	'a stream of buffers': () => Readable.from([Buffer.from(content)]),
	'a stream of one hundred chunks': () => Readable.from([...content]),
	'a stream written at once': () => {
		const stream = new PassThrough();
		stream.end(content);
		return stream;
	},
	FormData: () => {
		// 63 bytes of the boundary are axios's own, so this is longer than the limits but the last.
		const form = new FormData();
		form.append('a', '1');
		return form;
	},
	"npm's form": () => {
		const form = new NpmFormData();
		form.setBoundary('b');
		// Its head and its boundaries are 58 bytes.
		form.append('a', 'x'.repeat(42));
		return form;
	},
};

export const byLimit = [99, 100, 101, 1_000].flatMap((maxBodyLength) =>
	Object.entries(hundred).flatMap(([title, make]): Row[] => {
		const form = title === 'FormData' && maxBodyLength < 1_000;
		const fails = maxBodyLength < 100 || form;
		return [
			{
				title: `maxBodyLength ${maxBodyLength} and 100 bytes of ${title}`,
				config: () => ({method: 'post', data: make(), maxBodyLength}),
				answers: () => (fails ? [{raw: ''}] : [{}]),
				...(fails && {requests: anyEnd, looseWire: true}),
				ends: fails ? 'ERR_BAD_REQUEST' : 200,
			},
		];
	}),
);

export const afterRedirect = [99, 100, 101].flatMap((maxBodyLength) =>
	Object.entries(hundred)
		.filter(([title]) => title !== 'FormData')
		.flatMap(([title, make]): Row[] =>
			maxBodyLength < 100
				? []
				: // With npm's form, a limit and a 303 axios never ends.
					(title === "npm's form" ? [307] : [303, 307]).map((status) => ({
						title: `maxBodyLength ${maxBodyLength}, 100 bytes of ${title} and a ${status}`,
						config: () => ({method: 'post', data: make(), maxBodyLength}),
						answers: (s, server) => [redirect(s.url(server, '/to'), status), {}],
						ends: 200,
					})),
		),
);

export const zero = Object.entries(hundred).map(
	([title, make]): Row => ({
		title: `maxBodyLength 0 and 100 bytes of ${title}`,
		config: () => ({method: 'post', data: make(), maxBodyLength: 0}),
		answers: () => [{raw: ''}],
		requests: anyEnd,
		looseWire: true,
		ends: 'ERR_BAD_REQUEST',
	}),
);

export const empty: Row[] = [
	['no body', undefined],
	['an empty string', ''],
	['an empty buffer', Buffer.alloc(0)],
].map(([title, data]) => ({
	title: `maxBodyLength 0 and ${title}`,
	config: () => ({method: 'post', data, maxBodyLength: 0}),
	ends: 200,
}));

const limits: readonly AxiosRequestConfig['maxBodyLength'][] = [
	-1,
	Number.POSITIVE_INFINITY,
	Number.NaN,
	null as unknown as number,
	'99' as unknown as number,
];
export const oddLimits = limits.flatMap((maxBodyLength: number | undefined): Row[] =>
	['a string', 'a stream of strings'].map((title) => ({
		title: `maxBodyLength ${maxBodyLength} of type ${typeof maxBodyLength} and ${title}`,
		config: () => ({method: 'post', data: hundred[title]?.(), maxBodyLength}) as AxiosRequestConfig,
		answers: () => (maxBodyLength === ('99' as unknown) ? [{raw: ''}] : [{}]),
		requests: anyEnd,
		looseWire: true,
		ends: anyEnd,
	})),
);

/* Every stream, replayed to the same and to another origin, or dropped. */
export const replayed = [301, 302, 303, 307, 308].flatMap((status): Row[] =>
	Object.entries(wholeStreams)
		.filter(([title]) => status === 303 || status === 307 || title === 'strings')
		.map(([title, make]) => ({
			title: `a stream of ${title} and a ${status}`,
			config: () => ({method: 'post', data: make()}),
			answers: (s, server) => [redirect(s.url(server, '/to'), status), {}],
			watchBody: true,
			ends: 200,
		})),
);

export const methods = ['PUT', 'PATCH', 'DELETE', 'QUERY', 'PROPFIND'].flatMap((method): Row[] =>
	[301, 302, 303, 307, 308].flatMap((status) =>
		(['text', 'stream'] as const).map((responseType) => ({
			title: `${method} of a stream of known length, a ${status} and the answer as ${responseType}`,
			config: () => ({
				method,
				responseType,
				data: wholeStreams.buffers?.(),
				headers: {'Content-Length': '6', 'Content-Type': 'text/x-own'},
			}),
			answers: (s, server) => [redirect(s.url(server, '/to'), status), {}],
			ends: 200,
		})),
	),
);

export const chains: Row[] = [
	{
		title: 'a stream and a 307, a 308, a 303',
		config: () => ({method: 'put', data: wholeStreams['many chunks']?.()}),
		answers: (s, server) => [
			redirect(s.url(server, '/2'), 307),
			redirect(s.url(server, '/3'), 308),
			redirect(s.url(server, '/4'), 303),
			{},
		],
		ends: 200,
	},
	{
		title: 'a stream and a 307 to another origin',
		config: () => ({method: 'put', data: wholeStreams.strings?.(), headers: {'X-Own': '1'}}),
		answers: (s, server) => [redirect(s.url(server === 'a' ? 'b' : 't', '/2'), 307), {}],
		ends: 200,
	},
	{
		title: 'a 307 without a Location to a stream',
		config: () => ({method: 'put', data: wholeStreams.strings?.()}),
		answers: () => [{status: 307, body: 'where?'}],
		ends: 'ERR_BAD_RESPONSE',
	},
	{
		title: 'a stream of 3 MB and two 307',
		config: () => ({method: 'post', data: wholeStreams['3 MB']?.()}),
		answers: (s, server) => [
			redirect(s.url(server, '/2'), 307),
			redirect(s.url(server, '/3'), 307),
			{},
		],
		watchBody: true,
		ends: 200,
	},
	{
		title: 'too many redirects of a stream',
		config: () => ({method: 'post', data: wholeStreams.strings?.(), maxRedirects: 1}),
		answers: (s, server) => [
			redirect(s.url(server, '/2'), 307),
			redirect(s.url(server, '/3'), 307),
		],
		watchBody: true,
		ends: 'ERR_FR_TOO_MANY_REDIRECTS',
	},
];
