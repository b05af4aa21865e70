/*
 * A span of OpenTelemetry for each request that is sent, after the conventions for HTTP clients:
 * https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
 */
import {errorMonitor} from 'node:events';
import {
	type AxiosError,
	type AxiosResponse,
	type InternalAxiosRequestConfig,
	isAxiosError,
	isCancel,
} from 'axios';
import {TimeoutError} from '../connection/connect-timeout.ts';
import {closedError} from '../exchange/axios-errors.ts';
import {
	type Exchange,
	type ExchangeInput,
	type Head,
	headerOf,
	headOf,
	isRedirect,
} from '../exchange/exchange.ts';
import type {Hop} from '../exchange/hop.ts';
import {adoptHeaders, copyHeaders} from '../exchange/outgoing/config-headers.ts';
import {
	type Attributes,
	apiKey,
	clientKind,
	contextOf,
	errorStatus,
	registry,
	type Span,
} from '../logging/opentelemetry.ts';
import {word} from '../logging/redact.ts';
import {isError} from '../util/is-error.ts';
import {redactUrl} from '../util/redact-url.ts';
import {bareHost, portOfUrl} from '../util/url.ts';
import {failureReport} from './diagnose.ts';
import {streamedBody} from './in-flight.ts';
import type {Call} from './prepare-call.ts';

/** The exchange of `call` with a span for each request, a child of the active one, and its `traceparent`. */
export function tracedExchange(call: Call): Exchange {
	const {trace, context, propagation} = registry[apiKey] ?? {};
	const {exchange, client} = call;
	if (trace === undefined || context === undefined) return exchange;
	return async (input) => {
		const parent = attempt(() => context.active());
		if (parent === undefined) return exchange(input);
		const options = {kind: clientKind, attributes: requestAttributes(call, input)};
		const started = attempt(() =>
			trace.getTracer('axios-mtls').startSpan(nameOf(input.hop), options, parent),
		);
		if (started === undefined) return exchange(input);
		const span = withoutErrors(started);
		const trail: Record<string, string> = {};
		attempt(() =>
			propagation?.inject(contextOf(started, parent), trail, {
				set: (carrier, name, value) => {
					// Node refuses a request with any other.
					if (token.test(name) && fieldValue.test(value)) carrier[name] = value;
				},
			}),
		);
		const headers = copyHeaders(input.hop.headers);
		for (const [name, value] of Object.entries(trail)) headers.set(name, value, true);
		try {
			const response = await exchange({...input, hop: {...input.hop, headers}});
			endWith(span, response, input);
			return response;
		} catch (error) {
			const head = headOf(error);
			if (head !== undefined) span.setAttributes(answer(head, (error as AxiosError).request));
			// What the app gets, whichever error its connection has ended with.
			fail(span, client.inFlight.ended ? closedError(input.config) : error, input);
			span.end();
			throw error;
		} finally {
			const own = Object.keys(trail).map((name) => name.toLowerCase());
			adoptHeaders(input.hop.headers, headers, own);
		}
	};
}

/** RFC 9110 §5.6.2 and §5.5 */
const token = /^[!#$%&'*+.^_`|~\w-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Calls the app's OpenTelemetry: when it throws, the request goes on without it. */
function attempt<T>(run: () => T): T | undefined {
	try {
		return run();
	} catch {
		return undefined;
	}
}

function withoutErrors(span: Span): Span {
	return {
		setAttributes: (attributes) => attempt(() => span.setAttributes(attributes)),
		setStatus: (status) => attempt(() => span.setStatus(status)),
		recordException: (exception) => attempt(() => span.recordException(exception)),
		end: () => attempt(() => span.end()),
	};
}

/** The methods whose names may be names of spans, which are few on purpose. */
const knownMethods: ReadonlySet<string> = new Set([
	'CONNECT',
	'DELETE',
	'GET',
	'HEAD',
	'OPTIONS',
	'PATCH',
	'POST',
	'PUT',
	'TRACE',
]);

function nameOf({method}: Hop): string {
	return knownMethods.has(method) ? method : 'HTTP';
}

function requestAttributes({firstHop}: Call, {hop, net}: ExchangeInput): Attributes {
	const {method, url} = hop;
	const isKnown = knownMethods.has(method);
	const resends = countOf(firstHop);
	return {
		'http.request.method': isKnown ? method : '_OTHER',
		...(!isKnown && {'http.request.method_original': method}),
		...(resends > 0 && {'http.request.resend_count': resends}),
		'url.full': redactUrl(url.href),
		...(net?.path === undefined
			? {'server.address': bareHost(url.hostname), 'server.port': portOfUrl(url)}
			: {'server.address': net.path}),
	};
}

const counts = new WeakMap<Hop, number>();

/** How many requests of a call were sent before: redirects, retries, the same one after a login. */
function countOf(firstHop: Hop): number {
	const count = counts.get(firstHop) ?? 0;
	counts.set(firstHop, count + 1);
	return count;
}

/** Ends the span when the body of the response was read, too. */
function endWith(span: Span, response: AxiosResponse, input: ExchangeInput): void {
	const {status, headers, request} = response;
	span.setAttributes(answer(response, request));
	if (status >= 400) span.setStatus({code: errorStatus});
	const isFollowed =
		input.followsRedirect && isRedirect(status) && headerOf(headers, 'location') !== undefined;
	const body = isFollowed ? undefined : streamedBody(response);
	if (body === undefined) {
		span.end();
		return;
	}
	// The error stays one that nobody handles, if the app does not.
	body.once(errorMonitor, (error) => fail(span, error, input));
	body.once('close', () => span.end());
}

/** @param request - That of Node, or one like it. */
function answer({status}: Head, request?: {res?: {httpVersion?: string}}): Attributes {
	const version = request?.res?.httpVersion;
	return {
		'http.response.status_code': status,
		...(status >= 400 && {'error.type': String(status)}),
		'network.protocol.version': version === '2.0' ? '2' : version,
	};
}

/** Security: without the stack, which may quote the error of an app's own code, and its secrets. */
function fail(span: Span, error: unknown, {hop, config}: ExchangeInput): void {
	const report = failureReport(error, hop);
	const {name, message, code} = report
		? {name: 'MtlsError', message: report.summary, code: report.code}
		: errorOf(error, config);
	span.setAttributes({
		'error.type': code,
		'axios_mtls.failure.kind': report?.failure.kind,
		'axios_mtls.failure.side': report?.failure.side,
	});
	span.recordException({name, code, message});
	span.setStatus({code: errorStatus, message});
}

function errorOf(error: unknown, config: InternalAxiosRequestConfig) {
	const signal = config.signal as AbortSignal | undefined;
	// The end of `timeouts.requestMs` is a cancellation here.
	const timeout: unknown = isCancel(error) ? signal?.reason : undefined;
	const told = timeout instanceof TimeoutError ? timeout : error;
	if (!isError(told)) return {name: 'Error', message: 'no error was thrown', code: 'Error'};
	const name = word(told.name) ?? 'Error';
	const code = word((told as NodeJS.ErrnoException).code) ?? name;
	return {name, message: quotesApp(told) ? code : told.message, code};
}

/**
 * Whether the message may be that of an error of the app's own code, such as of the stream that it sends.
 *
 * Security: it may quote a secret. The errors of axios, of Node's network and of this package do not.
 */
function quotesApp(error: Error): boolean {
	if (error instanceof TimeoutError) return false;
	const origin: unknown = error.cause ?? error;
	if (origin === error && isAxiosError(error)) return false;
	const {code, syscall} = origin as NodeJS.ErrnoException;
	return typeof syscall !== 'string' && !networkCode.test(String(code));
}

const networkCode =
	/^(E(CONN[A-Z]+|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH)$|HPE_|ERR_HTTP2_|ERR_SSL_|ERR_TLS_|Z_)/;
