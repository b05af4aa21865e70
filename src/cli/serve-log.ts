import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import type {Socket} from 'node:net';
import type {MtlsServer, RecordedConnection, RequestHandler} from '../testing/index.ts';
import {type Io, print, printable} from './shared/io.ts';

/** Tells what a server sees: a line for each client that it lets in or refuses, a line for each request. */
export interface ServeLog {
	/** To be given to the server: tells requests, and answers none. */
	readonly handler: RequestHandler;
	/** Begins to tell connections; returns what ends it. */
	follow(server: MtlsServer): () => void;
}

// Node publishes here after the listeners of 'connection' have run, so the server's record exists.
const channel = 'net.server.socket';

export function createServeLog(io: Io, now: () => Date = () => new Date()): ServeLog {
	const welcomed = new Set<number>();
	const tell = ({id}: RecordedConnection, text: string) =>
		print(io, printable(`${now().toISOString().slice(11, 19)} #${id} ${text}`));

	const welcome = (connection: RecordedConnection) => {
		if (welcomed.has(connection.id)) return;
		welcomed.add(connection.id);
		const {protocol, clientCertificate: client} = connection;
		tell(
			connection,
			`let in: '${client?.subject}', a certificate of '${client?.issuer}', ${protocol}`,
		);
	};
	const farewell = (connection: RecordedConnection) => {
		if (connection.secure) welcome(connection);
		else tell(connection, refusal(connection));
		welcomed.delete(connection.id);
	};

	return {
		handler(request, response, {connection}) {
			welcome(connection);
			const {method, url} = request;
			response.once('close', () => {
				const outcome = response.writableFinished ? response.statusCode : 'broken off';
				tell(connection, `${method} ${url} ${outcome}`);
			});
		},
		follow(server) {
			const onSocket = (message: unknown) => {
				const {socket} = message as {socket: Socket};
				// Every server of this process publishes here.
				if (socket.localPort !== server.port) return;
				const connection = server.connections.findLast((it) => it.remotePort === socket.remotePort);
				if (connection !== undefined) void connection.closed.then(() => farewell(connection));
			};
			subscribe(channel, onSocket);
			return () => {
				unsubscribe(channel, onSocket);
			};
		},
	};
}

function refusal({clientCertificate: client, error}: RecordedConnection): string {
	const code = error ?? 'no reason known';
	if (client) return `refused: '${client.subject}', a certificate of '${client.issuer}' (${code})`;
	if (code.endsWith('DID_NOT_RETURN_A_CERTIFICATE'))
		return `refused: no client certificate (${code})`;
	if (code === 'ERR_SSL_HTTP_REQUEST') return `refused: plain http (${code})`;
	// A client that does not trust our certificate may say so by an alert, or just hang up.
	return `no handshake: the client left, or does not trust our certificate (${code})`;
}
