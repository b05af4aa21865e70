/*
 * HTTP/2: responses that come before their request is out, and streams that the server gives up
 * (RFC 9113 §8.1, §8.7).
 */
import {constants} from 'node:http2';
import {Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {connect} from 'node:tls';
import axios, {type AxiosRequestConfig, type AxiosResponse} from 'axios';
import {beforeAll, describe, expect, test} from 'vitest';
import {createFixture, type Fixture, failureOf} from '../support/fixture.ts';
import {type H2Request, respondWith, startH2Server} from '../support/h2-server.ts';
import {iterations, sample} from '../support/iterations.ts';
import {separateConcurrentTests} from '../support/on-test-finished.ts';
import {
	type Frame,
	frames,
	isEnd,
	isHead,
	type RawConnection,
	resetOf,
	startRawH2Server,
} from '../support/raw-h2-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});
separateConcurrentTests();

const http2 = {httpVersion: 2, timeout: 10_000} as const;
const {NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM} =
	constants;
const megabyte = Buffer.alloc(1_000_000);

/** axios's own HTTP/2. */
function plainAxios() {
	const {cert, key} = fixture.alice;
	// axios before 1.21 listens for no error of a session: it ends without one.
	const createConnection = ({hostname: host, port}: URL) => {
		const ca = fixture.pki.ca;
		const socket = connect({host, port: Number(port), cert, key, ca, ALPNProtocols: ['h2']});
		const {destroy} = socket;
		return Object.assign(socket, {destroy: () => destroy.call(socket)});
	};
	// In MB: with Node's own 10 it resets the answer that comes while as much waits to be sent.
	const maxSessionMemory = 1_000;
	const http2Options = {sessionTimeout: 100, maxSessionMemory, createConnection};
	return axios.create({...http2, http2Options, proxy: false});
}

async function endOf(call: Promise<AxiosResponse>) {
	try {
		const {status, data} = await call;
		return {status, data};
	} catch (error) {
		if (!axios.isAxiosError(error)) throw error;
		const {code, message, response} = error;
		return {code, message, status: response?.status, data: response?.data};
	}
}

const nexts = {
	'reads on': ({stream}: H2Request) => stream.resume(),
	'stops reading': () => {},
	closes: ({stream, session}: H2Request) => {
		stream.resume();
		session.goaway(NGHTTP2_NO_ERROR, stream.id);
	},
	'resets the stream': ({stream}: H2Request) => {
		stream.once('finish', () => stream.close(NGHTTP2_NO_ERROR));
	},
} as const;
type Next = keyof typeof nexts;

/** Answers early, and does what is next. */
async function early(status: number, next: Next) {
	return startH2Server(fixture.pki, {
		pages: {
			'/': (request) => {
				const {stream} = request;
				stream.pause();
				stream.respond({':status': status, ...(status === 303 && {location: '/next'})});
				stream.end('early');
				nexts[next](request);
			},
		},
	});
}

const matrix = [413, 303, 401, 200].flatMap((status) =>
	[1_000, 1_000_000, iterations({usual: 12_000_000, short: 5_000_000, long: 30_000_000})].flatMap(
		(bytes) => (Object.keys(nexts) as Next[]).map((next) => ({status, bytes, next})),
	),
);

test.each(sample(matrix))(
	'a $status before an upload of $bytes bytes ends the call as in axios, and the next request is answered, where the server $next',
	async ({status, bytes, next}) => {
		const server = await early(status, next);
		const data = Buffer.alloc(bytes);
		const client = fixture.client(http2);
		// Over its own HTTP/2 axios follows no redirects.
		const maxRedirects = 0;
		const theirs = await endOf(plainAxios().post(server.url(), data));
		expect(theirs.status, 'axios itself').toBe(status);

		expect(await endOf(client.post(server.url(), data, {maxRedirects}))).toEqual(theirs);
		expect((await client.get(server.url('/next'))).data).toMatchObject({path: '/next'});
		if (status === 303) {
			const {data: followed} = await client.post(server.url(), data);
			expect(followed).toMatchObject({method: 'GET', path: '/next', body: ''});
		}
	},
);

test('an upload that is not out when its response is complete is reset, and the session goes on', async () => {
	const server = await early(413, 'stops reading');
	const client = fixture.client({...http2, validateStatus: null});
	await client.post(server.url(), megabyte);
	expect(await server.requests[0]?.closed).toBe(NGHTTP2_CANCEL);
	await client.get(server.url('/next'));
	expect(server.sessions).toHaveLength(1);
	expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 1, queued: 0});
});

test('an upload that is out is not reset', async () => {
	const server = await startRawH2Server(fixture.pki, ({id, ...frame}, {send}) => {
		if (isEnd({id, ...frame})) send(frames.head(id), frames.data(id, 'whole', true));
	});
	const client = fixture.client(http2);
	for (const data of ['x', Buffer.alloc(60_000)]) {
		expect((await client.post(server.url(), data)).data).toBe('whole');
	}
	// What comes after it would come after a reset too.
	expect((await client.get(server.url())).data).toBe('whole');
	expect(server.connections[0]?.frames.map(resetOf).filter((code) => code !== undefined)).toEqual(
		[],
	);
});

// Seen: each early response left its stream half open, and a server that takes three streams at a time
// was never asked again. Now: the rest of the upload is reset, which gives the stream back.
test('early responses leave the streams of a session to other requests', async () => {
	let open = 0;
	let most = 0;
	const server = await startRawH2Server(
		fixture.pki,
		(frame, {send}) => {
			const {id} = frame;
			if (isHead(frame)) {
				open += 1;
				most = Math.max(most, open);
				send(frames.head(id, 404), frames.data(id, 'early', true));
			}
			if (isEnd(frame) || resetOf(frame) !== undefined) open -= 1;
		},
		[[constants.NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 3]],
	);
	const client = fixture.client({...http2, validateStatus: null});
	const posts = Array.from({length: 30}, () => client.post(server.url(), megabyte));
	const statuses = (await Promise.all(posts)).map(({status}) => status);
	expect(statuses).toEqual(Array.from({length: 30}, () => 404));
	expect(most).toBe(3);
	expect(server.connections).toHaveLength(1);
});

test('a streamed upload that an early response overtakes is drained', async () => {
	const server = await early(413, 'stops reading');
	const stream = Readable.from(Array.from({length: 20}, () => megabyte));
	const closed = new Promise((resolve) => stream.once('close', resolve));
	const client = fixture.client(http2);
	expect((await failureOf(client.post(server.url(), stream))).response?.data).toBe('early');
	await closed;
	expect(stream.readableEnded).toBe(true);
	expect((await client.get(server.url('/next'))).status).toBe(200);
});

test('an upload that an early 307 sends elsewhere arrives there whole', async () => {
	const server = await startH2Server(fixture.pki, {
		pages: {
			'/': ({stream}) => {
				stream.pause();
				stream.respond({':status': 307, location: '/next'});
				stream.end();
			},
		},
	});
	const client = fixture.client(http2);
	for (const data of [megabyte, Readable.from([megabyte])]) {
		await client.post(server.url(), data);
		expect(server.requests.at(-1)?.path).toBe('/next');
		expect(server.requests.at(-1)?.body).toHaveLength(megabyte.length);
	}
});

/** What a server sends in response to a head. */
type Script = (id: number, connection: RawConnection) => void;

const codes = {NO_ERROR: 0, CANCEL: 8, INTERNAL_ERROR: 2} as const;
const uploads = ['a GET', 'an upload that is out', 'an upload that is not'] as const;

/** Asks a server that gives up as `script` does. */
async function asks(
	upload: (typeof uploads)[number],
	script: Script,
	config: AxiosRequestConfig = {},
) {
	const isDue = (frame: Frame) => (upload === 'an upload that is not' ? isHead : isEnd)(frame);
	let scripted = false;
	const server = await startRawH2Server(fixture.pki, (frame, connection) => {
		const {id} = frame;
		if (!isDue(frame)) return;
		if (scripted) connection.send(frames.head(id, 200), frames.data(id, 'next', true));
		else script(id, connection);
		scripted = true;
	});
	const client = fixture.client(http2);
	const data = {
		'a GET': {},
		'an upload that is out': {method: 'post', data: 'x'},
		'an upload that is not': {method: 'post', data: megabyte},
	}[upload];
	const request = client.request({url: server.url(), ...data, ...config});
	const next = async () => {
		expect((await client.get(server.url('/next'))).data).toBe('next');
		expect(server.connections).toHaveLength(1);
		await expect.poll(() => client.mtls.stats().sockets).toEqual({active: 0, idle: 1, queued: 0});
	};
	return {request, next};
}

// Turned round, so that a sample has each code under another upload.
const resets = Object.entries(codes).flatMap(([name, code], turn) =>
	uploads.map((_, nth) => ({name, code, upload: uploads[(nth + turn) % 3] ?? 'a GET'})),
);

describe.each(sample(resets))(
	'a stream that is reset with $name under $upload',
	({name, code, upload}) => {
		test('a stream that is reset before the response fails, and leaves the session to others', async () => {
			const {request, next} = await asks(upload, (id, {send}) => send(frames.reset(id, code)));
			expect(await failureOf(request)).toMatchObject({
				name: 'Error',
				code: 'ERR_HTTP2_STREAM_ERROR',
				message: `Stream closed with error code NGHTTP2_${name}`,
			});
			await next();
		});

		test.each<[string, Script]>([
			['after the head', (id, {send}) => send(frames.head(id), frames.reset(id, code))],
			[
				'in the middle of the body',
				(id, {send}) => send(frames.head(id), frames.data(id, 'half'), frames.reset(id, code)),
			],
			[
				'in the middle of the body, a turn later',
				(id, {send}) => {
					send(frames.head(id), frames.data(id, 'half'));
					setImmediate(() => send(frames.reset(id, code)));
				},
			],
		])(
			'a stream that is reset %s has no whole response, and leaves the session to others',
			async (_, script) => {
				const {request, next} = await asks(upload, script);
				const error = await failureOf(request);
				expect(error.response?.status).toBe(200);
				expect(error.code).toBe(
					code === NGHTTP2_INTERNAL_ERROR ? 'ERR_HTTP2_STREAM_ERROR' : 'ERR_BAD_RESPONSE',
				);
				await next();
			},
		);

		test('a stream that is reset in the middle of a streamed response ends it by an error', async () => {
			const {request, next} = await asks(
				upload,
				(id, {send}) => send(frames.head(id), frames.data(id, 'half'), frames.reset(id, code)),
				{responseType: 'stream'},
			);
			const {data} = await request;
			await expect(buffer(data)).rejects.toMatchObject({
				code: code === NGHTTP2_INTERNAL_ERROR ? 'ERR_HTTP2_STREAM_ERROR' : 'ECONNRESET',
			});
			await next();
		});

		test.each<[string, Script]>([
			[
				'after the whole response',
				(id, {send}) =>
					send(frames.head(id), frames.data(id, 'whole', true), frames.reset(id, code)),
			],
			[
				'after the whole response, a turn later',
				(id, {send}) => {
					send(frames.head(id), frames.data(id, 'whole', true));
					setImmediate(() => send(frames.reset(id, code)));
				},
			],
			[
				'after the head of a 204, which is all of it',
				(id, {send}) => send(frames.head(id, 204, true), frames.reset(id, code)),
			],
		])('a stream that is reset %s is answered', async (_, script) => {
			const {request, next} = await asks(upload, script);
			const {status, data} = await request;
			expect([status, data]).toEqual(status === 204 ? [204, ''] : [200, 'whole']);
			await next();
		});
	},
);

describe('a server that goes away after every 20 requests', () => {
	/** The bodies it has begun with, in the order in which it did. */
	async function tired(begin: (request: H2Request) => void) {
		const taken = new WeakMap<object, number>();
		return startH2Server(fixture.pki, {
			pages: {
				'/work': (request) => {
					const {session, stream} = request;
					const count = (taken.get(session) ?? 0) + 1;
					taken.set(session, count);
					if (count === 20) session.goaway(NGHTTP2_NO_ERROR, stream.id);
					if (count <= 20) begin(request);
				},
			},
		});
	}

	test.each([
		['at once', (request: H2Request) => void request.ended.then(() => respondWith(request))],
		[
			'a few turns later',
			(request: H2Request) => {
				void request.ended.then(() => setImmediate(() => setImmediate(() => respondWith(request))));
			},
		],
	])(
		'a server that goes away is sent each POST until it begins with it, and begins with each once, answering %s',
		async (_, begin) => {
			const begun: string[] = [];
			const server = await tired((request) => {
				begin(request);
				void request.ended.then(() => begun.push(request.body.toString()));
			});
			const client = fixture.client({...http2, timeout: 0});
			const count = iterations({usual: 300, short: 100, long: 1_000});
			let sent = 0;
			const work = async () => {
				while (sent < count) {
					const body = String(sent++);
					const {data} = await client.post(server.url('/work'), body);
					expect(data.body).toBe(body);
				}
			};
			await Promise.all(Array.from({length: 50}, work));
			expect(new Set(begun).size).toBe(count);
			expect(begun).toHaveLength(count);
		},
		60_000,
	);
});

describe('a server that refuses for ever', {concurrent: true}, () => {
	const refuse = async () => {
		const server = await startRawH2Server(fixture.pki, (frame, {send}) => {
			if (isHead(frame)) send(frames.reset(frame.id, NGHTTP2_REFUSED_STREAM));
		});
		const asked = () => server.connections.flatMap(({frames}) => frames.filter(isHead)).length;
		return {server, asked};
	};

	test('a server that refuses for ever gets a request ten times, and the error says so', async () => {
		const {server, asked} = await refuse();
		expect(await failureOf(fixture.client(http2).post(server.url(), 'body'))).toMatchObject({
			name: 'Error',
			code: 'ERR_HTTP2_STREAM_ERROR',
			message:
				'the server refused the request 10 times: Stream closed with error code NGHTTP2_REFUSED_STREAM',
		});
		expect(asked()).toBe(10);
	});

	test.each([
		['timeout', {timeout: 40}, 'ECONNABORTED'],
		['timeouts.requestMs', {timeouts: {requestMs: 40}}, 'ERR_MTLS_REQUEST_TIMEOUT'],
	])('a server that refuses for ever gets a request no longer than %s', async (_, config, code) => {
		const {server} = await refuse();
		const client = fixture.client(http2);
		expect((await failureOf(client.post(server.url(), 'body', config))).code).toBe(code);
	});

	test('a server that refuses for ever gets a request no more once it is cancelled', async () => {
		const controller = new AbortController();
		const server = await startRawH2Server(fixture.pki, (frame, {send}) => {
			if (!isHead(frame)) return;
			if (server.connections.length === 2) controller.abort();
			send(frames.reset(frame.id, NGHTTP2_REFUSED_STREAM));
		});
		const {signal} = controller;
		const request = fixture.client(http2).post(server.url(), 'body', {signal});
		expect((await failureOf(request)).code).toBe('ERR_CANCELED');
		expect(server.connections).toHaveLength(2);
	});
});
