import {constants} from 'node:http2';
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {gzipSync} from 'node:zlib';
import {beforeAll, describe, expect, test} from 'vitest';
import {expectCanceled, ways} from '../support/cancelling.ts';
import {createFixture, type Fixture, failureOf} from '../support/fixture.ts';
import {type H2Request, leadsTo, resets, respondWith, startH2Server} from '../support/h2-server.ts';
import {iterations} from '../support/iterations.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const http2 = {httpVersion: 2} as const;
const {NGHTTP2_CANCEL, NGHTTP2_NO_ERROR} = constants;

/** Five megabytes that differ, so that a chunk out of place is seen. */
const megabytes = iterations({usual: 5, short: 1});
const large = Buffer.alloc(
	megabytes * 1024 * 1024,
	Buffer.from(Array.from({length: 251}, (_, n) => n)),
);

function download({stream}: H2Request): void {
	stream.respond({':status': 200});
	stream.end(large);
}

/** A promise that a page keeps. */
function signal<T = void>() {
	let resolve: (value: T) => void = () => {};
	const promise = new Promise<T>((settle) => {
		resolve = settle;
	});
	return {promise, resolve: (value: T) => resolve(value)};
}

describe('bodies', () => {
	test(`bodies of ${megabytes} MB are streamed both ways, ten at a time on one connection`, async () => {
		const server = await startH2Server(fixture.pki, {
			pages: {'/down': download},
			// In MB: with Node's own 10 this server would refuse streams while others wait to be sent.
			maxSessionMemory: 100,
		});
		const client = fixture.client({...http2, maxRedirects: 0});

		const [up, down] = await Promise.all([
			Promise.all(
				Array.from({length: 5}, (_, n) =>
					client.post(server.url('/up'), n % 2 ? Readable.from([large]) : large),
				),
			),
			Promise.all(
				Array.from({length: 5}, async () => {
					const {data} = await client.get(server.url('/down'), {responseType: 'stream'});
					return buffer(data);
				}),
			),
		]);

		expect(up.map(({status}) => status)).toEqual([200, 200, 200, 200, 200]);
		for (const {path, body} of server.requests) {
			if (path === '/up') expect(body.equals(large)).toBe(true);
		}
		expect(down.every((body) => body.equals(large))).toBe(true);
		expect(server.connections).toHaveLength(1);
	});

	test('a form is written by axios, and read by the server', async () => {
		const server = await startH2Server(fixture.pki);
		const form = new FormData();
		form.set('name', 'alice');
		form.set('file', new Blob(['content']), 'a.txt');

		const {data} = await fixture.client(http2).post(server.url(), form);

		expect(data.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
		expect(data.body).toContain('alice');
		expect(data.body).toContain('content');
	});

	test('progress and maxRate are axios’s as ever', async () => {
		const server = await startH2Server(fixture.pki);
		const seen = {up: 0, down: 0};
		await fixture.client(http2).post(server.url(), Buffer.alloc(10_000, 'x'), {
			maxRate: 10_000_000,
			onUploadProgress: ({loaded}) => {
				seen.up = loaded;
			},
			onDownloadProgress: ({loaded}) => {
				seen.down = loaded;
			},
		});
		expect(seen.up).toBe(10_000);
		expect(seen.down).toBeGreaterThan(10_000);
	});

	test('an encoded answer is decoded', async () => {
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/': ({stream}) => {
					stream.respond({':status': 200, 'content-encoding': 'gzip'});
					stream.end(gzipSync('packed'));
				},
			},
		});
		const {data, headers} = await fixture.client(http2).get(server.url());
		expect(data).toBe('packed');
		expect(headers).not.toHaveProperty('content-encoding');
	});

	test('a DELETE carries a body, which axios loses', async () => {
		const server = await startH2Server(fixture.pki);
		const {data} = await fixture.client(http2).delete(server.url(), {data: 'gone'});
		expect(data).toMatchObject({method: 'DELETE', body: 'gone'});
	});

	test('a streamed upload is sent once more after a 307', async () => {
		const server = await startH2Server(fixture.pki, {
			pages: {'/from': leadsTo('/to', 307)},
		});
		const {data} = await fixture.client(http2).post(server.url('/from'), Readable.from(['a', 'b']));
		expect(data).toMatchObject({path: '/to', body: 'ab'});
		expect(server.connections).toHaveLength(1);
	});

	test.each([
		['reset', ({stream}: H2Request) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
		['given up without a reason', ({stream}: H2Request) => stream.close(NGHTTP2_NO_ERROR)],
		['cut off with the connection', ({session}: H2Request) => session.destroy()],
	])('an answer that is %s is no answer', async (_, end) => {
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/': (request) => {
					request.stream.respond({':status': 200, 'content-length': 100});
					request.stream.write('half', () => end(request));
				},
			},
		});

		const error = await failureOf(fixture.client(http2).get(server.url()));

		expect(error.response?.status).toBe(200);
		expect(error.code).toMatch(/^(ERR_HTTP2_STREAM_ERROR|ERR_BAD_RESPONSE)$/);
	});
});

test('a streamed response has the trailers of the server at its end', async () => {
	const server = await startH2Server(fixture.pki, {
		pages: {
			'/': ({stream, ended}) =>
				ended.then(() => {
					stream.respond({':status': 200}, {waitForTrailers: true});
					const send = () => stream.sendTrailers({'x-checksum': 'abc'});
					// Node's own listener, which is there by now, would send others.
					stream.removeAllListeners('wantTrailers').once('wantTrailers', send);
					stream.end('body');
				}),
		},
	});
	const {data} = await fixture.client(http2).get(server.url(), {responseType: 'stream'});
	expect(String(await buffer(data))).toBe('body');
	expect(data).toMatchObject({
		complete: true,
		httpVersion: '2.0',
		trailers: {'x-checksum': 'abc'},
		rawTrailers: ['x-checksum', 'abc'],
	});
});

test('a stream is uploaded through a proxy while its response is read', async () => {
	const server = await startH2Server(fixture.pki, {
		pages: {
			'/echo': ({stream}) => {
				stream.respond({':status': 200});
				stream.pipe(stream);
			},
		},
	});
	const proxy = await fixture.proxy();
	const client = fixture.client({...http2, proxy: proxy.url, maxRedirects: 0});
	const source = Readable.from([large]);
	const {data} = await client.post(server.url('/echo'), source, {responseType: 'stream'});
	expect((await buffer(data)).equals(large)).toBe(true);
	expect(proxy.tunnels).toHaveLength(1);
});

describe.each(ways)('cancelled by %s', (_, way) => {
	test('a request that is cancelled before the session is connected is not sent', async () => {
		const server = await startH2Server(fixture.pki);
		const {config, cancel} = way();
		const client = fixture.client(http2);
		const request = client.get(server.url(), config);
		cancel();
		await expectCanceled(request);
		await client.mtls.close();
		expect(server.requests).toEqual([]);
	});

	test('a request that is cancelled before the session is connected leaves it to the others', async () => {
		const server = await startH2Server(fixture.pki);
		const {config, cancel} = way();
		const client = fixture.client(http2);
		const [gone, stays] = [client.get(server.url('/gone'), config), client.get(server.url('/'))];
		cancel();
		await expectCanceled(gone);
		expect((await stays).status).toBe(200);
		expect(server.requests.map(({path}) => path)).toEqual(['/']);
		expect(server.connections).toHaveLength(1);
	});

	test('a request that is cancelled before its response has its stream reset, and the session goes on', async () => {
		const {config, cancel} = way();
		const asked = signal<H2Request>();
		const server = await startH2Server(fixture.pki, {pages: {'/silent': asked.resolve}});
		const client = fixture.client(http2);
		const request = client.get(server.url('/silent'), config);
		const {closed} = await asked.promise;
		cancel();
		await expectCanceled(request);
		expect(await closed).toBe(NGHTTP2_CANCEL);
		expect((await client.get(server.url())).status).toBe(200);
		expect(server.connections).toHaveLength(1);
	});

	test('a request that is cancelled in the middle of a streamed response has its stream reset', async () => {
		const {config, cancel} = way();
		const asked = signal<H2Request>();
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/': (request) => {
					request.stream.respond({':status': 200});
					request.stream.write('some');
					asked.resolve(request);
				},
			},
		});
		const {data} = await fixture
			.client(http2)
			.get(server.url(), {...config, responseType: 'stream'});
		const read = buffer(data);
		const {closed} = await asked.promise;
		cancel();
		await expect(read).rejects.toMatchObject({code: 'ERR_CANCELED'});
		expect(await closed).toBe(NGHTTP2_CANCEL);
	});
});

test('a streamed answer that the app destroys resets its stream alone', async () => {
	const asked = signal<H2Request>();
	const server = await startH2Server(fixture.pki, {
		pages: {
			'/endless': (request) => {
				request.stream.respond({':status': 200});
				request.stream.write('some');
				asked.resolve(request);
			},
		},
	});
	const client = fixture.client(http2);
	const {data} = await client.get(server.url('/endless'), {responseType: 'stream'});
	data.destroy();
	expect(await (await asked.promise).closed).toBe(NGHTTP2_CANCEL);
	await client.get(server.url());
	expect(server.connections).toHaveLength(1);
});

describe('too late', () => {
	// The handshake of a busy machine fits in.
	const timeout = 300;
	const timedOut = {
		code: 'ECONNABORTED',
		message: expect.stringContaining(`timeout of ${timeout}ms exceeded: `),
	};

	test('a response that does not come times out, and its stream is reset', async () => {
		const asked = signal<H2Request>();
		const server = await startH2Server(fixture.pki, {pages: {'/silent': asked.resolve}});
		const client = fixture.client(http2);

		expect(await failureOf(client.get(server.url('/silent'), {timeout}))).toMatchObject(timedOut);

		const {closed} = await asked.promise;
		// The connection goes too: nobody else is on it, and it may be dead.
		await closed;
		expect((await client.get(server.url())).status).toBe(200);
	});

	test('a stream that times out does not affect the others', async () => {
		const released = signal<H2Request>();
		const server = await startH2Server(fixture.pki, {
			pages: {'/silent': () => {}, '/slow': released.resolve},
		});
		const client = fixture.client(http2);
		const slow = client.get(server.url('/slow'));
		const request = await released.promise;

		expect(await failureOf(client.get(server.url('/silent'), {timeout}))).toMatchObject(timedOut);
		respondWith(request);

		expect((await slow).status).toBe(200);
	});

	test.each([
		['without redirects', {maxRedirects: 0}, timedOut],
		['with them', {}, {message: expect.stringContaining('aborted'), status: 200}],
	])('a body that pauses times out, %s', async (_, config, expected) => {
		const asked = signal<H2Request>();
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/': (request) => {
					request.stream.respond({':status': 200});
					request.stream.write('some');
					asked.resolve(request);
				},
			},
		});
		const client = fixture.client({...http2, timeout, ...config});
		expect(await failureOf(client.get(server.url()))).toMatchObject(expected);
		await (await asked.promise).closed;
	});

	test('a first byte after timeouts.firstByteMs is too late', async () => {
		const server = await startH2Server(fixture.pki, {pages: {'/': () => {}}});
		const client = fixture.client({...http2, timeouts: {firstByteMs: 50}});
		expect(await failureOf(client.get(server.url()))).toMatchObject({
			code: 'ERR_MTLS_FIRST_BYTE_TIMEOUT',
		});
	});

	test('a whole response after timeouts.requestMs is too late', async () => {
		const server = await startH2Server(fixture.pki, {pages: {'/': () => {}}});
		const client = fixture.client({...http2, timeouts: {requestMs: 50}});
		expect(await failureOf(client.get(server.url()))).toMatchObject({
			code: 'ERR_MTLS_REQUEST_TIMEOUT',
		});
	});
});

describe('a request that the server has not begun with', () => {
	test.each(['get', 'post'] as const)(
		'a %s that the server refuses to begin is sent once more on a new session',
		async (method) => {
			let refusals = 0;
			const server = await startH2Server(fixture.pki, {
				pages: {
					'/': (request) => {
						refusals += 1;
						if (refusals === 1) resets('NGHTTP2_REFUSED_STREAM')(request);
						else void request.ended.then(() => respondWith(request));
					},
				},
			});
			const client = fixture.client(http2);

			const {data} = await client.request({url: server.url(), method, data: 'body'});

			expect(data).toMatchObject({method: method.toUpperCase(), body: 'body'});
			expect(server.requests).toHaveLength(2);
			expect(server.sessions).toHaveLength(2);
		},
	);

	// Of four requests the server has begun with the first, and says so.
	async function goAway(code: number) {
		const asked: H2Request[] = [];
		const all = signal();
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/work': (request) => {
					if (request.session !== server.sessions[0]) {
						void request.ended.then(() => respondWith(request));
						return;
					}
					asked.push(request);
					if (asked.length === 4) all.resolve();
				},
			},
		});
		const client = fixture.client(http2);
		const posts = Array.from({length: 4}, (_, n) => client.post(server.url('/work'), `${n}`));
		await all.promise;
		const [first] = asked;
		if (first === undefined) throw new Error('no request');
		await first.ended;
		server.sessions[0]?.goaway(code, first.stream.id);
		return {server, first, begun: first.body.toString(), posts};
	}

	test('a request above the last stream of a GOAWAY is sent once more', async () => {
		const {server, first, posts} = await goAway(constants.NGHTTP2_NO_ERROR);
		await expect.poll(() => server.requests.length).toBe(7);
		respondWith(first);

		const responses = await Promise.all(posts);

		expect(responses.map(({data}) => data.body)).toEqual(['0', '1', '2', '3']);
		expect(server.requests).toHaveLength(7);
		expect(server.sessions).toHaveLength(2);
	});

	test('a request above the last stream of a GOAWAY with an error is sent once more, and those begun fail', async () => {
		const {server, begun, posts} = await goAway(constants.NGHTTP2_ENHANCE_YOUR_CALM);

		const results = await Promise.allSettled(posts);

		for (const [n, result] of results.entries()) {
			if (String(n) !== begun) expect(result).toMatchObject({value: {data: {body: String(n)}}});
			else expect(result).toMatchObject({reason: {code: 'ERR_HTTP2_SESSION_ERROR'}});
		}
		expect(server.requests).toHaveLength(7);
		expect(server.sessions).toHaveLength(2);
	});

	test('a request below the last stream of a GOAWAY is finished, and a POST that is lost is not sent again', async () => {
		const asked = signal<H2Request>();
		const server = await startH2Server(fixture.pki, {pages: {'/work': asked.resolve}});
		const client = fixture.client(http2);
		const post = client.post(server.url('/work'), 'body');
		const request = await asked.promise;
		await request.ended;
		server.sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR, request.stream.id ?? 0);

		// A later one is on a session of its own; the first is still there.
		expect((await client.get(server.url())).status).toBe(200);
		expect(server.sessions).toHaveLength(2);
		respondWith(request);
		expect((await post).data.body).toBe('body');

		const lost = client.post(server.url('/work'), 'body');
		await expect.poll(() => server.requests.at(-1)?.path).toBe('/work');
		server.sessions.at(-1)?.destroy();
		expect((await failureOf(lost)).code).toMatch(/ECONNRESET|ERR_HTTP2/);
		expect(server.requests.filter(({path}) => path === '/work')).toHaveLength(2);
	});
});

test('an idle session that the server has reset is found out by a GET, which is sent once more', async () => {
	const server = await startH2Server(fixture.pki);
	const client = fixture.client(http2);
	await client.get(server.url());
	server.sessions[0]?.destroy();
	expect((await client.get(server.url())).status).toBe(200);
});

test('more requests than the server takes at a time wait for their turn on one session', async () => {
	let running = 0;
	let most = 0;
	const server = await startH2Server(fixture.pki, {
		settings: {maxConcurrentStreams: 3},
		pages: {
			'/': (request) => {
				running += 1;
				most = Math.max(most, running);
				setImmediate(() => {
					running -= 1;
					respondWith(request);
				});
			},
		},
	});
	const client = fixture.client(http2);
	const answers = await Promise.all(Array.from({length: 30}, () => client.get(server.url())));
	expect(answers.every(({status}) => status === 200)).toBe(true);
	expect(most).toBe(3);
	expect(server.sessions).toHaveLength(1);
});
