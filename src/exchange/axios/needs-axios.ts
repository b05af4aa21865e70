/*
 * Which requests the undici exchange takes. It is an allow-list: a request with an option that is not
 * named here, of a future axios or of an app, goes through axios's own adapter.
 */
import http from 'node:http';
import {types} from 'node:util';
import {isLogin} from '../../connection/proxy/proxy-options.ts';
import {BoundedMap} from '../../util/bounded-map.ts';
import type {ExchangeInput} from '../exchange.ts';

/** Options that the undici exchange, the adapter or axios itself handles, whatever their value. */
const supportedOptions: ReadonlySet<string> = new Set([
	// Handled by the adapter of this package.
	'url',
	'baseURL',
	'allowAbsoluteUrls',
	'method',
	'params',
	'paramsSerializer',
	'auth',
	'jar',
	'session',
	'allowInsecureRedirects',
	'timeouts',
	'maxRedirects',
	'beforeRedirect',
	'sensitiveHeaders',
	'withXSRFToken',
	'xsrfCookieName',
	'xsrfHeaderName',
	'validateStatus',
	'cancelToken',
	'signal',
	// Checked below, or handled by the undici exchange.
	'data',
	'headers',
	'proxy',
	'timeout',
	'timeoutErrorMessage',
	'maxContentLength',
	'maxBodyLength',
	'decompress',
	'responseEncoding',
	'transitional',
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
	'formDataHeaderPolicy',
	'allowedSocketPaths',
	'http2Options',
	// axios hides it in its configs; it is enumerable where an interceptor has added a property.
	'hasOwnProperty',
	// An option of axios-auth-refresh. Its name looks like an option of axios.
	'skipAuthRefresh',
]);

/** Plugins keep state in a config, such as `axios-retry`. An option of axios is an identifier. */
const notAnIdentifier = /[^\w$]/;

/** Options that the undici exchange supports only with one of these values. */
const supportedValues: ReadonlyMap<string, readonly unknown[]> = new Map([
	['responseType', [undefined, null, '', 'json', 'text', 'arraybuffer']],
	['httpVersion', [undefined, 1, 2, '2']],
	['httpAgent', [undefined, null]],
	['httpsAgent', [undefined, null]],
	['socketPath', [undefined, null, '']],
	['transport', [undefined, null]],
	['lookup', [undefined, null]],
	['family', [undefined, null]],
	['maxRate', [undefined, null]],
	['onUploadProgress', [undefined, null]],
	['onDownloadProgress', [undefined, null]],
	['insecureHTTPParser', [undefined, null, false]],
]);

const withBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const withoutBody: ReadonlySet<string> = new Set(['GET', 'DELETE', 'OPTIONS']);

/** Headers of the connection rather than the message: Node lets an app set them, undici does not. */
const connectionHeaders =
	/^(host|connection|keep-alive|proxy-connection|transfer-encoding|te|trailer|upgrade|expect)$/i;

/** RFC 9110 §5.6.2. Node refuses a name that is not a token with its own error. */
const token = /^[!#$%&'*+.^_`|~\w-]+$/;

type HeaderKind = 'plain' | 'length' | 'proxy' | 'unsupported';

// Every request has the same few names.
const headerKinds = new BoundedMap<string, HeaderKind>({maxEntries: 1_000, maxBytes: 256 * 1024});

function headerKind(name: string): HeaderKind {
	let kind = headerKinds.get(name);
	if (kind !== undefined) return kind;
	if (/^content-length$/i.test(name)) kind = 'length';
	else if (isLogin(name)) kind = 'proxy';
	else kind = connectionHeaders.test(name) || !token.test(name) ? 'unsupported' : 'plain';
	headerKinds.set(name, kind, 100 + 2 * name.length);
	return kind;
}

/** Whether the undici exchange handles all options of a config. */
export function undiciSupportsConfig(config: ExchangeInput['config']): boolean {
	for (const name in config) {
		if (supportedOptions.has(name)) continue;
		const value: unknown = config[name as keyof typeof config];
		const allowed = supportedValues.get(name);
		if (allowed === undefined) {
			if (value !== undefined && !notAnIdentifier.test(name)) return false;
		} else if (!allowed.includes(value)) return false;
	}
	return !config.timeout || !Number.isNaN(Number.parseInt(String(config.timeout), 10));
}

// Read once: if it is another function later, a mock such as msw has replaced it, and must get the requests.
const {request} = http;

/** Whether the undici exchange can send one request of such a config as axios's adapter would. */
export function undiciSupportsHop({
	hop,
	globalAgent,
	proxy,
}: Pick<ExchangeInput, 'hop' | 'globalAgent' | 'proxy'>): boolean {
	if (http.request !== request || globalAgent !== undefined) return false;
	const data = hop.body?.data;
	const plainBody =
		!data || typeof data === 'string' || Buffer.isBuffer(data) || types.isArrayBuffer(data);
	const method = data
		? withBody.has(hop.method)
		: withBody.has(hop.method) || withoutBody.has(hop.method);
	return plainBody && method && hasPlainHead(hop, data, proxy);
}

function hasPlainHead(
	{headers, path, url}: ExchangeInput['hop'],
	data: unknown,
	proxy: ExchangeInput['proxy'],
): boolean {
	for (const name of Object.keys(headers)) {
		const value: unknown = headers[name];
		if (value === undefined) continue;
		const kind = headerKind(name);
		if (value === null || value === false) {
			// Without a length Node would send the body in chunks.
			if (kind === 'length' && data) return false;
			continue;
		}
		// Node writes a list in its own way: `Cookie` on one line, others on one each.
		if (kind === 'unsupported' || Array.isArray(value)) return false;
		// In a tunnel, and over TLS, the origin must not get the credentials of the proxy.
		if (kind === 'proxy' && (url.protocol === 'https:' || proxy?.isSocks)) return false;
		// After a redirect the right length is already there.
		if (kind === 'length' && (!data || value !== String(lengthOf(data)))) return false;
	}
	// Node refuses a path that HTTP cannot carry with its own error.
	return /^\/[\x21-\x7e\x80-\xff]*$/.test(path);
}

function lengthOf(data: unknown): number {
	return typeof data === 'string' ? Buffer.byteLength(data) : (data as Buffer).byteLength;
}
