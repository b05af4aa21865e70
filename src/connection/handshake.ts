import type {Socket, TcpSocketConnectOpts} from 'node:net';
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
import {type Connection, presentedOn} from './connection.ts';
import {reportFailure} from './connection-failure.ts';
import {tlsOptions} from './socket-options.ts';

/** The other end of a TLS connection, and what it may see of us. */
export interface Peer {
	/** Host name or IP address, without brackets. */
	readonly host: string;
	readonly port: number;
	readonly presentCertificate: boolean;
	/** What is to be spoken on it (RFC 7301). @defaultValue `'http/1.1'` */
	readonly alpn?: 'http/1.1' | 'h2';
	/** Options of `net.connect` that choose the way there. */
	readonly net?: Pick<TcpSocketConnectOpts, 'lookup' | 'localAddress' | 'localPort' | 'family'> & {
		/** A Unix socket, which is connected to in the place of the host. */
		readonly path?: string;
	};
	/** Called when there is a TCP connection, where there was none. */
	readonly onConnect?: () => void;
}

/** What a handshake is held to: a snapshot, or what holds for the proxy. */
export type HandshakeOptions = Pick<
	Snapshot,
	'servername' | 'verification' | 'trustedIssuer' | 'context' | 'sessions'
> &
	Partial<Pick<Snapshot, 'report'>>;

/**
 * Makes a TLS connection and verifies the other end.
 *
 * @param tunnel - What to make it on; without it a TCP connection to the peer.
 * @returns a socket whose peer was verified.
 * @throws the first error of the socket, or `signal`'s reason.
 */
export function handshake(
	connection: Connection,
	terms: HandshakeOptions,
	peer: Peer,
	tunnel: Socket | undefined,
	signal: AbortSignal,
): Promise<TLSSocket> {
	const {
		host,
		port,
		presentCertificate,
		alpn = 'http/1.1',
		net,
		onConnect,
	} = withoutPrototype(peer);
	const {verification} = terms;
	connection.alpn = alpn;
	const name = peerName(host, terms.servername);
	const sessionKey = [presentCertificate, host, port, name.verify, alpn].join('|');
	const kept = terms.sessions.get(sessionKey, Date.now());
	const options: ConnectionOptions = {
		...(tunnel ? {socket: tunnel} : {...net, host, port}),
		...(kept && {session: kept.session}),
		servername: name.sni,
		secureContext: terms.context(presentCertificate),
		// What is returned is the verdict: to return nothing by mistake would switch the check off.
		checkServerIdentity: () => verification.check(name, connection.chain)[0],
		// Said here, because NODE_TLS_REJECT_UNAUTHORIZED=0 decides where nobody says it.
		rejectUnauthorized: verification.enforced,
		ALPNProtocols: [alpn],
	};
	const socket = connectTls(tlsOptions(options));
	socket.setNoDelay(true);
	observe(socket, connection, terms, kept);
	if (kept) {
		onSessionRefused(socket, connection, signal, () => {
			connection.sessionRefused = true;
			terms.sessions.refuse(sessionKey, Date.now());
		});
	}
	if (onConnect) socket.once('connect', onConnect);
	keepSessions(socket, connection, (session) => {
		if (session) terms.sessions.set(sessionKey, session);
		else terms.sessions.delete(sessionKey);
	});

	return new Promise((resolve, reject) => {
		const settle = onAbort(signal, () => socket.destroy(signal.reason as Error));
		socket.once('secureConnect', () => {
			settle();
			// Before a byte of the request: an answer that anyone could have had is not what was asked for.
			if (verification.requireClientAuth && !connection.clientCertificateRequested) {
				socket.destroy(new ClientAuthNotRequestedError());
				return;
			}
			// A server without ALPN speaks HTTP/1.1 (RFC 9113 §3.2), and would take our preface for a request.
			if (alpn === 'h2' && socket.alpnProtocol !== alpn) {
				socket.destroy(new NoHttp2Error());
				return;
			}
			if (!socket.authorized) report(socket, connection, terms, name);
			connection.phase = 'response';
			resolve(socket);
		});
		socket.once('close', () => {
			settle();
			reject(connection.firstError ?? signal.reason ?? new Error('the connection was closed'));
		});
	});
}

/** The server did not take up the offer of HTTP/2, and would read it as HTTP/1.1. */
class NoHttp2Error extends Error {
	readonly code = 'ERR_MTLS_NO_HTTP2';

	constructor() {
		super('the server did not agree to HTTP/2 (ALPN)');
		this.name = 'NoHttp2Error';
	}
}

/** Writes down what the handshake shows, while it can be seen. */
function observe(
	socket: TLSSocket,
	connection: Connection,
	terms: HandshakeOptions,
	kept: ResumableSession | undefined,
): void {
	const read = () => readHandshake(socket, connection, terms, kept);
	// With TLS 1.2 a refusal of our certificate ends the handshake before it is 'secure'. The keys are
	// derived after the server's CertificateRequest was read, so this is where the facts of such a
	// handshake are to be had; the line itself, which is secret, is not looked at.
	const onKeys = () => {
		if (socket.getProtocol() === 'TLSv1.2') read();
	};
	socket.on('keylog', onKeys);
	socket.once('connect', () => {
		connection.phase = 'handshake';
	});
	let {getPeerCertificate} = socket;
	// First in line: Node's own listener verifies, and may tear the certificate down. It may be called
	// again: with TLS 1.2 a server can make another handshake, and show another certificate.
	socket.prependListener('secure', () => {
		if (connection.phase !== 'response') {
			socket.off('keylog', onKeys);
			read();
			connection.phase = 'verify';
		} else if (!socket.isSessionReused()) {
			readCertificates(socket, connection, terms);
		}
		// Node's asks for the chain in its older form, which takes 0.3 ms, for our check, which has it.
		({getPeerCertificate} = socket);
		socket.getPeerCertificate = nothing;
	});
	// After Node's.
	socket.on('secure', () => {
		socket.getPeerCertificate = getPeerCertificate;
	});
	socket.on('secureConnect', () => {
		connection.authorized = socket.authorized;
	});
	// Stays for the socket's life: with TLS 1.3 the server refuses us after 'secureConnect'.
	socket.on('error', (error) => {
		if (!isOurOwn(error)) connection.firstError ??= error;
	});
}

const nothing = () => ({}) as DetailedPeerCertificate;

function readHandshake(
	socket: TLSSocket,
	connection: Connection,
	terms: HandshakeOptions,
	kept: ResumableSession | undefined,
): void {
	connection.protocol = socket.getProtocol() ?? undefined;
	connection.cipher = socket.getCipher()?.standardName ?? '';
	connection.resumed = socket.isSessionReused();
	if (connection.resumed && kept !== undefined) {
		// No certificate is exchanged on a resumed session: what the full handshake showed still holds.
		connection.presented = kept.chain;
		connection.validUntil = kept.validUntil;
		connection.clientCertificateRequested = kept.clientCertificateRequested;
		return;
	}
	// Once only: to read them empties what they are read from.
	if (connection.chain.length === 0) readCertificates(socket, connection, terms);
	// The signature algorithms that both sides know are filled by a CertificateRequest alone.
	connection.clientCertificateRequested = socket.getSharedSigalgs().length > 0;
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

/** Tells each reason for which the server could not be verified, and lets the connection go on. */
function report(
	socket: TLSSocket,
	connection: Connection,
	terms: HandshakeOptions,
	name: PeerName,
): void {
	const code = String(socket.authorizationError);
	const reasons: Error[] = [...terms.verification.check(name, connection.chain)];
	// OpenSSL's verdict on the chain comes first, and then Node has not asked about name and pins.
	if (!reasons.some((reason) => (reason as NodeJS.ErrnoException).code === code)) {
		reasons.unshift(Object.assign(new Error(code), {code}));
	}
	const url = `https://${connection.host}:${connection.port}/`;
	for (const reason of reasons) {
		const judged = reportFailure(connection, reason, url);
		if (judged !== undefined) terms.report?.(judged);
	}
}

/** Hands `keep` the sessions of a verified connection, and nothing once it has failed. */
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
		// TLS 1.2 has its session before the verdict, TLS 1.3 after it.
		if (connection.phase === 'response') store();
	});
	socket.once('secureConnect', store);
	socket.on('error', (error) => {
		if (!isOurOwn(error)) keep(undefined);
	});
	// A server that hangs up without a word may have refused us: the next handshake is to tell again.
	socket.once('end', () => {
		if (socket.bytesRead === 0) keep(undefined);
	});
}

// undici ends a connection that it has no more use for with an error of its own.
function isOurOwn({code}: {code?: unknown}): boolean {
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
 * @param signal - Aborts the handshake, which says nothing about the session.
 */
function onSessionRefused(
	socket: TLSSocket,
	connection: Connection,
	signal: AbortSignal,
	refuse: () => void,
): void {
	socket.once('close', () => {
		const {phase, resumed, chain} = connection;
		// In a full handshake the server sends its certificate, and no session is why it ends then.
		const full = !resumed && chain.length > 0;
		if (phase === 'handshake' && !full && !signal.aborted) refuse();
	});
	// With TLS 1.3 the server may refuse after our 'secureConnect'.
	const onLost = () => {
		if (connection.resumed && connection.phase === 'response' && socket.bytesRead === 0) refuse();
	};
	socket.on('error', (error) => {
		if (isFromPeer(error)) onLost();
	});
	socket.once('end', () => {
		// One that waits for its first request may be closed at any time.
		if (socket.bytesWritten > 0) onLost();
	});
}

/** Whether the other end, or the network, has ended the connection, rather than we. */
function isFromPeer({code, message}: NodeJS.ErrnoException): boolean {
	return code === 'ECONNRESET' || code === 'EPIPE' || alertOf(message) !== undefined;
}
