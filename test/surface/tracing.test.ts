/*
 * OpenTelemetry in an app that has installed the built package. All kinds of requests, with the sources:
 * test/request/traced-exchange.wire.test.ts.
 */
import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {makeConsumer} from './consumer.ts';
import {documentAt} from './documents.ts';
import {examplesOf} from './examples.ts';

const setUp = `
const {context, propagation, trace} = require('@opentelemetry/api');
const {AsyncLocalStorageContextManager} = require('@opentelemetry/context-async-hooks');
const {W3CTraceContextPropagator} = require('@opentelemetry/core');
const {HttpInstrumentation} = require('@opentelemetry/instrumentation-http');
const {UndiciInstrumentation} = require('@opentelemetry/instrumentation-undici');
const {InMemorySpanExporter, SimpleSpanProcessor, TracerProvider} = require('@opentelemetry/sdk-trace');

const exporter = new InMemorySpanExporter();
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
trace.setGlobalTracerProvider(
	new TracerProvider({spanProcessors: [new SimpleSpanProcessor({exporter})]}),
);
new HttpInstrumentation();
new UndiciInstrumentation();
module.exports = exporter;
`;

const program = `
const http = require('node:http');
const {SpanKind, trace} = require('@opentelemetry/api');
const {createClient} = require('axios-mtls');
const {startMtlsServer} = require('axios-mtls/testing');
const exporter = require('./tracing.cjs');

async function main() {
	const server = await startMtlsServer();
	const {cert, key} = await server.pki.client();
	const client = createClient({mtls: {cert, key, ca: server.ca}, logger: false, proxy: false});
	const traceId = await trace.getTracer('app').startActiveSpan('caller', async (caller) => {
		await client.get(server.url('/whoami'));
		await client.get(server.url('/whoami'), {onDownloadProgress() {}});
		await client.post(server.url('/echo'), {a: 1});
		caller.end();
		return caller.spanContext().traceId;
	});
	await client.mtls.close();
	await server.close();
	const spans = exporter.getFinishedSpans().filter(({kind}) => kind === SpanKind.CLIENT);
	console.log(
		JSON.stringify({
			isPatched: http.request.__wrapped === true,
			spans: spans.map((span) => [span.name, span.instrumentationScope.name]),
			traceparents: spans.map((span) => '00-' + traceId + '-' + span.spanContext().spanId + '-01'),
			received: server.requests.map(({headers}) => headers.traceparent),
		}),
	);
}
main();
`;

test('a CommonJS app that loads both instrumentations with --require has one span for each request', async () => {
	const names = ['api', 'context-async-hooks', 'core', 'instrumentation-http'];
	const packages = [...names, 'instrumentation-undici', 'sdk-trace'];
	using app = makeConsumer(packages.map((name) => `@opentelemetry/${name}`));
	app.write('tracing.cjs', setUp);
	app.write('app.cjs', program);

	const {code, stdout, stderr} = await app.run(process.execPath, [
		...['--require', './tracing.cjs'],
		'app.cjs',
	]);

	expect({code, stderr}).toEqual({code: 0, stderr: ''});
	const {isPatched, spans, traceparents, received} = JSON.parse(stdout);
	expect(isPatched).toBe(true);
	expect(spans).toEqual(['GET', 'GET', 'POST'].map((name) => [name, 'axios-mtls']));
	expect(received).toEqual(traceparents);
});

test('the set-up in docs/tracing.md is that of the sample app', () => {
	const [{code} = {code: ''}] = examplesOf(documentAt('docs/tracing.md').text, ['js']);
	const file = new URL('opentelemetry/tracing.js', new URL('../../examples/', import.meta.url));

	expect(code).toBe(`// tracing.js\n${readFileSync(file, 'utf8')}`);
});
