import http, {type IncomingMessage} from 'node:http';
import type {Socket} from 'node:net';
import net, {type Server} from 'node:net';
import {onTestFinished} from './on-test-finished.ts';

/** A server without TLS that writes down who came. */
export interface PlainServer {
	readonly port: number;
	/** Sockets that reached it, in the order of arrival. */
	readonly sockets: readonly Socket[];
	/** Resolves once no socket is open. */
	closed(): Promise<unknown>;
}

export interface PlainHttpServer extends PlainServer {
	readonly origin: string;
	readonly requests: readonly IncomingMessage[];
}

/** Serves http without TLS; ends with the test. */
export async function startPlainHttp(
	answer: http.RequestListener = (_, response) => response.end('plain'),
	host?: string,
): Promise<PlainHttpServer> {
	const requests: IncomingMessage[] = [];
	const plain = await record(
		http.createServer((request, response) => {
			requests.push(request);
			answer(request, response);
		}),
		host,
	);
	return {...plain, requests, origin: `http://localhost:${plain.port}`};
}

/** Accepts TCP connections and hands them to `meet`, which by default says nothing; ends with the test. */
export async function startTcp(
	// Read on, or the end of the connection would go unnoticed.
	meet: (socket: Socket) => void = (socket) => socket.resume(),
): Promise<PlainServer> {
	return record(net.createServer(meet));
}

async function record(server: Server, host = '127.0.0.1'): Promise<PlainServer> {
	const sockets: Socket[] = [];
	const ends: Promise<void>[] = [];
	server.prependListener('connection', (socket: Socket) => {
		sockets.push(socket);
		ends.push(new Promise((resolve) => socket.once('close', () => resolve())));
		// A client may be gone at any time; 'close' tells the rest.
		socket.on('error', () => {});
	});
	await new Promise<void>((resolve) => server.listen(0, host, resolve));
	onTestFinished(async () => {
		for (const socket of sockets) socket.destroy();
		await new Promise((resolve) => server.close(resolve));
	});
	const address = server.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	return {port, sockets, closed: () => Promise.all(ends)};
}

/** A port of 127.0.0.1 on which nobody listens. */
export async function closedPort(): Promise<number> {
	const server = net.createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	await new Promise((resolve) => server.close(resolve));
	return typeof address === 'object' && address !== null ? address.port : 0;
}
