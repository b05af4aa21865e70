import {connect as connectTcp, type Socket} from 'node:net';
import {peerName} from '../../tls/trust/verification.ts';
import {beginConnection, type Connection} from '../connection.ts';
import {handshake, type Peer} from '../handshake.ts';
import {tcpOptions} from '../socket-options.ts';
import type {HttpProxy} from './proxy-config.ts';
import {ProxyError} from './proxy-error.ts';

/**
 * Connects to a proxy: over TCP, and over TLS with its own terms when it is an `https://` one.
 *
 * @param connection - What the proxy is reached for; it is told the TLS connection as its `leg`.
 * @returns a socket whose other end was verified, where that can be done.
 * @throws {ProxyError} when there is no way; `signal`'s reason when it is aborted.
 */
export async function proxyConnection(
	proxy: HttpProxy,
	connection: Connection,
	signal: AbortSignal,
	net?: Peer['net'],
): Promise<Socket> {
	signal.throwIfAborted();
	const {snapshot} = connection;
	const terms = snapshot.proxy;
	const {host, port} = proxy;
	const socket = await reach(proxy, signal, net);
	if (!proxy.secure) return socket;

	const leg = beginConnection({
		snapshot,
		host,
		port,
		servername: peerName(host, terms.servername).verify,
		proxy: undefined,
		identity: terms.identity,
		phase: 'handshake',
	});
	connection.leg = leg;
	try {
		return await handshake(leg, terms, {host, port, presentCertificate: true}, socket, signal);
	} catch (cause) {
		signal.throwIfAborted();
		throw unreachable(`no TLS connection with the proxy ${proxy}`, cause);
	}
}

function reach(proxy: HttpProxy, signal: AbortSignal, net: Peer['net']): Promise<Socket> {
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

/** Gives a socket up. */
export function destroyQuietly(socket: Socket): void {
	// Its late error must not be uncaught.
	socket.on('error', () => {});
	socket.destroy();
}
