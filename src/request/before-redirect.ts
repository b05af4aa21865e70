import {
	type AxiosBasicCredentials,
	AxiosHeaders,
	type AxiosResponse,
	type InternalAxiosRequestConfig,
} from 'axios';
import {exactHeaders} from '../exchange/headers.ts';
import type {Hop, RedirectCallback} from '../exchange/hop.ts';
import {bareHost, urlHost} from '../util/url.ts';
import {isWithheldElsewhere, type RedirectPolicy} from './redirect.ts';

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>;
type Headers = Record<string, string>;

/** What has led to the hop that the app is asked about. */
interface Redirect {
	readonly previous: Hop;
	readonly response: AxiosResponse;
	readonly policy: Pick<RedirectPolicy, 'sensitiveHeaders'>;
}

/**
 * Lets the app look at the next hop and change it: `options` holds the fields that follow-redirects
 * gives axios users, and what the callback leaves there is what is sent.
 *
 * Security: a callback that changes the host or the port may send the request to an origin for which
 * nobody has judged it. What is secret goes there only where the callback has set it itself.
 *
 * @throws {TypeError} when what it leaves is no place for a request.
 */
export function callBeforeRedirect(
	callback: BeforeRedirect,
	hop: Hop,
	{previous, response, policy}: Redirect,
): Hop {
	const given = plain(hop.headers);
	const login = hop.auth && `${hop.auth.username}:${hop.auth.password}`;
	const asked = askedAbout(hop, previous.redirectCallback, {headers: given, auth: login});
	const {options, written} = asked;
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
		for (const [name, value] of Object.entries(given)) {
			const isLeft = String(headers.get(name)) === String(value);
			if (isLeft && !written.has(name.toLowerCase()) && isWithheldElsewhere(name, policy)) {
				headers.delete(name);
			}
		}
		if (auth === login) auth = undefined;
	}
	return {
		...hop,
		url,
		// As it is: Node does not escape what a URL would.
		path,
		method: String(options.method).toUpperCase(),
		headers,
		// Node's order: a header of that name comes before.
		auth: headers.has('Authorization') ? undefined : credentials(auth),
		redirectCallback: asked,
	};
}

/**
 * The options for the callback. As in axios one object, and in it one object of headers, serve all hops
 * of a call: a header that is set too late for one hop is in time for the next.
 */
function askedAbout(
	{url, method}: Hop,
	before: RedirectCallback | undefined,
	{headers, auth}: {headers: Headers; auth: string | undefined},
): RedirectCallback {
	const asked = before ?? {
		// Without a prototype: what the callback deletes is not for a stranger to fill in.
		options: Object.create(null) as Record<string, unknown>,
		written: new Set<string>(),
	};
	const {options, written} = asked;
	options.headers = refilled(options.headers ?? watched({}, written), headers);
	written.clear();
	Object.assign(options, urlFields(url), {method, auth});
	return asked;
}

/** Headers that note which of them are set. */
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
	// Without those that are switched off.
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

/** Path and query; none is the root, as for Node. */
function pathOf({path}: Record<string, unknown>): string {
	const text = String(path || '/');
	if (text.startsWith('/')) return text;
	throw new TypeError("beforeRedirect left a path that does not begin with '/'");
}

/**
 * Where a request goes: protocol, hostname, port and path; the other fields only describe it.
 *
 * Security: set one by one. Put together as text, the path `@evil.test/x` would be a host, and so
 * would a `//evil.test/x` that is resolved.
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

// What is no port a URL would leave out without a word.
function portText(port: unknown): string {
	const number = Number(port);
	if (Number.isInteger(number) && number > 0 && number < 65_536) return String(number);
	throw new TypeError('Invalid URL');
}

function credentials(auth: unknown): AxiosBasicCredentials | undefined {
	if (typeof auth !== 'string') return undefined;
	const [username = '', ...password] = auth.split(':');
	return {username, password: password.join(':')};
}
