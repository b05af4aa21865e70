import assert from 'node:assert/strict';
import {trace} from '@opentelemetry/api';
import {createClient} from 'axios-mtls';
import {createTestPki, startMtlsServer} from 'axios-mtls/testing';

const pki = await createTestPki();
await using server = await startMtlsServer({pki});
await using impostor = await startMtlsServer({credential: await pki.server({selfSigned: true})});
const {cert, key} = await pki.client({commonName: 'alice'});
const client = createClient({mtls: {cert, key, ca: pki.ca}, logger: false, proxy: false});

await trace.getTracer('my-app').startActiveSpan('job', async (span) => {
	await client.get(server.url('/whoami'));
	await client.post(server.url('/echo'), {some: 'data'}, {onUploadProgress() {}});
	await assert.rejects(client.get(impostor.url()), {code: 'DEPTH_ZERO_SELF_SIGNED_CERT'});

	const {traceId, spanId} = span.spanContext();
	const received = server.requests.map(({headers}) => headers.traceparent);
	console.log('received:', received);
	assert.equal(new Set(received).size, 2);
	for (const traceparent of received) {
		assert.match(traceparent, new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
		assert.ok(!traceparent.includes(spanId), 'each request has a span of its own');
	}
	span.end();
});
await client.mtls.close();
