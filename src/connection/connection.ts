import type {CertificateFacts, ConnectionFacts, FailurePhase} from '../facts.ts';
import type {PeerChain} from '../tls/peer/peer-chain.ts';
import {PresentedCertificate, verifiedCertificate} from '../tls/peer/presented-certificate.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {withoutPrototype} from '../util/check-options.ts';
import type {ProxyServer} from './proxy/resolve-proxy.ts';

/**
 * The facts of one connection, collected while it is made and kept as long as its socket. connect.ts and
 * handshake.ts write it; a response and an error read it.
 */
export interface Connection {
	readonly snapshot: Snapshot;
	readonly host: string;
	readonly port: number;
	/** The name to verify. */
	readonly servername: string;
	readonly proxy: ProxyServer | undefined;
	/** The client certificate, if it may be presented on this connection. */
	readonly identity: CertificateFacts | null;
	/** How far it has come; `undefined` until there is a TCP connection. */
	phase: FailurePhase | undefined;
	/** The protocol that was offered: `'http/1.1'` or `'h2'`. */
	alpn: string | undefined;
	protocol: string | undefined;
	cipher: string;
	resumed: boolean;
	/** `false` until the server is verified; with `verify: 'report'` it may stay so. */
	authorized: boolean;
	/** `undefined` until the server's part of the handshake has been read. */
	clientCertificateRequested: boolean | undefined;
	/** Those of the server's CertificateRequest that OpenSSL knows here: `RSA-PSS+SHA256`. */
	signatureAlgorithms: readonly string[];
	/** The server's certificates in the handshake; empty on a resumed session. */
	chain: PeerChain;
	/** The same with facts, also on a resumed session: from the full handshake. See {@link presentedOn}. */
	presented: readonly PresentedCertificate[] | undefined;
	/** When the first certificate of the chain expires, in ms since the epoch. */
	validUntil: number;
	/** The TLS connection to an `https://` proxy, inside which this one is made. */
	proxyConnection: Connection | undefined;
	/** The connection failed because it offered a TLS session. */
	sessionRefused: boolean;
	/** The first error of the socket, which has the TLS alert; later ones may not. */
	firstError: Error | undefined;
}

export function beginConnection(
	target: Pick<
		Connection,
		'snapshot' | 'host' | 'port' | 'servername' | 'proxy' | 'identity' | 'phase'
	>,
): Connection {
	return {
		...target,
		alpn: undefined,
		protocol: undefined,
		cipher: '',
		resumed: false,
		authorized: false,
		clientCertificateRequested: undefined,
		signatureAlgorithms: [],
		chain: [],
		presented: undefined,
		validUntil: Number.POSITIVE_INFINITY,
		proxyConnection: undefined,
		sessionRefused: false,
		firstError: undefined,
	};
}

/** A connection, and the error that ended it before there was a socket to return. */
interface Ended {
	readonly connection: Connection;
	readonly cause: unknown;
}

const bySocket = new WeakMap<object, Connection>();
const byError = new WeakMap<object, Ended>();

/**
 * Attaches a connection to its socket, to the error that ended it before there was a socket to return, or
 * to the signal of the attempt to make it.
 */
export function attachConnection(
	connection: Connection,
	by: {socket: object} | {error: unknown} | {attempt: AbortSignal},
): void {
	const own = withoutPrototype(by);
	if ('socket' in own) bySocket.set(own.socket, connection);
	else if ('attempt' in own) bySocket.set(own.attempt, connection);
	else if (typeof own.error === 'object' && own.error !== null) {
		const ended = {connection, cause: own.error};
		byError.set(own.error, ended);
		// axios 1.13.0 to 1.13.2 puts the cause of a cause in its place.
		const {cause} = own.error as Error;
		if (typeof cause === 'object' && cause !== null) byError.set(cause, ended);
	}
}

/**
 * The connection of a socket that `connect` returned, or that is being made with that signal; `undefined`
 * for any other.
 */
export function connectionOf(socket: object | null | undefined): Connection | undefined {
	return socket ? bySocket.get(socket) : undefined;
}

/** The connection that failed with an error that `connect` threw. */
export function connectionOfError(error: unknown): Ended | undefined {
	return typeof error === 'object' && error !== null ? byError.get(error) : undefined;
}

/** Whether a connection, or the one to its `https://` proxy, failed because a TLS session was offered on it. */
export function refusedSession(connection: Connection | undefined): boolean {
	return (
		connection?.sessionRefused === true || connection?.proxyConnection?.sessionRefused === true
	);
}

/** What the server presented, leaf first. */
export function presentedOn(connection: Connection): readonly PresentedCertificate[] {
	connection.presented ??= connection.chain.map((certificate) =>
		connection.authorized
			? verifiedCertificate(certificate)
			: new PresentedCertificate(certificate),
	);
	return connection.presented;
}

/** The facts of what the server presented, leaf first; parsed at the first call. */
export function chainFacts(connection: Connection): CertificateFacts[] {
	return presentedOn(connection).map(({facts}) => facts);
}

const known = new WeakMap<Connection, ConnectionFacts>();

/** What an app gets as `response.tls`: one frozen object for all responses of a connection. */
export function connectionFacts(connection: Connection): ConnectionFacts | undefined {
	const found = known.get(connection);
	if (found !== undefined) return found;
	const chain = chainFacts(connection);
	const [peer] = chain;
	if (peer === undefined) return undefined;
	const facts = Object.freeze({
		protocol: connection.protocol ?? '',
		cipher: connection.cipher,
		authorized: connection.authorized,
		clientCertificateRequested: connection.clientCertificateRequested ?? false,
		resumed: connection.resumed,
		peer,
		chain,
		identity: connection.identity,
	});
	known.set(connection, facts);
	return facts;
}
