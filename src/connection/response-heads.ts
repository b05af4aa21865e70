/*
 * What undici gets wrong about the head of a response.
 *
 * A server may send any number of interim responses before the one that counts (RFC 9110 §15.2), and
 * Node, curl and browsers pass them over. So does undici, but for `100 Continue`: there its parser gives
 * the connection up, and the request, which has been sent, cannot be sent again. On its way to undici a
 * 100 therefore becomes a 102, which nobody sees. One digit is changed and no byte is held back: what a
 * head is worth, and where it ends, undici's parser judges, which is Node's own.
 *
 * Of a reason phrase that comes in two packets undici keeps the second part, of one that is not UTF-8
 * no more than some letters, and one without an end it never ends.
 */
import {maxHeaderSize} from 'node:http';
import type {Socket} from 'node:net';

/** The server goes on in another protocol (RFC 9110 §15.2.2), which no request of ours asks for. */
export class ProtocolSwitchError extends Error {
	readonly code = 'ERR_MTLS_PROTOCOL_SWITCH';

	constructor() {
		super('the server switched to another protocol (101), which was not asked for');
		this.name = 'ProtocolSwitchError';
	}
}

/** Where the digits of `HTTP/1.1 100` are: the parser insists on finding them there (RFC 9112 §4). */
const majorAt = 5;
const minorAt = 7;
const statusBegins = 9;
const statusEnds = 12;

const cr = 13;
const lf = 10;
const digit0 = 48;
const digit2 = 50;

/** What undici does not tell, or not as it was sent. */
export interface StatusLine {
	/** Byte by byte as Node reads it. */
	readonly reason: string;
	/** `1.1`, `1.0`. */
	readonly httpVersion: string;
}

/** Reads along on a connection, and looks at the head of each response before undici does. */
export class ResponseHeads implements StatusLine {
	/** What the next byte is of: a status line, its reason, or the fields of an interim response. */
	#part: 'status' | 'reason' | 'fields' | undefined = undefined;
	/** How much of a status line has come. */
	#length = 0;
	#status = 0;
	#reason = '';
	#major = 1;
	#minor = 1;
	/** How much has come of the empty line that ends a head. */
	#ending = 0;

	constructor(socket: Socket) {
		const {push} = socket;
		// Where the bytes come in, so that it does not matter how undici reads them.
		socket.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
			const error = chunk === null ? undefined : this.#read(chunk);
			if (error === undefined) return push.call(socket, chunk, encoding);
			socket.destroy(error);
			return false;
		};
	}

	/** Of the latest response. */
	get reason(): string {
		return this.#reason.slice(1);
	}

	/** Of the latest response. */
	get httpVersion(): string {
		return `${this.#major}.${this.#minor}`;
	}

	/** A request is sent: the next byte is of its response. */
	expect(): void {
		this.#part = 'status';
		this.#length = 0;
		this.#status = 0;
		this.#reason = '';
	}

	/** Makes each 100 in `chunk` a 102. @returns why the connection cannot go on. */
	#read(chunk: Buffer): Error | undefined {
		for (let i = 0; i < chunk.length && this.#part !== undefined; ) {
			if (this.#part === 'status') i = this.#readStatus(chunk, i);
			else if (this.#part === 'reason') i = this.#readReason(chunk, i);
			else i = this.#passFields(chunk, i);
			if (this.#status === 101) return new ProtocolSwitchError();
			if (this.#reason.length > maxHeaderSize) return headerOverflow();
		}
		return undefined;
	}

	#readStatus(chunk: Buffer, from: number): number {
		for (let i = from; i < chunk.length; i++) {
			const byte = chunk[i] as number;
			// Empty lines before a head are passed over (RFC 9112 §2.2).
			if (this.#length === 0 && (byte === cr || byte === lf)) continue;
			if (this.#length === majorAt) this.#major = byte - digit0;
			else if (this.#length === minorAt) this.#minor = byte - digit0;
			if (this.#length >= statusBegins) this.#status = this.#status * 10 + byte - digit0;
			this.#length += 1;
			if (this.#length < statusEnds) continue;
			if (this.#status === 100) chunk[i] = digit2;
			this.#part = 'reason';
			return i + 1;
		}
		return chunk.length;
	}

	#readReason(chunk: Buffer, from: number): number {
		const found = chunk.indexOf(cr, from);
		const end = found === -1 ? chunk.length : found;
		this.#reason += chunk.toString('latin1', from, end);
		if (found === -1) return end;
		const interim = this.#status >= 100 && this.#status < 200;
		this.#part = interim ? 'fields' : undefined;
		this.#ending = 0;
		return end;
	}

	#passFields(chunk: Buffer, from: number): number {
		for (let i = from; i < chunk.length; i++) {
			const byte = chunk[i];
			// The parser knows no other line end.
			if (byte === (this.#ending % 2 === 0 ? cr : lf)) this.#ending += 1;
			else this.#ending = byte === cr ? 1 : 0;
			if (this.#ending < 4) continue;
			this.expect();
			return i + 1;
		}
		return chunk.length;
	}
}

// In Node's words; its limit is on all of a head.
function headerOverflow(): Error {
	const error = new Error('Parse Error: Header overflow');
	return Object.assign(error, {code: 'HPE_HEADER_OVERFLOW'});
}
