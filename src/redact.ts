/*
 * What may be told of a request. An allow-list: a field that is not named here stays untold, so
 * that an option of a future axios, or of an app, cannot carry a secret into a log.
 */
import {inspect} from 'node:util';
import type {AxiosError, InternalAxiosRequestConfig} from 'axios';

const mask = '[redacted]';

const tellable = [
	'method',
	'url',
	'baseURL',
	'timeout',
	'responseType',
	'maxRedirects',
	'maxContentLength',
	'maxBodyLength',
] as const;

// The values of these headers are what they are for; any other header may hold a key of the app's.
const tellableHeaders = new Set([
	'accept',
	'accept-encoding',
	'accept-language',
	'content-encoding',
	'content-length',
	'content-type',
	'host',
	'user-agent',
]);

/** The URL without user, password, fragment and the values of its query; text that is no URL as it is up to `?`. */
export function redactUrl(url: string): string {
	const [path = '', query] = url.replace(/#.*$/s, '').split(/\?(.*)/s, 2);
	const place = path.replace(
		/^([a-z][a-z0-9+.-]*:)?\/\/[^/]*@/i,
		(_, scheme = '') => `${scheme}//`,
	);
	return query === undefined ? place : `${place}?${redactQuery(query)}`;
}

function redactQuery(query: string): string {
	return query.replace(/=[^&]*/g, `=${mask}`);
}

/** Headers with their names kept and all but the well-known harmless values masked. */
export function redactHeaders(headers: object): Record<string, unknown> {
	const told: Record<string, unknown> = {};
	for (const [name, value] of Object.entries(headers)) {
		if (value === undefined || value === null || typeof value === 'function') continue;
		told[name] = tellableHeaders.has(name.toLowerCase()) ? value : mask;
	}
	return told;
}

/** The part of an axios config that explains a failure and holds no secret: no body, no credentials, no agent. */
export function redactConfig(config: InternalAxiosRequestConfig): Record<string, unknown> {
	const told: Record<string, unknown> = {};
	for (const name of tellable) {
		const value = config[name];
		if (value === undefined) continue;
		told[name] = name === 'url' || name === 'baseURL' ? redactUrl(String(value)) : value;
	}
	if (config.headers) told.headers = redactHeaders(config.headers);
	return told;
}

/** An error as plain data, for `JSON.stringify` and `console.log`. */
function redactError(error: AxiosError & {failure?: unknown}): Record<string, unknown> {
	return {
		name: error.name,
		message: error.message,
		...(error.code !== undefined && {code: error.code}),
		...(error.status !== undefined && {status: error.status}),
		...(error.failure !== undefined && {failure: error.failure}),
		...(error.config !== undefined && {config: redactConfig(error.config)}),
		...(error.stack !== undefined && {stack: error.stack}),
	};
}

/**
 * Makes an error print without secrets: `JSON.stringify(error)` and `console.log(error)` show the
 * allow-listed part. The fields themselves (`config`, `request`, `response`) stay for code to read.
 */
export function hideSecrets<E extends AxiosError>(error: E): E {
	Object.defineProperties(error, {
		toJSON: {value: () => redactError(error), configurable: true, writable: true},
		[inspect.custom]: {
			value: () => {
				const {name, message, stack, ...rest} = redactError(error);
				return `${stack ?? `${name}: ${message}`} ${inspect(rest, {depth: 6})}`;
			},
			configurable: true,
		},
	});
	return error;
}
