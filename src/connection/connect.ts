/*
 * The one place that makes a TLS connection.
 *
 * What it returns has been verified: until then nobody but this file and the handshake hold the
 * socket, so no byte of a request can reach a party that was not.
 */
import type {Socket} from 'node:net';
import type {TLSSocket} from 'node:tls';
import type {ConnectionFacts} from '../facts.ts';
import {publish} from '../logging/diagnostics-channel.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {peerName} from '../tls/trust/verification.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {authorityOf} from '../util/url.ts';
import {type ConnectTimeouts, ConnectTimer, TimeoutError} from './connect-timeout.ts';
import {
	attachConnection,
	beginConnection,
	type Connection,
	connectionFacts,
	refusedSession,
} from './connection.ts';
import {handshake, type Peer} from './handshake.ts';
import {proxyConnection} from './proxy/connect-to-proxy.ts';
import type {HttpProxy} from './proxy/proxy-config.ts';
import {ProxyError} from './proxy/proxy-error.ts';
import {openTunnel} from './proxy/tunnel.ts';

/** Where to, and as whom. */
export interface Target extends Peer {
	readonly proxy: HttpProxy | undefined;
	/** Gives the attempt up. */
	readonly signal?: AbortSignal | undefined;
	readonly timeouts?: ConnectTimeouts | undefined;
}

/**
 * Connects to `target`, through its proxy if it has one, and verifies the server.
 *
 * @returns a socket whose server was verified; {@link connectionOf} tells its facts.
 * @throws the error as Node or the tunnel made it; `connectionEndedBy` tells how far it came.
 */
export async function connect(snapshot: Snapshot, given: Target): Promise<TLSSocket> {
	const target = withoutPrototype(given);
	const {host, port, presentCertificate, proxy} = target;
	const end = {
		snapshot,
		host,
		port,
		servername: peerName(host, snapshot.servername).verify,
		proxy,
		identity: presentCertificate ? snapshot.identity : null,
		phase: proxy && 'tunnel',
	} as const;
	return attempt(end, target, async (connection, signal, watch) => {
		const tunnel = proxy && (await dig(connection, proxy, signal, target.net));
		if (tunnel) watch.connected();
		const onConnect = () => watch.connected();
		const socket = await handshake(connection, snapshot, {...target, onConnect}, tunnel, signal);
		snapshot.counts[connection.resumed ? 'resumedHandshakes' : 'fullHandshakes'] += 1;
		publishHandshake(connection);
		return socket;
	});
}

/**
 * Connects to `proxy` itself, which is then asked for `http://host:port` in the clear (RFC 9112
 * §3.2.2) or for any other such place.
 *
 * @throws as {@link connect} does.
 */
export async function connectToProxy(
	snapshot: Snapshot,
	given: Omit<Target, 'presentCertificate'> & {proxy: HttpProxy},
): Promise<Socket> {
	const target = withoutPrototype(given);
	const {host, port, proxy, net} = target;
	const end = {
		snapshot,
		host,
		port,
		servername: host,
		proxy,
		identity: null,
		phase: 'tunnel',
	} as const;
	return attempt(end, target, (connection, signal) =>
		inTime(proxy, () => proxyConnection(proxy, connection, signal, net)),
	);
}

/**
 * Makes a connection within the deadline, and ties it to what comes of it. Where the other end refuses
 * to resume a TLS session, it is made once more: nothing of a request was sent, and a full handshake
 * tells what is the matter, if anything is.
 */
async function attempt<S extends Socket>(
	end: Parameters<typeof beginConnection>[0],
	{host, port, signal: given, timeouts}: Omit<Target, 'presentCertificate'>,
	make: (connection: Connection, signal: AbortSignal, watch: ConnectTimer) => Promise<S>,
): Promise<S> {
	const deadline = new AbortController();
	const watch = new ConnectTimer(authorityOf(host, port), timeouts, (error) =>
		deadline.abort(error),
	);
	const signal = given ? AbortSignal.any([given, deadline.signal]) : deadline.signal;
	try {
		for (;;) {
			const connection = beginConnection(end);
			try {
				const socket = await make(connection, signal, watch);
				// An alert may come with the last of the handshake.
				if (socket.destroyed && refusedSession(connection)) continue;
				attachConnection(connection, {socket});
				return socket;
			} catch (error) {
				// What was refused is not offered again, so this ends.
				if (refusedSession(connection) && !signal.aborted) continue;
				attachConnection(connection, {error});
				throw error;
			}
		}
	} finally {
		watch.stop();
	}
}

function publishHandshake(connection: Connection): void {
	publish('axios-mtls:handshake', () => {
		const {host, port, servername} = connection;
		return {host, port, servername, ...(connectionFacts(connection) as ConnectionFacts)};
	});
}

async function dig(
	connection: Connection,
	proxy: HttpProxy,
	signal: AbortSignal,
	net: Peer['net'],
): Promise<Socket> {
	const {snapshot, host, port} = connection;
	return inTime(proxy, async () => {
		const socket = await proxyConnection(proxy, connection, signal, net);
		await openTunnel(socket, proxy, host, port, signal);
		snapshot.counts.tunnels += 1;
		connection.phase = 'handshake';
		return socket;
	});
}

/** A deadline that ends before there is a way is the proxy's. */
async function inTime<T>(proxy: HttpProxy, reach: () => Promise<T>): Promise<T> {
	try {
		return await reach();
	} catch (error) {
		if (!(error instanceof TimeoutError)) throw error;
		throw new ProxyError(
			'proxy-timeout',
			'ERR_PROXY_TIMEOUT',
			`the proxy ${proxy} gave no way within ${error.limitMs} ms`,
			{cause: error},
		);
	}
}
