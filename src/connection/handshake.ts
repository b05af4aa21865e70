import type {Socket} from 'node:net';
import {
	type ConnectionOptions,
	connect as connectTls,
	type DetailedPeerCertificate,
	type TLSSocket,
} from 'node:tls';
import {alertOf} from '../failures/tls-alerts.ts';
import {readPeerChain} from '../tls/peer/peer-chain.ts';
import type {ResumableSession} from '../tls/session-cache.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {ClientAuthNotRequestedError, type PeerName, peerName} from '../tls/trust/verification.ts';
import {onAbort} from '../util/abortable.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {authorityOf} from '../util/url.ts';
import {type Connection, presentedOn} from './connection.ts';
import {reportFailure} from './connection-failure.ts';
import type {Route} from './route.ts';
import {tlsOptions} from './socket-options.ts';

/** What decides a handshake: a snapshot, or its `proxy` for an `https://` proxy. */
export type HandshakeOptions = Pick<
	Snapshot,
	'servername' | 'verification' | 'trustedIssuer' | 'given' | 'context' | 'sessions'
> &
	Partial<Pick<Snapshot, 'report'>>;

/**
 * Makes a TLS connection to the host of `connection` and verifies the server.
 *
 * @param tunnel - A connection to make it on, instead of a new TCP connection.
 * @param onConnect - Called when there is a new TCP connection.
 * @returns a socket whose server was verified.
 * @throws the first error of the socket, or the reason of `signal`.
 */
export function handshake(
	connection: Connection,
	options: HandshakeOptions,
	route: Pick<Route, 'presentCertificate' | 'alpn' | 'net'>,
	signal: AbortSignal,
	{tunnel, onConnect}: {tunnel: Socket | undefined; onConnect: (() => void) | undefined},
): Promise<TLSSocket> {
	const {presentCertificate, alpn = 'http/1.1', net} = withoutPrototype(route);
	const {host, port} = connection;
	const {verification, sessions} = options;
	connection.alpn = alpn;
	const name = peerName(host, options.servername);
	const sessionKey = [presentCertificate, host, port, name.verify, alpn].join('|');
	const offered = sessions.get(sessionKey, Date.now());
	const nodeOptions: ConnectionOptions = {
		...(tunnel ? {socket: tunnel} : {...net, host, port}),
		...(offered && {session: offered.session}),
		servername: name.sni,
		secureContext: options.context(presentCertificate),
		// It must return the result: to return nothing would switch the check off.
		checkServerIdentity: () => verification.check(name, connection.chain)[0],
		// Explicit, because NODE_TLS_REJECT_UNAUTHORIZED=0 would otherwise switch it off.
		rejectUnauthorized: verification.enforced,
		ALPNProtocols: [alpn],
	};
	const socket = connectTls(tlsOptions(nodeOptions));
	socket.setNoDelay(true);
	observe(socket, connection, options, offered);
	if (offered) {
		onSessionRefused(socket, connection, signal, () => {
			connection.sessionRefused = true;
			sessions.refuse(sessionKey, Date.now());
		});
	}
	if (onConnect) socket.once('connect', onConnect);
	keepSessions(socket, connection, (session) => {
		if (session) sessions.set(sessionKey, session);
		else sessions.delete(sessionKey);
	});

	return new Promise((resolve, reject) => {
		const settle = onAbort(signal, () => socket.destroy(signal.reason as Error));
		socket.once('secureConnect', () => {
			settle();
			// Before a byte of the request: a server that accepts any client may not be the intended one.
			if (verification.requireClientAuth && !connection.clientCertificateRequested) {
				socket.destroy(new ClientAuthNotRequestedError());
				return;
			}
			// A server without ALPN speaks HTTP/1.1 (RFC 9113 §3.2), and would read the preface as a request.
			if (alpn === 'h2' && socket.alpnProtocol !== alpn) {
				socket.destroy(new NoHttp2Error());
				return;
			}
			if (!socket.authorized) reportUnverified(socket, connection, options, name);
			connection.phase = 'response';
			resolve(socket);
		});
		socket.once('close', () => {
			settle();
			reject(connection.firstError ?? signal.reason ?? new Error('the connection was closed'));
		});
	});
}

/** The server did not select HTTP/2, and would read it as HTTP/1.1. */
class NoHttp2Error extends Error {
	readonly code = 'ERR_MTLS_NO_HTTP2';

	constructor() {
		super('the server did not agree to HTTP/2 (ALPN)');
		this.name = 'NoHttp2Error';
	}
}

/** Records the facts of the handshake while they can be read. */
function observe(
	socket: TLSSocket,
	connection: Connection,
	options: HandshakeOptions,
	offered: ResumableSession | undefined,
): void {
	const read = () => readHandshake(socket, connection, options, offered);
	// With TLS 1.2 a refused client certificate ends the handshake before 'secure'. The keys are derived
	// after the server's CertificateRequest was read, so the facts of such a handshake can be read here;
	// the key log line itself, which is secret, is ignored.
	const onKeys = () => {
		if (socket.getProtocol() === 'TLSv1.2') read();
	};
	socket.on('keylog', onKeys);
	socket.once('connect', () => {
		connection.phase = 'handshake';
	});
	let {getPeerCertificate} = socket;
	// Runs before Node's own listener, which verifies and may drop the certificate. It may run again: a TLS
	// 1.2 server can renegotiate, and present another certificate.
	socket.prependListener('secure', () => {
		if (connection.phase !== 'response') {
			socket.off('keylog', onKeys);
			read();
			connection.phase = 'verify';
		} else if (!socket.isSessionReused()) {
			readCertificates(socket, connection, options);
		}
		// Node's listener would read the chain again in its legacy form, which the check does not use: 0.3 ms.
		({getPeerCertificate} = socket);
		socket.getPeerCertificate = noCertificate;
	});
	// Runs after Node's own listener.
	socket.on('secure', () => {
		socket.getPeerCertificate = getPeerCertificate;
	});
	socket.on('secureConnect', () => {
		connection.authorized = socket.authorized;
	});
	// For the life of the socket: with TLS 1.3 a server refuses a client certificate after 'secureConnect'.
	socket.on('error', (error) => {
		if (!isFromUndici(error)) connection.firstError ??= error;
	});
}

const noCertificate = () => ({}) as DetailedPeerCertificate;

function readHandshake(
	socket: TLSSocket,
	connection: Connection,
	options: HandshakeOptions,
	offered: ResumableSession | undefined,
): void {
	connection.protocol = socket.getProtocol() ?? undefined;
	connection.cipher = socket.getCipher()?.standardName ?? '';
	connection.resumed = socket.isSessionReused();
	if (connection.resumed && offered !== undefined) {
		// A resumed session exchanges no certificates: those of the full handshake still apply.
		connection.presented = offered.chain;
		connection.validUntil = offered.validUntil;
		connection.clientCertificateRequested = offered.clientCertificateRequested;
		return;
	}
	// Once only: reading them empties their source.
	if (connection.chain.length === 0) readCertificates(socket, connection, options);
	// Only a CertificateRequest fills the shared signature algorithms.
	connection.signatureAlgorithms = socket.getSharedSigalgs();
	connection.clientCertificateRequested = connection.signatureAlgorithms.length > 0;
}

function readCertificates(
	socket: TLSSocket,
	connection: Connection,
	{trustedIssuer}: HandshakeOptions,
): void {
	const chain = readPeerChain(socket, trustedIssuer);
	connection.chain = chain;
	connection.presented = undefined;
	connection.validUntil = Math.min(...chain.map(({validToDate}) => validToDate.getTime()));
}

/** Reports each reason why the server could not be verified; the connection is used nevertheless. */
function reportUnverified(
	socket: TLSSocket,
	connection: Connection,
	options: HandshakeOptions,
	name: PeerName,
): void {
	const code = String(socket.authorizationError);
	const reasons: Error[] = [...options.verification.check(name, connection.chain)];
	// OpenSSL checks the chain first; when that fails, Node does not check name and pins.
	if (!reasons.some((reason) => (reason as NodeJS.ErrnoException).code === code)) {
		reasons.unshift(Object.assign(new Error(code), {code}));
	}
	const url = `https://${authorityOf(connection.host, connection.port)}/`;
	for (const reason of reasons) {
		const failure = reportFailure(connection, reason, url, {isUsed: true});
		if (failure !== undefined) options.report?.(failure);
	}
}

/** Gives `keep` the TLS sessions of a verified connection, and `undefined` when it has failed. */
function keepSessions(
	socket: TLSSocket,
	connection: Connection,
	keep: (session: ResumableSession | undefined) => void,
): void {
	let latest: Buffer | undefined;
	const store = () => {
		if (latest === undefined || connection.firstError !== undefined || !connection.authorized)
			return;
		const {validUntil, clientCertificateRequested = false} = connection;
		const chain = presentedOn(connection);
		keep({session: latest, chain, validUntil, clientCertificateRequested});
	};
	socket.on('session', (session) => {
		latest = session;
		// TLS 1.2 has its session before the server is verified, TLS 1.3 after.
		if (connection.phase === 'response') store();
	});
	socket.once('secureConnect', store);
	socket.on('error', (error) => {
		if (!isFromUndici(error)) keep(undefined);
	});
	// A server that hangs up without a byte may have refused the certificate: the next handshake is full.
	socket.once('end', () => {
		if (socket.bytesRead === 0) keep(undefined);
	});
}

// undici closes a connection that it no longer needs with an error of its own.
function isFromUndici({code}: {code?: unknown}): boolean {
	// The code of an AbortError is a number.
	return typeof code === 'string' && code.startsWith('UND_ERR_');
}

/**
 * Calls `refuse` when a connection fails because of the TLS session that was offered on it (RFC 8446
 * §2.2, RFC 5077).
 *
 * Not every server that issues sessions can resume one: OpenSSL ends the handshake where the server
 * verifies clients and has no session id context, and some firewalls cut off a ClientHello with a ticket
 * in it. It looks like a refused certificate, or like a restart; a full handshake tells them apart.
 *
 * @param signal - Aborts the handshake; an aborted one says nothing about the session.
 */
function onSessionRefused(
	socket: TLSSocket,
	connection: Connection,
	signal: AbortSignal,
	refuse: () => void,
): void {
	socket.once('close', () => {
		const {phase, resumed, chain} = connection;
		// The server sends its certificate only in a full handshake, where no session can be the cause.
		const full = !resumed && chain.length > 0;
		if (phase === 'handshake' && !full && !signal.aborted) refuse();
	});
	// With TLS 1.3 the server may refuse after the client's 'secureConnect'.
	const onLost = () => {
		if (connection.resumed && connection.phase === 'response' && socket.bytesRead === 0) refuse();
	};
	socket.on('error', (error) => {
		if (isFromPeer(error)) onLost();
	});
	socket.once('end', () => {
		// A server may close an unused connection at any time.
		if (socket.bytesWritten > 0) onLost();
	});
}

/** Whether the peer or the network has ended the connection, not this process. */
function isFromPeer({code, message}: NodeJS.ErrnoException): boolean {
	return code === 'ECONNRESET' || code === 'EPIPE' || alertOf(message) !== undefined;
}
