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
import {type Io, print, printable, printCommand, printText} from './shared/io.ts';
import {
	commandLine,
	commandsToTry,
	fileNames,
	login,
	loginToTry,
} from './shared/sample-commands.ts';

/**
 * Runs a server that requires a client certificate and has a login, with the files that `certs` has
 * made. On loopback only: the help prints its password.
 *
 * @returns when it is stopped.
 */
export async function serve({dir, port}: ServeArguments, io: Io): Promise<ExitCode> {
	const options = {...readCredentials(dir, io), port: parsePort(port)};
	const stopped = io.stopped();
	const log = createServeLog(io);
	const server = await start(options, log.handler);
	const stopLog = log.follow(server);
	try {
		printUsage(dir, server, io);
		await stopped;
	} finally {
		stopLog();
		await server.close();
	}
	print(io, 'Stopped.');
	return exitCodes.answered;
}

function printUsage(dir: string, {origin}: MtlsServer, io: Io): void {
	const ca = printable(join(dir, fileNames.ca));
	printText(io, `Listening at ${origin} for clients with a certificate of ${ca}.`);
	print(io, `Login: ${login.user} / ${login.password}. Ctrl-C stops it.`);
	print(io);
	print(io, 'Try, in another terminal:');
	print(io);
	for (const command of [...commandsToTry(io, dir, origin), loginToTry(dir, origin)]) {
		printCommand(io, command);
	}
	print(io);
}

interface Credentials {
	readonly credential: {readonly cert: string; readonly key: string};
	readonly clientCa: string;
}

function readCredentials(dir: string, io: Io): Credentials {
	const cert = read(dir, fileNames.server, io);
	const key = read(dir, fileNames.serverKey, io);
	const clientCa = read(dir, fileNames.ca, io);
	parse(dir, fileNames.ca, io, () => new X509Certificate(clientCa));
	const leaf = parse(dir, fileNames.server, io, () => new X509Certificate(cert));
	const privateKey = parse(dir, fileNames.serverKey, io, () => createPrivateKey(key));
	if (!leaf.checkPrivateKey(privateKey)) {
		throw new UsageError(
			`serve ${dir}`,
			`${fileNames.serverKey} does not fit ${fileNames.server}`,
			certsHint(dir, io),
		);
	}
	return {credential: {cert, key}, clientCa};
}

function read(dir: string, name: string, io: Io): string {
	try {
		return readFileSync(join(dir, name), 'utf8');
	} catch (error) {
		const code = fileErrorCode(error);
		const why = code === 'ENOENT' ? `no ${name} there` : `cannot read ${name}: ${code}`;
		throw new UsageError(`serve ${dir}`, why, certsHint(dir, io));
	}
}

function parse<T>(dir: string, name: string, io: Io, parser: () => T): T {
	try {
		return parser();
	} catch (cause) {
		throw new UsageError(`serve ${dir}`, `${name} cannot be parsed`, certsHint(dir, io), cause);
	}
}

function certsHint(dir: string, io: Io): string {
	return `\`${commandLine(io, ['certs', dir])}\` makes all six files`;
}

function parsePort(text: string): number {
	if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
	throw new UsageError('--port', `'${text}' is not a port`);
}

async function start(
	options: Credentials & {readonly port: number},
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

/** Prints a line for each client that the server accepts or refuses, and for each request. */
export interface ServeLog {
	/** The handler of the server: logs requests, and responds to none. */
	readonly handler: RequestHandler;
	/** Logs connections until the returned function is called. */
	follow(server: MtlsServer): () => void;
}

// Node publishes here after the listeners of 'connection': the server has recorded the connection.
const channel = 'net.server.socket';

export function createServeLog(io: Io, now: () => Date = () => new Date()): ServeLog {
	const accepted = new Set<number>();
	const log = ({id}: RecordedConnection, text: string) =>
		print(io, printable(`${now().toISOString().slice(11, 19)} #${id} ${text}`));

	const logAccepted = (connection: RecordedConnection) => {
		if (accepted.has(connection.id)) return;
		accepted.add(connection.id);
		const {protocol, clientCertificate: client} = connection;
		log(
			connection,
			`let in: '${client?.subject}', a certificate of '${client?.issuer}', ${protocol}`,
		);
	};
	const onClosed = (connection: RecordedConnection) => {
		if (connection.secure) logAccepted(connection);
		else log(connection, describeRefusal(connection));
		accepted.delete(connection.id);
	};

	return {
		handler(request, response, {connection}) {
			logAccepted(connection);
			const {method, url} = request;
			response.once('close', () => {
				const outcome = response.writableFinished ? response.statusCode : 'broken off';
				log(connection, `${method} ${url} ${outcome}`);
			});
		},
		follow(server) {
			const onSocket = (message: unknown) => {
				const {socket} = message as {socket: Socket};
				// All servers of this process publish here.
				if (socket.localPort !== server.port) return;
				const connection = server.connections.findLast((it) => it.remotePort === socket.remotePort);
				if (connection !== undefined) void connection.closed.then(() => onClosed(connection));
			};
			subscribe(channel, onSocket);
			return () => {
				unsubscribe(channel, onSocket);
			};
		},
	};
}

function describeRefusal({clientCertificate: client, error}: RecordedConnection): string {
	const code = error ?? 'no reason known';
	if (client) return `refused: '${client.subject}', a certificate of '${client.issuer}' (${code})`;
	if (code.endsWith('DID_NOT_RETURN_A_CERTIFICATE'))
		return `refused: no client certificate (${code})`;
	if (code === 'ERR_SSL_HTTP_REQUEST') return `refused: plain http (${code})`;
	// A client that does not trust the server's certificate sends an alert, or hangs up.
	return `no handshake: the client left, or does not trust our certificate (${code})`;
}
