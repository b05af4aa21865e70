import {
	type AxiosBasicCredentials,
	AxiosHeaders,
	type AxiosResponse,
	type InternalAxiosRequestConfig,
} from 'axios';
import {bareHost, urlHost} from '../host.ts';
import {type Hop, withoutCredentials} from './hop.ts';

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>;

/**
 * Lets the app look at the next hop and change it: `options` holds the fields that follow-redirects
 * gives axios users, and what the callback leaves there is what is sent.
 */
export function askBeforeRedirect(
	callback: BeforeRedirect,
	hop: Hop,
	previous: Hop,
	{status, headers}: AxiosResponse,
): Hop {
	const options: Record<string, unknown> = {
		...urlFields(hop.url),
		method: hop.method,
		headers: plain(hop.headers),
		auth: hop.auth && `${hop.auth.username}:${hop.auth.password}`,
	};
	callback(
		options,
		{headers: plain(headers), statusCode: status},
		{
			url: previous.url.href,
			method: previous.method,
			headers: {Host: previous.url.host, ...plain(previous.headers)},
		},
	);
	const method = String(options.method).toUpperCase();
	const url = urlOf(options);
	const sent = exactly(options.headers as Record<string, string>);
	const path = String(options.path);
	return {
		...hop,
		url,
		// As it is: Node does not escape what a URL would.
		path: path.startsWith('/') ? path : url.pathname + url.search,
		method,
		headers: sent,
		// Node's order: a header of that name comes before.
		auth: sent.has('Authorization') ? undefined : credentials(options.auth),
	};
}

function plain(headers: AxiosResponse['headers']): Record<string, string> {
	// Without those that are switched off.
	return {...new AxiosHeaders(headers as AxiosHeaders).toJSON()} as Record<string, string>;
}

/** Adds nothing to the headers: what the callback has taken away stays away. */
function exactly(headers: Record<string, string>): AxiosHeaders {
	const exact = new AxiosHeaders(headers);
	for (const name of ['User-Agent', 'Accept-Encoding', 'Content-Length']) {
		if (!exact.has(name)) exact.set(name, false);
	}
	return exact;
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

// A request goes to protocol, hostname, port and path; the other fields only describe it.
function urlOf({protocol, hostname, host, port, path, hash}: Record<string, unknown>): URL {
	if (protocol !== 'https:' && protocol !== 'http:') {
		throw new TypeError(`Unsupported protocol ${protocol}`);
	}
	const name = urlHost(String(hostname ?? host));
	const url = withoutCredentials(new URL(`${protocol}//${name}:${port ?? ''}${path}`));
	url.hash = String(hash ?? '');
	return url;
}

function credentials(auth: unknown): AxiosBasicCredentials | undefined {
	if (typeof auth !== 'string') return undefined;
	const [username = '', ...password] = auth.split(':');
	return {username, password: password.join(':')};
}
