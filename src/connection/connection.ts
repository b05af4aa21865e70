import type {CertificateFacts, ConnectionFacts, FailurePhase} from '../facts.ts';
import type {PeerChain} from '../tls/peer/peer-chain.ts';
import {PresentedCertificate, verifiedCertificate} from '../tls/peer/presented-certificate.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {withoutPrototype} from '../util/check-options.ts';
import type {HttpProxy} from './proxy/proxy-config.ts';

/**
 * What is known of one connection, gathered while it is made and kept for as long as its socket.
 * connect.ts and handshake.ts write it; a response and a diagnosis read it.
 */
export interface Connection {
	/** What it was made with. */
	readonly snapshot: Snapshot;
	readonly host: string;
	readonly port: number;
	/** The name that is verified. */
	readonly servername: string;
	readonly proxy: HttpProxy | undefined;
	/** Our certificate where it may be offered on this connection, else `null`. */
	readonly identity: CertificateFacts | null;
	/** How far it came; `undefined` until there is a TCP connection. */
	phase: FailurePhase | undefined;
	/** What was to be spoken on it: `'http/1.1'` or `'h2'`. */
	alpn: string | undefined;
	protocol: string | undefined;
	cipher: string;
	resumed: boolean;
	/** `false` until the server was verified; with `verify: 'report'` it may go on without. */
	authorized: boolean;
	/** `undefined` until the server's half of the handshake has been read. */
	clientCertificateRequested: boolean | undefined;
	/** What the handshake showed; empty on a resumed session. */
	chain: PeerChain;
	/** The same to look up, or what the full handshake showed; see {@link presentedOn}. */
	presented: readonly PresentedCertificate[] | undefined;
	/** When the first certificate of the chain ends, in ms since the epoch. */
	validUntil: number;
	/** The TLS connection to an `https://` proxy, on which this one is to be made. */
	leg: Connection | undefined;
	/** The other end ended it because of the TLS session that it was offered. */
	sessionRefused: boolean;
	/** The first error of the socket: it carries the alert, where what a client reports later may not. */
	firstError: Error | undefined;
}

/** A connection before anything is known of it. */
export function beginConnection(
	end: Pick<
		Connection,
		'snapshot' | 'host' | 'port' | 'servername' | 'proxy' | 'identity' | 'phase'
	>,
): Connection {
	return {
		...end,
		alpn: undefined,
		protocol: undefined,
		cipher: '',
		resumed: false,
		authorized: false,
		clientCertificateRequested: undefined,
		chain: [],
		presented: undefined,
		validUntil: Number.POSITIVE_INFINITY,
		leg: undefined,
		sessionRefused: false,
		firstError: undefined,
	};
}

const bySocket = new WeakMap<object, Connection>();
const byError = new WeakMap<object, Connection>();

/** Ties a connection to its socket, or to the error that ended it before there was one to hand out. */
export function attachConnection(
	connection: Connection,
	by: {socket: object} | {error: unknown},
): void {
	const own = withoutPrototype(by);
	if ('socket' in own) bySocket.set(own.socket, connection);
	else if (typeof own.error === 'object' && own.error !== null) byError.set(own.error, connection);
}

/** The connection of a socket that `connect` made; `undefined` for any other socket. */
export function connectionOf(socket: object | null | undefined): Connection | undefined {
	return socket ? bySocket.get(socket) : undefined;
}

/** The connection that an error of `connect` ended. */
export function connectionOfError(error: unknown): Connection | undefined {
	return typeof error === 'object' && error !== null ? byError.get(error) : undefined;
}

/** Whether a connection, or that to the `https://` proxy below it, ended because of a TLS session. */
export function refusedSession(connection: Connection | undefined): boolean {
	return connection?.sessionRefused === true || connection?.leg?.sessionRefused === true;
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

/** The facts of what the server presented, leaf first; read when first asked for. */
export function chainFacts(connection: Connection): CertificateFacts[] {
	return presentedOn(connection).map(({facts}) => facts);
}

const told = new WeakMap<Connection, ConnectionFacts>();

/** What an app may know of a connection that stands; the same object for each answer on it. */
export function connectionFacts(connection: Connection): ConnectionFacts | undefined {
	const known = told.get(connection);
	if (known !== undefined) return known;
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
	told.set(connection, facts);
	return facts;
}
