import {createPrivateKey, X509Certificate} from 'node:crypto';
import {subscribe, unsubscribe} from 'node:diagnostics_channel';
import {readFileSync} from 'node:fs';
import type {Socket} from 'node:net';
import {join} from 'node:path';
import {
	type MtlsServer,
	type RecordedConnection,
	type RequestHandler,
	startMtlsServer,
} from '../testing/index.ts';
import type {ServeArguments} from './commands.ts';
import {type ExitCode, exitCodes, UsageError} from './shared/exit-codes.ts';
import {fileErrorCode} from './shared/files.ts';
import {type Io, print, printable} from './shared/io.ts';
import {commandsToTry, fileNames, login, loginToTry, quote} from './shared/sample-commands.ts';

/**
 * Runs a server that insists on a client certificate, with a login behind it, on the files that
 * `certs` has made. On loopback only: its password is printed in this help.
 *
 * @returns when it is told to stop.
 */
export async function serve({dir, port}: ServeArguments, io: Io): Promise<ExitCode> {
	const options = {...readCredential(dir), port: parsePort(port)};
	const stopped = io.stopped();
	const log = createServeLog(io);
	const server = await start(options, log.handler);
	const unfollow = log.follow(server);
	try {
		welcome(dir, server, io);
		await stopped;
	} finally {
		unfollow();
		await server.close();
	}
	print(io, 'Stopped.');
	return exitCodes.answered;
}

function welcome(dir: string, {origin}: MtlsServer, io: Io): void {
	print(io, `Listening at ${origin} for clients with a certificate of ${join(dir, fileNames.ca)}.`);
	print(io, `Login: ${login.user} / ${login.password}. Ctrl-C stops it.`);
	print(io);
	print(io, 'Try, in another terminal:');
	print(io);
	for (const line of commandsToTry(dir, origin)) print(io, `  ${line}`);
	print(io, `  ${loginToTry(dir, origin)}`);
	print(io);
}

interface ServerFiles {
	readonly credential: {readonly cert: string; readonly key: string; readonly leaf: string};
	readonly clientCa: string;
}

function readCredential(dir: string): ServerFiles {
	const cert = read(dir, fileNames.server);
	const key = read(dir, fileNames.serverKey);
	const clientCa = read(dir, fileNames.ca);
	parse(dir, fileNames.ca, () => new X509Certificate(clientCa));
	const leaf = parse(dir, fileNames.server, () => new X509Certificate(cert));
	const privateKey = parse(dir, fileNames.serverKey, () => createPrivateKey(key));
	if (!leaf.checkPrivateKey(privateKey)) {
		throw new UsageError(
			`serve ${dir}`,
			`${fileNames.serverKey} does not fit ${fileNames.server}`,
			makeThem(dir),
		);
	}
	return {credential: {cert, key, leaf: leaf.toString()}, clientCa};
}

function read(dir: string, name: string): string {
	try {
		return readFileSync(join(dir, name), 'utf8');
	} catch (error) {
		const code = fileErrorCode(error);
		const why = code === 'ENOENT' ? `no ${name} there` : `cannot read ${name}: ${code}`;
		throw new UsageError(`serve ${dir}`, why, makeThem(dir));
	}
}

function parse<T>(dir: string, name: string, parser: () => T): T {
	try {
		return parser();
	} catch (cause) {
		throw new UsageError(`serve ${dir}`, `${name} cannot be parsed`, makeThem(dir), cause);
	}
}

function makeThem(dir: string): string {
	return `\`axios-mtls certs ${quote(dir)}\` makes all six files`;
}

function parsePort(text: string): number {
	if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
	throw new UsageError('--port', `'${text}' is not a port`);
}

async function start(
	options: ServerFiles & {readonly port: number},
	handler: ReturnType<typeof createServeLog>['handler'],
): Promise<MtlsServer> {
	const users = {[login.user]: login.password};
	try {
		return await startMtlsServer({...options, users, handler});
	} catch (error) {
		const code = fileErrorCode(error);
		if (code === 'EADDRINUSE') {
			throw new UsageError('--port', `${options.port} is taken`, '--port 0 takes a free one');
		}
		if (code === 'EACCES') throw new UsageError('--port', `${options.port} is not allowed`);
		throw error;
	}
}

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
