/*
 * The part of a request and of an error that may be logged. An allow-list, so that an option of a future
 * axios, or of an app, cannot carry a secret into a log.
 */
import {type InspectOptionsStylized, inspect} from 'node:util';
import type {AxiosError, InternalAxiosRequestConfig} from 'axios';
import type {MtlsFailure} from '../facts.ts';
import {mask, redactUrl} from '../util/redact-url.ts';
import {inspectError} from './inspect-error.ts';

const loggable = [
	'method',
	'url',
	'baseURL',
	'timeout',
	'responseType',
	'maxRedirects',
	'maxContentLength',
	'maxBodyLength',
] as const;

// The values of these headers explain a failure; any other header may hold a key of the app.
const loggableHeaders = new Set([
	'accept',
	'accept-encoding',
	'accept-language',
	'content-encoding',
	'content-length',
	'content-type',
	'host',
	'user-agent',
]);

/** Keeps the names of headers, and masks all values except those of well-known harmless headers. */
export function redactHeaders(headers: object): Record<string, unknown> {
	const redacted: Record<string, unknown> = {};
	for (const [name, value] of Object.entries(headers)) {
		if (value === undefined || value === null || typeof value === 'function') continue;
		redacted[name] = loggableHeaders.has(name.toLowerCase()) ? value : mask;
	}
	return redacted;
}

/** The part of an axios config that explains a failure and holds no secret: no body, no credentials, no agent. */
export function redactConfig(config: InternalAxiosRequestConfig): Record<string, unknown> {
	const redacted: Record<string, unknown> = {};
	for (const name of loggable) {
		const value = config[name];
		if (value === undefined) continue;
		redacted[name] = name === 'url' || name === 'baseURL' ? redactUrl(String(value)) : value;
	}
	if (config.headers) redacted.headers = redactHeaders(config.headers);
	return redacted;
}

/**
 * The loggable part of an error that the app, or its cookie store, threw: ` (ECONNREFUSED, status 403)`.
 *
 * Security: the message of a login may quote the password, that of a store its cookies.
 */
export function causeInShort(cause: unknown): string {
	const {code, status} = (cause ?? {}) as {code?: unknown; status?: unknown};
	const facts = [word(code), typeof status === 'number' ? `status ${status}` : undefined];
	const known = facts.filter((fact) => fact !== undefined).join(', ');
	return known && ` (${known})`;
}

/** The code or the name of an error of the app, if it is one word: a longer text may hold a secret. */
export function word(value: unknown): string | undefined {
	return typeof value === 'string' && /^[\w-]{1,64}$/.test(value) ? value : undefined;
}

/** An error as plain data, for `JSON.stringify`. */
function redactError(given: Error): Record<string, unknown> {
	// It may be any error that has some of the fields.
	const error = given as AxiosError & {failure?: unknown};
	const stack = stackOf(error);
	return {
		name: error.name,
		message: error.message,
		...(error.code !== undefined && {code: error.code}),
		...(error.status !== undefined && {status: error.status}),
		...(error.failure !== undefined && {failure: error.failure}),
		...(error.config !== undefined && {config: redactConfig(error.config)}),
		...(stack !== undefined && {stack}),
	};
}

/** V8 may make it when it is first read, from a message that the app has replaced. */
function stackOf(error: Error): string | undefined {
	try {
		return error.stack;
	} catch {
		return undefined;
	}
}

/**
 * Makes an error print without secrets: `JSON.stringify(error)` shows the allow-listed part, and
 * `console.log(error)` what a person needs of it. The fields that hold more stay for code to read.
 */
export function hideSecrets<E extends Error>(error: E): E {
	// Nothing can be hidden in a frozen error of the app, which gets it back all the same.
	if (!Object.isExtensible(error)) return error;
	for (const name of hidden) hideField(error, name);
	return Object.defineProperties(error, {
		toJSON: {value: () => redactError(error), configurable: true, writable: true},
		[inspect.custom]: {
			value: (depth: number, options: InspectOptionsStylized) => {
				try {
					const {name, message, stack, failure, ...facts} = redactError(error);
					return inspectError(
						error,
						{failure: failure as MtlsFailure | undefined, facts, stack},
						depth,
						options,
					);
				} catch {
					// An app may have changed any field; `console.log` of an error must not throw.
					return String(stackOf(error) ?? '[Error]');
				}
			},
			configurable: true,
		},
	});
}

// axios sets `url` on the error where a URL could not be built.
const hidden = ['config', 'request', 'response', 'url', 'cause'] as const;

// Security: for an uncaught error Node prints all enumerable fields, and always the cause; with
// `showHidden` also the rest. It calls no getter.
function hideField(error: Error, name: string): void {
	const field = Object.getOwnPropertyDescriptor(error, name);
	if (!field?.configurable || !('value' in field)) return;
	let {value} = field;
	if (name === 'cause') redactInvalidUrl(value);
	Object.defineProperty(error, name, {
		get: () => value,
		set: (next: unknown) => {
			value = next;
		},
		enumerable: false,
		configurable: true,
	});
}

/** Takes credentials and query out of Node's error for a URL that cannot be parsed, which quotes it whole. */
export function redactInvalidUrl(error: unknown): void {
	const {code, input, base} = (error ?? {}) as {code?: unknown; input?: unknown; base?: unknown};
	if (code !== 'ERR_INVALID_URL' || typeof input !== 'string') return;
	// Does not throw for a frozen error.
	Reflect.set(error as object, 'input', redactUrl(input));
	if (typeof base === 'string') Reflect.set(error as object, 'base', redactUrl(base));
}

/**
 * The message of V8's error for text that is not JSON, without the text that it quotes: the body of a
 * response.
 */
export function redactJsonMessage(message: string): string {
	const bare = message.replace(/".*"/s, '"[redacted]"');
	return jsonMessage.test(bare) ? bare : 'not valid JSON';
}

// All messages of V8: `kJsonParse…` in https://github.com/v8/v8/blob/main/src/common/message-template.h
const jsonMessage =
	/^(Unexpected end of JSON input|[\w ',{}[\]:-]+ (in|after) JSON at position \d+( \(line \d+ column \d+\))?|(Unexpected token '.{1,2}', )?(\.{3})?"\[redacted\]"(\.{3})? is not valid JSON)$/su;
