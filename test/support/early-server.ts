import net, {type Socket} from 'node:net';
import tls, {type TlsOptions} from 'node:tls';
import {listening} from './listening.ts';

/** What a server does with an upload that it has answered by its head alone. */
type Next = 'reads on' | 'stops reading' | 'closes' | 'cuts it off';

export interface EarlyAnswer {
	/** Without it nothing is said. */
	readonly status?: number;
	readonly next: Next;
	/** A header and its value, each a line. */
	readonly headers?: readonly string[];
	/** In the place of a whole body of its own. */
	readonly raw?: string;
}

/** What reached the server of one request. */
export interface EarlyRequest {
	readonly head: string;
	/** The number of the connection that brought it, from 1. */
	readonly connection: number;
	/** Of its body. */
	readonly bytes: number;
	readonly socket: Socket;
}

export interface EarlyServer {
	readonly port: number;
	readonly requests: readonly EarlyRequest[];
	/** How many connections are open. */
	readonly open: number;
}

/** What is answered by the head of a request; `undefined` for what is to be read. */
export type Answers = (head: string) => EarlyAnswer | undefined;

const body = 'early';

/**
 * A server of HTTP/1.1 that answers an upload as soon as it has the head: by default each POST but those
 * to `/next`. A 303 or 307 leads there, and all else is answered with the number of its connection, once
 * it was read. Ends with the test.
 *
 * @param secure - Without them it serves http.
 */
export async function startEarlyServer(
	answer: EarlyAnswer | Answers,
	secure?: TlsOptions,
): Promise<EarlyServer> {
	const answers: Answers =
		typeof answer === 'function'
			? answer
			: (head) => (/^POST (?!\S*\/next )/.test(head) ? answer : undefined);
	const requests: EarlyRequest[] = [];
	let connections = 0;
	let open = 0;
	const serve = (socket: Socket) => {
		connections += 1;
		open += 1;
		socket
			.on('error', () => {})
			.once('close', () => {
				open -= 1;
			});
		read(socket, connections, answers, requests);
	};
	const server = secure ? tls.createServer(secure, serve) : net.createServer(serve);
	return {
		port: await listening(server),
		requests,
		get open() {
			return open;
		},
	};
}

/** Reads the requests of one connection. */
function read(socket: Socket, connection: number, answers: Answers, requests: EarlyRequest[]) {
	let unread: Buffer = Buffer.alloc(0);
	/** Of the present body. */
	let left = 0;
	let request = {head: '', connection, bytes: 0, socket};
	let answer: EarlyAnswer | undefined;
	const takeHead = (): boolean => {
		const end = unread.indexOf('\r\n\r\n');
		if (end < 0) return false;
		const head = unread.subarray(0, end).toString('latin1');
		unread = unread.subarray(end + 4);
		left = lengthOf(head);
		request = {head, connection, bytes: 0, socket};
		requests.push(request);
		answer = answers(head);
		if (answer) tellEarly(socket, answer, left > unread.length);
		return true;
	};
	socket.on('data', (chunk: Buffer) => {
		unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
		while (unread.length > 0) {
			if (left === 0 && !takeHead()) return;
			const taken = Math.min(left, unread.length);
			left -= taken;
			request.bytes += taken;
			unread = unread.subarray(taken);
			if (left === 0 && !answer) tell(socket, 'HTTP/1.1 200 OK', String(connection));
		}
	});
}

/** That of a chunked one is not told: more than there is. */
function lengthOf(head: string): number {
	if (/^transfer-encoding: chunked$/im.test(head)) return Number.POSITIVE_INFINITY;
	return Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
}

function tell(socket: Socket, head: string, text: string): void {
	socket.write(`${head}\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
}

function tellEarly(
	socket: Socket,
	{status, next, headers = [], raw}: EarlyAnswer,
	isUnread: boolean,
): void {
	const closes = next === 'closes' || next === 'cuts it off';
	const lines = [
		`HTTP/1.1 ${status} Early`,
		...headers,
		...(status === 303 || status === 307 ? ['Location: /next'] : []),
		...(closes ? ['Connection: close'] : []),
	];
	const head = lines.join('\r\n');
	if (status === undefined) socket.pause();
	else if (raw !== undefined) socket.write(`${head}\r\n${raw}`);
	else if (status === 204 || status === 304) socket.write(`${head}\r\n\r\n`);
	else tell(socket, head, body);
	// RFC 9112 §9.6: who closes reads on for a while, or the answer may be lost.
	if (next === 'closes') socket.end();
	if (next === 'cuts it off') socket.destroySoon();
	// Of one that is read already there is nothing to stop for.
	if (next === 'stops reading' && isUnread) socket.pause();
}
