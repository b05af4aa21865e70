import type {IncomingHttpHeaders, IncomingMessage} from 'node:http';
import type {Server} from 'node:https';
import type {Socket} from 'node:net';
import type {PeerCertificate, TLSSocket} from 'node:tls';

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
	/** `'TLSv1.2'` or `'TLSv1.3'`; absent when no handshake came so far. */
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

export interface RecordedRequest {
	readonly method: string;
	/** As in the request line: path and query. */
	readonly url: string;
	readonly headers: IncomingHttpHeaders;
	/** Names and values in turn, as they were sent. */
	readonly rawHeaders: readonly string[];
	/** What has arrived of the body; whole once `ended` has resolved to `true`. */
	readonly body: Buffer;
	/** Resolves when the body ends: `true` if it is whole, `false` if the client broke it off. */
	readonly ended: Promise<boolean>;
	readonly connection: RecordedConnection;
}

/** Keeps a record of every connection that reaches a server. */
export interface ConnectionLog {
	readonly connections: readonly RecordedConnection[];
	/** The record of the connection that a request came over. */
	of(socket: Socket): RecordedConnection;
}

type Draft = {-readonly [Field in keyof RecordedConnection]: RecordedConnection[Field]};

/** Writes down what becomes of each connection, without a part in any decision. */
export function recordConnections(server: Server): ConnectionLog {
	const connections: Draft[] = [];
	const drafts = new WeakMap<Socket, Draft>();
	const sockets = new WeakMap<Draft, TLSSocket>();

	server.on('connection', (transport: Socket) => {
		const {promise, resolve} = settleable();
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
		transport.once('close', () => {
			const socket = sockets.get(draft);
			if (socket === undefined) draft.error ??= 'ECONNRESET';
			// The verdict on a refused client is reported when the TLS socket closes, which is later.
			if (socket === undefined || socket.closed) resolve();
			else socket.once('close', resolve);
		});
	});

	const meet = (socket: TLSSocket): Draft | undefined => {
		const known = drafts.get(socket);
		if (known !== undefined) return known;
		const draft = connections.findLast(({remotePort}) => remotePort === socket.remotePort);
		if (draft === undefined) return undefined;
		drafts.set(socket, draft);
		sockets.set(draft, socket);
		return draft;
	};

	// The only event that hands out the TLS socket before the server has judged the client: Node
	// destroys a refused socket in its own 'secure' listener, and the certificate is gone with it.
	server.on('keylog', (_line: Buffer, socket: TLSSocket) => {
		if (drafts.has(socket)) return;
		const draft = meet(socket);
		if (draft === undefined) return;
		socket.prependOnceListener('secure', () => describeHandshake(draft, socket));
		socket.on('error', (error) => {
			draft.error ??= nameOf(error);
		});
	});
	server.on('secureConnection', (socket: TLSSocket) => {
		const draft = meet(socket);
		if (draft === undefined) return;
		draft.secure = true;
		if (draft.clientCertificate === undefined) return;
		draft.authorized = socket.authorized;
		if (!socket.authorized) draft.error = nameOf(socket.authorizationError);
	});
	server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
		const draft = meet(socket);
		// A client that left without a handshake is found by the 'close' of its transport instead.
		if (draft === undefined) return;
		draft.error ??= nameOf(socket.authorizationError ?? error);
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

/** Collects the body of a request as it arrives. */
export function recordRequest(
	request: IncomingMessage,
	connection: RecordedConnection,
): RecordedRequest {
	const {method = '', url = '', headers, rawHeaders} = request;
	const chunks: Buffer[] = [];
	request.on('data', (chunk: Buffer) => chunks.push(chunk));
	const ended = new Promise<boolean>((resolve) => {
		request.once('close', () => resolve(request.complete));
		request.once('end', () => resolve(true));
	});
	return {
		method,
		url,
		headers,
		rawHeaders,
		get body() {
			return Buffer.concat(chunks);
		},
		ended,
		connection,
	};
}

function describeHandshake(draft: Draft, socket: TLSSocket): void {
	draft.protocol = socket.getProtocol() ?? 'unknown';
	draft.resumed = socket.isSessionReused();
	if (socket.servername !== null) draft.servername = socket.servername;
	// Typed as never absent; without a certificate it is an object without a subject.
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

function settleable(): {promise: Promise<void>; resolve: () => void} {
	let resolve = () => {};
	const promise = new Promise<void>((settle) => {
		resolve = settle;
	});
	return {promise, resolve};
}
