/*
 * With the real packages of OpenTelemetry, in processes of their own: its hooks must be there before the
 * modules that they change.
 */
// Slow: it runs 50 kinds of requests in a process for each set of instrumentations.
import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import type {ContextManager, Span, TextMapPropagator, TracerProvider} from '@opentelemetry/api';
import {describe, expect, expectTypeOf, test} from 'vitest';
import type {Context, OpenTelemetry, Span as UsedSpan} from '../../src/logging/opentelemetry.ts';
import {sample} from '../support/iterations.ts';

interface TracedSpan {
	readonly name: string;
	readonly isChild: boolean;
	readonly attributes: Readonly<Record<string, unknown>>;
	readonly status: {readonly code: number; readonly message?: string};
	readonly exceptions: readonly Readonly<Record<string, unknown>>[];
}

interface CaseResult {
	readonly code?: string;
	readonly spans: readonly TracedSpan[];
	readonly parents: readonly unknown[];
}

const setUp = new URL('../support/opentelemetry.ts', import.meta.url).href;
const app = fileURLToPath(new URL('../support/child-traced.ts', import.meta.url));

const runs = new Map<string, ReturnType<typeof run>>();

/** Runs all cases, once; `instrumentations` as in `INSTRUMENTATIONS`. */
function runTraced(instrumentations: string): ReturnType<typeof run> {
	const running = runs.get(instrumentations) ?? run(instrumentations);
	runs.set(instrumentations, running);
	return running;
}

async function run(instrumentations: string): Promise<Record<string, CaseResult>> {
	const {stdout} = await promisify(execFile)(
		process.execPath,
		['--no-warnings', '--import', setUp, app],
		{env: {...process.env, INSTRUMENTATIONS: instrumentations}, maxBuffer: 16 * 1024 * 1024},
	);
	return JSON.parse(stdout);
}

/** A span, short: name, status of the response or the code of the error, and what else is special. */
type Row = readonly [name: string, end: number | string, more?: Readonly<Record<string, unknown>>];

const get = ['GET', 200] as const;
const http2 = {'network.protocol.version': '2'};
const again = {'http.request.resend_count': 1};
const moved = [
	['GET', 302],
	['GET', 200, again],
] as const;
const untrusted = {'axios_mtls.failure.kind': 'self-signed', 'axios_mtls.failure.side': 'server'};
const selfSigned = 'DEPTH_ZERO_SELF_SIGNED_CERT';
const certificateRequired = 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED';
const tooLate = 'ERR_MTLS_REQUEST_TIMEOUT';
const clientClosed = 'ERR_MTLS_CLIENT_CLOSED';
const refusedByProxy = 'ERR_PROXY_REFUSED';

/** The spans of each case, the code with which it ended, and how many requests reached a server if not all. */
const cases: Readonly<
	Record<string, readonly [spans: readonly Row[], code?: string | undefined, got?: number]>
> = {
	GET: [[get]],
	'POST of JSON': [[['POST', 200]]],
	'streamed response': [[get]],
	'streamed request': [[['POST', 200]]],
	HEAD: [[['HEAD', 200]]],
	'unknown method': [
		[['HTTP', 200, {'http.request.method': '_OTHER', 'http.request.method_original': 'PROPFIND'}]],
	],
	redirect: [moved],
	'redirect in a stream': [moved],
	'status 500': [[['GET', 500]], 'ERR_BAD_RESPONSE'],
	cancelled: [[['GET', 'ERR_CANCELED']], 'ERR_CANCELED'],
	'closed client': [[['GET', clientClosed]], clientClosed],
	'HTTP/2 with a closed client': [[['GET', clientClosed]], clientClosed],
	'closed client with progress': [[['GET', clientClosed]], clientClosed],
	timeout: [[['GET', 'ECONNABORTED']], 'ECONNABORTED', 0],
	requestMs: [[['GET', tooLate]], tooLate, 0],
	'response that breaks off': [
		[['GET', 'ERR_BAD_RESPONSE', {'http.response.status_code': 200}]],
		'ERR_BAD_RESPONSE',
	],
	'stream that breaks off': [
		[['GET', 'ECONNRESET', {'http.response.status_code': 200}]],
		'ECONNRESET',
	],
	'stream that is not read': [[get]],
	'untrusted server': [[['GET', selfSigned, untrusted]], selfSigned, 0],
	'no client certificate': [
		[
			[
				'GET',
				certificateRequired,
				{
					'axios_mtls.failure.kind': 'client-certificate-required',
					'axios_mtls.failure.side': 'client',
				},
			],
		],
		certificateRequired,
		0,
	],
	'connection refused': [[['GET', 'ECONNREFUSED']], 'ECONNREFUSED', 0],
	'kept connection that was closed': [[get, ['GET', 'ECONNRESET'], ['GET', 200, again]]],
	'headers of the app': [[get]],
	'an asynchronous interceptor': [[get]],
	'retry by the app': [[['GET', 500], get]],
	'queue for a connection': [[get, get]],
	'HTTP/2 GET': [[['GET', 200, http2]]],
	'HTTP/2 POST': [[['POST', 200, http2]]],
	'HTTP/2 streams': [[['POST', 200, http2]]],
	'HTTP/2 status 500': [[['GET', 500, http2]], 'ERR_BAD_RESPONSE'],
	'HTTP/2 redirect': [
		[
			['GET', 302, http2],
			['GET', 200, {...http2, ...again}],
		],
	],
	'HTTP/2 cancelled': [[['GET', 'ERR_CANCELED']], 'ERR_CANCELED'],
	'HTTP/2 untrusted server': [[['GET', selfSigned, untrusted]], selfSigned, 0],
	'HTTP/2 with progress': [[['GET', 200, http2]]],
	'CONNECT proxy': [[get]],
	'CONNECT proxy that refuses': [
		[
			[
				'GET',
				refusedByProxy,
				{'axios_mtls.failure.kind': 'proxy-refused', 'axios_mtls.failure.side': 'proxy'},
			],
		],
		refusedByProxy,
		0,
	],
	'HTTP/2 through a CONNECT proxy': [[['GET', 200, http2]]],
	'plain http': [[get]],
	'plain http with an agent of the app': [[get]],
	'a Unix socket': [
		[['GET', 200, {'server.address': expect.stringMatching(/socket$/), 'server.port': undefined}]],
	],
	'login of a session': [[['POST', 302], ['GET', 200, again], get]],
	'with progress': [[get]],
	'POST with progress': [[['POST', 200]]],
	'redirect with progress': [moved],
	'status 500 with progress': [[['GET', 500]], 'ERR_BAD_RESPONSE'],
	'cancelled with progress': [[['GET', 'ERR_CANCELED']], 'ERR_CANCELED'],
	'timeout with progress': [[['GET', 'ECONNABORTED']], 'ECONNABORTED', 0],
	'untrusted server with progress': [[['GET', selfSigned, untrusted]], selfSigned, 0],
	'stream with progress': [[get]],
	'CONNECT proxy with progress': [[get]],
	maxRate: [[get]],
	'callbacks of the app': [[get, get, ['POST', 200]]],
	'suppressed by the app': [[], undefined, 3],
};

/** What is expected of a span. */
function spanOf([name, end, more]: Row): unknown {
	const isStatus = typeof end === 'number';
	const failed = !isStatus || end >= 400;
	return {
		name,
		isChild: true,
		attributes: {
			'http.request.method': name,
			'url.full': expect.stringMatching(/^https?:\/\/localhost[:/]/),
			'server.address': 'localhost',
			'server.port': expect.any(Number),
			...(isStatus && {'http.response.status_code': end}),
			...(failed && {'error.type': String(end)}),
			...more,
			...((isStatus || more?.['http.response.status_code'] !== undefined) && {
				'network.protocol.version': more?.['network.protocol.version'] ?? '1.1',
			}),
		},
		status: isStatus ? {code: failed ? 2 : 0} : {code: 2, message: expect.stringMatching(/./)},
		exceptions: isStatus
			? []
			: [{'exception.type': end, 'exception.message': expect.stringMatching(/./)}],
	};
}

// A process each, at the same time.
describe.each(['none', ...sample(['http', 'undici', 'http,undici'])])(
	'with the instrumentations: %s',
	{concurrent: true},
	(instrumentations) => {
		test('each request has one span, a child of the caller’s, and one traceparent, that of its span', async () => {
			const results = await runTraced(instrumentations);

			const expected = Object.entries(cases).map(([name, [spans, code, got]]) => [
				name,
				{
					...(code !== undefined && {code}),
					spans: spans.map(spanOf),
					parents:
						spans.length === 0
							? Array(got).fill('undefined undefined')
							: spans.slice(0, got).map((_, i) => i),
				},
			]);
			expect(results).toEqual(Object.fromEntries(expected));
		});
	},
);

test.concurrent('the instrumentations change nothing without an SDK', async () => {
	const results = await runTraced('off,http,undici');

	expect(Object.keys(results)).toEqual(Object.keys(cases));
	for (const [name, {spans, code, parents}] of Object.entries(results)) {
		expect({name, spans, code}).toEqual({name, spans: [], code: cases[name]?.[1]});
		for (const parent of parents)
			expect(parent).toMatch(/^(undefined|00-1{32}-1{16}-01) undefined$/);
	}
});

test.concurrent('the URL of a span has no credentials and no values of its query', async () => {
	const {GET, redirect} = await runTraced('none');
	const urls = [GET, redirect].flatMap((result) =>
		result?.spans.map(({attributes}) => String(attributes['url.full']).replace(/:\d+/, '')),
	);
	expect(urls).toEqual([
		'https://localhost/whoami?token=[redacted]',
		'https://localhost/moved',
		'https://localhost/whoami?key=[redacted]',
	]);
});

test('what an app registers in @opentelemetry/api has the methods that are called', () => {
	expectTypeOf<TracerProvider>().toExtend<NonNullable<OpenTelemetry['trace']>>();
	expectTypeOf<ContextManager>().toExtend<NonNullable<OpenTelemetry['context']>>();
	expectTypeOf<TextMapPropagator>().toExtend<NonNullable<OpenTelemetry['propagation']>>();
	expectTypeOf<Span>().toExtend<UsedSpan>();
	expectTypeOf<Context>().toExtend<ReturnType<ContextManager['active']>>();
});
