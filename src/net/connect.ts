/*
 * The one place that makes a TLS connection.
 *
 * What it returns has been verified: until then nobody but this file holds the socket, so no byte
 * of a request can reach a party that was not.
 */
import type {Socket, TcpSocketConnectOpts} from 'node:net';
import {connect as connectTls, type TLSSocket} from 'node:tls';
import type {Showing, Snapshot} from '../tls/source.ts';
import {checkPeerName, peerName} from '../tls/verify.ts';
import {type Connection, keepConnection} from './connection.ts';
import type {HttpProxy} from './proxy.ts';
import {openTunnel, TunnelError} from './tunnel.ts';

/** Tunnel and handshake together may take this long, where nothing shorter is asked for. */
export const connectDeadlineMs = 60_000;

/** Where to, and as whom. */
export interface Target {
	/** Host name or IP address, without brackets. */
	readonly host: string;
	readonly port: number;
	readonly showing: Showing;
	readonly proxy: HttpProxy | undefined;
	/** Gives the attempt up. */
	readonly signal?: AbortSignal | undefined;
	/** Options of `net.connect` that choose the way there. */
	readonly net?: Pick<TcpSocketConnectOpts, 'lookup' | 'localAddress' | 'localPort' | 'family'>;
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
		return socket;
	} catch (error) {
		keepConnection(connection, {error});
		throw error;
	} finally {
		clearTimeout(timer);
	}
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
		host,
		port,
		servername: peerName(host, snapshot.servername).verify,
		proxy,
		identity: showing === 'shown' ? snapshot.identity : null,
		phase: proxy && 'tunnel',
		protocol: undefined,
		cipher: '',
		resumed: false,
		clientCertificateRequested: undefined,
		chain: [],
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

function handshake(
	connection: Connection,
	snapshot: Snapshot,
	{host, port, showing, net}: Target,
	tunnel: Socket | undefined,
	signal: AbortSignal,
): Promise<TLSSocket> {
	return new Promise((resolve, reject) => {
		const name = peerName(host, snapshot.servername);
		const socket = connectTls({
			...(tunnel ? {socket: tunnel} : {...net, host, port}),
			servername: name.sni,
			secureContext: snapshot.context(showing),
			checkServerIdentity: checkPeerName(name),
			// Said here, because NODE_TLS_REJECT_UNAUTHORIZED=0 decides where nobody says it.
			rejectUnauthorized: true,
			ALPNProtocols: ['http/1.1'],
		});
		const onAbort = () => socket.destroy(signal.reason as Error);
		const observe = () => observeHandshake(connection, socket);
		const onReached = () => {
			connection.phase = 'handshake';
		};
		const onSecure = () => {
			observe();
			connection.phase = 'verify';
		};
		const settle = () => {
			signal.removeEventListener('abort', onAbort);
			socket.off('keylog', observe);
		};

		if (signal.aborted) onAbort();
		else signal.addEventListener('abort', onAbort);
		socket.setNoDelay(true);
		socket.once('connect', onReached);
		// TLS 1.2 never becomes 'secure' when the server refuses our certificate. The keys are derived
		// after its CertificateRequest was read, so this is where the facts of such a handshake are
		// still to be had; the lines themselves, which are secret, are not looked at.
		socket.on('keylog', observe);
		// First in line: Node's own listener verifies, and may tear the certificate down.
		socket.prependOnceListener('secure', onSecure);
		// Stays for the socket's life: with TLS 1.3 the server refuses us after 'secureConnect'.
		socket.on('error', (error) => {
			connection.firstError ??= error;
		});
		socket.once('secureConnect', () => {
			settle();
			connection.phase = 'response';
			resolve(socket);
		});
		socket.once('error', (error) => {
			settle();
			reject(error);
		});
		socket.once('close', () => {
			settle();
			// Destroyed without an error of its own.
			reject(connection.firstError ?? signal.reason ?? new Error('the connection was closed'));
		});
	});
}

/** Reads what the server has shown so far. */
function observeHandshake(connection: Connection, socket: TLSSocket): void {
	// Not getPeerX509Certificate(): after it getPeerCertificate() answers {} and every name check fails.
	const chain: Buffer[] = [];
	let certificate = socket.getPeerCertificate(true);
	while (certificate?.raw && !chain.some((seen) => seen.equals(certificate.raw))) {
		chain.push(certificate.raw);
		certificate = certificate.issuerCertificate;
	}
	if (chain.length > 0) connection.chain = chain;

	connection.protocol = socket.getProtocol() ?? undefined;
	connection.cipher = socket.getCipher()?.standardName ?? '';
	connection.resumed = socket.isSessionReused();
	// The signature algorithms that both sides know are filled by a CertificateRequest alone.
	connection.clientCertificateRequested = socket.getSharedSigalgs().length > 0;
}
