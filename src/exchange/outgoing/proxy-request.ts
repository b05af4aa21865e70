/*
 * The proxy's part of a request. Plain http goes to the proxy itself, with the whole URL (RFC 9112
 * §3.2.2); https goes through a tunnel, whose CONNECT has the credentials. Through a SOCKS proxy both go
 * through a tunnel, and no HTTP is for the proxy.
 */

import {isLogin} from '../../connection/proxy/proxy-options.ts';
import type {ProxyServer} from '../../connection/proxy/resolve-proxy.ts';
import {type ExchangeInput, isForOrigin} from '../exchange.ts';
import type {Hop} from '../hop.ts';
import {copyHeaders} from './config-headers.ts';

/** The request target in absolute-form. */
export function absoluteForm({url}: Hop, path: string): string {
	return url.origin + path;
}

const headerName = 'Proxy-Authorization';

/** Names and values in turn, for `proxy`: its configured credentials replace the app's. */
export function forwardHeaders(
	{url, headers: given}: Hop,
	headers: readonly string[],
	proxy: ProxyServer,
): string[] {
	const {authorization} = proxy;
	const sent = given.get('Host') ? [] : ['Host', url.host];
	for (let i = 0; i < headers.length; i += 2) {
		const [name = '', value = ''] = headers.slice(i, i + 2);
		if (authorization === undefined || !isLogin(name)) sent.push(name, value);
	}
	if (authorization !== undefined) sent.push(headerName, authorization);
	return sent;
}

/** The same for headers by name; Node writes `Host`. */
export function withProxyAuthorization<Value>(
	headers: Readonly<Record<string, Value>>,
	{authorization}: ProxyServer,
): Record<string, Value | string> {
	if (authorization === undefined) return {...headers};
	const own = Object.entries(headers).filter(([name]) => !isLogin(name));
	return {...Object.fromEntries(own), [headerName]: authorization};
}

/**
 * Moves the app's own `Proxy-Authorization` of a request in a tunnel, or of any over https or HTTP/2, to the
 * CONNECT, if there is one whose proxy has no credentials of its own; otherwise removes it.
 *
 * Security: in the request itself the origin would read the credentials of the proxy.
 */
export function withTunnelAuthorization(input: ExchangeInput): ExchangeInput {
	const {hop} = input;
	if (!isForOrigin(input) || !Object.keys(hop.headers).some(isLogin)) return input;
	const headers = copyHeaders(hop.headers);
	headers.delete('Proxy-Authorization');
	return {...input, hop: {...hop, headers}, proxy: tunnelProxy(input)};
}

/** The proxy of a request, with the app's own `Proxy-Authorization` if it has no credentials. */
export function tunnelProxy(input: ExchangeInput): ProxyServer | undefined {
	const {hop, proxy, globalAgent} = input;
	if (proxy === undefined || globalAgent !== undefined || !isForOrigin(input)) return proxy;
	const login = hop.headers.get('Proxy-Authorization');
	// `false` switches a header off.
	return login ? proxy.withAuthorization(sendable(String(login))) : proxy;
}

// As axios does: a line end would begin another header.
function sendable(value: string): string {
	return value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
}
