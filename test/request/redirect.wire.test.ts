import https from 'node:https';
import {Readable} from 'node:stream';
import axios, {type AxiosInstance, type AxiosRequestConfig} from 'axios';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import type {MtlsServer, RecordedRequest} from '../../src/testing/index.ts';
import {createFixture, type Fixture, failureOf, pages, redirect} from '../support/fixture.ts';
import {sample} from '../support/iterations.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

/** axios itself, with the same certificate: what our redirects are compared with. */
function plainAxios(): AxiosInstance {
	const {alice, pki} = fixture;
	const httpsAgent = new https.Agent({
		cert: alice.cert,
		key: alice.key,
		ca: pki.ca,
		keepAlive: true,
	});
	onTestFinished(() => httpsAgent.destroy());
	return axios.create({httpsAgent, proxy: false});
}

/** What reached the server, without the marks of one connection. */
function told({method, url, headers, body}: RecordedRequest) {
	const {host: _, connection: _own, ...rest} = headers;
	const text = JSON.stringify({method, url, headers: rest, body: body.toString()});
	return JSON.parse(text.replaceAll(/-{10,}[\w-]{10,}/g, 'BOUNDARY')) as unknown;
}

const statuses = [301, 302, 303, 307, 308];

/** Redirects `/old` to `/echo` with the status in the query. */
async function redirecting(): Promise<MtlsServer> {
	return fixture.server({
		handler: pages(
			Object.fromEntries(
				statuses.map((status) => [`/old?${status}`, redirect(`/echo?${status}`, status)]),
			),
		),
	});
}

describe('as axios does it', () => {
	const bodies: Record<string, () => AxiosRequestConfig> = {
		'no body': () => ({}),
		text: () => ({data: 'text', headers: {'Content-Type': 'text/plain', 'Content-Language': 'de'}}),
		JSON: () => ({data: {a: [1, 'ä']}}),
		'a buffer': () => ({data: Buffer.from([1, 2, 3])}),
		URLSearchParams: () => ({data: new URLSearchParams({a: 'b c'})}),
		'a stream': () => ({data: Readable.from(['one ', 'two'], {objectMode: false})}),
		'a form': () => ({data: {field: 'value'}, headers: {'Content-Type': 'multipart/form-data'}}),
	};
	const cases = statuses.flatMap((status) =>
		['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].flatMap((method) =>
			Object.keys(bodies)
				.filter((body) => body === 'no body' || !['GET', 'HEAD'].includes(method))
				// Node gives a DELETE no chunks, so that axios sends a stream without an end to see.
				.filter((body) => body !== 'a stream' || method !== 'DELETE')
				.map((body) => [status, method, body] as const),
		),
	);

	test.each(sample(cases))(
		'a redirect by %i, for %s with %s, is as in axios',
		async (status, method, body) => {
			const server = await redirecting();
			const seen = [];
			for (const client of [plainAxios(), fixture.client()]) {
				const before = server.requests.length;
				const config = {method, ...bodies[body]?.()};
				const response = await client.request({url: server.url(`/old?${status}`), ...config});
				seen.push({
					status: response.status,
					url: response.request.res.responseUrl,
					requests: server.requests.slice(before).map(told),
				});
			}
			expect(seen[1]).toEqual(seen[0]);
			expect(seen[1]).toMatchObject({status: 200, url: server.url(`/echo?${status}`)});
		},
		10_000,
	);

	test.each([
		['relative', 'next', '/dir/next'],
		['absolute path', '/next', '/next'],
		['query alone', '?q=2', '/dir/old?q=2'],
		['upwards', '../next', '/next'],
		['with a fragment', '/next#access_token=1', '/next'],
		['with spaces', '/a b', '/a%20b'],
		['in another alphabet', '/%C3%A4', '/%C3%A4'],
	])('a Location that is %s', async (_, location, expected) => {
		const server = await fixture.server({
			handler: pages({'/dir/old': redirect(location), [expected]: (_, response) => response.end()}),
		});
		const urls = [];
		for (const client of [plainAxios(), fixture.client()]) {
			const response = await client.get(server.url('/dir/old'));
			urls.push(response.request.res.responseUrl);
			expect(server.requests.at(-1)?.url).toBe(expected);
		}
		expect(urls[1]).toBe(urls[0]);
	});

	test.each([
		[0, 1, 302],
		[1, 1, 200],
		[1, 2, 'ERR_FR_TOO_MANY_REDIRECTS'],
		[3, 2, 200],
		[3, 3, 200],
		[3, 4, 'ERR_FR_TOO_MANY_REDIRECTS'],
		[1.5, 1, 200],
		[1.5, 2, 'ERR_FR_TOO_MANY_REDIRECTS'],
		[0.5, 1, 'ERR_FR_TOO_MANY_REDIRECTS'],
		[-1, 1, 'ERR_FR_TOO_MANY_REDIRECTS'],
		[Number.NaN, 21, 200],
		[Number.NaN, 22, 'ERR_FR_TOO_MANY_REDIRECTS'],
		[Number.POSITIVE_INFINITY, 23, 200],
		[undefined, 21, 200],
		[undefined, 22, 'ERR_FR_TOO_MANY_REDIRECTS'],
	])(
		'the limit maxRedirects %s with %i redirects ends in %s',
		async (maxRedirects, count, expected) => {
			const server = await fixture.server({
				handler(request, response) {
					const left = Number(request.url?.slice(1));
					if (left === 0) response.end('there');
					else redirect(`/${left - 1}`)(request, response);
					return true;
				},
			});
			const config = {
				validateStatus: () => true,
				...(maxRedirects !== undefined && {maxRedirects}),
			};
			const outcomes = [];
			for (const client of [plainAxios(), fixture.client()]) {
				const before = server.requests.length;
				const outcome = await client.get(server.url(`/${count}`), config).then(
					({status}) => status,
					({code, message}) => ({code, message}),
				);
				outcomes.push({outcome, requests: server.requests.length - before});
			}
			expect(outcomes[1]).toEqual(outcomes[0]);
			expect(outcomes[1]?.outcome).toEqual(
				typeof expected === 'number'
					? expected
					: {code: expected, message: 'Maximum number of redirects exceeded'},
			);
		},
	);

	test('`auth` is sent again on the same origin', async () => {
		const server = await redirecting();
		const auth = {username: 'u', password: 'p'};
		for (const client of [plainAxios(), fixture.client()]) {
			const {data} = await client.get(server.url('/old?302'), {auth});
			expect(data.headers.authorization).toBe(`Basic ${Buffer.from('u:p').toString('base64')}`);
		}
	});

	test('beforeRedirect sees the same as in axios, and its changes are sent', async () => {
		const server = await redirecting();
		const seen: unknown[] = [];
		for (const client of [plainAxios(), fixture.client()]) {
			const {data} = await client.post(server.url('/old?307'), 'body', {
				headers: {'X-Own': '1'},
				beforeRedirect(options, answer, request) {
					const {protocol, hostname, port, path, pathname, search, hash, href, method} = options;
					const {location} = answer.headers;
					const fields = {protocol, hostname, port, path, pathname, search, hash, href, method};
					const {url, method: before, headers = {}} = request ?? {};
					const {Host, 'X-Own': own} = headers;
					seen.push({fields, status: answer.statusCode, location, url, before, Host, own});
					options.headers['X-Added'] = 'by the callback';
					options.path += '&changed';
				},
			});
			expect(data).toMatchObject({
				method: 'POST',
				url: '/echo?307&changed',
				body: 'body',
				headers: {'x-added': 'by the callback', 'x-own': '1'},
			});
		}
		expect(seen).toHaveLength(2);
		expect(seen[1]).toEqual(seen[0]);
	});

	test('an error that beforeRedirect throws fails the request, and nothing more is sent', async () => {
		const server = await redirecting();
		const reason = new Error('not there');
		for (const client of [plainAxios(), fixture.client()]) {
			const before = server.requests.length;
			const error = await failureOf(
				client.get(server.url('/old?302'), {
					beforeRedirect() {
						throw reason;
					},
				}),
			);
			expect(error).toMatchObject({
				code: 'ERR_FR_REDIRECTION_FAILURE',
				message: 'Redirected request failed: not there',
			});
			expect(server.requests).toHaveLength(before + 1);
		}
	});

	test.each([
		['https://', 'Redirected request failed: Invalid URL'],
		['ftp://localhost/', 'Redirected request failed: Unsupported protocol ftp:'],
	])('the Location %s fails the request', async (location, message) => {
		const server = await fixture.server({handler: pages({'/': redirect(location)})});
		for (const client of [plainAxios(), fixture.client()]) {
			const error = await failureOf(client.get(server.url()));
			expect(error).toMatchObject({code: 'ERR_FR_REDIRECTION_FAILURE', message});
		}
		expect(server.requests).toHaveLength(2);
	});
});
