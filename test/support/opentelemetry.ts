/*
 * OpenTelemetry as an app sets it up, loaded before it with `--import`. INSTRUMENTATIONS names those that are
 * switched on, and is `off` where the app has them without an SDK.
 */
import {register} from 'node:module';
import {context, propagation, SpanKind, trace} from '@opentelemetry/api';
import {AsyncLocalStorageContextManager} from '@opentelemetry/context-async-hooks';
import {
	CompositePropagator,
	W3CBaggagePropagator,
	W3CTraceContextPropagator,
} from '@opentelemetry/core';
import {HttpInstrumentation} from '@opentelemetry/instrumentation-http';
import {UndiciInstrumentation} from '@opentelemetry/instrumentation-undici';
import {type ReadableSpan, type SpanProcessor, TracerProvider} from '@opentelemetry/sdk-trace';

/** Collects the spans of clients, in the order in which they began. */
class ClientSpans implements SpanProcessor {
	readonly #begun: ReadableSpan[] = [];
	readonly #open = new Set<ReadableSpan>();
	#whenEnded: (() => void)[] = [];

	onStart(span: ReadableSpan): void {
		if (span.kind !== SpanKind.CLIENT) return;
		this.#begun.push(span);
		this.#open.add(span);
	}

	onEnd(span: ReadableSpan): void {
		this.#open.delete(span);
		if (this.#open.size === 0) for (const resolve of this.#whenEnded.splice(0)) resolve();
	}

	/** Those since the last call, once all have ended. */
	async take(): Promise<ReadableSpan[]> {
		if (this.#open.size > 0) {
			await new Promise<void>((resolve) => {
				this.#whenEnded.push(resolve);
			});
		}
		return this.#begun.splice(0);
	}

	async forceFlush(): Promise<void> {}

	async shutdown(): Promise<void> {}
}

export const clientSpans = new ClientSpans();

const names = process.env.INSTRUMENTATIONS?.split(',') ?? [];
if (!names.includes('off')) {
	context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
	propagation.setGlobalPropagator(
		new CompositePropagator({
			propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
		}),
	);
	trace.setGlobalTracerProvider(new TracerProvider({spanProcessors: [clientSpans]}));
}
if (names.includes('http')) {
	// For what is imported, rather than required.
	register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
	new HttpInstrumentation();
}
if (names.includes('undici')) new UndiciInstrumentation();
