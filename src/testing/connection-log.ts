import {AsyncLocalStorage} from 'node:async_hooks';
import type {Server} from 'node:https';
import type {Socket} from 'node:net';
import type {PeerCertificate, TLSSocket} from 'node:tls';
import {type FindIssuer, readPeerChain} from '../tls/peer/peer-chain.ts';

/** The client's certificate, as the server saw it. */
export interface RecordedCertificate {
	/** The subject's common name; empty when there is none. */
	readonly subject: string;
	/** SHA-256 of the certificate, in upper case with colons, as `node:tls` writes it. */
	readonly fingerprint256: string;
	/** The issuer's common name; empty when there is none. */
	readonly issuer: string;
}

/** What the server knows about one TCP connection. It is live: fields change until `closed`. */
export interface RecordedConnection {
	/** Counts from 1, in the order of arrival. */
	readonly id: number;
	readonly remotePort: number;
	/** The handshake is complete on the server's side, and the server did not refuse the client. */
	readonly secure: boolean;
	/** `'TLSv1.2'` or `'TLSv1.3'`; absent when the handshake failed before it was settled. */
	readonly protocol?: string;
	/** The name the client asked for (SNI, RFC 6066 section 3); `false` when it named none. */
	readonly servername?: string | false;
	/** The handshake continued a session, so that no certificate was sent. */
	readonly resumed?: boolean;
	/** What the client showed, even where the server refused it; absent when it showed none. */
	readonly clientCertificate?: RecordedCertificate;
	/** The client showed a certificate and the server believes it. */
	readonly authorized: boolean;
	/**
	 * Why there is no trust or no connection: the verdict on the client's certificate
	 * (`'CERT_HAS_EXPIRED'`), the reason the handshake failed, the client's alert as the server saw
	 * it (`'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA'`), or `'ECONNRESET'` when the client just went away.
	 */
	readonly error?: string;
	/** Decrypted bytes that reached the server, also those that never became a request. */
	readonly plaintextBytes: number;
	/** Resolves when the connection is over and this record is final. */
	readonly closed: Promise<void>;
}

/** Keeps a record of every connection that reaches a server. */
export interface ConnectionLog {
	readonly connections: readonly RecordedConnection[];
	/** The record of the connection that a request came over. */
	of(socket: Socket): RecordedConnection;
}

type Draft = {-readonly [Field in keyof RecordedConnection]: RecordedConnection[Field]};

/**
 * Writes down what becomes of each connection, without a part in any decision.
 *
 * @param findIssuer - For what handlers read of a client's chain: the CAs that the server trusts.
 */
export function recordConnections(
	server: Server,
	findIssuer: FindIssuer = () => undefined,
): ConnectionLog {
	const connections: Draft[] = [];
	const drafts = new WeakMap<Socket, Draft>();
	const sockets = new WeakMap<Draft, TLSSocket>();
	// Node makes the TLS socket in its own 'connection' listener and may not name it before the
	// handshake has failed, when even its port is forgotten. What the TLS socket reports runs in the
	// asynchronous context it was made in, so the context carries the record.
	const current = new AsyncLocalStorage<Draft>();

	server.prependListener('connection', (transport: Socket) => {
		const {promise, resolve} = Promise.withResolvers<void>();
		const draft: Draft = {
			id: connections.length + 1,
			remotePort: transport.remotePort ?? 0,
			secure: false,
			authorized: false,
			// Node's own count, because its HTTP parser reads from the handle, past any listener of
			// the socket. On a TLS socket it counts what was decrypted, and outlives the socket.
			get plaintextBytes() {
				return sockets.get(draft)?.bytesRead ?? 0;
			},
			closed: promise,
		};
		connections.push(draft);
		current.enterWith(draft);
		transport.once('close', () => {
			const socket = sockets.get(draft);
			// A client that hangs up before its first message: no TLS socket has told of it.
			if (socket === undefined) draft.error ??= 'ECONNRESET';
			// The verdict on a refused client is told when the TLS socket closes, which is later.
			if (socket === undefined || socket.closed) resolve();
			else socket.once('close', resolve);
		});
	});

	const meet = (socket: TLSSocket): Draft | undefined => {
		const draft = drafts.get(socket) ?? current.getStore();
		if (draft !== undefined) {
			drafts.set(socket, draft);
			sockets.set(draft, socket);
		}
		return draft;
	};

	// The only event that hands out the TLS socket before the server has judged the client: Node
	// destroys a refused socket in its own 'secure' listener, and the certificate is gone with it.
	server.on('keylog', (_line: Buffer, socket: TLSSocket) => {
		if (drafts.has(socket)) return;
		const draft = meet(socket);
		if (draft === undefined) return;
		describeProtocol(draft, socket);
		// A client may make another handshake on the same connection (TLS 1.2).
		socket.prependListener('secure', () => {
			readPeerChain(socket, findIssuer);
			describeClient(draft, socket);
		});
		socket.on('error', (error) => {
			draft.error ??= nameOf(error);
		});
	});
	server.on('secureConnection', (socket: TLSSocket) => {
		const draft = meet(socket);
		if (draft === undefined) return;
		draft.secure = true;
		// Node calls a client without a certificate authorized when it resumes a TLS 1.3 session.
		if (draft.clientCertificate === undefined) return;
		draft.authorized = socket.authorized;
		if (!socket.authorized) draft.error = nameOf(socket.authorizationError);
	});
	server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
		const draft = meet(socket);
		if (draft !== undefined) draft.error ??= nameOf(socket.authorizationError ?? error);
	});

	return {
		connections,
		of(socket) {
			const draft = drafts.get(socket);
			if (draft === undefined) throw new Error('the socket belongs to another server');
			return draft;
		},
	};
}

function describeProtocol(draft: Draft, socket: TLSSocket): void {
	const protocol = socket.getProtocol();
	if (protocol !== null) draft.protocol = protocol;
}

function describeClient(draft: Draft, socket: TLSSocket): void {
	draft.resumed = socket.isSessionReused();
	if (socket.servername !== null) draft.servername = socket.servername;
	// Typed as always there; without a certificate it is an empty object.
	const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
	if (certificate.fingerprint256 === undefined) return;
	draft.clientCertificate = {
		subject: commonName(certificate.subject),
		fingerprint256: certificate.fingerprint256,
		issuer: commonName(certificate.issuer),
	};
}

function commonName(name: PeerCertificate['subject'] | undefined): string {
	return [name?.CN ?? ''].flat().join(', ');
}

function nameOf(error: Error | string): string {
	if (typeof error === 'string') return error;
	return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
