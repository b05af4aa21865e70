import {mkdtempSync, rmSync} from 'node:fs';
import http, {type IncomingMessage} from 'node:http';
import {
	createSecureServer,
	type Http2SecureServer,
	type ServerHttp2Session,
	type ServerHttp2Stream,
} from 'node:http2';
import https from 'node:https';
import net, {type Server, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {type Credential, createTestPki} from '../../src/testing/index.ts';
import {type ConnectProxy, startConnectProxy} from './connect-proxy.ts';
import {performOverH2} from './parity-h2-server.ts';

/** A request as it came off the wire. */
export interface WireRequest {
	readonly server: ServerName;
	readonly version: string;
	readonly method: string | undefined;
	readonly path: string | undefined;
	/** In the order and casing of the wire, after those that undici writes in its own. */
	readonly headers: readonly (readonly [name: string, value: string])[];
	body: string;
	/** How the body ended: `cut` when the connection did. */
	end: 'open' | 'whole' | 'cut';
}

/** What a server does with one request, once its body is there. */
export type Answer =
	| {
			readonly status?: number;
			readonly reason?: string;
			/** Names and values in turn. `Content-Length` is added unless a length is told otherwise. */
			readonly headers?: readonly string[];
			readonly body?: string | Buffer;
			/** Answers as soon as the head of the request is there. */
			readonly early?: boolean;
			/** Ends the connection after the answer. */
			readonly close?: boolean;
	  }
	| {
			/** Written as they are, each in a packet of its own where the system plays along. */
			readonly raw: string | Buffer | readonly (string | Buffer)[];
			/** Time between two of them. */
			readonly everyMs?: number;
			/** Each byte in a packet of its own, once the one before can have been read. */
			readonly bytewise?: boolean;
			readonly next?: 'end' | 'destroy' | 'reset' | 'cancel' | 'nothing';
			readonly early?: boolean;
	  };

export type ServerName = 'a' | 'b' | 's' | 't' | 'm' | 'h' | 'i' | 'u' | 'v' | 'silent';

/**
 * Recording servers: `a` and `b` over http, `s` and `t` over https, `m` over https with a client
 * certificate, `h` and `i` as `m` and `t` and over HTTP/2 too, `u` and `v` as `a` and `m` on Unix sockets; all answer from one list. `silent` accepts a
 * connection, calls `onCancel`, and never says a word.
 */
export interface ParityServers extends AsyncDisposable {
	readonly ca: string;
	/** What `m` and `v` insist on. */
	readonly credential: Readonly<Pick<Credential, 'cert' | 'key'>>;
	readonly ports: Readonly<Record<ServerName, number>>;
	/** Tunnels to any of them. Each of them is a proxy that forwards, too, for what it answers. */
	readonly proxy: ConnectProxy;
	/** The paths of the Unix sockets. */
	readonly socketPaths: Readonly<Record<'u' | 'v', string>>;
	readonly requests: WireRequest[];
	/** What comes next, for whichever server is asked. */
	answers: Answer[];
	/** What the app's callbacks were given, to be compared too. */
	notes: unknown[];
	/** Servers that stand in for others, in every address. */
	moved: Readonly<Partial<Record<ServerName, ServerName>>>;
	/** An address over TLS was asked for. */
	secure: boolean;
	/** Called by the answer `{next: 'cancel'}`, and where `silent` accepts a connection. */
	onCancel: () => void;
	/** The address of a path, on `localhost` unless another name of this machine is given. */
	url(server: ServerName, path?: string, host?: string): string;
	/** Resolves once whatever was sent to the servers before has been read. */
	quiet(): Promise<void>;
	/** Resolves once the connection of the last request is closed. */
	hungUp(): Promise<void>;
}

// HTTP leaves casing and order of names to the sender; undici writes these itself.
const undicisOwn = /^(host|connection|content-length|transfer-encoding)$/i;

export async function startParityServers(): Promise<ParityServers> {
	const pki = await createTestPki();
	const own = await pki.server();
	const {cert, key} = await pki.client({commonName: 'parity'});
	const folder = mkdtempSync(join(tmpdir(), 'parity-'));
	const socketPaths = {u: join(folder, 'u'), v: join(folder, 'v')};
	const sockets = new Set<Socket>();
	const last: {socket?: Socket | ServerHttp2Stream} = {};
	const sessions = new Set<ServerHttp2Session>();
	const tls = {cert: own.cert, key: own.key};
	const mutual = {...tls, ca: pki.ca, requestCert: true};
	const servers = {
		a: http.createServer(),
		b: http.createServer(),
		s: https.createServer(tls),
		t: https.createServer(tls),
		m: https.createServer(mutual),
		h: createSecureServer({...mutual, allowHTTP1: true}) as unknown as https.Server,
		i: createSecureServer({...tls, allowHTTP1: true}) as unknown as https.Server,
		u: http.createServer(),
		v: https.createServer(mutual),
	};
	const silent = net.createServer(() => stage.onCancel());
	for (const [name, server] of Object.entries(servers) as [ServerName, http.Server][]) {
		server.keepAliveTimeout = 0;
		server.requestTimeout = 0;
		server.headersTimeout = 0;
		const serve = (request: IncomingMessage) => {
			if (request.httpVersionMajor === 2) return;
			if (request.url !== '/knock') last.socket = request.socket;
			meet(stage, name, request);
		};
		server.on('request', serve);
		server.on('checkContinue', serve);
		server.on('checkExpectation', serve);
		// Node's server knows only the registered methods.
		server.on('clientError', (error: Error & {rawPacket?: Buffer}, socket: Socket) => {
			const head = error.rawPacket?.toString('latin1') ?? '';
			if (!head.startsWith('BREW ') || !socket.writable) socket.destroy();
			else brew(stage, name, head, socket);
		});
	}
	const all: readonly Server[] = [...Object.values(servers), silent];
	for (const server of all) {
		server.on('connection', (socket: Socket) => {
			sockets.add(socket);
			socket.on('error', () => {}).once('close', () => sockets.delete(socket));
		});
	}
	const {a, b, s, t, m, h, i, u, v} = servers;
	const proxy = await startConnectProxy();
	const ports = {
		a: await listen(a),
		b: await listen(b),
		s: await listen(s),
		t: await listen(t),
		m: await listen(m),
		h: await listen(h),
		i: await listen(i),
		u: await listen(u, socketPaths.u),
		v: await listen(v, socketPaths.v),
		silent: await listen(silent),
	};
	const stage: ParityServers = {
		ca: pki.ca,
		credential: {cert, key},
		ports,
		proxy,
		socketPaths,
		requests: [],
		answers: [],
		notes: [],
		moved: {},
		secure: false,
		onCancel: () => {},
		url(asked, path = '/', host = 'localhost') {
			const server = stage.moved[asked] ?? asked;
			const plain = ['a', 'b', 'u'].includes(server);
			if (!plain) stage.secure = true;
			const port = stage.ports[server];
			return `${plain ? 'http' : 'https'}://${host}${port === 0 ? '' : `:${port}`}${path}`;
		},
		async quiet() {
			// What was written before this request is in the server's buffers before it.
			await Promise.all([ports.a, ports.b].map(knock));
			await Promise.all([ports.a, ports.b].map(knock));
			// What a client wrote before it answers a PING has come before that.
			await Promise.all([...sessions].map(ping));
		},
		async hungUp() {
			const {socket} = last;
			if (socket?.closed === false) await new Promise((done) => socket.once('close', done));
		},
		async [Symbol.asyncDispose]() {
			await proxy.close();
			for (const socket of sockets) socket.destroy();
			await Promise.all(all.map((server) => new Promise((done) => server.close(done))));
			rmSync(folder, {recursive: true});
		},
	};
	for (const name of ['h', 'i'] as const) {
		serveH2(stage, name, servers[name] as unknown as Http2SecureServer, sessions, (stream) => {
			last.socket = stream;
		});
	}
	return stage;
}

/** @returns the port; 0 for a server on a Unix socket */
function listen(server: Server, path?: string): Promise<number> {
	return new Promise((resolve) => {
		const onListening = () => {
			const address = server.address();
			resolve(typeof address === 'object' && address !== null ? address.port : 0);
		};
		if (path === undefined) server.listen(0, '127.0.0.1', onListening);
		else server.listen(path, onListening);
	});
}

function knock(port: number): Promise<void> {
	return new Promise((resolve) => {
		const socket = net.connect(port, '127.0.0.1', () => {
			socket.write('GET /knock HTTP/1.1\r\nHost: stage\r\nConnection: close\r\n\r\n');
		});
		socket
			.on('error', () => {})
			.resume()
			.once('close', () => resolve());
	});
}

function ping(session: ServerHttp2Session): Promise<void> {
	return new Promise((resolve) => {
		if (session.destroyed || !session.ping(() => resolve())) resolve();
	});
}

function serveH2(
	stage: ParityServers,
	name: ServerName,
	server: Http2SecureServer,
	sessions: Set<ServerHttp2Session>,
	onStream: (stream: ServerHttp2Stream) => void,
): void {
	let transport: Socket | undefined;
	server.prependListener('secureConnection', (socket) => {
		transport = socket;
	});
	server.on('session', (session) => {
		sessions.add(session);
		session.on('error', () => {}).once('close', () => sessions.delete(session));
		const socket = transport as Socket;
		session.on(
			'stream',
			(stream: ServerHttp2Stream, _headers: object, _flags: number, rawHeaders: string[]) => {
				onStream(stream);
				meetStream(stage, name, stream, pairs(rawHeaders), socket);
			},
		);
	});
}

function meetStream(
	stage: ParityServers,
	server: ServerName,
	stream: ServerHttp2Stream,
	fields: readonly [string, string][],
	transport: Socket,
): void {
	const field = (wanted: string) => fields.find(([name]) => name === wanted)?.[1];
	const host = field(':authority');
	const method = field(':method');
	const headers: [string, string][] = fields.filter(([name]) => !name.startsWith(':'));
	if (host !== undefined) headers.unshift(['host', host]);
	const record: WireRequest = {
		server,
		version: '2.0',
		method,
		path: field(':path'),
		headers: inOrder(method, headers),
		body: '',
		end: 'open',
	};
	stage.requests.push(record);
	const answer: Answer = stage.answers.shift() ?? {status: 599};
	const answerNow = () => performOverH2(stream, method, transport, answer, () => stage.onCancel());
	if (answer.early) answerNow();
	stream.on('data', (chunk: Buffer) => {
		record.body += chunk.toString('latin1');
	});
	stream.on('end', () => {
		// Node ends the stream of a request that was reset, too.
		if (stream.aborted) return;
		record.end = 'whole';
		if (!answer.early) answerNow();
	});
	stream.on('error', () => {});
	stream.on('close', () => {
		if (record.end === 'open') record.end = 'cut';
	});
}

function meet(stage: ParityServers, server: ServerName, request: IncomingMessage): void {
	const {socket} = request;
	if (request.url === '/knock') {
		socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
		return;
	}
	const record: WireRequest = {
		server,
		version: request.httpVersion,
		method: request.method,
		path: request.url,
		headers: inOrder(request.method, pairs(request.rawHeaders)),
		body: '',
		end: 'open',
	};
	stage.requests.push(record);
	const answer: Answer = stage.answers.shift() ?? {status: 599, reason: 'Nothing to answer'};
	// As Node's own server: a client that says so gets no second answer on this connection.
	const close = /close/i.test(request.headers.connection ?? '');
	if (answer.early) perform(stage, socket, answer, close);
	request.on('data', (chunk: Buffer) => {
		record.body += chunk.toString('latin1');
	});
	request.on('end', () => {
		record.end = 'whole';
		if (!answer.early) perform(stage, socket, answer, close);
	});
	request.on('error', () => {});
	request.on('close', () => {
		if (record.end === 'open') record.end = 'cut';
	});
}

/** Answers a request whose method Node's server refuses, if it came in one piece. */
function brew(stage: ParityServers, server: ServerName, text: string, socket: Socket): void {
	const [head = '', body = ''] = text.split('\r\n\r\n');
	const [line = '', ...fields] = head.split('\r\n');
	const [method, path] = line.split(' ');
	const headers = fields.map((field): [string, string] => {
		const [name = '', value = ''] = field.split(': ');
		return [name, value];
	});
	stage.requests.push({
		server,
		version: '1.1',
		method,
		path,
		headers: inOrder(method, headers),
		body,
		end: 'whole',
	});
	perform(stage, socket, {close: true, ...stage.answers.shift()}, true);
}

/** Methods of which undici says that they have no body. Node says it of all but a few. */
const announcesEmptyBody = /^(POST|PUT|PATCH|QUERY|PROPFIND|PROPPATCH)$/;

function inOrder(method = '', headers: readonly [string, string][]): [string, string][] {
	const own = headers.filter(
		([name, value]) =>
			undicisOwn.test(name) &&
			(announcesEmptyBody.test(method) || value !== '0' || !/^content-length$/i.test(name)),
	);
	return [
		...own.map(([name, value]): [string, string] => [name.toLowerCase(), value]).sort(),
		...headers.filter(([name]) => !undicisOwn.test(name)),
	];
}

// Past Node's own response, which would correct what is wrong on purpose.
function perform(stage: ParityServers, socket: Socket, answer: Answer, last: boolean): void {
	if ('raw' in answer) {
		if (answer.bytewise) {
			void writeBytes(socket, Buffer.concat([answer.raw].flat().map(bytesOf))).then(() =>
				proceed(stage, socket, answer.next),
			);
			return;
		}
		for (const [index, part] of [answer.raw].flat().entries()) {
			const bytes = bytesOf(part);
			if (answer.everyMs === undefined) socket.write(bytes);
			else setTimeout(() => socket.write(bytes), index * answer.everyMs);
		}
		proceed(stage, socket, answer.next);
		return;
	}
	const {status = 200, headers = [], body = 'ok', close = last} = answer;
	const reason = answer.reason ?? http.STATUS_CODES[status] ?? '';
	const bytes = typeof body === 'string' ? Buffer.from(body) : body;
	const lines = pairs(headers).map(([name, value]) => `${name}: ${value}\r\n`);
	const sized = headers.some((text) => /^(content-length|transfer-encoding)$/i.test(text));
	if (!sized) lines.push(`Content-Length: ${bytes.length}\r\n`);
	if (close) lines.push('Connection: close\r\n');
	const head = `HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n`;
	socket.write(Buffer.concat([Buffer.from(head, 'latin1'), bytes]));
	if (close) socket.end();
}

function proceed(stage: ParityServers, socket: Socket, next: string | undefined): void {
	if (next === 'end') socket.end();
	if (next === 'destroy') socket.destroySoon();
	if (next === 'reset') socket.resetAndDestroy();
	if (next === 'cancel') stage.onCancel();
}

// The client lives in this process: what is written in one turn of the event loop it reads in the next.
async function writeBytes(socket: Socket, bytes: Buffer): Promise<void> {
	for (const byte of bytes) {
		socket.write(Buffer.of(byte));
		await setImmediate();
	}
}

function bytesOf(part: string | Buffer): Buffer {
	return typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
}

function pairs(flat: readonly string[]): [string, string][] {
	const result: [string, string][] = [];
	for (let i = 0; i < flat.length; i += 2) result.push([flat[i] ?? '', flat[i + 1] ?? '']);
	return result;
}

/** The answer that sends a client elsewhere. */
export function redirect(location: string, status = 302, headers: readonly string[] = []): Answer {
	return {status, headers: ['Location', location, ...headers], body: 'gone elsewhere'};
}

/** A 200 in chunks. */
export function inChunks(
	parts: readonly (string | Buffer)[],
	end = '0\r\n\r\n',
	fields = '',
): Extract<Answer, {raw: unknown}> {
	return {
		raw: [
			`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${fields}\r\n`,
			...parts
				.map((part) => Buffer.from(part as string))
				.flatMap((part) => [`${part.length.toString(16)}\r\n`, part, '\r\n']),
			end,
		],
	};
}
