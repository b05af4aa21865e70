import {
	type AxiosBasicCredentials,
	AxiosHeaders,
	type AxiosResponse,
	type InternalAxiosRequestConfig,
} from 'axios';
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
			headers: {host: previous.url.host, ...plain(previous.headers)},
		},
	);
	const method = String(options.method).toUpperCase();
	return {
		...hop,
		url: urlOf(options),
		method,
		headers: new AxiosHeaders(options.headers as Record<string, string>),
		auth: credentials(options.auth),
	};
}

function plain(headers: AxiosResponse['headers']): Record<string, string> {
	return {...(headers as Record<string, string>)};
}

function urlFields(url: URL): Record<string, unknown> {
	return {
		protocol: url.protocol,
		host: url.host,
		hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
		port: url.port === '' ? '' : Number(url.port),
		pathname: url.pathname,
		search: url.search,
		path: url.pathname + url.search,
		href: url.href,
	};
}

// A request goes to protocol, hostname, port and path; the other fields only describe it.
function urlOf({protocol, hostname, host, port, path}: Record<string, unknown>): URL {
	const name = String(hostname ?? host);
	const authority = name.includes(':') ? `[${name}]` : name;
	return withoutCredentials(new URL(`${protocol}//${authority}:${port ?? ''}${path}`));
}

function credentials(auth: unknown): AxiosBasicCredentials | undefined {
	if (typeof auth !== 'string') return undefined;
	const [username = '', ...password] = auth.split(':');
	return {username, password: password.join(':')};
}
