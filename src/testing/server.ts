import {X509Certificate} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {createServer, type Server} from 'node:https';
import type {Socket} from 'node:net';
import type {FindIssuer} from '../tls/peer/peer-chain.ts';
import {type RecordedConnection, recordConnections} from './connection-log.ts';
import {createRoutes, sendJson} from './demo-routes.ts';
import {type Credential, createTestPki, type TestPki} from './pki.ts';
import {type RecordedRequest, recordRequest} from './request-log.ts';

export interface MtlsServerOptions {
	/** @defaultValue a new one: found as `pki` of the server */
	pki?: TestPki;
	/** The server's own certificate. @defaultValue `pki.server()` */
	credential?: Pick<Credential, 'cert' | 'key' | 'passphrase'>;
	/** The trusted CAs of client certificates, PEM. @defaultValue the root of `pki` */
	clientCa?: string | readonly string[];
	/**
	 * `'require'` ends the handshake of a client without a good certificate, `'request'` lets it in
	 * and records the error, `'none'` does not ask.
	 *
	 * @defaultValue `'require'`
	 */
	clientAuth?: 'require' | 'request' | 'none';
	/** @defaultValue Node's own */
	minVersion?: 'TLSv1.2' | 'TLSv1.3';
	/** @defaultValue Node's own */
	maxVersion?: 'TLSv1.2' | 'TLSv1.3';
	/** Cipher suites, in OpenSSL's spelling. @defaultValue Node's own */
	ciphers?: string;
	/** The address to listen on. @defaultValue `'127.0.0.1'` */
	host?: string;
	/** @defaultValue 0: a free one */
	port?: number;
	/** Passwords by user name, for `POST /login`. @defaultValue `{alice: 'wonderland'}` */
	users?: Readonly<Record<string, string>>;
	/** Runs before the built-in routes, as soon as the head of a request is there. */
	handler?: RequestHandler;
}

/** Returns `true` when it has answered, or will; anything else leaves the request to the routes. */
export type RequestHandler = (
	request: IncomingMessage,
	response: ServerResponse,
	recorded: RecordedRequest,
) => unknown;

export interface MtlsServer extends AsyncDisposable {
	readonly port: number;
	/** `https://localhost:PORT`, also when the server listens on another address. */
	readonly origin: string;
	readonly pki: TestPki;
	/** The CA that a client has to trust, PEM: the root of `pki`. */
	readonly ca: string;
	/** Every TCP connection so far, refused ones too, in the order of arrival. */
	readonly connections: readonly RecordedConnection[];
	/** Every request so far, in the order of arrival. */
	readonly requests: readonly RecordedRequest[];
	/** How many handshakes were completed and accepted, by whether they resumed a session. */
	readonly handshakes: {readonly full: number; readonly resumed: number};
	/** The address of a path on this server. @defaultValue `'/'` */
	url(path?: string): string;
	/** Stops listening and cuts every connection, idle or not. A second call waits for the first. */
	close(): Promise<void>;
}

/**
 * Starts an HTTPS server that asks for client certificates and records all that reaches it.
 *
 * Unless `handler` answers first, it serves `POST /login` (JSON or form with `user` and `password`;
 * sets the cookie `session` and redirects to `/accounts`), `GET /accounts` (needs the session),
 * `POST /logout`, `GET /whoami` (who the client is) and `/echo` (any method). A handler that throws
 * is answered with 500.
 *
 * @throws {MissingDependencyError} as `createTestPki` does, and the error of `node:tls` when `credential` or `clientCa` cannot be read, and of `node:net`
 * when the address is taken.
 *
 * @example
 * ```ts
 * await using server = await startMtlsServer();
 * const {cert, key} = await server.pki.client({commonName: 'alice'});
 * https.get(server.url('/whoami'), {cert, key, ca: server.ca}, (response) => response.pipe(stdout));
 * ```
 */
export async function startMtlsServer(options: MtlsServerOptions = {}): Promise<MtlsServer> {
	const {clientAuth = 'require', host = '127.0.0.1'} = options;
	const pki = options.pki ?? (await createTestPki());
	const {cert, key, passphrase} = options.credential ?? (await pki.server());
	const ca = [options.clientCa ?? pki.ca].flat();
	const server = createServer({
		cert,
		key,
		passphrase,
		ca,
		requestCert: clientAuth !== 'none',
		rejectUnauthorized: clientAuth === 'require',
		minVersion: options.minVersion,
		maxVersion: options.maxVersion,
		ciphers: options.ciphers,
	});

	const {connections, of} = recordConnections(server, issuersIn(ca));
	const requests: RecordedRequest[] = [];
	const route = createRoutes(options.users ?? {alice: 'wonderland'});
	server.on('request', (request, response) => {
		const recorded = recordRequest(request, of(request.socket));
		requests.push(recorded);
		answer(request, response, recorded).catch((error: unknown) => {
			if (response.headersSent) response.destroy();
			else sendJson(response, 500, {error: String(error)});
		});
	});
	async function answer(
		request: IncomingMessage,
		response: ServerResponse,
		recorded: RecordedRequest,
	): Promise<void> {
		if ((await options.handler?.(request, response, recorded)) === true) return;
		if (await recorded.ended) route(recorded, response);
	}

	const transports = new Set<Socket>();
	server.on('connection', (transport: Socket) => {
		transports.add(transport);
		transport.once('close', () => transports.delete(transport));
	});
	const stop = () =>
		new Promise<void>((resolve) => {
			server.close(() => resolve());
			// closeAllConnections() knows only those that have finished their handshake.
			for (const transport of transports) transport.destroy();
		});
	let stopping: Promise<void> | undefined;
	const close = () => {
		stopping ??= stop();
		return stopping;
	};

	const port = await listen(server, options.port ?? 0, host);
	const origin = `https://localhost:${port}`;

	return {
		port,
		origin,
		pki,
		ca: pki.ca,
		connections,
		requests,
		get handshakes() {
			const secure = connections.filter((connection) => connection.secure);
			const resumed = secure.filter((connection) => connection.resumed).length;
			return {full: secure.length - resumed, resumed};
		},
		url: (path = '/') => new URL(path, origin).href,
		close,
		[Symbol.asyncDispose]: close,
	};
}

function issuersIn(ca: readonly string[]): FindIssuer {
	const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
	let issuers: X509Certificate[] | undefined;
	return (certificate) => {
		issuers ??= (ca.join('\n').match(pem) ?? []).map((each) => new X509Certificate(each));
		return issuers.find((each) => certificate.checkIssued(each));
	};
}

function listen(server: Server, port: number, host: string): Promise<number> {
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, host, () => {
			const address = server.address();
			// A string is the path of a pipe, and `null` a server that is closed.
			resolve(typeof address === 'object' && address !== null ? address.port : port);
		});
	});
}
