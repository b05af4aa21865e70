/*
 * Plain http through a proxy: the proxy itself is asked, and told the whole URL (RFC 9112 §3.2.2).
 */
import type {HttpProxy} from '../connection/proxy/proxy-config.ts';
import {isLogin} from '../connection/proxy/proxy-options.ts';
import type {Hop} from './hop.ts';

/** Whether `proxy` is to be asked for this hop, rather than for a tunnel. */
export function isForwarded(
	{url}: Pick<Hop, 'url'>,
	proxy: HttpProxy | undefined,
): proxy is HttpProxy {
	return proxy !== undefined && url.protocol === 'http:';
}

/** The request target in absolute-form. */
export function absoluteForm({url}: Hop, path: string): string {
	return url.origin + path;
}

const login = 'Proxy-Authorization';

/** Names and values in turn, with those that `proxy` is to see; a login of ours replaces the app's. */
export function forwardHeaders({url}: Hop, headers: readonly string[], proxy: HttpProxy): string[] {
	const {authorization} = proxy;
	const sent = ['Host', url.host];
	for (let i = 0; i < headers.length; i += 2) {
		const [name = '', value = ''] = headers.slice(i, i + 2);
		if (authorization === undefined || !isLogin(name)) sent.push(name, value);
	}
	if (authorization !== undefined) sent.push(login, authorization);
	return sent;
}

/** The same for headers by name, of which `Host` is Node's to write. */
export function withLogin<Value>(
	headers: Readonly<Record<string, Value>>,
	{authorization}: HttpProxy,
): Record<string, Value | string> {
	if (authorization === undefined) return {...headers};
	const own = Object.entries(headers).filter(([name]) => !isLogin(name));
	return {...Object.fromEntries(own), [login]: authorization};
}
