/*
 * An OpenTelemetry of the app that throws, or that adds a header which Node refuses: the request is not
 * the worse for it.
 */
import {Readable} from 'node:stream';
import {beforeEach, describe, expect, onTestFinished, test} from 'vitest';
import {apiKey} from '../../src/logging/opentelemetry.ts';
import {createFixture, exchanges, type Fixture, failureOf} from '../support/fixture.ts';

class FakeContext {
	getValue(): unknown {
		return undefined;
	}
	setValue(): FakeContext {
		return this;
	}
	deleteValue(): FakeContext {
		return this;
	}
}

const broken = [
	'active',
	'with',
	'getTracer',
	'startSpan',
	'inject',
	'setAttributes',
	'end',
	'nothing',
];

interface FakeSpan {
	ended: number;
	readonly told: unknown[];
}

/** Registers an OpenTelemetry whose `method` throws, and whose propagator adds `headers`. */
function register(method: string, headers: Record<string, unknown> = {traceparent: '00-1'}) {
	const spans: FakeSpan[] = [];
	const called = (name: string) => {
		if (name === method) throw new Error(`${name} broke`);
	};
	const startSpan = () => {
		called('startSpan');
		const span: FakeSpan = {ended: 0, told: []};
		spans.push(span);
		return {
			setAttributes(attributes: unknown) {
				span.told.push(attributes);
				called('setAttributes');
			},
			setStatus: (status: unknown) => span.told.push(status),
			recordException: (exception: unknown) => span.told.push(exception),
			end() {
				span.ended += 1;
				called('end');
			},
		};
	};
	const getTracer = () => {
		called('getTracer');
		return {startSpan};
	};
	const active = () => {
		called('active');
		return new FakeContext();
	};
	const runWith = (_: unknown, run: () => unknown) => {
		called('with');
		return run();
	};
	const inject = (_: unknown, carrier: unknown, setter: {set(...args: unknown[]): void}) => {
		for (const [name, value] of Object.entries(headers)) setter.set(carrier, name, value);
		called('inject');
	};
	Reflect.set(globalThis, apiKey, {
		trace: {getTracer},
		context: {active, with: runWith},
		propagation: {inject},
	});
	onTestFinished(() => void Reflect.deleteProperty(globalThis, apiKey));
	return spans;
}

let fixture: Fixture;
beforeEach(async () => {
	fixture = await createFixture();
});

describe.each(exchanges)('over %s', (_, options) => {
	test.each(broken)('a POST succeeds once, and fails as it is, where %s throws', async (method) => {
		const spans = register(method);
		const server = await fixture.server({
			handler(request, response) {
				if (request.url !== '/500') return false;
				response.writeHead(500).end('no');
				return true;
			},
		});
		const client = fixture.client();
		const {status} = await client.post(server.url('/echo'), 'text', options);
		expect(status).toBe(200);
		const error = await failureOf(client.get(server.url('/500'), options));
		expect(error).toMatchObject({code: 'ERR_BAD_RESPONSE', status: 500});
		expect(server.requests).toHaveLength(2);
		const begins = !['active', 'getTracer', 'startSpan'].includes(method);
		expect(spans.map(({ended}) => ended)).toEqual(begins ? [1, 1] : []);
	});

	test('a header that Node would refuse is left out, and the others are sent', async () => {
		register('nothing', {
			traceparent: '00-1',
			baggage: 'a\r\nx: y',
			tracestate: '\u2603',
			'a b': 'c',
		});
		const server = await fixture.server();
		await fixture.client().get(server.url('/whoami'), options);
		const [request] = server.requests;
		expect(request?.headers).toMatchObject({traceparent: '00-1'});
		expect(Object.keys(request?.headers ?? {})).not.toContain('baggage');
		expect(Object.keys(request?.headers ?? {})).not.toContain('tracestate');
	});

	test('the error of a stream that the app sends is recorded by its code, without its message', async () => {
		const secret = 'MARK-of-the-stream';
		for (const [extra, code] of [
			[{code: 'E_APP'}, 'E_APP'],
			[{}, 'Error'],
			[{code: secret.repeat(9)}, 'Error'],
		] as const) {
			const spans = register('nothing');
			const server = await fixture.server();
			const data = Readable.from(
				(async function* () {
					yield 'begin';
					throw Object.assign(new Error(secret), extra);
				})(),
			);
			const error = await failureOf(fixture.client().post(server.url('/echo'), data, options));
			expect(error.message).toContain(secret);
			expect(spans).toHaveLength(1);
			expect(spans[0]?.ended).toBe(1);
			expect(JSON.stringify(spans)).not.toContain(secret);
			expect(spans[0]?.told).toContainEqual(expect.objectContaining({code, message: code}));
		}
	});
});
