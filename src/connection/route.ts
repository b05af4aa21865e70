import type {TcpSocketConnectOpts} from 'node:net';
import type {Snapshot} from '../tls/snapshot.ts';
import {authorityOf} from '../util/url.ts';
import type {ConnectTimeouts} from './connect-timeout.ts';
import type {ProxyServer} from './proxy/resolve-proxy.ts';

/** Where a request goes, with which identity, and how. */
export interface Route {
	/** The identity, and the trusted CAs. */
	readonly snapshot: Snapshot;
	/** https rather than http. */
	readonly secure: boolean;
	/** Host name or IP address, without brackets. */
	readonly host: string;
	readonly port: number;
	/** Whether the client certificate may be presented to the server. */
	readonly presentCertificate: boolean;
	/**
	 * It tunnels https and HTTP/2, and plain http if it is one of SOCKS. Any other forwards plain http: such
	 * a connection serves any origin.
	 */
	readonly proxy: ProxyServer | undefined;
	/** The protocol to negotiate (RFC 7301). @defaultValue `'http/1.1'` */
	readonly alpn?: 'http/1.1' | 'h2';
	/** Options of `net.connect` that decide how to reach the host. */
	readonly net?: Pick<TcpSocketConnectOpts, 'lookup' | 'localAddress' | 'localPort' | 'family'> & {
		/** A Unix socket to connect to instead of the host. */
		readonly path?: string;
	};
	/** For connecting alone: a connection that is shared later has none. */
	readonly timeouts?: ConnectTimeouts | undefined;
	/** The request needs a new connection: it was sent before, and its connection was lost. */
	readonly fresh?: boolean;
	/** Aborts connecting. */
	readonly signal?: AbortSignal | undefined;
}

/**
 * Whether the proxy gets the request itself (RFC 9112 §3.2.2), rather than a tunnel. No proxy forwards
 * HTTP/2 to a server of plain http.
 */
export function isForwarded<R extends Pick<Route, 'secure' | 'proxy' | 'alpn'>>(
	route: R,
): route is R & {readonly proxy: ProxyServer} {
	const {proxy, secure, alpn} = route;
	return proxy !== undefined && !secure && !proxy.isSocks && alpn !== 'h2';
}

/**
 * Identifies interchangeable connections of one snapshot. The last part names the proxy.
 *
 * @param details - What else distinguishes them.
 */
export function poolKey(
	route: Pick<Route, 'secure' | 'host' | 'port' | 'presentCertificate' | 'proxy' | 'alpn'>,
	details = '',
): string {
	const {secure, host, port, presentCertificate, proxy} = route;
	if (isForwarded(route)) return `any|http|${details}|${route.proxy.poolKey}`;
	const certificate = presentCertificate ? 'shown' : 'withheld';
	const scheme = secure ? 'https' : 'http';
	return `${host}|${port}|${scheme}|${details}|${certificate}|${proxy?.poolKey ?? 'direct'}`;
}

/** Whether the server may send before the client does: in TLS and in HTTP/1.1 it may not. */
export function serverMaySendFirst({secure, alpn}: Pick<Route, 'secure' | 'alpn'>): boolean {
	return !secure && alpn === 'h2';
}

/** `https://host:port` or `http://host:port`. */
export function originOf({secure, host, port}: Pick<Route, 'secure' | 'host' | 'port'>): string {
	return `${secure ? 'https' : 'http'}://${authorityOf(host, port)}`;
}

/** The same route after a wait for a connection; the wait counts towards the connect timeout. */
export function afterWaiting(route: Route, waitedMs: number): Route {
	return {...route, timeouts: {...route.timeouts, waitedMs}};
}
