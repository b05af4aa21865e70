/*
 * The one place that makes connections.
 *
 * A TLS connection that it returns has been verified: until then only this file and the handshake hold
 * the socket, so no byte of a request can reach an unverified server.
 */
import {connect as connectTcp, type Socket} from 'node:net';
import type {TLSSocket} from 'node:tls';
import type {ConnectionFacts} from '../facts.ts';
import {publish} from '../logging/diagnostics-channel.ts';
import {peerName} from '../tls/trust/verification.ts';
import {onAbort} from '../util/abortable.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {authorityOf} from '../util/url.ts';
import {ConnectTimer, TimeoutError} from './connect-timeout.ts';
import {
	attachConnection,
	beginConnection,
	type Connection,
	connectionFacts,
	refusedSession,
} from './connection.ts';
import {handshake} from './handshake.ts';
import {ProxyError} from './proxy/proxy-error.ts';
import type {ProxyServer} from './proxy/resolve-proxy.ts';
import {connectToProxy, openTunnel} from './proxy/tunnel.ts';
import {isForwarded, type Route} from './route.ts';
import {tcpOptions} from './socket-options.ts';

/**
 * Connects along `route`. An https server is verified, also through a proxy; for plain http the socket
 * leads to the server through a tunnel, or to the proxy itself that forwards the requests.
 *
 * @returns a socket; {@link connectionOf} has its facts, unless it is plain http without a proxy.
 * @throws the error of Node or of the tunnel; `connectionOfError` returns its connection.
 */
export async function connect(given: Route): Promise<Socket> {
	const route = withoutPrototype(given);
	if (route.secure) return connectSecurely(route);
	return route.proxy ? connectByProxy(route, route.proxy) : connectPlain(route);
}

function connectSecurely(route: Route): Promise<TLSSocket> {
	const {snapshot, host, port, presentCertificate, proxy} = route;
	const target = {
		snapshot,
		host,
		port,
		servername: peerName(host, snapshot.servername).verify,
		proxy,
		identity: presentCertificate ? snapshot.identity : null,
		phase: proxy && 'tunnel',
	} as const;
	return attempt(target, route, async (connection, signal, timer) => {
		const tunnel =
			proxy &&
			(await withinTimeout(proxy, () => openCountedTunnel(route, proxy, connection, signal)));
		if (tunnel) {
			connection.phase = 'handshake';
			timer.connected();
		}
		const onConnect = () => timer.connected();
		const socket = await handshake(connection, snapshot, route, signal, {tunnel, onConnect});
		snapshot.counts[connection.resumed ? 'resumedHandshakes' : 'fullHandshakes'] += 1;
		publishHandshake(connection);
		return socket;
	});
}

/** Connects for plain http: to a proxy that forwards the requests, or through the tunnel of another. */
function connectByProxy(route: Route, proxy: ProxyServer): Promise<Socket> {
	const {snapshot, host, port, net} = route;
	const target = {
		snapshot,
		host,
		port,
		servername: host,
		proxy,
		identity: null,
		phase: 'tunnel',
	} as const;
	return attempt(target, route, (connection, signal) =>
		withinTimeout(proxy, () =>
			isForwarded(route)
				? connectToProxy(proxy, connection, signal, net)
				: openCountedTunnel(route, proxy, connection, signal),
		),
	);
}

async function openCountedTunnel(
	route: Route,
	proxy: ProxyServer,
	connection: Connection,
	signal: AbortSignal,
): Promise<Socket> {
	const socket = await openTunnel(route, proxy, connection, signal);
	route.snapshot.counts.tunnels += 1;
	return socket;
}

function connectPlain({host, port, signal, timeouts, net}: Route): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connectTcp(tcpOptions({...net, host, port, noDelay: true}));
		const timer = new ConnectTimer(authorityOf(host, port), timeouts, (error) =>
			socket.destroy(error),
		);
		const settle = signal && onAbort(signal, () => socket.destroy(signal.reason as Error));
		socket.once('close', () => timer.stop());
		socket.once('connect', () => {
			timer.stop();
			settle?.();
			socket.off('error', reject);
			resolve(socket);
		});
		socket.once('error', reject);
	});
}

/**
 * Connects within the timeouts, and attaches the connection to its socket or error. When the peer
 * refuses to resume a TLS session, it connects once more: nothing of a request was sent, and a full
 * handshake shows the real fault, if there is one.
 */
async function attempt<S extends Socket>(
	target: Parameters<typeof beginConnection>[0],
	{host, port, signal: given, timeouts}: Route,
	make: (connection: Connection, signal: AbortSignal, timer: ConnectTimer) => Promise<S>,
): Promise<S> {
	const timeout = new AbortController();
	const timer = new ConnectTimer(authorityOf(host, port), timeouts, (error) =>
		timeout.abort(error),
	);
	const signal = given ? AbortSignal.any([given, timeout.signal]) : timeout.signal;
	try {
		for (;;) {
			const connection = beginConnection(target);
			if (given !== undefined) attachConnection(connection, {attempt: given});
			try {
				const socket = await make(connection, signal, timer);
				// The server's alert may arrive with the end of the handshake.
				if (socket.destroyed && refusedSession(connection)) continue;
				attachConnection(connection, {socket});
				return socket;
			} catch (error) {
				// A refused session is not offered again, so this ends.
				if (refusedSession(connection) && !signal.aborted) continue;
				attachConnection(connection, {error});
				throw error;
			}
		}
	} finally {
		timer.stop();
	}
}

function publishHandshake(connection: Connection): void {
	publish('axios-mtls:handshake', () => {
		const {host, port, servername} = connection;
		return {host, port, servername, ...(connectionFacts(connection) as ConnectionFacts)};
	});
}

/** Turns a timeout before there is a tunnel into an error of the proxy. */
async function withinTimeout<T>(proxy: ProxyServer, reach: () => Promise<T>): Promise<T> {
	try {
		return await reach();
	} catch (error) {
		if (!(error instanceof TimeoutError)) throw error;
		throw new ProxyError(
			'proxy-timeout',
			'ERR_PROXY_TIMEOUT',
			`no tunnel through the proxy ${proxy} within ${error.limitMs} ms`,
			{cause: error},
		);
	}
}
