/*
 * Which requests the lean exchange takes. It is an allow-list: an option that is not named here, of
 * a future axios or of an app, sends the request through axios's own adapter.
 */
import http from 'node:http';
import {isLogin} from '../../connection/proxy/proxy-options.ts';
import {BoundedMap} from '../../util/bounded-map.ts';
import type {ExchangeInput} from '../exchange.ts';

/** Options that the lean exchange, the adapter or axios itself deals with, whatever their value. */
const anyValue: ReadonlySet<string> = new Set([
	// The adapter's: where to, with what, how far.
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
	// Looked at below, or by the lean exchange.
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
	// Done by axios before and after its adapter.
	'adapter',
	'transformRequest',
	'transformResponse',
	'formSerializer',
	'parseReviver',
	'redact',
	// Without a meaning for http requests of Node.
	'env',
	'withCredentials',
	'fetchOptions',
	'formDataHeaderPolicy',
	'allowedSocketPaths',
	'http2Options',
	// axios hides it in its configs, and shows it where an interceptor has added a property of its own.
	'hasOwnProperty',
	// Of plugins, which keep their own state there.
	'axios-retry',
	'skipAuthRefresh',
]);

/** Options that are left to axios's adapter unless they hold one of these. */
const someValues: ReadonlyMap<string, readonly unknown[]> = new Map([
	['responseType', [undefined, null, '', 'json', 'text', 'arraybuffer']],
	['httpVersion', [undefined, 1]],
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

/** Headers of the connection rather than the message: Node takes an app's word for them, undici does not. */
const connectionHeaders =
	/^(host|connection|keep-alive|proxy-connection|transfer-encoding|te|trailer|upgrade|expect)$/i;

/** RFC 9110 §5.6.2. Node has words of its own for a name that is none. */
const token = /^[!#$%&'*+.^_`|~\w-]+$/;

type NameKind = 'plain' | 'length' | 'proxy' | 'foreign';

// The names are the same few in every request.
const nameKinds = new BoundedMap<string, NameKind>({maxEntries: 1_000, maxBytes: 256 * 1024});

function kindOf(name: string): NameKind {
	let kind = nameKinds.get(name);
	if (kind !== undefined) return kind;
	if (/^content-length$/i.test(name)) kind = 'length';
	else if (isLogin(name)) kind = 'proxy';
	else kind = connectionHeaders.test(name) || !token.test(name) ? 'foreign' : 'plain';
	nameKinds.set(name, kind, 100 + 2 * name.length);
	return kind;
}

/** Whether the undici exchange does all that the options of a config ask for. */
export function undiciSupportsConfig(config: ExchangeInput['config']): boolean {
	for (const name in config) {
		if (anyValue.has(name)) continue;
		const value: unknown = config[name as keyof typeof config];
		const allowed = someValues.get(name);
		if (allowed === undefined ? value !== undefined : !allowed.includes(value)) return false;
	}
	return !config.timeout || !Number.isNaN(Number.parseInt(String(config.timeout), 10));
}

// Whoever replaces it later, as msw does, wants to see the requests.
const {request} = http;

/** Whether it does all that one request of such a config asks for. */
export function undiciSupportsHop({
	hop,
	globalAgent,
}: Pick<ExchangeInput, 'hop' | 'globalAgent'>): boolean {
	if (http.request !== request || globalAgent !== undefined) return false;
	const data = hop.body?.data;
	const plainBody =
		!data || typeof data === 'string' || Buffer.isBuffer(data) || data instanceof ArrayBuffer;
	const method = data
		? withBody.has(hop.method)
		: withBody.has(hop.method) || withoutBody.has(hop.method);
	return plainBody && method && hasPlainHead(hop, data);
}

function hasPlainHead({headers, path, url}: ExchangeInput['hop'], data: unknown): boolean {
	for (const name of Object.keys(headers)) {
		const value: unknown = headers[name];
		if (value === undefined) continue;
		const kind = kindOf(name);
		if (value === null || value === false) {
			// Then Node sends the body in chunks.
			if (kind === 'length' && data) return false;
			continue;
		}
		// A list is Node's to write: `Cookie` on one line, others on one each.
		if (kind === 'foreign' || Array.isArray(value)) return false;
		// Over TLS it is nothing for the origin.
		if (kind === 'proxy' && url.protocol === 'https:') return false;
		// The right one is what the hop before a redirect has left.
		if (kind === 'length' && (!data || value !== String(lengthOf(data)))) return false;
	}
	// Node's own words for a path that HTTP cannot carry.
	return /^\/[\x21-\x7e\x80-\xff]*$/.test(path);
}

function lengthOf(data: unknown): number {
	return typeof data === 'string' ? Buffer.byteLength(data) : (data as Buffer).byteLength;
}
