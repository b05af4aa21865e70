import {Readable} from 'node:stream';
import axios, {type AxiosRequestConfig} from 'axios';
import {sample} from '../support/iterations.ts';
import {parity, redirect, type Scenario, type Stage} from '../support/parity.ts';

const silence = {raw: ''} as const;
const stalled = {raw: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome'} as const;
const timeout = 150;
/** For what is to happen before the time is up, on a machine that is busy. */
const longTimeout = 800;

const timeouts: Scenario[] = [
	{title: 'no answer', config: {}, answers: [silence], ends: 'ECONNABORTED'},
	{
		title: 'no answer, without redirects',
		config: {maxRedirects: 0},
		answers: [silence],
		ends: 'ECONNABORTED',
	},
	{
		title: 'no answer to a POST',
		config: {method: 'post', data: {a: 1}},
		answers: [silence],
		ends: 'ECONNABORTED',
	},
	{
		title: 'no answer, and words of the app',
		config: {timeoutErrorMessage: 'too slow'},
		answers: [silence],
		ends: 'ECONNABORTED',
	},
	{
		title: 'no answer, and a clear code',
		config: {transitional: {clarifyTimeoutError: true}},
		answers: [silence],
		ends: 'ETIMEDOUT',
	},
	{
		title: 'no answer, and a timeout of text',
		config: {timeout: '150' as unknown as number},
		answers: [silence],
		ends: 'ECONNABORTED',
	},
	{
		title: 'no answer, and a timeout of number and text',
		config: {timeout: '150ms' as unknown as number},
		answers: [silence],
		ends: 'ECONNABORTED',
	},
	{
		title: 'half a head',
		config: {},
		answers: [{raw: 'HTTP/1.1 200 OK\r\nContent-'}],
		ends: 'ECONNABORTED',
	},
	{
		title: 'an interim answer and no other',
		config: {},
		answers: [{raw: 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'}],
		ends: 'ECONNABORTED',
	},
	{
		title: 'a body that stalls',
		config: {timeout: longTimeout},
		answers: [stalled],
		ends: 'ERR_BAD_RESPONSE',
	},
	{
		title: 'a body that stalls, without redirects',
		config: {timeout: longTimeout, maxRedirects: 0},
		answers: [stalled],
		ends: 'ECONNABORTED',
	},
	{
		title: 'a gzip body that stalls',
		config: {timeout: longTimeout},
		answers: [
			{raw: 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n\x1f\x8b'},
		],
		ends: 'ECONNRESET',
	},
	{
		title: 'a gzip body that stalls, without redirects',
		config: {timeout: longTimeout, maxRedirects: 0},
		answers: [
			{raw: 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n\x1f\x8b'},
		],
		ends: 'ECONNABORTED',
	},
	{
		title: 'an error page that stalls',
		config: {timeout: longTimeout},
		answers: [{raw: 'HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nsome'}],
		ends: 'ERR_BAD_RESPONSE',
	},
	{
		title: 'a stalled body for a stream',
		config: {timeout: longTimeout, responseType: 'stream' as const},
		answers: [stalled],
		ends: 200,
	},
	{
		title: 'no answer after a redirect',
		config: {timeout: longTimeout},
		answers: [redirect('/2'), silence],
		ends: 'ECONNABORTED',
	},
	{
		title: 'a body that stalls after a redirect',
		config: {timeout: longTimeout},
		answers: [redirect('/2'), stalled],
		ends: 'ERR_BAD_RESPONSE',
	},
	{
		title: 'a body that takes longer, without a pause as long',
		config: {timeout: longTimeout},
		answers: [
			{raw: ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', ...'slowly'.slice(1)], everyMs: 200},
		],
		ends: 200,
	},
	{
		title: 'a body that takes longer, without redirects',
		config: {timeout: longTimeout, maxRedirects: 0},
		answers: [
			{raw: ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', ...'slowly'.slice(1)], everyMs: 200},
		],
		ends: 200,
	},
	{
		title: 'a head that takes longer, bit by bit',
		config: {timeout: 250},
		answers: [{raw: [...'HTTP/1.1 200 OK'], everyMs: 40}],
		ends: 'ECONNABORTED',
	},
	{title: 'an answer in time', config: {timeout: 10_000}, answers: [{}], ends: 200},
	{
		title: 'a timeout that is no number',
		config: {timeout: 'soon' as unknown as number},
		answers: [],
		ends: 'ERR_BAD_OPTION_VALUE',
	},
].map(
	({title, config, answers, ends}): Scenario => ({
		title: `a timeout: ${title}`,
		request: (s) => ({url: s.url('a', '/t'), timeout, ...config}),
		answers: () => answers,
		ends,
		by: 'any',
	}),
);

type Way = (cancel: (act: () => void) => void) => AxiosRequestConfig;
const ways: Readonly<Record<string, Way>> = {
	'a signal': (arm) => {
		const controller = new AbortController();
		arm(() => controller.abort());
		return {signal: controller.signal};
	},
	'a signal with a reason': (arm) => {
		const controller = new AbortController();
		arm(() => controller.abort(new Error('changed my mind')));
		return {signal: controller.signal};
	},
	'a token': (arm) => {
		const {token, cancel} = axios.CancelToken.source();
		arm(() => cancel());
		return {cancelToken: token};
	},
	'a token with words': (arm) => {
		const {token, cancel} = axios.CancelToken.source();
		arm(() => cancel('not wanted any more'));
		return {cancelToken: token};
	},
};

async function* endless() {
	yield 'the first of it';
	await new Promise(() => {});
}

function byServer(s: Stage, way: Way): AxiosRequestConfig {
	return way((act) => {
		s.onCancel = act;
	});
}

const cancellations = Object.entries(ways).flatMap(([name, way]): Scenario[] => [
	{
		title: `${name} before the request`,
		request: (s) => ({url: s.url('a'), ...way((act) => act())}),
		answers: () => [],
		ends: 'ERR_CANCELED',
		by: 'any',
	},
	{
		title: `${name} just after the call`,
		request: (s) => ({url: s.url('a'), ...way((act) => queueMicrotask(act))}),
		answers: () => [],
		ends: 'ERR_CANCELED',
		by: 'any',
	},
	{
		title: `${name} while nothing is answered`,
		request: (s) => ({url: s.url('a'), ...byServer(s, way)}),
		answers: () => [{raw: '', next: 'cancel'}],
		ends: 'ERR_CANCELED',
		by: 'any',
	},
	{
		title: `${name} while the body comes`,
		request: (s) => ({url: s.url('a'), ...byServer(s, way)}),
		answers: () => [{...stalled, next: 'cancel'}],
		ends: 'ERR_CANCELED',
		by: 'any',
	},
	{
		title: `${name} while the body comes over TLS`,
		request: (s) => ({url: s.url('s'), ...byServer(s, way)}),
		answers: () => [{...stalled, next: 'cancel'}],
		ends: 'ERR_CANCELED',
		by: 'any',
	},
	{
		title: `${name} while the second hop is silent`,
		request: (s) => ({url: s.url('a'), ...byServer(s, way)}),
		answers: (s) => [redirect(s.url('b')), {raw: '', next: 'cancel'}],
		ends: 'ERR_CANCELED',
		by: 'any',
	},
	{
		title: `${name} while a body is sent`,
		request: (s) => ({
			url: s.url('a'),
			method: 'post',
			data: Buffer.alloc(8_000_000),
			...byServer(s, way),
		}),
		answers: () => [{raw: '', early: true, next: 'cancel'}],
		ends: 'ERR_CANCELED',
		by: 'any',
		looseBody: true,
	},
	{
		title: `${name} while a stream is sent`,
		request: (s) => ({
			url: s.url('a'),
			method: 'post',
			data: Readable.from(endless()),
			...byServer(s, way),
		}),
		answers: () => [{raw: '', early: true, next: 'cancel'}],
		ends: 'ERR_CANCELED',
		by: 'any',
		looseBody: true,
	},
	{
		title: `${name} in transformResponse`,
		request: (s) => {
			let act = () => {};
			const config = way((given) => {
				act = given;
			});
			return {
				url: s.url('a'),
				...config,
				transformResponse: (data: string) => {
					act();
					return data;
				},
			};
		},
		ends: 200,
	},
]);

// Each waits for real time.
parity(sample([...timeouts, ...cancellations], 2));
