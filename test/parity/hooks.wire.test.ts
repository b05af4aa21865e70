import http from 'node:http';
import {PassThrough, Readable} from 'node:stream';
import {AxiosHeaders, type AxiosRequestConfig} from 'axios';
import {anyEnd, parity, redirect, type Scenario} from '../support/parity.ts';

const verdicts: readonly [string, AxiosRequestConfig['validateStatus'] | null][] = [
	['null', null],
	['undefined', undefined],
	['a function that likes all', () => true],
	['a function that likes none', () => false],
	['a function of the status', (status) => status === 404],
];

const byVerdict = verdicts.flatMap(([title, validateStatus]) =>
	[200, 404, 500].map(
		(status): Scenario => ({
			title: `validateStatus that is ${title} and a ${status}`,
			request: (s) => ({url: s.url('a'), validateStatus}) as AxiosRequestConfig,
			answers: () => [{status, body: '{"a":1}'}],
			ends: anyEnd,
			by: 'any',
		}),
	),
);

const transforms: Scenario[] = [
	{
		title: 'a transformResponse that throws',
		request: (s) => ({
			url: s.url('a'),
			transformResponse: () => {
				throw new Error('odd');
			},
		}),
		ends: undefined,
		by: 'any',
	},
	{
		title: 'a transformResponse that throws on an error page',
		request: (s) => ({
			url: s.url('a'),
			transformResponse: () => {
				throw new Error('odd');
			},
		}),
		answers: () => [{status: 500}],
		ends: undefined,
		by: 'any',
	},
	{
		title: 'transformResponses in a row that see headers and status',
		request: (s) => ({
			url: s.url('a'),
			transformResponse: [
				(data: unknown, headers: AxiosHeaders, status: number) =>
					`${data} ${headers.get('x-a')} ${status}`,
				(data: unknown) => ({data}),
			] as AxiosRequestConfig['transformResponse'] & object,
		}),
		answers: () => [{headers: ['X-A', '1']}],
		ends: 200,
	},
	{
		title: 'JSON that is none, told loudly',
		request: (s) => ({
			url: s.url('a'),
			responseType: 'json',
			transitional: {silentJSONParsing: false},
		}),
		answers: () => [{body: '{"half":'}],
		ends: 'ERR_BAD_RESPONSE',
		by: 'any',
	},
	{
		title: 'JSON that is none on an error page, told loudly',
		request: (s) => ({
			url: s.url('a'),
			responseType: 'json',
			transitional: {silentJSONParsing: false},
		}),
		answers: () => [{status: 500, body: '<html>'}],
		ends: 'ERR_BAD_RESPONSE',
		by: 'any',
	},
	{
		title: 'JSON that is not to be parsed',
		request: (s) => ({url: s.url('a'), transitional: {forcedJSONParsing: false}}),
		answers: () => [{body: '{"a":1}'}],
		ends: 200,
	},
];

const early: Scenario[] = [
	{
		title: 'a 413 before a long body is there',
		request: (s) => ({url: s.url('a'), method: 'post', data: Buffer.alloc(100_000)}),
		answers: () => [{status: 413, early: true}],
		ends: 'ERR_BAD_REQUEST',
		looseBody: true,
	},
	{
		title: 'a redirect before a long body is there',
		request: (s) => ({url: s.url('a'), method: 'post', data: Buffer.alloc(100_000)}),
		answers: () => [{...redirect('/2', 303), early: true}, {}],
		ends: 200,
		looseBody: true,
	},
	{
		title: 'a stream that fails',
		request: (s) => ({
			url: s.url('a'),
			method: 'post',
			data: new Readable({
				read() {
					this.destroy(Object.assign(new Error('disk is gone'), {code: 'EIO'}));
				},
			}),
		}),
		answers: () => [],
		requests: anyEnd,
		ends: 'EIO',
		by: 'any',
		looseBody: true,
	},
	{
		title: 'a stream that has been read',
		request: (s) => {
			const data = new PassThrough();
			data.end('gone');
			return {url: s.url('a'), method: 'post', data, headers: {'Content-Length': '4'}};
		},
		ends: 200,
	},
	{
		title: 'a stream of text',
		request: (s) => ({
			url: s.url('a'),
			method: 'post',
			data: Readable.from(['Z\u00f6', '\u{1F600}']),
		}),
		ends: 200,
	},
	{
		title: 'a stream and a 303',
		request: (s) => ({url: s.url('a'), method: 'post', data: Readable.from(['one', 'two'])}),
		answers: (s) => [redirect(s.url('b'), 303), {}],
		ends: 200,
		by: 'any',
	},
	{
		title: 'a stream and three 307',
		request: (s) => ({url: s.url('a'), method: 'put', data: Readable.from(['one', 'two'])}),
		answers: (s) => [
			redirect(s.url('b'), 307),
			redirect(s.url('s'), 308),
			redirect(s.url('a', '/4'), 307),
			{},
		],
		ends: 200,
	},
];

const agents: Scenario[] = [
	{
		title: 'a transport of the app',
		request: (s) => ({
			url: s.url('a'),
			transport: {
				request(options: http.RequestOptions, respond: (response: http.IncomingMessage) => void) {
					s.notes.push(options.path, options.method);
					return http.request(options, respond);
				},
			},
		}),
		ends: 200,
		by: 'axios',
	},
	{
		title: 'progress of both ways',
		request: (s) => ({
			url: s.url('a'),
			method: 'post',
			data: 'some text',
			onUploadProgress: ({loaded, total, upload}) => s.notes.push({loaded, total, upload}),
			onDownloadProgress: ({loaded, total, download}) => s.notes.push({loaded, total, download}),
		}),
		ends: 200,
		by: 'axios',
	},
	{
		title: 'headers of AxiosHeaders',
		request: (s) => ({
			url: s.url('a'),
			headers: new AxiosHeaders({'X-A': '1'}).setAccept('text/x'),
		}),
		ends: 200,
	},
];

parity([...byVerdict, ...transforms, ...early, ...agents]);
