import type {TLSSocket} from 'node:tls';
import {alertOf} from '../failures/tls-alerts.ts';
import type {SessionCache} from '../tls/session-cache.ts';
import type {Connection} from './connection.ts';

/**
 * A TLS session that a server was offered in a handshake (RFC 8446 §2.2, RFC 5077).
 *
 * Not every server that hands sessions out can take one up: OpenSSL ends the handshake where the server
 * verifies clients and has no session id context, and some firewalls cut off a ClientHello with a ticket
 * in it. It looks as a refused certificate does, or as a restart; a full handshake tells them apart.
 */
export class SessionOffer {
	/** The other end would not have it: the connection came to nothing. */
	refused = false;
	readonly #sessions: SessionCache;
	readonly #key: string;

	constructor(sessions: SessionCache, key: string) {
		this.#sessions = sessions;
		this.#key = key;
	}

	/** Forgets it, and offers the same target none for a while. */
	refuse(): void {
		this.refused = true;
		this.#sessions.refuse(this.#key, Date.now());
	}
}

/** Whether a connection, or that to the `https://` proxy below it, ended because of a session. */
export function refusedSession(connection: Connection | undefined): boolean {
	return connection?.offer?.refused === true || connection?.leg?.offer?.refused === true;
}

/**
 * Notices that a connection comes to nothing on which a session was offered.
 *
 * @param signal - Gives the handshake up, which says nothing of the session.
 */
export function watchOffer(
	socket: TLSSocket,
	connection: Connection,
	offer: SessionOffer,
	signal: AbortSignal,
): void {
	connection.offer = offer;
	socket.once('close', () => {
		const {phase, resumed, chain} = connection;
		// In a full handshake the server shows its certificate, and what ends it then is no session.
		const full = !resumed && chain.length > 0;
		if (phase === 'handshake' && !full && !signal.aborted) offer.refuse();
	});
	// With TLS 1.3 the server has its say after our 'secureConnect'.
	const onLost = () => {
		if (connection.resumed && connection.phase === 'response' && socket.bytesRead === 0) {
			offer.refuse();
		}
	};
	socket.on('error', (error) => {
		if (isOfTheWire(error)) onLost();
	});
	socket.once('end', () => {
		// One that waits for its first request may be closed at any time.
		if (socket.bytesWritten > 0) onLost();
	});
}

/** Whether the other end, or the network, has ended the connection, rather than we. */
function isOfTheWire({code, message}: NodeJS.ErrnoException): boolean {
	return code === 'ECONNRESET' || code === 'EPIPE' || alertOf(message) !== undefined;
}
