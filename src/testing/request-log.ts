import type {IncomingHttpHeaders, IncomingMessage} from 'node:http';
import type {RecordedConnection} from './connection-log.ts';

export interface RecordedRequest {
	readonly method: string;
	/** As in the request line: path and query. */
	readonly url: string;
	readonly headers: IncomingHttpHeaders;
	/** Names and values in turn, as they were sent. */
	readonly rawHeaders: readonly string[];
	/** What has arrived of the body; whole once `ended` has resolved to `true`. */
	readonly body: Buffer;
	/** Resolves when the body ends: `true` if it is whole, `false` if the client broke it off. */
	readonly ended: Promise<boolean>;
	readonly connection: RecordedConnection;
}

/** Collects the body of a request as it arrives. */
export function recordRequest(
	request: IncomingMessage,
	connection: RecordedConnection,
): RecordedRequest {
	const {method = '', url = '', headers, rawHeaders} = request;
	const chunks: Buffer[] = [];
	request.on('data', (chunk: Buffer) => chunks.push(chunk));
	const ended = new Promise<boolean>((resolve) => {
		request.once('close', () => resolve(request.complete));
		request.once('end', () => resolve(true));
	});
	return {
		method,
		url,
		headers,
		rawHeaders,
		get body() {
			return Buffer.concat(chunks);
		},
		ended,
		connection,
	};
}
