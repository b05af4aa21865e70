import {lookup as lookUpName} from 'node:dns';
import {connect as connectTcp, isIP, type Socket} from 'node:net';
import {peerName} from '../../tls/trust/verification.ts';
import {unlessAborted} from '../../util/abortable.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import {authorityOf} from '../../util/url.ts';
import {beginConnection, type Connection} from '../connection.ts';
import {handshake} from '../handshake.ts';
import {type Route, serverMaySendFirst} from '../route.ts';
import {tcpOptions} from '../socket-options.ts';
import {requestTunnel} from './http-connect.ts';
import {ProxyError} from './proxy-error.ts';
import type {ProxyServer} from './resolve-proxy.ts';
import {loadSocks} from './socks.ts';

/**
 * Connects to a proxy over TCP, and over TLS with the options of `mtls.proxy` if it is an `https://` one.
 *
 * @param connection - The one through the proxy; it gets the TLS connection as its `proxyConnection`.
 * @returns a socket; with TLS the proxy was verified.
 * @throws {ProxyError} when the proxy cannot be reached; the reason of `signal` when it is aborted.
 */
export async function connectToProxy(
	proxy: ProxyServer,
	connection: Connection,
	signal: AbortSignal,
	net: Route['net'],
): Promise<Socket> {
	signal.throwIfAborted();
	const {snapshot} = connection;
	const proxyTls = snapshot.proxy;
	const {host, port} = proxy;
	const socket = await connectTcpTo(proxy, signal, net);
	if (!proxy.secure) return socket;

	const tls = beginConnection({
		snapshot,
		host,
		port,
		servername: peerName(host, proxyTls.servername).verify,
		proxy: undefined,
		identity: proxyTls.identity,
		phase: 'handshake',
	});
	connection.proxyConnection = tls;
	try {
		return await handshake(tls, proxyTls, {presentCertificate: true}, signal, {
			tunnel: socket,
			onConnect: undefined,
		});
	} catch (cause) {
		signal.throwIfAborted();
		throw unreachable(`no TLS connection with the proxy ${proxy}`, cause);
	}
}

function connectTcpTo(proxy: ProxyServer, signal: AbortSignal, net: Route['net']): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connectTcp(
			tcpOptions({...net, host: proxy.host, port: proxy.port, noDelay: true}),
		);
		const settle = () => {
			signal.removeEventListener('abort', onAbort);
			socket.off('connect', onConnect).off('error', onError);
		};
		const onAbort = () => {
			settle();
			destroyQuietly(socket);
			reject(signal.reason);
		};
		const onConnect = () => {
			settle();
			resolve(socket);
		};
		const onError = (cause: Error) => {
			settle();
			reject(unreachable(`cannot reach the proxy ${proxy}`, cause));
		};
		signal.addEventListener('abort', onAbort);
		socket.on('connect', onConnect).on('error', onError);
	});
}

function unreachable(what: string, cause: unknown): ProxyError {
	const {code, message} = cause as NodeJS.ErrnoException;
	return new ProxyError(
		'proxy-unreachable',
		code ?? 'ERR_PROXY_UNREACHABLE',
		`${what}: ${code ?? message}`,
		{cause},
	);
}

function destroyQuietly(socket: Socket): void {
	// A late error must not be uncaught.
	socket.on('error', () => {});
	socket.destroy();
}

/**
 * Opens a tunnel to `host:port` through `proxy`: the one place where it is asked for one.
 *
 * @param connection - As for {@link connectToProxy}.
 * @throws {ProxyError} when there is no tunnel; the reason of `signal` when it is aborted; the error of the
 * lookup when the name is looked up here.
 */
export async function openTunnel(
	route: Pick<Route, 'host' | 'port' | 'net' | 'secure' | 'alpn'>,
	proxy: ProxyServer,
	connection: Connection,
	signal: AbortSignal,
): Promise<Socket> {
	const {host, port, net} = route;
	const serverFirst = serverMaySendFirst(route);
	// Security: another client of the agent may give a name with a line break in it, and the proxy would
	// read what follows as a header.
	if (/[^\x21-\x7e]/.test(host)) throw badHost('no host name to ask a proxy for');
	const ask = async (request: (socket: Socket) => Promise<void>) => {
		const socket = await connectToProxy(proxy, connection, signal, net);
		try {
			await request(socket);
			return socket;
		} catch (error) {
			destroyQuietly(socket);
			throw error;
		}
	};
	if (!proxy.isSocks) {
		return ask((socket) =>
			requestTunnel(socket, proxy, {authority: authorityOf(host, port), serverFirst}, signal),
		);
	}

	const hosts = proxy.protocol === 'socks5' ? await addressesOf(host, net, signal) : [host];
	if (hosts.some((each) => each.length > maxHostBytes)) {
		throw badHost(`a SOCKS proxy takes no host name of more than ${maxHostBytes} bytes`);
	}
	const negotiate = await loadSocks();
	let refusal: unknown;
	for (const each of hosts) {
		try {
			return await ask((socket) =>
				negotiate(socket, proxy, {host: each, port, serverFirst}, signal),
			);
		} catch (error) {
			if (!(error instanceof ProxyError && error.kind === 'proxy-refused')) throw error;
			refusal = error;
		}
	}
	throw refusal;
}

/** The length of a name is one byte (RFC 1928 §5). */
const maxHostBytes = 255;

function badHost(message: string): TypeError {
	return Object.assign(new TypeError(message), {code: 'ERR_INVALID_CHAR'});
}

/** How many addresses of a name are tried: the proxy may reach one of them only. */
const maxAddresses = 4;

async function addressesOf(
	host: string,
	net: Route['net'],
	signal: AbortSignal,
): Promise<string[]> {
	if (isIP(host)) return [host];
	const {lookup = lookUpName, family = 0} = withoutPrototype(net ?? {});
	const found = new Promise<string[]>((resolve, reject) => {
		lookup(host, withoutPrototype({all: true, family}), (error, result) => {
			if (error) reject(error);
			else resolve([result].flat().map((one) => (typeof one === 'string' ? one : one.address)));
		});
	});
	const addresses = await unlessAborted(found, signal);
	if (addresses.length > 0) return addresses.slice(0, maxAddresses);
	throw Object.assign(new Error(`the lookup found no address of ${host}`), {code: 'ENOTFOUND'});
}
