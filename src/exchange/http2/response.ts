import type {ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader} from 'node:http2';
import type {Socket} from 'node:net';
import {Readable} from 'node:stream';
import type {Http2Request} from './request.ts';
import type {StreamEnd} from './stream-end.ts';

/**
 * The answer to one request over HTTP/2, in the shape of Node's `IncomingMessage`. To destroy it ends
 * the stream, and leaves the connection to the others.
 */
export class Http2Response extends Readable {
	readonly httpVersion = '2.0';
	readonly statusCode: number;
	/** HTTP/2 has no reason phrase (RFC 9113 §8.3.2). */
	readonly statusMessage = '';
	readonly headers: IncomingHttpHeaders;
	readonly req: Http2Request;
	/** The whole answer is there. */
	complete = false;
	/** The URL that answered, after redirects. */
	responseUrl?: string;
	readonly #stream: ClientHttp2Stream;

	constructor(
		stream: ClientHttp2Stream,
		end: StreamEnd,
		{':status': status, ...headers}: IncomingHttpHeaders & IncomingHttpStatusHeader,
		request: Http2Request,
	) {
		super();
		this.#stream = stream;
		this.statusCode = Number(status);
		this.headers = headers;
		this.req = request;
		// RFC 9110 §6.4.1: their head is all of them, and may tell the length of what they do not send.
		const bare = request.method === 'HEAD' || status === 204 || status === 304;
		const promised = bare ? 0 : Number(headers['content-length'] ?? 0);
		let bytes = 0;
		stream.on('data', (chunk: Buffer) => {
			bytes += chunk.length;
			if (!this.push(chunk)) stream.pause();
		});
		stream.once('end', () => {
			// Servers of Node say of a response that they give up that there is no more.
			if ((end.whole || bare) && bytes >= promised) this.#finish();
			else this.breakOff();
		});
		stream.pause();
	}

	get socket(): Socket | undefined {
		return this.req.socket;
	}

	/** Ends it in the middle, as a connection that closes does. */
	breakOff(): void {
		if (this.complete || this.destroyed) return;
		this.emit('aborted');
		this.destroy(Object.assign(new Error('aborted'), {code: 'ECONNRESET'}));
	}

	/** Its stream is closed. */
	settle(failure: Error | undefined): void {
		if (this.complete || this.destroyed) return;
		if (failure) this.destroy(failure);
		else this.breakOff();
	}

	override _read(): void {
		this.#stream.resume();
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		if (!this.complete) this.req.destroy();
		done(error);
	}

	#finish(): void {
		this.complete = true;
		this.push(null);
		this.req.finish();
	}
}
