import {
	type AxiosBasicCredentials,
	AxiosHeaders,
	type AxiosResponse,
	type InternalAxiosRequestConfig,
} from 'axios';
import type {BeforeRedirectState, Hop} from '../exchange/hop.ts';
import {exactHeaders} from '../exchange/outgoing/config-headers.ts';
import {bareHost, urlHost} from '../util/url.ts';
import {isWithheldElsewhere, type RedirectPolicy} from './redirect.ts';

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>;
type Headers = Record<string, string>;

/** The redirect that led to a hop. */
interface Redirect {
	readonly previous: Hop;
	readonly response: AxiosResponse;
	readonly policy: Pick<RedirectPolicy, 'sensitiveHeaders'>;
}

/**
 * Calls the app's `beforeRedirect`, which may change the next hop: `options` has the fields that
 * axios users know from follow-redirects, and the hop is made from them after the call.
 *
 * Security: a callback that changes the host or the port may send the request to an origin for which
 * `nextHop` has not chosen the headers. Secret headers go there only if the callback has set them.
 *
 * @throws {TypeError} when the callback leaves options of which no request can be made.
 */
export function callBeforeRedirect(
	callback: BeforeRedirect,
	hop: Hop,
	{previous, response, policy}: Redirect,
): Hop {
	const before = plain(hop.headers);
	const credentials = hop.auth && `${hop.auth.username}:${hop.auth.password}`;
	const state = stateFor(hop, previous.beforeRedirectState, {headers: before, auth: credentials});
	const {options, written} = state;
	callback(
		options,
		{headers: plain(response.headers), statusCode: response.status},
		{
			url: previous.url.href,
			method: previous.method,
			headers: {Host: previous.url.host, ...plain(previous.headers)},
		},
	);
	const path = pathOf(options);
	const url = urlOf(options, path);
	const headers = exactHeaders(options.headers);
	let {auth} = options;
	if (url.origin !== hop.url.origin && url.origin !== previous.url.origin) {
		for (const [name, value] of Object.entries(before)) {
			const isUnchanged = String(headers.get(name)) === String(value);
			if (isUnchanged && !written.has(name.toLowerCase()) && isWithheldElsewhere(name, policy)) {
				headers.delete(name);
			}
		}
		if (auth === credentials) auth = undefined;
	}
	return {
		...hop,
		url,
		// Not from the URL, which would escape characters that Node sends as they are.
		path,
		method: String(options.method).toUpperCase(),
		headers,
		// As in Node, an `Authorization` header has precedence.
		auth: headers.has('Authorization') ? undefined : parseCredentials(auth),
		beforeRedirectState: state,
	};
}

/**
 * The options for the callback. As in axios all hops of a call share one object, and in it one object
 * of headers: a header that the app sets too late for one hop is sent with the next.
 */
function stateFor(
	{url, method}: Hop,
	previous: BeforeRedirectState | undefined,
	{headers, auth}: {headers: Headers; auth: string | undefined},
): BeforeRedirectState {
	const state = previous ?? {
		// Without a prototype: `Object.prototype` must not fill in what the callback deletes.
		options: Object.create(null) as Record<string, unknown>,
		written: new Set<string>(),
	};
	const {options, written} = state;
	options.headers = refilled(options.headers ?? watched({}, written), headers);
	written.clear();
	Object.assign(options, urlFields(url), {method, auth});
	return state;
}

/** A proxy of `headers` that adds the name of each header that is set to `written`. */
function watched(headers: Headers, written: Set<string>): Headers {
	return new Proxy(headers, {
		set(target, name, value) {
			written.add(String(name).toLowerCase());
			return Reflect.set(target, name, value);
		},
	});
}

function refilled(target: object, headers: Headers): object {
	if (Array.isArray(target)) return headers;
	for (const name of Object.keys(target)) Reflect.deleteProperty(target, name);
	return Object.assign(target, headers);
}

function plain(headers: AxiosResponse['headers']): Headers {
	// toJSON() leaves out headers that are switched off.
	return {...new AxiosHeaders(headers as AxiosHeaders).toJSON()} as Headers;
}

function urlFields(url: URL): Record<string, unknown> {
	return {
		protocol: url.protocol,
		host: url.host,
		hostname: bareHost(url.hostname),
		port: url.port === '' ? '' : Number(url.port),
		pathname: url.pathname,
		search: url.search,
		hash: url.hash,
		path: url.pathname + url.search,
		href: url.href,
	};
}

/** Path and query. As in Node, an empty one is `/`. */
function pathOf({path}: Record<string, unknown>): string {
	const text = String(path || '/');
	if (text.startsWith('/')) return text;
	throw new TypeError("beforeRedirect left a path that does not begin with '/'");
}

/**
 * The URL of the options' protocol, hostname, port and path; the other fields follow from these.
 *
 * Security: each part is set on its own. In a concatenated URL the path `@evil.test/x` would be read as
 * the host, and so would a `//evil.test/x` that is resolved.
 */
function urlOf({protocol, hostname, host, port, hash}: Record<string, unknown>, path: string): URL {
	if (protocol !== 'https:' && protocol !== 'http:') {
		throw new TypeError(`Unsupported protocol ${protocol}`);
	}
	const name = urlHost(String(hostname || host));
	if (/[\s/\\?#@]/.test(name)) throw new TypeError('Invalid URL');
	const url = new URL(`${protocol}//${name}`);
	if (port) url.port = portText(port);
	const query = path.indexOf('?');
	url.pathname = query < 0 ? path : path.slice(0, query);
	url.search = query < 0 ? '' : path.slice(query);
	url.hash = String(hash ?? '');
	return url;
}

// A URL silently ignores a port that is not valid.
function portText(port: unknown): string {
	const number = Number(port);
	if (Number.isInteger(number) && number > 0 && number < 65_536) return String(number);
	throw new TypeError('Invalid URL');
}

function parseCredentials(auth: unknown): AxiosBasicCredentials | undefined {
	if (typeof auth !== 'string') return undefined;
	const [username = '', ...password] = auth.split(':');
	return {username, password: password.join(':')};
}
