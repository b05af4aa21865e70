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

/** The URL, or the path, without user, password, fragment and the values of its query. */
export function redactUrl(url: string): string {
	// As the URL parser does, so that what it reads as credentials is what goes.
	const text = url.trim().replace(/[\t\n\r]/g, '');
	const scheme = /^([a-z][a-z0-9+.-]*:|(?=[/\\]{2}))/i.exec(text)?.[0];
	if (scheme === undefined) return redactParts(text);
	if (/^(data|blob):/i.test(scheme)) return scheme + mask;

	const parsed = URL.parse(text, scheme === '' ? 'https://base.invalid' : undefined);
	// Where a URL that none can parse keeps its password is anybody's guess.
	if (parsed === null) return text.includes('@') ? scheme + mask : redactParts(text);
	if (!parsed.username && !parsed.password) return redactParts(text);
	parsed.username = '';
	parsed.password = '';
	return redactParts(scheme === '' ? parsed.href.slice(parsed.protocol.length) : parsed.href);
}

function redactParts(text: string): string {
	const [path = '', query] = text.replace(/#.*$/s, '').split(/\?(.*)/s, 2);
	return query === undefined ? path : `${path}?${redactQuery(query)}`;
}

function redactQuery(query: string): string {
	return query.split('&').map(redactParameter).join('&');
}

// What has no name may be a token itself.
function redactParameter(text: string): string {
	const equals = text.indexOf('=');
	if (equals === -1) return text && mask;
	return `${text.slice(0, equals)}=${mask}`;
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
 * allow-listed part. The fields themselves (`config`, `request`, `response`) stay for code to read, and
 * are not enumerable: of an error that nobody catches Node prints all that is.
 */
export function hideSecrets<E extends AxiosError>(error: E): E {
	for (const name of ['config', 'request', 'response'] as const) {
		if (Object.hasOwn(error, name)) Object.defineProperty(error, name, {enumerable: false});
	}
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
