import {isLogin} from '../connection/proxy/proxy-options.ts';
import type {ExchangeInput} from './exchange.ts';
import {copyHeaders} from './headers.ts';

/**
 * The app's own `Proxy-Authorization` where it belongs: over TLS that is the CONNECT of a proxy that has
 * no login of its own, or nowhere.
 *
 * Security: inside of the tunnel, or without one, the origin would read the login of the proxy.
 */
export function withProxyLogin(input: ExchangeInput): ExchangeInput {
	const {hop, proxy, globalAgent} = input;
	if (hop.url.protocol !== 'https:' || !Object.keys(hop.headers).some(isLogin)) return input;
	const headers = copyHeaders(hop.headers);
	const login = headers.get('Proxy-Authorization');
	headers.delete('Proxy-Authorization');
	return {
		...input,
		hop: {...hop, headers},
		// A header that is switched off says nothing.
		proxy:
			login && globalAgent === undefined
				? proxy?.withAuthorization(sendable(String(login)))
				: proxy,
	};
}

// As axios cleans what it sends: a line end would be another header.
function sendable(value: string): string {
	return value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '');
}
