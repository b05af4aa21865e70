import type {ClientHttp2Stream} from 'node:http2';

/** How the server has ended a stream. */
export interface StreamEnd {
	/** It has said that there is no more, rather than reset it. */
	readonly whole: boolean;
}

/**
 * Watches how a stream ends. What it carries is whole only when the server says so (RFC 9113 §8.1);
 * to a reader Node tells the same end of a stream that is reset, where the code is no error.
 *
 * @param onReset - Called when it was reset, after what came before.
 */
export function watchStreamEnd(stream: ClientHttp2Stream, onReset: () => void): StreamEnd {
	const end = {whole: false};
	const {push} = stream;
	// Node ends what it has closed by the same call, and says `closed` before.
	stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
		if (chunk === null && !end.whole) {
			if (stream.closed) setImmediate(onReset);
			else end.whole = true;
		}
		return push.call(stream, chunk, encoding);
	};
	return end;
}
