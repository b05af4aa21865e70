/*
 * What is left to axios's own http adapter, and why. Everything else goes over the connections of this
 * client.
 */
import http from 'node:http';
import {types} from 'node:util';
import {isLogin} from '../../connection/proxy/proxy-options.ts';
import {BoundedMap} from '../../util/bounded-map.ts';
import {axiosVersion} from '../axios-version.ts';
import type {ExchangeInput} from '../exchange.ts';
import type {Hop} from '../hop.ts';
import {tlsHttp2Option, wantsHttp2} from '../http2-options.ts';

type Config = ExchangeInput['config'];

/** An option that sends a request to axios's adapter. */
interface AxiosOnly {
	readonly option: keyof Config;
	/** The values that do. @defaultValue any that is not falsy */
	readonly when?: (config: Config) => boolean;
	readonly reason: string;
}

/** The options that only axios's own adapter can do. */
export const axiosOnly: readonly AxiosOnly[] = [
	{option: 'transport', reason: 'the app itself sends the request'},
	{option: 'httpAgent', reason: 'the app brings its own connections'},
	{option: 'httpsAgent', reason: 'the app brings its own connections'},
	{option: 'maxRate', reason: 'axios slows down the streams of its adapter'},
	{option: 'onUploadProgress', reason: 'axios measures the streams of its adapter'},
	{option: 'onDownloadProgress', reason: 'axios measures the streams of its adapter'},
	{option: 'insecureHTTPParser', reason: 'the parser of undici is always strict'},
	{
		option: 'http2Options',
		when: (config) => wantsHttp2(config) && tlsHttp2Option(config) !== undefined,
		reason: 'the app configures TLS itself, so axios connects',
	},
	{
		option: 'httpVersion',
		when: ({httpVersion}) => Number(httpVersion) !== 1 && Number(httpVersion) !== 2,
		reason: 'axios refuses it with an error of its own',
	},
	{
		option: 'timeout',
		when: ({timeout}) => Boolean(timeout) && Number.isNaN(Number.parseInt(String(timeout), 10)),
		reason: 'axios refuses it with an error of its own',
	},
	{
		option: 'socketPath',
		when: ({socketPath, allowedSocketPaths}) =>
			Boolean(socketPath) &&
			(typeof socketPath !== 'string' || (allowedSocketPaths ?? null) !== null),
		reason: 'axios compares it with allowedSocketPaths',
	},
];

/** The newest minor version of axios that the tests have run on. */
const newestTested = [1, 21] as const;

const [major = 0, minor = 0] = axiosVersion.split('.').map(Number);
const isNewer = major > newestTested[0] || (major === newestTested[0] && minor > newestTested[1]);

/** The options of axios that this package or axios itself handles, whatever their value. */
export const knownOptions: ReadonlySet<string> = new Set([
	...axiosOnly.map(({option}) => option),
	// Handled by the adapter of this package.
	'url',
	'baseURL',
	'allowAbsoluteUrls',
	'method',
	'params',
	'paramsSerializer',
	'auth',
	'maxRedirects',
	'beforeRedirect',
	'sensitiveHeaders',
	'withXSRFToken',
	'xsrfCookieName',
	'xsrfHeaderName',
	'validateStatus',
	'cancelToken',
	'signal',
	'proxy',
	'family',
	'lookup',
	// Handled by the exchange.
	'data',
	'headers',
	'timeoutErrorMessage',
	'maxContentLength',
	'maxBodyLength',
	'decompress',
	'responseType',
	'responseEncoding',
	'transitional',
	'formDataHeaderPolicy',
	'allowedSocketPaths',
	// Handled by axios before and after its adapter.
	'adapter',
	'transformRequest',
	'transformResponse',
	'formSerializer',
	'parseReviver',
	'redact',
	// Without effect on http requests of Node.
	'env',
	'withCredentials',
	'fetchOptions',
	// Options of this package and of well-known plugins that look like options of axios.
	'jar',
	'session',
	'allowInsecureRedirects',
	'timeouts',
	'localAddress',
	'skipAuthRefresh',
	// axios hides it in its configs; it is enumerable where an interceptor has added a property.
	'hasOwnProperty',
]);

/** Plugins keep state in a config, such as `axios-retry`. An option of axios is an identifier. */
const notAnIdentifier = /[^\w$]/;

/**
 * Whether a config has an option that only axios's own adapter can do. What an app keeps in a config is
 * no reason: it is not axios's. But a key that we do not know may be an option of a newer axios.
 */
export function needsAxios(config: Config, newer = isNewer): boolean {
	for (const {option, when} of axiosOnly) {
		const value: unknown = config[option];
		if (when === undefined ? value : value !== undefined && when(config)) return true;
	}
	if (newer) {
		for (const name in config) {
			if (knownOptions.has(name) || notAnIdentifier.test(name)) continue;
			if (config[name as keyof Config] !== undefined) return true;
		}
	}
	return false;
}

// Read once: if it is another function later, a mock such as msw has replaced it, and must get the requests.
const {request} = http;

/** What shimmer leaves on a function that it has wrapped. */
interface Wrapped {
	readonly __wrapped?: unknown;
	readonly __original?: unknown;
}

/**
 * Whether a mock has replaced Node's `http.request`. An instrumentation of OpenTelemetry that was enabled
 * later only wraps it, and its spans are not wanted here: there are those of this package.
 */
function isMocked(): boolean {
	let current: unknown = http.request;
	while (current !== request) {
		const {__wrapped, __original} = current as Wrapped;
		if (__wrapped !== true || typeof __original !== 'function') return true;
		current = __original;
	}
	return false;
}

/**
 * Whether one request over HTTP/1.1 needs axios's own adapter, and with it Node's client: another agent
 * or a mock is to send it, or undici refuses what Node sends.
 */
export function http1NeedsAxios({
	hop,
	globalAgent,
}: Pick<ExchangeInput, 'hop' | 'globalAgent'>): boolean {
	if (isMocked() || globalAgent !== undefined) return true;
	// undici would switch protocols.
	if (hop.method === 'CONNECT') return true;
	// Node refuses a method or a path that HTTP cannot carry with its own error.
	if (!usualMethods.has(hop.method) && !token.test(hop.method)) return true;
	return hasNodeHeaders(hop) || !/^\/[\x21-\x7e\x80-\xff]*$/.test(hop.path);
}

const usualMethods: ReadonlySet<string> = new Set([
	'GET',
	'HEAD',
	'POST',
	'PUT',
	'PATCH',
	'DELETE',
]);

type HeaderKind = 'plain' | 'single' | 'length' | 'connection' | 'refused';

// Every request has the same few names.
const headerKinds = new BoundedMap<string, HeaderKind>({maxEntries: 1_000, maxBytes: 256 * 1024});

/** RFC 9110 §5.6.2. Node refuses a name that is not a token with its own error. */
const token = /^[!#$%&'*+.^_`|~\w-]+$/;

/** Headers that undici refuses, and one that Node refuses without chunks. */
const nodeOnly = /^(keep-alive|transfer-encoding|upgrade|expect|trailer)$/i;

function headerKind(name: string): HeaderKind {
	let kind = headerKinds.get(name);
	if (kind !== undefined) return kind;
	if (/^content-length$/i.test(name)) kind = 'length';
	else if (/^connection$/i.test(name)) kind = 'connection';
	else if (/^host$/i.test(name) || isLogin(name)) kind = 'single';
	else kind = nodeOnly.test(name) || !token.test(name) ? 'refused' : 'plain';
	headerKinds.set(name, kind, 100 + 2 * name.length);
	return kind;
}

/** Whether there is a header that only Node's client sends as the app gave it. */
function hasNodeHeaders({headers, body}: Hop): boolean {
	for (const name of Object.keys(headers)) {
		const value: unknown = headers[name];
		if (value === undefined) continue;
		const kind = headerKind(name);
		if (kind === 'plain') continue;
		if (value === null || value === false) {
			// Without a length Node would send the body in chunks.
			if (kind === 'length' && body?.data) return true;
			continue;
		}
		if (kind === 'refused' || Array.isArray(value)) return true;
		if (kind === 'connection' && !/^(close|keep-alive)$/i.test(String(value))) return true;
		if (kind === 'length' && !isLengthOf(body, String(value))) return true;
	}
	return false;
}

/** Whether undici would send this length too. After a redirect, the right one is there already. */
function isLengthOf(body: Hop['body'], length: string): boolean {
	const data = body?.data;
	if (typeof data === 'string') return length === String(Buffer.byteLength(data));
	if (types.isArrayBuffer(data) || ArrayBuffer.isView(data)) {
		return length === String(data.byteLength);
	}
	return Boolean(data) && /^\d{1,15}$/.test(length);
}
