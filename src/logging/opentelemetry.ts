/*
 * The API of OpenTelemetry, as far as it is used here: what the app has registered in it.
 *
 * It is read without the package `@opentelemetry/api`. All copies of its version 1 find each other by one
 * symbol of the global object, and a newer copy has to work with what an older one has registered, so the
 * symbol and these few methods cannot change before a version 2. A dependency would be another copy in most
 * apps, which finds nothing where the app has an older one; an optional peer needs an import that may
 * fail, which neither bundlers nor a synchronous `createClient` can have.
 */

/** Immutable. */
export interface Context {
	getValue(key: symbol): unknown;
	setValue(key: symbol, value: unknown): Context;
	deleteValue(key: symbol): Context;
}

interface ContextManager {
	active(): Context;
	with<T>(context: Context, run: () => T): T;
}

type AttributeValue = string | number | undefined;

/** Without a value where it is `undefined`. */
export type Attributes = Record<string, AttributeValue>;

export interface Span {
	setAttributes(attributes: Attributes): unknown;
	setStatus(status: {code: number; message?: string}): unknown;
	recordException(exception: {name: string; code: string; message: string}): void;
	end(): void;
}

interface TracerProvider {
	getTracer(name: string): {
		startSpan(
			name: string,
			options: {kind: number; attributes: Attributes},
			context: Context,
		): Span;
	};
}

interface Propagator {
	inject(
		context: Context,
		carrier: Record<string, string>,
		setter: {set(carrier: Record<string, string>, name: string, value: string): void},
	): void;
}

/** What an app may have registered. */
export interface OpenTelemetry {
	readonly trace?: TracerProvider;
	readonly context?: ContextManager;
	readonly propagation?: Propagator;
}

/** The key of {@link registry}. */
export const apiKey: unique symbol = Symbol.for('opentelemetry.js.api.1');

/** Where the app's OpenTelemetry is; read for each request, because it may be registered at any time. */
export const registry = globalThis as {readonly [apiKey]?: OpenTelemetry};

/** `SpanKind.CLIENT` */
export const clientKind = 2;

/** `SpanStatusCode.ERROR` */
export const errorStatus = 2;

const spanKey = Symbol.for('OpenTelemetry Context Key SPAN');

/** The context of what is done on behalf of `span`. */
export function contextOf(span: Span, parent: Context): Context {
	return parent.setValue(spanKey, span);
}

/**
 * Runs `send`, which calls another HTTP client, so that no instrumentation of that client starts a span or adds a
 * header of its own.
 *
 * Tracing is suppressed until `send` returns, and not in the callbacks that the client calls later: those
 * are code of the app, too.
 */
export function withoutSpans<T>(send: () => T): T {
	const {trace, context} = registry[apiKey] ?? {};
	if (trace === undefined || context === undefined) return send();
	const state = {suppressed: true};
	let sent: {value?: T} | undefined;
	const run = () => {
		sent = {};
		sent.value = send();
		return sent.value;
	};
	try {
		return context.with(new SuppressingContext(context.active(), state), run);
	} catch (error) {
		// What the app has registered may throw by itself; the request is sent once all the same.
		if (sent === undefined) return send();
		if ('value' in sent) return sent.value as T;
		throw error;
	} finally {
		state.suppressed = false;
	}
}

/** Of `suppressTracing()` in `@opentelemetry/core`. */
const suppressKey = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** The same as another context once tracing is not suppressed any more. */
class SuppressingContext implements Context {
	readonly #base: Context;
	readonly #state: {readonly suppressed: boolean};

	constructor(base: Context, state: {readonly suppressed: boolean}) {
		this.#base = base;
		this.#state = state;
	}

	getValue(key: symbol): unknown {
		return this.#state.suppressed && key === suppressKey ? true : this.#base.getValue(key);
	}

	setValue(key: symbol, value: unknown): Context {
		const {suppressed} = this.#state;
		// An instrumentation gets an invalid span while tracing is suppressed, which is no parent for later ones.
		const base = suppressed && key === spanKey ? this.#base : this.#base.setValue(key, value);
		return suppressed ? new SuppressingContext(base, this.#state) : base;
	}

	deleteValue(key: symbol): Context {
		const base = this.#base.deleteValue(key);
		return this.#state.suppressed ? new SuppressingContext(base, this.#state) : base;
	}
}
