/*
 * Seen: `withMtls(require('axios').create()).post(url307, 'x=1', {responseType: 'stream',
 * beforeRedirect() {}})` sent the second hop without User-Agent and Accept-Encoding, and in chunks. Why:
 * the headers of a CommonJS app are of another class, so that axios's adapter wrote what it adds into a
 * copy, which the next hop did not know. The same held for a copy with the jar's cookies or a token in
 * it. Now what a hop has sent is what the next begins with, whichever copy of axios the app has.
 */
import {createRequire} from 'node:module';
import {Readable} from 'node:stream';
import esm, {type AxiosInstance, type AxiosRequestConfig} from 'axios';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {withMtls} from '../../src/index.ts';
import {type ParityServers, redirect, startParityServers} from '../support/parity-server.ts';

const commonJs = createRequire(import.meta.url)('axios') as unknown as typeof esm;

let stage: ParityServers;
beforeAll(async () => {
	stage = await startParityServers();
});
afterAll(() => stage[Symbol.asyncDispose]());

const bodies: readonly [string, () => unknown][] = [
	['a string', () => 'x=1'],
	['a buffer', () => Buffer.from('x=1')],
	['an object', () => ({x: 1})],
	['a stream', () => Readable.from(['x=', '1'])],
	['a form', () => ({x: 1})],
	[
		'FormData',
		() => {
			const form = new FormData();
			form.append('x', '1');
			return form;
		},
	],
];

async function sent(client: AxiosInstance, config: AxiosRequestConfig) {
	stage.requests.length = 0;
	stage.answers = [redirect('/2', 307), redirect('/3', 308), {}];
	const {data, config: seen} = await client.request({url: stage.url('a'), ...config});
	if (data instanceof Readable) for await (const _ of data);
	// The boundary of a form is chosen by chance.
	const text = JSON.stringify({requests: stage.requests, headers: seen.headers});
	return JSON.parse(
		text.replaceAll(/-{10,}\w{20,}|axios-[\d.]+-boundary-[\w-]{25}/g, 'BOUNDARY'),
	) as unknown;
}

const modules: readonly (readonly [name: string, axios: typeof esm])[] = [
	['an ECMAScript module', esm],
	['a CommonJS module', commonJs],
];

// BESIDE puts another one in the place of the module alone; to compare, both have to be of one version.
describe.each(process.env.BESIDE ? modules.slice(0, 1) : modules)(
	'with axios as %s',
	(_, axios) => {
		const jars = [
			['without a jar', {}],
			['with a jar', {jar: true}],
		] as const;
		const callbacks = [
			['no beforeRedirect', {}],
			['a beforeRedirect', {beforeRedirect() {}}],
		] as const;
		const answers = [
			['read', {}],
			['streamed', {responseType: 'stream'}],
		] as const;
		const cases = bodies.flatMap(([body, data]) =>
			jars.flatMap(([jar, options]) =>
				callbacks.flatMap(([callback, hook]) =>
					answers.map(
						([answer, config]) =>
							[body, jar, callback, answer, {data, options, hook, config}] as const,
					),
				),
			),
		);

		test.each(cases)(
			'the request %s %s, with %s and a response that is %s, is on every hop as by axios alone',
			async (body, _jar, _callback, _answer, {data, options, hook, config}) => {
				const request = () => ({
					method: 'post',
					data: data(),
					headers: {
						'X-Own': '1',
						'X-Off': false as unknown as string,
						...(body === 'a form' && {'Content-Type': 'multipart/form-data'}),
					},
					...hook,
					...config,
				});
				const client = withMtls(axios.create(), {...options, logger: false});
				const theirs = await sent(axios.create(), request());
				expect(await sent(client as AxiosInstance, request())).toEqual(theirs);
			},
		);

		test('headers that are switched off stay so on every hop', async () => {
			const off = false as unknown as string;
			for (const responseType of ['text', 'stream'] as const) {
				const config: AxiosRequestConfig = {
					headers: {'User-Agent': off, 'Accept-Encoding': off, Accept: off},
					responseType,
				};
				const theirs = await sent(axios.create(), config);
				const client = withMtls(axios.create(), {logger: false});
				expect(await sent(client as AxiosInstance, config)).toEqual(theirs);
				expect(stage.requests.map(({headers}) => headers.map(([name]) => name))).toEqual(
					Array.from({length: 3}, () => ['connection', 'host']),
				);
			}
		});

		test('a token and cookies of the jar are on each hop, and not in the headers that the app sees', async () => {
			for (const responseType of ['text', 'stream'] as const) {
				const client = withMtls(axios.create({xsrfCookieName: 'token'}), {
					jar: true,
					logger: false,
				});
				client.mtls.jar?.setCookieSync('token=abc', stage.url('a'));
				stage.requests.length = 0;
				stage.answers = [redirect('/2'), redirect('/3'), {}];
				const seen: string[][] = [];
				const response = await client.get(stage.url('a'), {
					responseType,
					beforeRedirect: ({headers}) => seen.push(Object.keys(headers)),
				});
				if (response.data instanceof Readable) for await (const _ of response.data);
				expect(stage.requests).toHaveLength(3);
				for (const {headers} of stage.requests) {
					expect(headers).toEqual(
						expect.arrayContaining([
							['Cookie', 'token=abc'],
							['X-XSRF-TOKEN', 'abc'],
							['User-Agent', `axios/${axios.VERSION}`],
							['Accept-Encoding', 'gzip, compress, deflate, br'],
						]),
					);
				}
				expect(seen).toEqual([
					['Accept', 'User-Agent', 'Accept-Encoding'],
					['Accept', 'User-Agent', 'Accept-Encoding'],
				]);
				expect(Object.keys(response.config.headers)).not.toContain('Cookie');
				expect(Object.keys(response.config.headers)).not.toContain('X-XSRF-TOKEN');
			}
		});
	},
);
