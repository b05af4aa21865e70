/*
 * Seen: on a deep stack `error.stack` said the frames of the caller twice. Why: axios adds them to what its
 * adapter throws unless they are there; of an error made in an async function V8 has put some of them
 * there, but no more than ten frames in all. Now ours end where axios begins.
 */
import axios, {AxiosError, type AxiosRequestConfig, CanceledError} from 'axios';
import {describe, expect, onTestFinished, test} from 'vitest';
import {createAdapter, createClient} from '../../src/index.ts';
import {createFixture, exchanges} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';

async function deep<T>(depth: number, ask: () => Promise<T>): Promise<T> {
	return depth === 0 ? await ask() : await deep(depth - 1, ask);
}

/** Frames of `error.stack`, but for what axios inlines of a cause. */
async function framesOf(request: () => Promise<unknown>, depth: number): Promise<string[]> {
	const caller = async () => await request();
	const error: unknown = await deep(depth, caller).catch((reason) => reason);
	if (!(error instanceof Error)) throw new Error('it did not fail');
	const [head = '', ...causes] = String(error.stack).split('\nCaused by: ');
	expect(causes.join()).not.toMatch(/\bcaller\b/);
	return head.split('\n').filter((line) => /^\s+at /.test(line));
}

/** From where axios is asked, as far as V8 has kept it. */
function callerOf(frames: readonly string[]): readonly string[] {
	const asked = frames.slice(frames.findIndex((line) => /at Axios\.request /.test(line)));
	// Where there was a turn of the event loop in between it is one of the ten.
	return asked.filter((line) => !line.includes('processTicksAndRejections')).slice(0, 9);
}

const failures: readonly [string, (origin: string) => AxiosRequestConfig][] = [
	['an answer of 500', (url) => ({url: `${url}/500`})],
	['a stream of 500', (url) => ({url: `${url}/500`, responseType: 'stream'})],
	['too many redirects', (url) => ({url: `${url}/302`, maxRedirects: 1})],
	['a hang-up', (url) => ({url: `${url}/end`})],
	['a refused port', () => ({url: 'http://127.0.0.1:1/'})],
];

describe.each(exchanges)('over %s', (_, options) => {
	test.each(
		failures.flatMap(([title, config]) =>
			[0, 3, 12].map((depth) => [title, depth, config] as const),
		),
	)(
		'the stack of %s, %i calls deep, names the caller as often as in axios',
		async (_title, depth, config) => {
			const {origin} = await startPlainHttp((request, response) => {
				if (request.url === '/500') response.writeHead(500).end('no');
				else if (request.url === '/302') response.writeHead(302, {location: '/302'}).end();
				else response.destroy();
			});
			const frames: string[][] = [];
			for (const adapter of [axios.getAdapter('http'), createAdapter()]) {
				const request = () => axios.request({...options, ...config(origin), adapter});
				frames.push(await framesOf(request, depth));
			}
			const [theirs = [], ours = []] = frames;
			expect(callerOf(ours)).toEqual(callerOf(theirs));
			for (const lines of frames) {
				expect(lines.filter((line) => /\bcaller\b/.test(line))).toHaveLength(1);
			}
		},
	);
});

test('the stack of a typed error names the caller once', async () => {
	const fixture = await createFixture();
	const server = await fixture.server({credential: await fixture.pki.server({expired: true})});
	const client = fixture.client();
	for (const depth of [0, 3, 12]) {
		const frames = await framesOf(() => client.get(server.url()), depth);
		expect(frames.filter((line) => /\bcaller\b/.test(line))).toHaveLength(1);
	}
});

test.each([
	['an AxiosError', () => new AxiosError('MARK-frozen', 'ERR_APP')],
	['a cancellation', () => new CanceledError('MARK-frozen')],
	['an error with the config of a request', () => Object.assign(new Error('x'), {config: {}})],
	[
		'an error of a URL',
		() => Object.assign(new Error('x'), {code: 'ERR_INVALID_URL', input: 'x:'}),
	],
])('%s that an app has frozen is what the request rejects with', async (_, make) => {
	const {origin} = await startPlainHttp((_request, response) => response.end('ok'));
	const frozen = Object.freeze(make());
	const fail = () => {
		throw frozen;
	};
	for (const options of [
		{transformRequest: fail},
		{transformResponse: fail},
		{validateStatus: fail},
		{adapter: async () => fail()},
	]) {
		const client = createClient({logger: false, proxy: false});
		onTestFinished(() => client.mtls.close());
		expect(await client.get(origin, options).catch((error) => error)).toBe(frozen);
	}
});
