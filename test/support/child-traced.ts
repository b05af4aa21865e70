/*
 * Run as a process of its own, after `opentelemetry.ts`: sends requests of all kinds, and prints for each case
 * which spans it had, what the servers got of them, and how it ended, as JSON.
 */
import {mkdtempSync, rmSync} from 'node:fs';
import http, {type IncomingHttpHeaders} from 'node:http';
import http2 from 'node:http2';
import net, {type AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {PassThrough, Readable} from 'node:stream';
import {buffer} from 'node:stream/consumers';
import {context, propagation, ROOT_CONTEXT, type Span, trace} from '@opentelemetry/api';
import {suppressTracing} from '@opentelemetry/core';
import type {ReadableSpan} from '@opentelemetry/sdk-trace';
import {type ClientConfig, createClient} from '../../src/index.ts';
import {createTestPki, startMtlsServer} from '../../src/testing/index.ts';
import {startConnectProxy} from './connect-proxy.ts';
import {clientSpans} from './opentelemetry.ts';

/** The headers of the requests of a case that reached a server. */
const received: IncomingHttpHeaders[] = [];
/** Called when the next request arrives. */
let onRequest = () => {};

function arrived(headers: IncomingHttpHeaders): void {
	received.push(headers);
	onRequest();
}

const pki = await createTestPki();
const alice = await pki.client({commonName: 'alice'});
const stale = new Set<unknown>();
const server = await startMtlsServer({
	pki,
	async handler(request, response, {url, ended}) {
		arrived(request.headers);
		if (url === '/silence') return true;
		if (url === '/stale' && !stale.has(request.socket)) {
			stale.add(request.socket);
			response.end('kept');
			return true;
		}
		if (url === '/stale') {
			request.socket.destroy();
			return true;
		}
		await ended;
		if (url === '/cut') {
			response.writeHead(200, {'content-length': 10}).write('half', () => response.destroy());
		} else if (url === '/500') response.writeHead(500).end('no');
		else if (url === '/moved') response.writeHead(302, {location: '/whoami?key=1'}).end('there');
		else return false;
		return true;
	},
});
const stranger = await pki.server({selfSigned: true});
const impostor = await startMtlsServer({pki, credential: stranger});
const {cert, key} = await pki.server();
const h2 = http2.createSecureServer({cert, key, ca: pki.ca, requestCert: true});
h2.on('stream', (stream, headers) => {
	arrived(headers);
	if (headers[':path'] === '/silence') return;
	if (headers[':path'] === '/moved') {
		stream.respond({':status': 302, location: '/'}, {endStream: true});
		return;
	}
	stream.respond({':status': headers[':path'] === '/500' ? 500 : 200});
	stream.pipe(stream);
});
const h2Stranger = http2.createSecureServer({cert: stranger.cert, key: stranger.key});
const plain = http.createServer((request, response) => {
	arrived(request.headers);
	request.resume().once('end', () => response.end('plain'));
});
const closed = http.createServer();
// Says nothing, so that a request never gets to it.
const silent = net.createServer((socket) => socket.resume().on('error', () => {}));
const proxy = await startConnectProxy();
const refusing = await startConnectProxy({verdict: 403});
const listen = (it: net.Server) =>
	new Promise<number>((resolve) => {
		it.listen(0, '127.0.0.1', () => resolve((it.address() as AddressInfo).port));
	});
const h2Url = `https://localhost:${await listen(h2)}`;
const h2Impostor = `https://localhost:${await listen(h2Stranger)}/`;
const plainUrl = `http://localhost:${await listen(plain)}`;
const silentUrl = `https://localhost:${await listen(silent)}/`;
const socketPath = join(mkdtempSync(join(tmpdir(), 'traced-')), 'socket');
const local = http.createServer((request, response) => {
	arrived(request.headers);
	response.end('local');
});
await new Promise<void>((resolve) => local.listen(socketPath, resolve));
const closedUrl = `https://localhost:${await listen(closed)}/`;
closed.close();

function make(config: ClientConfig = {}) {
	return createClient({
		baseURL: server.origin,
		proxy: false,
		logger: false,
		...config,
		mtls: {cert: alice.cert, key: alice.key, ca: pki.ca, ...config.mtls},
	});
}
const client = make();
const progress = {onDownloadProgress() {}};
const two = {httpVersion: 2, baseURL: h2Url} as const;

function cancelling(config: object) {
	const controller = new AbortController();
	onRequest = () => controller.abort();
	return client.get('/silence', {...config, signal: controller.signal});
}

function closing(config: object) {
	const own = make();
	onRequest = () => void own.mtls.close({deadlineMs: 0});
	return own.get('/silence', config);
}

async function readAll({data}: {data: Readable}) {
	return (await buffer(data)).length;
}

/** Starts a span in the context in which this is called; `true` if its parent is the caller's. */
function isCallersContext(caller: Span | undefined): boolean {
	const span = trace.getTracer('the app').startSpan('in a callback') as unknown as ReadableSpan &
		Span;
	span.end();
	return span.parentSpanContext?.spanId === caller?.spanContext().spanId;
}

const cases: Record<string, () => Promise<unknown>> = {
	GET: () => client.get(server.url('/whoami?token=secret').replace('//', '//user:secret@')),
	'POST of JSON': () => client.post('/echo', {a: 1}),
	'streamed response': () => client.get('/whoami', {responseType: 'stream'}).then(readAll),
	'streamed request': () => client.post('/echo', Readable.from(['a', 'b'])),
	HEAD: () => client.head('/echo'),
	'unknown method': () => client.request({method: 'PROPFIND', url: '/echo'}),
	redirect: () => client.get('/moved'),
	'redirect in a stream': () => client.get('/moved', {responseType: 'stream'}).then(readAll),
	'status 500': () => client.get('/500'),
	cancelled: () => cancelling({}),
	'closed client': () => closing({}),
	'HTTP/2 with a closed client': () => closing(two),
	'closed client with progress': () => closing(progress),
	timeout: () => client.get(silentUrl, {timeout: 30}),
	requestMs: () => client.get(silentUrl, {timeouts: {requestMs: 30}}),
	'response that breaks off': () => client.get('/cut'),
	'stream that breaks off': () => client.get('/cut', {responseType: 'stream'}).then(readAll),
	'stream that is not read': () =>
		client.get('/whoami', {responseType: 'stream'}).then(({data}) => data.destroy()),
	'untrusted server': () => client.get(impostor.url()),
	'no client certificate': () =>
		createClient({mtls: {ca: pki.ca}, proxy: false, logger: false}).get(server.url('/whoami')),
	'connection refused': () => client.get(closedUrl),
	'kept connection that was closed': async () => {
		const own = make();
		await own.get('/stale');
		await own.get('/stale').catch(() => {});
	},
	'headers of the app': () =>
		client.get('/whoami', {headers: {Traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01`}}),
	'an asynchronous interceptor': () => {
		const own = make();
		own.interceptors.request.use(async (config) => {
			await new Promise(setImmediate);
			return config;
		});
		return own.get('/whoami');
	},
	'retry by the app': async () => {
		const error = await client.get('/500').catch((thrown) => thrown);
		await client.request({...error.config, url: '/whoami'});
	},
	'queue for a connection': async () => {
		const own = make({maxSockets: 1});
		await Promise.all(['/whoami', '/echo'].map((url) => own.get(url)));
	},
	'HTTP/2 GET': () => client.get('/', two),
	'HTTP/2 POST': () => client.post('/', {a: 1}, two),
	'HTTP/2 streams': () =>
		client.post('/', Readable.from(['a', 'b']), {...two, responseType: 'stream'}).then(readAll),
	'HTTP/2 status 500': () => client.get('/500', two),
	'HTTP/2 redirect': () => client.get('/moved', two),
	'HTTP/2 cancelled': () => cancelling(two),
	'HTTP/2 untrusted server': () => client.get(h2Impostor, {httpVersion: 2}),
	'HTTP/2 with progress': () => client.get('/', {...two, ...progress}),
	'CONNECT proxy': () => make({proxy: proxy.url}).get('/whoami'),
	'CONNECT proxy that refuses': () => make({proxy: refusing.url}).get('/whoami'),
	'HTTP/2 through a CONNECT proxy': () => make({proxy: proxy.url}).get('/', two),
	'plain http': () => client.get(plainUrl),
	'plain http with an agent of the app': () =>
		createClient({httpAgent: new http.Agent(), proxy: false, logger: false}).get(plainUrl),
	'a Unix socket': () => client.get('http://localhost/', {socketPath}),
	'login of a session': () =>
		make({
			jar: true,
			session: {
				login: (own) => own.post('/login', {user: 'alice', password: 'wonderland'}),
				isExpired: ({status}) => status === 401,
			},
		}).get('/accounts'),
	'with progress': () => client.get('/whoami', progress),
	'POST with progress': () => client.post('/echo', {a: 1}, {onUploadProgress() {}}),
	'redirect with progress': () => client.get('/moved', progress),
	'status 500 with progress': () => client.get('/500', progress),
	'cancelled with progress': () => cancelling(progress),
	'timeout with progress': () => client.get(silentUrl, {...progress, timeout: 30}),
	'untrusted server with progress': () => client.get(impostor.url(), progress),
	'stream with progress': () =>
		client.get('/whoami', {...progress, responseType: 'stream'}).then(readAll),
	'CONNECT proxy with progress': () => make({proxy: proxy.url}).get('/whoami', progress),
	maxRate: () => client.get('/whoami', {maxRate: 1_000_000}),
	'callbacks of the app': async () => {
		const caller = trace.getActiveSpan();
		const said: boolean[] = [];
		const {data} = await make().get('/whoami', {
			responseType: 'stream',
			onDownloadProgress: () => said.push(isCallersContext(caller)),
		});
		(data as Readable).on('data', () => said.push(isCallersContext(caller)));
		await new Promise((resolve) => data.once('close', resolve));
		const stream = await make().get('/whoami', {responseType: 'stream'});
		stream.data.on('data', () => said.push(isCallersContext(caller)));
		await new Promise((resolve) => stream.data.once('close', resolve));
		const body = new PassThrough({
			transform(chunk, _, done) {
				said.push(isCallersContext(caller));
				done(null, chunk);
			},
		});
		body.end('a');
		await client.post('/echo', body);
		if (said.length < 4 || said.includes(false)) throw new Error(`said ${said}`);
	},
	'suppressed by the app': () =>
		context.with(suppressTracing(context.active()), () =>
			Promise.all([client.get('/whoami'), client.get('/whoami', progress), client.get('/', two)]),
		),
};

const results: Record<string, unknown> = {};
for (const [name, run] of Object.entries(cases)) {
	const caller = trace.getTracer('the app').startSpan('caller', {}, ROOT_CONTEXT);
	const baggage = propagation.createBaggage({user: {value: 'alice'}});
	const own = trace.setSpan(propagation.setBaggage(ROOT_CONTEXT, baggage), caller);
	const code = await context.with(own, () =>
		run().then(
			() => undefined,
			(error) => error.code ?? error.message,
		),
	);
	onRequest = () => {};
	const spans = await clientSpans.take();
	const {traceId, spanId} = caller.spanContext();
	results[name] = {
		code,
		spans: spans.map((span) => ({
			name: span.name,
			isChild: span.parentSpanContext?.spanId === spanId && span.spanContext().traceId === traceId,
			attributes: span.attributes,
			status: span.status,
			exceptions: span.events.map(({attributes}) => attributes),
		})),
		// The number of the span whose context a request had; what it had instead.
		parents: received.splice(0).map(({traceparent, baggage}) => {
			const index = spans.findIndex(
				(span) => traceparent === `00-${traceId}-${span.spanContext().spanId}-01`,
			);
			return index === -1 || baggage !== 'user=alice' ? `${traceparent} ${baggage}` : index;
		}),
	};
}
rmSync(dirname(socketPath), {recursive: true});
process.stdout.write(JSON.stringify(results), () => process.exit());
