/*
 * The one place that makes a TLS connection.
 *
 * What it returns has been verified: until then nobody but this file and the handshake hold the
 * socket, so no byte of a request can reach a party that was not.
 */
import type {Socket} from 'node:net';
import type {TLSSocket} from 'node:tls';
import {publish} from '../events.ts';
import type {ConnectionFacts} from '../options.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {peerName} from '../tls/verify.ts';
import {type Connection, connectionFacts, keepConnection} from './connection.ts';
import {handshake, type Peer} from './handshake.ts';
import type {HttpProxy} from './proxy.ts';
import {openTunnel, TunnelError} from './tunnel.ts';

/** Tunnel and handshake together may take this long, where nothing shorter is asked for. */
const connectDeadlineMs = 60_000;

/** Where to, and as whom. */
export interface Target extends Peer {
	readonly proxy: HttpProxy | undefined;
	/** Gives the attempt up. */
	readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to `target`, through its proxy if it has one, and verifies the server.
 *
 * @returns a socket whose server was verified; {@link connectionOf} tells its facts.
 * @throws the error as Node or the tunnel made it; `connectionEndedBy` tells how far it came.
 */
export async function connect(snapshot: Snapshot, target: Target): Promise<TLSSocket> {
	const connection = begin(snapshot, target);
	const deadline = new AbortController();
	const timer = setTimeout(() => deadline.abort(new ConnectTimeoutError()), connectDeadlineMs);
	const signal = target.signal
		? AbortSignal.any([target.signal, deadline.signal])
		: deadline.signal;
	try {
		const tunnel = await dig(connection, target, signal);
		const socket = await handshake(connection, snapshot, target, tunnel, signal);
		keepConnection(connection, {socket});
		snapshot.counts[connection.resumed ? 'resumedHandshakes' : 'fullHandshakes'] += 1;
		publishHandshake(connection);
		return socket;
	} catch (error) {
		keepConnection(connection, {error});
		throw error;
	} finally {
		clearTimeout(timer);
	}
}

function publishHandshake(connection: Connection): void {
	publish('axios-mtls:handshake', () => {
		const {host, port, servername} = connection;
		return {host, port, servername, ...(connectionFacts(connection) as ConnectionFacts)};
	});
}

class ConnectTimeoutError extends Error {
	readonly code = 'ETIMEDOUT';

	constructor() {
		super(`no verified connection within ${connectDeadlineMs} ms`);
		this.name = 'ConnectTimeoutError';
	}
}

function begin(snapshot: Snapshot, {host, port, showing, proxy}: Target): Connection {
	return {
		snapshot,
		host,
		port,
		servername: peerName(host, snapshot.servername).verify,
		proxy,
		identity: showing === 'shown' ? snapshot.identity : null,
		phase: proxy && 'tunnel',
		protocol: undefined,
		cipher: '',
		resumed: false,
		authorized: true,
		clientCertificateRequested: undefined,
		chain: [],
		validUntil: Number.POSITIVE_INFINITY,
		firstError: undefined,
	};
}

async function dig(
	connection: Connection,
	{host, port, proxy}: Target,
	signal: AbortSignal,
): Promise<Socket | undefined> {
	if (proxy === undefined) return undefined;
	try {
		const tunnel = await openTunnel(proxy, host, port, signal);
		connection.snapshot.counts.tunnels += 1;
		connection.phase = 'handshake';
		return tunnel;
	} catch (error) {
		if (!(error instanceof ConnectTimeoutError)) throw error;
		throw new TunnelError(
			'proxy-timeout',
			'ERR_PROXY_TIMEOUT',
			`the proxy ${proxy} gave no tunnel within ${connectDeadlineMs} ms`,
			undefined,
			error,
		);
	}
}
