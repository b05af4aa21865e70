import {createServer, type TLSSocket} from 'node:tls';
import type {TestPki} from '../../src/testing/index.ts';
import {listening} from './listening.ts';

/** RFC 9113 §6. */
export interface Frame {
	readonly type: number;
	readonly flags: number;
	/** Of its stream; 0 for the connection. */
	readonly id: number;
	readonly payload: Buffer;
}

const types = {data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7} as const;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;

/** RFC 7541 §6.1: a field of HPACK's static table by its index. */
const statuses: Readonly<Record<number, number>> = {200: 0x88, 204: 0x89, 304: 0x8b, 404: 0x8d};

function frame(type: number, flags: number, id: number, payload: Buffer = Buffer.alloc(0)): Buffer {
	const head = Buffer.alloc(9);
	head.writeUIntBE(payload.length, 0, 3);
	head[3] = type;
	head[4] = flags;
	head.writeUInt32BE(id, 5);
	return Buffer.concat([head, payload]);
}

function numbers(...values: readonly number[]): Buffer {
	const bytes = Buffer.alloc(values.length * 4);
	for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
	return bytes;
}

/** Settings without any, which a server sends first. */
export const settingsFrame = frame(types.settings, 0, 0);

/** What a server sends on a stream; `last` ends it. */
export const frames = {
	head: (id: number, status = 200, last = false) =>
		frame(
			types.headers,
			END_HEADERS | (last ? END_STREAM : 0),
			id,
			Buffer.from([statuses[status] ?? 0]),
		),
	data: (id: number, text: string, last = false) =>
		frame(types.data, last ? END_STREAM : 0, id, Buffer.from(text)),
	reset: (id: number, code: number) => frame(types.reset, 0, id, numbers(code)),
	goAway: (lastId: number, code = 0) => frame(types.goAway, 0, 0, numbers(lastId, code)),
};

export interface RawConnection {
	send(...bytes: readonly Buffer[]): void;
	/** Frames that the client has sent, but those that are about the connection. */
	readonly frames: readonly Frame[];
	readonly socket: TLSSocket;
}

export interface RawH2Server {
	url(path?: string): string;
	readonly connections: readonly RawConnection[];
}

/** A request by its head, or the end of its body. */
export const isHead = ({type}: Frame) => type === types.headers;
export const isEnd = ({type, flags}: Frame) =>
	(type === types.headers || type === types.data) && (flags & END_STREAM) !== 0;
/** The code of a stream that the client has reset. */
export const resetOf = ({type, payload}: Frame) =>
	type === types.reset ? payload.readUInt32BE(0) : undefined;

/**
 * A server of HTTP/2 that sends frame by frame what `play` makes of a frame, where Node's own would
 * send what it holds for right. It opens no window. Ends with the test.
 *
 * @param settings - Pairs of number and value (RFC 9113 §6.5.2).
 */
export async function startRawH2Server(
	pki: TestPki,
	play: (frame: Frame, connection: RawConnection) => void,
	settings: readonly (readonly [id: number, value: number])[] = [],
): Promise<RawH2Server> {
	const {cert, key} = await pki.server();
	const connections: RawConnection[] = [];
	const tls = {cert, key, ca: pki.ca, requestCert: true, ALPNProtocols: ['h2']};
	const server = createServer(tls, (socket) => {
		const seen: Frame[] = [];
		const connection: RawConnection = {
			send: (...bytes) => socket.write(Buffer.concat(bytes)),
			frames: seen,
			socket,
		};
		connections.push(connection);
		const pairs = settings.map(([id, value]) =>
			Buffer.concat([numbers(id).subarray(2), numbers(value)]),
		);
		connection.send(frame(types.settings, 0, 0, Buffer.concat(pairs)));
		// The preface of the client (RFC 9113 §3.4).
		let skip = 24;
		let unread: Buffer = Buffer.alloc(0);
		socket.on('error', () => {});
		socket.on('data', (chunk: Buffer) => {
			unread = Buffer.concat([unread, chunk]);
			if (unread.length < skip) return;
			unread = unread.subarray(skip);
			skip = 0;
			for (let next = take(unread); next !== undefined; next = take(unread)) {
				unread = unread.subarray(9 + next.payload.length);
				if (next.id > 0) {
					seen.push(next);
					play(next, connection);
				} else if ((next.flags & ACK) === 0) acknowledge(next, connection);
			}
		});
	});
	const port = await listening(server);
	return {url: (path = '/') => `https://localhost:${port}${path}`, connections};
}

function take(bytes: Buffer): Frame | undefined {
	if (bytes.length < 9) return undefined;
	const length = bytes.readUIntBE(0, 3);
	if (bytes.length < 9 + length) return undefined;
	const [type = 0, flags = 0] = bytes.subarray(3, 5);
	return {type, flags, id: bytes.readUInt32BE(5), payload: bytes.subarray(9, 9 + length)};
}

function acknowledge({type, payload}: Frame, {send}: RawConnection): void {
	if (type === types.settings) send(frame(type, ACK, 0));
	if (type === types.ping) send(frame(type, ACK, 0, payload));
}
