import {X509Certificate} from 'node:crypto';
import http, {type IncomingMessage, type RequestListener} from 'node:http';
import {performServerHandshake, type ServerHttp2Stream} from 'node:http2';
import net, {type Socket} from 'node:net';
import {createSecureContext, type SecureVersion, TLSSocket} from 'node:tls';
import type {TestPki} from '../../src/testing/index.ts';
import {onTestFinished} from './on-test-finished.ts';

/** Where a server stops that does not go on with a session. */
type Refusal =
	/** In its first flight, by an alert: OpenSSL does it where there is no session id context. */
	| 'alert'
	/** Once the session is resumed, before it reads a request. */
	| 'hangs up'
	/** The same, without a goodbye. */
	| 'resets'
	/** When it has read the request. */
	| 'reads and hangs up';

interface UnresumingOptions {
	readonly version: SecureVersion;
	readonly refusal?: Refusal;
	readonly alpn?: 'http/1.1' | 'h2';
	/** Who may sign the clients' certificates. @defaultValue `pki` */
	readonly clients?: TestPki;
}

export interface SessionRefusingServer {
	readonly port: number;
	readonly origin: string;
	/** TCP connections. */
	readonly connectionCount: number;
	/** Handshakes that came to their end. */
	readonly handshakes: {full: number; resumed: number};
	/** Requests by method and path, those it did not answer included. */
	readonly requests: string[];
}

/** Starts a server that requires client certificates, hands sessions out and refuses them; ends with the test. */
export async function startSessionRefusingServer(
	pki: TestPki,
	{version, refusal = 'alert', alpn = 'http/1.1', clients = pki}: UnresumingOptions,
): Promise<SessionRefusingServer> {
	const {cert, key} = await pki.server();
	const ca = new X509Certificate(clients.ca);
	const context = createSecureContext({
		cert,
		key,
		ca: clients.ca,
		minVersion: version,
		maxVersion: version,
		...(refusal === 'alert' ? {} : {sessionIdContext: 'test'}),
	});
	const requests: string[] = [];
	const handshakes = {full: 0, resumed: 0};
	let connectionCount = 0;
	const answer: RequestListener = (request, response) => {
		note(request);
		response.writeHead(200, {connection: 'close'}).end('ok');
	};
	const note = ({method, url}: IncomingMessage) => requests.push(`${method} ${url}`);
	const web = http.createServer(answer);
	const deaf = http.createServer((request) => {
		note(request);
		request.socket.end();
	});

	const server = net.createServer((raw) => {
		connectionCount += 1;
		raw.on('error', () => {});
		const socket = new TLSSocket(raw, {
			isServer: true,
			secureContext: context,
			requestCert: true,
			rejectUnauthorized: true,
			ALPNProtocols: [alpn],
		});
		socket.on('error', () => raw.destroy());
		socket.once('secure', () => {
			const resumed = socket.isSessionReused();
			handshakes[resumed ? 'resumed' : 'full'] += 1;
			// Of a socket that no TLS server has made Node leaves the verdict to us.
			if (!resumed && !socket.getPeerX509Certificate()?.verify(ca.publicKey)) raw.destroy();
			else if (resumed && refusal === 'hangs up') socket.end();
			else if (resumed && refusal === 'resets') raw.resetAndDestroy();
			else if (resumed && refusal === 'reads and hangs up') deaf.emit('connection', socket);
			else if (alpn === 'h2') serveHttp2(socket, requests);
			else web.emit('connection', socket);
		});
	});
	const port = await listen(server);
	return {
		port,
		origin: `https://localhost:${port}`,
		get connectionCount() {
			return connectionCount;
		},
		handshakes,
		requests,
	};
}

/** One request on each connection. */
function serveHttp2(socket: TLSSocket, requests: string[]): void {
	// Of a socket that no TLS server has made Node does not say that it is ready.
	const session = performServerHandshake(Object.assign(socket, {secureConnecting: false}));
	session.on('error', () => {});
	session.on('stream', (stream: ServerHttp2Stream, headers) => {
		requests.push(`${headers[':method']} ${headers[':path']}`);
		stream.respond({':status': 200});
		stream.end('ok');
		session.close();
	});
}

export interface TicketResettingRelay {
	readonly port: number;
	readonly origin: string;
	/** Connections that began with a session, and were cut off. */
	readonly refusedCount: number;
	readonly connectionCount: number;
	/** From now on, or from the next that it cuts off, it passes nothing on. */
	silence(how?: {afterRefusal: boolean}): void;
	/** From now on it lets sessions through. */
	pass(): void;
	/** From now on it leads there. */
	lead(port: number): void;
}

/**
 * Starts a relay that resets each connection whose ClientHello holds a session (RFC 8446 §4.2.11, RFC
 * 5077 §3.2), as some firewalls do; ends with the test.
 */
export async function startTicketResettingRelay(target: number): Promise<TicketResettingRelay> {
	let refusedCount = 0;
	let connectionCount = 0;
	let silent: boolean | 'after refusal' = false;
	let passing = false;
	let goal = target;
	const server = net.createServer((near) => {
		connectionCount += 1;
		near.on('error', () => {});
		if (silent === true) return void near.resume();
		let hello = Buffer.alloc(0);
		near.on('data', function onHello(chunk: Buffer) {
			hello = Buffer.concat([hello, chunk]);
			if (hello.length < 5 || hello.length < 5 + hello.readUInt16BE(3)) return;
			near.off('data', onHello).pause();
			if (!passing && offersSession(hello)) {
				refusedCount += 1;
				if (silent) silent = true;
				near.resetAndDestroy();
				return;
			}
			const far = net.connect(goal, '127.0.0.1');
			far.on('error', () => near.destroy());
			near.on('close', () => far.destroy());
			far.write(hello);
			near.pipe(far).pipe(near);
		});
	});
	const port = await listen(server);
	return {
		port,
		origin: `https://localhost:${port}`,
		get refusedCount() {
			return refusedCount;
		},
		get connectionCount() {
			return connectionCount;
		},
		silence({afterRefusal} = {afterRefusal: false}) {
			silent = afterRefusal ? 'after refusal' : true;
		},
		pass() {
			passing = true;
		},
		lead(port) {
			goal = port;
		},
	};
}

const ticket = 35;
const preSharedKey = 41;

/** Whether a record with a ClientHello (RFC 8446 §4.1.2) has a session in it. */
function offersSession(record: Buffer): boolean {
	// Record and handshake headers, version, random.
	let at = 5 + 4 + 2 + 32;
	at += 1 + record.readUInt8(at);
	at += 2 + record.readUInt16BE(at);
	at += 1 + record.readUInt8(at);
	const end = at + 2 + record.readUInt16BE(at);
	for (at += 2; at < end; ) {
		const type = record.readUInt16BE(at);
		const length = record.readUInt16BE(at + 2);
		if (type === preSharedKey || (type === ticket && length > 0)) return true;
		at += 4 + length;
	}
	return false;
}

async function listen(server: net.Server): Promise<number> {
	const sockets = new Set<Socket>();
	server.on('connection', (socket) => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
	});
	onTestFinished(() => {
		for (const socket of sockets) socket.destroy();
		server.close();
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	return typeof address === 'object' && address !== null ? address.port : 0;
}
