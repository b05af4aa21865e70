import {context, ROOT_CONTEXT, trace} from '@opentelemetry/api';
import {AsyncLocalStorageContextManager} from '@opentelemetry/context-async-hooks';
import {isTracingSuppressed} from '@opentelemetry/core';
import {TracerProvider} from '@opentelemetry/sdk-trace';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {withoutSpans} from '../../src/logging/opentelemetry.ts';

beforeAll(() => {
	context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
	trace.setGlobalTracerProvider(new TracerProvider());
});
afterAll(() => {
	trace.disable();
	context.disable();
});

const tracer = () => trace.getTracer('the app');
const suppressed = () => isTracingSuppressed(context.active());

test('tracing is suppressed while a client is called, and not in its later callbacks', async () => {
	const seen: boolean[] = [suppressed()];
	const later = withoutSpans(() => {
		seen.push(suppressed());
		return Promise.resolve().then(() => seen.push(suppressed()));
	});
	seen.push(suppressed());
	await later;
	expect(seen).toEqual([false, true, false, false]);
});

test('tracing is not suppressed any more after a call that throws', async () => {
	let later: Promise<boolean> | undefined;
	const call = () =>
		withoutSpans(() => {
			later = Promise.resolve().then(suppressed);
			throw new Error('no');
		});
	expect(call).toThrow('no');
	expect(await later).toBe(false);
});

test('a context that an instrumentation makes keeps its values, and the span of the caller', async () => {
	const key = Symbol('a key');
	const caller = tracer().startSpan('caller', {}, ROOT_CONTEXT);
	const made = await context.with(trace.setSpan(ROOT_CONTEXT, caller), () =>
		withoutSpans(async () => {
			const span = tracer().startSpan('of the instrumentation');
			expect(trace.isSpanContextValid(span.spanContext())).toBe(false);
			const own = trace
				.setSpan(context.active().setValue(key, 1), span)
				.deleteValue(Symbol('none'));
			expect(isTracingSuppressed(own)).toBe(true);
			return own;
		}),
	);
	expect(isTracingSuppressed(made)).toBe(false);
	expect(made.getValue(key)).toBe(1);
	expect(trace.getSpan(made)).toBe(caller);
	const later = tracer().startSpan('later', {}, ROOT_CONTEXT);
	expect(trace.getSpan(trace.setSpan(made, later))).toBe(later);
});

test('a call is only a call where no SDK is registered', () => {
	trace.disable();
	expect(withoutSpans(suppressed)).toBe(false);
	trace.setGlobalTracerProvider(new TracerProvider());
	expect(withoutSpans(suppressed)).toBe(true);
});
