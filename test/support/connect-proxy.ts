import http, {
	type IncomingHttpHeaders,
	type IncomingMessage,
	type ServerResponse,
	STATUS_CODES,
} from 'node:http';
import https from 'node:https';
import net, {type Socket} from 'node:net';
import type {Duplex} from 'node:stream';
import {pipeline} from 'node:stream';
import type {TLSSocket} from 'node:tls';

/** What a proxy does with a request: a number refuses with that status. */
type Verdict = 'allow' | 'silence' | number | {readonly raw: string};

interface ProxiedRequest {
	/** `'CONNECT'` for a tunnel. */
	readonly method: string;
	/** `host:port` for a tunnel, else the absolute URL. */
	readonly target: string;
	readonly headers: IncomingHttpHeaders;
	/** The first bytes sent along with a CONNECT, before its answer. */
	readonly early: Buffer;
	readonly remotePort: number;
	readonly verdict: Verdict;
}

interface Goal {
	readonly host: string;
	readonly port: number;
}

type Route = (host: string, port: number) => Goal;

export interface ConnectProxyOptions {
	/** Without them in `Proxy-Authorization: Basic` the answer is 407 (RFC 9110 section 11.7). */
	credentials?: {readonly user: string; readonly password: string};
	/** Refuses, says nothing, or sends something raw. @defaultValue allows everything */
	verdict?: Verdict | ((request: Omit<ProxiedRequest, 'verdict'>) => Verdict);
	/** Makes it an `https://` proxy, which asks each client for a certificate. */
	tls?: https.ServerOptions & {
		/** It takes nobody without a good one. @defaultValue false */
		insists?: boolean;
	};
	/** The address to listen on. @defaultValue `'127.0.0.1'` */
	listenOn?: string;
	/** Where a name leads, so that tests may use any name. @defaultValue to itself */
	route?: Route;
}

export interface ConnectProxy extends AsyncDisposable {
	readonly port: number;
	/** `http://127.0.0.1:PORT`, or `https://` */
	readonly url: string;
	/** Of each TLS connection to it, the subject of the client's certificate. */
	readonly shown: readonly (string | undefined)[];
	/** Of each TLS connection to it, whether it resumed a session. */
	readonly resumed: readonly boolean[];
	/** All that came through the tunnels from the clients. */
	readonly heard: readonly Buffer[];
	readonly tunnels: readonly ProxiedRequest[];
	readonly forwarded: readonly ProxiedRequest[];
	/** Connections that reached the proxy. */
	readonly connectionCount: number;
	close(): Promise<void>;
}

/** Starts a forward proxy: CONNECT tunnels and absolute-form requests (RFC 9112 section 3.2). */
export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
	const {route = (host, port) => ({host, port})} = options;
	const tunnels: ProxiedRequest[] = [];
	const forwarded: ProxiedRequest[] = [];
	const shown: (string | undefined)[] = [];
	const resumed: boolean[] = [];
	const heard: Buffer[] = [];
	const sockets = new Set<Duplex>();
	let connectionCount = 0;
	const track = <Tracked extends Duplex>(socket: Tracked): Tracked => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
		// Either end of a tunnel may be cut at any time; 'close' tells the rest.
		socket.on('error', () => {});
		return socket;
	};

	const {tls} = options;
	const server = tls
		? https.createServer({...tls, requestCert: true, rejectUnauthorized: tls.insists === true})
		: http.createServer();
	server.on('secureConnection', (socket: TLSSocket) => {
		shown.push(socket.getPeerX509Certificate()?.subject);
		resumed.push(socket.isSessionReused());
	});
	server.on('connection', (socket: Socket) => {
		connectionCount++;
		track(socket);
	});
	server.on('connect', (request: IncomingMessage, client: Duplex, early: Buffer) => {
		const record = judge(request, early, options);
		tunnels.push(record);
		if (record.verdict !== 'allow') return refuse(client, record.verdict);
		if (!URL.canParse(`http://${record.target}`)) return refuse(client, 400);
		const {host, port} = goalOf(new URL(`http://${record.target}`), route);
		const origin = track(net.connect(port, host));
		const unreachable = () => refuse(client, 502);
		origin.once('error', unreachable);
		origin.once('connect', () => {
			origin.off('error', unreachable);
			client.write('HTTP/1.1 200 Connection established\r\n\r\n');
			origin.write(early);
			client.on('data', (chunk: Buffer) => heard.push(chunk));
			pipeline(client, origin, client, () => {});
		});
	});
	server.on('request', (request: IncomingMessage, response: ServerResponse) => {
		const record = judge(request, Buffer.alloc(0), options);
		forwarded.push(record);
		if (record.verdict !== 'allow') return refuse(request.socket, record.verdict);
		if (!URL.canParse(record.target)) return refuse(request.socket, 400);
		forward(request, response, route);
	});

	const port = await new Promise<number>((resolve) => {
		server.listen(0, options.listenOn ?? '127.0.0.1', () => {
			const address = server.address();
			resolve(typeof address === 'object' && address !== null ? address.port : 0);
		});
	});
	const stop = () =>
		new Promise<void>((resolve) => {
			server.close(() => resolve());
			for (const socket of sockets) socket.destroy();
		});
	let stopping: Promise<void> | undefined;
	const close = () => {
		stopping ??= stop();
		return stopping;
	};

	return {
		port,
		url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
		shown,
		resumed,
		heard,
		tunnels,
		forwarded,
		get connectionCount() {
			return connectionCount;
		},
		close,
		[Symbol.asyncDispose]: close,
	};
}

function judge(
	request: IncomingMessage,
	early: Buffer,
	{credentials, verdict = 'allow'}: ConnectProxyOptions,
): ProxiedRequest {
	const {method = '', url: target = '', headers} = request;
	const remotePort = request.socket.remotePort ?? 0;
	const record = {method, target, headers, early, remotePort};
	if (credentials !== undefined) {
		const wanted = Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
		if (headers['proxy-authorization'] !== `Basic ${wanted}`) return {...record, verdict: 407};
	}
	return {...record, verdict: typeof verdict === 'function' ? verdict(record) : verdict};
}

function refuse(client: Duplex, verdict: Exclude<Verdict, 'allow'>): void {
	if (verdict === 'silence') return;
	if (typeof verdict === 'object') {
		client.end(verdict.raw);
		return;
	}
	const body = `refused by the test proxy: ${verdict}\n`;
	client.end(
		[
			`HTTP/1.1 ${verdict} ${STATUS_CODES[verdict] ?? 'Refused'}`,
			...(verdict === 407 ? ['proxy-authenticate: Basic realm="test proxy"'] : []),
			'content-type: text/plain',
			`content-length: ${body.length}`,
			'connection: close',
			'',
			body,
		].join('\r\n'),
	);
}

function forward(request: IncomingMessage, response: ServerResponse, route: Route): void {
	const target = new URL(request.url ?? '');
	// For this proxy alone (RFC 9110 section 11.7.2).
	const {'proxy-authorization': _mine, ...headers} = request.headers;
	const outgoing = http.request({
		...goalOf(target, route),
		method: request.method,
		path: target.pathname + target.search,
		headers,
	});
	outgoing.once('response', (incoming) => {
		response.writeHead(incoming.statusCode ?? 502, incoming.rawHeaders);
		pipeline(incoming, response, () => {});
	});
	outgoing.once('error', () => refuse(request.socket, 502));
	request.pipe(outgoing);
}

function goalOf({hostname, port}: URL, route: Route): Goal {
	return route(hostname.replace(/^\[(.*)\]$/, '$1'), Number(port || 80));
}
