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
	/** The client's certificate, even where the server refused it; absent without one. */
	readonly clientCertificate?: RecordedCertificate;
	/** The client sent a certificate and the server trusts it. */
	readonly authorized: boolean;
	/**
	 * Why the client is not trusted or not connected: the error of the client's certificate
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

type MutableRecord = {-readonly [Field in keyof RecordedConnection]: RecordedConnection[Field]};

/**
 * Records the course of each connection, and decides nothing.
 *
 * @param findIssuer - Finds the server's trusted CAs, for the chain of a client that handlers read.
 */
export function recordConnections(
	server: Server,
	findIssuer: FindIssuer = () => undefined,
): ConnectionLog {
	const connections: MutableRecord[] = [];
	const records = new WeakMap<Socket, MutableRecord>();
	const sockets = new WeakMap<MutableRecord, TLSSocket>();
	// Node makes the TLS socket in its own 'connection' listener and may not name it before the
	// handshake has failed, when even its port is forgotten. What the TLS socket reports runs in the
	// asynchronous context it was made in, so the context carries the record.
	const current = new AsyncLocalStorage<MutableRecord>();

	server.prependListener('connection', (transport: Socket) => {
		const {promise, resolve} = Promise.withResolvers<void>();
		const record: MutableRecord = {
			id: connections.length + 1,
			remotePort: transport.remotePort ?? 0,
			secure: false,
			authorized: false,
			// Node's own count, because its HTTP parser reads from the handle, past any listener of
			// the socket. On a TLS socket it counts what was decrypted, and outlives the socket.
			get plaintextBytes() {
				return sockets.get(record)?.bytesRead ?? 0;
			},
			closed: promise,
		};
		connections.push(record);
		current.enterWith(record);
		transport.once('close', () => {
			const socket = sockets.get(record);
			// A client that closed before its first message: there was no TLS socket.
			if (socket === undefined) record.error ??= 'ECONNRESET';
			// The error of a refused client is known when the TLS socket closes, which is later.
			if (socket === undefined || socket.closed) resolve();
			else socket.once('close', resolve);
		});
	});

	const recordOf = (socket: TLSSocket): MutableRecord | undefined => {
		const record = records.get(socket) ?? current.getStore();
		if (record !== undefined) {
			records.set(socket, record);
			sockets.set(record, socket);
		}
		return record;
	};

	// The only event that hands out the TLS socket before the server has verified the client: Node
	// destroys a refused socket in its own 'secure' listener, and the certificate is gone with it.
	server.on('keylog', (_line: Buffer, socket: TLSSocket) => {
		if (records.has(socket)) return;
		const record = recordOf(socket);
		if (record === undefined) return;
		describeProtocol(record, socket);
		// A client may make another handshake on the same connection (TLS 1.2).
		socket.prependListener('secure', () => {
			readPeerChain(socket, findIssuer);
			describeClient(record, socket);
		});
		socket.on('error', (error) => {
			record.error ??= nameOf(error);
		});
	});
	server.on('secureConnection', (socket: TLSSocket) => {
		const record = recordOf(socket);
		if (record === undefined) return;
		record.secure = true;
		// Node calls a client without a certificate authorized when it resumes a TLS 1.3 session.
		if (record.clientCertificate === undefined) return;
		record.authorized = socket.authorized;
		if (!socket.authorized) record.error = nameOf(socket.authorizationError);
	});
	server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
		const record = recordOf(socket);
		if (record !== undefined) record.error ??= nameOf(socket.authorizationError ?? error);
	});

	return {
		connections,
		of(socket) {
			const record = records.get(socket);
			if (record === undefined) throw new Error('the socket belongs to another server');
			return record;
		},
	};
}

function describeProtocol(record: MutableRecord, socket: TLSSocket): void {
	const protocol = socket.getProtocol();
	if (protocol !== null) record.protocol = protocol;
}

function describeClient(record: MutableRecord, socket: TLSSocket): void {
	record.resumed = socket.isSessionReused();
	if (socket.servername !== null) record.servername = socket.servername;
	// Typed as always there; without a certificate it is an empty object.
	const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
	if (certificate.fingerprint256 === undefined) return;
	record.clientCertificate = {
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
