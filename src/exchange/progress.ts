/*
 * How far a request had come when its time was over, for the message of the error.
 */
import type {ClientRequest} from 'node:http';
import type {Connection} from '../connection/connection.ts';

/** What is known of a request whose time is over. */
export interface Progress {
	/** `host:port`. */
	readonly host: string;
	/** The `host:port` to which it waits for a free connection. */
	readonly waitsFor: string | undefined;
	/** There is a connection; one of TLS is verified. */
	readonly connected: boolean;
	/** The facts of the connection that is being made, where they are known. */
	readonly attempt: Connection | undefined;
	/** Whether all of the request was written; `undefined` where none of it was. */
	readonly sent: boolean | undefined;
	/** The status of the response, once its head is there. */
	readonly status: number | undefined;
	/** How much of the body of the response has arrived, where that is known. */
	readonly bytes?: number | undefined;
}

/** The end of a message that begins with what was exceeded. */
export function describeProgress(progress: Progress): string {
	const {waitsFor} = progress;
	return waitsFor === undefined
		? `: ${stageOf(progress)}`
		: ` waiting for a free connection to ${waitsFor}`;
}

function stageOf({host, connected, attempt, sent, status, bytes}: Progress): string {
	if (status !== undefined) {
		const part = bytes === undefined ? 'its body is not complete' : `${bytes} bytes of its body`;
		return `the head of the response (${status}) has arrived from ${host}, and ${part}`;
	}
	if (!connected) return connectingStage(host, attempt);
	if (sent === undefined)
		return `there is a connection to ${host}, and the request was not sent yet`;
	if (!sent) return `part of the request was sent to ${host}, and no response has begun`;
	return `the request was sent to ${host}, and no response has begun`;
}

function connectingStage(host: string, attempt: Connection | undefined): string {
	// Of a connection that the MtlsAgent makes for axios.
	if (attempt === undefined) return `there is no connection to ${host} yet`;
	switch (attempt.phase) {
		case 'tunnel':
			return `there is no connection to ${host} through the proxy ${attempt.proxy} yet`;
		case 'handshake':
			return `there is a TCP connection to ${host}, and the TLS handshake is not complete`;
		case 'response':
			return `there is a TLS connection to ${host}, and HTTP/2 has not begun`;
		default:
			return `there is no TCP connection to ${host} yet`;
	}
}

/** The progress of a request that axios's own adapter has sent. */
export function progressOfRequest(request: ClientRequest, host: string): Progress {
	const {socket, res} = request as ClientRequest & {res?: {statusCode?: number}};
	const isReady =
		socket?.connecting === false && !('secureConnecting' in socket && socket.secureConnecting);
	return {
		host,
		waitsFor: undefined,
		connected: isReady,
		attempt: undefined,
		sent: isReady ? request.writableFinished : undefined,
		status: res?.statusCode,
	};
}
