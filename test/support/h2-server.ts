import {
	constants,
	createSecureServer,
	type Http2SecureServer,
	type IncomingHttpHeaders,
	type SecureServerOptions,
	type ServerHttp2Session,
	type ServerHttp2Stream,
} from 'node:http2';
import type {Server} from 'node:https';
import type {AddressInfo, Socket} from 'node:net';
import {recordConnections} from '../../src/testing/connection-log.ts';
import type {Credential, RecordedConnection, TestPki} from '../../src/testing/index.ts';
import {onTestFinished} from './on-test-finished.ts';

/** What reached the server of one request. */
export interface H2Request {
	readonly method: string;
	readonly path: string;
	readonly headers: IncomingHttpHeaders;
	readonly body: Buffer;
	/** Resolves when the client has sent all of it. */
	readonly ended: Promise<void>;
	/** Resolves when its stream is gone, with the code it was reset with; 0 is a good end. */
	readonly closed: Promise<number>;
	readonly stream: ServerHttp2Stream;
	readonly session: ServerHttp2Session;
	readonly connection: RecordedConnection;
}

type H2Handler = (request: H2Request) => unknown;

export interface H2ServerOptions extends SecureServerOptions {
	readonly credential?: Credential;
	/** As those of `startMtlsServer`. @defaultValue `'require'` */
	readonly clientAuth?: 'require' | 'request' | 'none';
	/** By path. Any other is answered with what was asked, in JSON, once all of it is there. */
	readonly pages?: Readonly<Record<string, H2Handler>>;
}

export interface H2Server {
	readonly port: number;
	readonly origin: string;
	readonly connections: readonly RecordedConnection[];
	readonly requests: readonly H2Request[];
	readonly sessions: readonly ServerHttp2Session[];
	url(path?: string): string;
	close(): Promise<void>;
}

/** Starts a server that speaks HTTP/2, and nothing else unless `allowHTTP1` says so; ends with the test. */
export async function startH2Server(
	pki: TestPki,
	{credential, clientAuth = 'require', pages = {}, ...options}: H2ServerOptions = {},
): Promise<H2Server> {
	const {cert, key} = credential ?? (await pki.server());
	const server = createSecureServer({
		cert,
		key,
		ca: pki.ca,
		requestCert: clientAuth !== 'none',
		rejectUnauthorized: clientAuth === 'require',
		...options,
	});
	const log = recordConnections(server as unknown as Server);
	const sockets = new WeakMap<ServerHttp2Session, Socket>();
	const sessions: ServerHttp2Session[] = [];
	const requests: H2Request[] = [];
	// The socket of a session is a stand-in; the real one comes just before it.
	let latest: Socket | undefined;
	server.prependListener('secureConnection', (socket) => {
		latest = socket;
	});
	server.on('session', (session) => {
		sessions.push(session);
		if (latest) sockets.set(session, latest);
		session.on('error', () => {});
	});
	server.on('stream', (stream, headers) => {
		const {session} = stream;
		const socket = session && sockets.get(session as ServerHttp2Session);
		if (!session || !socket) throw new Error('a stream without a session');
		const request = record(stream, headers, log.of(socket));
		requests.push(request);
		const page = pages[request.path];
		if (page) page(request);
		else void request.ended.then(() => respondWith(request));
	});

	// With `allowHTTP1`.
	server.on('request', ({httpVersionMajor}, response) => {
		if (httpVersionMajor === 1) response.end('HTTP/1.1');
	});

	const close = closer(server);
	onTestFinished(close);
	await new Promise<void>((resolve) => {
		server.listen(0, '127.0.0.1', () => resolve());
	});
	const {port} = server.address() as AddressInfo;
	const origin = `https://localhost:${port}`;
	return {
		port,
		origin,
		connections: log.connections,
		requests,
		sessions,
		url: (path = '/') => origin + path,
		close,
	};
}

function record(
	stream: ServerHttp2Stream,
	headers: IncomingHttpHeaders,
	connection: RecordedConnection,
): H2Request {
	const chunks: Buffer[] = [];
	stream.on('data', (chunk: Buffer) => chunks.push(chunk));
	stream.on('error', () => {});
	return {
		method: String(headers[':method']),
		path: String(headers[':path']),
		headers,
		get body() {
			return Buffer.concat(chunks);
		},
		ended: new Promise((resolve) => stream.once('end', () => resolve())),
		closed: new Promise((resolve) => stream.once('close', () => resolve(stream.rstCode))),
		stream,
		session: stream.session as ServerHttp2Session,
		connection,
	};
}

/** Answers with what was asked, and by whom. */
export function respondWith({method, path, headers, body, stream, connection}: H2Request): void {
	if (stream.destroyed) return;
	stream.respond({':status': 200, 'content-type': 'application/json'});
	stream.end(
		JSON.stringify({
			method,
			path,
			headers,
			body: body.toString(),
			client: connection.clientCertificate?.subject ?? null,
		}),
	);
}

/** A page that leads elsewhere. */
export function leadsTo(location: string, status = 302, headers = {}): H2Handler {
	return ({stream}) => {
		stream.respond({':status': status, location, ...headers});
		stream.end('gone elsewhere');
	};
}

/** A page that the server does not begin with, or gives up. */
export function resets(code: keyof typeof constants): H2Handler {
	return ({stream}) => stream.close(Number(constants[code]));
}

function closer(server: Http2SecureServer): () => Promise<void> {
	const transports = new Set<Socket>();
	server.on('connection', (transport: Socket) => {
		transports.add(transport);
		transport.once('close', () => transports.delete(transport));
	});
	let closing: Promise<void> | undefined;
	return () => {
		closing ??= new Promise((resolve) => {
			server.close(() => resolve());
			for (const transport of transports) transport.destroy();
		});
		return closing;
	};
}
