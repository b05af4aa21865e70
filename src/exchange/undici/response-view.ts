import type {Socket} from 'node:net';
import {PastEvents} from './past-events.ts';
import type {UndiciRequest} from './request.ts';
import {trimEnd} from './response.ts';

/** `response.request.res` of the lean exchange: the fields that apps read on Node's `IncomingMessage`. */
export class UndiciResponse extends PastEvents {
	readonly statusCode: number;
	readonly statusMessage: string;
	readonly headers: Record<string, string | string[]>;
	readonly req: UndiciRequest;
	/** The URL that answered, after redirects. */
	declare responseUrl?: string;
	readonly #version: string;
	#raw: readonly Buffer[];
	#rawHeaders: string[] | undefined;

	constructor(
		req: UndiciRequest,
		head: Pick<UndiciResponse, 'statusCode' | 'statusMessage' | 'headers' | 'httpVersion'>,
		raw: readonly Buffer[],
	) {
		super();
		this.statusCode = head.statusCode;
		this.statusMessage = head.statusMessage;
		this.headers = head.headers;
		this.req = req;
		this.#version = head.httpVersion;
		this.#raw = raw;
		if (isLarge(raw[0]) || isLarge(raw.at(-1))) this.#toText();
	}

	get socket(): Socket | undefined {
		return this.req.socket;
	}

	get connection(): Socket | undefined {
		return this.req.socket;
	}

	/** Names and values in turn, in the letters of the server. */
	get rawHeaders(): string[] {
		return this.#rawHeaders ?? this.#toText();
	}

	#toText(): string[] {
		const text = this.#raw.map((part) => trimEnd(part.toString('latin1')));
		this.#rawHeaders = text;
		this.#raw = [];
		return text;
	}

	/** `1.1` or `1.0`. */
	get httpVersion(): string {
		return this.#version;
	}

	get httpVersionMajor(): number {
		return Number(this.#version[0]);
	}

	get httpVersionMinor(): number {
		return Number(this.#version[2]);
	}
}

/** A part keeps the packet in memory that it came in: of larger ones than this, text is made at once. */
const keptBytes = 4_096;

function isLarge(part: Buffer | undefined): boolean {
	return part !== undefined && part.buffer.byteLength > keptBytes;
}
