/*
 * When a connection may carry another request: for how long it may be idle, and in which state a
 * response leaves it.
 *
 * A server may respond before it has read the request (RFC 9112 §9.3, RFC 9113 §8.1), and read no
 * more. An HTTP/1.1 connection is free for the next request when request and response are both
 * complete, and is closed otherwise: what is sent behind unread bytes waits for ever.
 */
import http, {type ClientRequest, type IncomingMessage} from 'node:http';

/** How long an idle connection is kept, where the server announces no time. */
export const idleLimitMs = 30_000;

/**
 * A server closes a connection when its announced time is over, and a request that arrives then is lost.
 * Node's agent subtracts 1 s, so that a server that announces 1 s never gets a second request.
 */
export const hintMarginMs = 500;

/** As in undici: a longer announced time is cut to this. */
export const maxIdleMs = 600_000;

/** How long a connection may be idle after a response with this `Keep-Alive` header: `timeout=5, max=100`. */
export function idleLimitFor(keepAlive: string | undefined): number {
	const seconds = keepAlive && /timeout=(\d+)/.exec(keepAlive)?.[1];
	if (!seconds) return idleLimitMs;
	return Math.min(Number(seconds) * 1_000 - hintMarginMs, maxIdleMs);
}

/**
 * Since when a connection is idle. A process that was frozen has missed its timers, and finds
 * connections that servers and firewalls have long forgotten; so the time is checked when one is taken.
 *
 * It reads two clocks: the monotonic one stops while a machine sleeps, the other may be set back.
 */
export class IdleSince {
	readonly #monotonic = performance.now();
	readonly #wall = Date.now();

	isOver(limitMs: number): boolean {
		return performance.now() - this.#monotonic > limitMs || Date.now() - this.#wall > limitMs;
	}
}

/**
 * How long the rest of a request may take to be sent once its response is complete. Go's client waits
 * as long (`maxWriteWaitBeforeConnReuse` in net/http/transport.go).
 */
export const unsentGraceMs = 50;

/** A body up to this size has mostly arrived with the head: TCP's first window is as large. */
const unreadLimitBytes = 64 * 1024;

/**
 * Whether a server that refuses or redirects a body has probably not read it. It may have left the
 * connection open without reading on, which the client cannot see: the buffers on the way take
 * megabytes.
 */
export function mayBeUnread(status: number, bodyBytes: number): boolean {
	return status >= 300 && bodyBytes > unreadLimitBytes;
}

/**
 * Closes the connection of a Node request when the response is complete and the request is not. Node
 * would keep such a connection open, unused, until the server has read the body.
 */
export function closeAfterEarlyResponse(request: ClientRequest): void {
	// An HTTP/2 request ends its own stream; a mock has no connection.
	if (!(request instanceof http.ClientRequest)) return;
	let writtenBefore = 0;
	request.once('socket', ({bytesWritten}) => {
		writtenBefore = bytesWritten;
	});
	request.once('response', (response: IncomingMessage) => {
		const {socket, statusCode = 0} = response;
		const finish = () => {
			clearTimeout(timer);
			// A chunked body has no Content-Length. The head is counted in; it is small enough.
			const length = request.getHeader('Content-Length') ?? socket.bytesWritten - writtenBefore;
			if (mayBeUnread(statusCode, Number(length))) socket.destroy();
		};
		let timer: NodeJS.Timeout | undefined;
		response.once('end', () => {
			if (request.writableFinished) return finish();
			request.once('finish', finish);
			timer = setTimeout(() => request.destroy(), unsentGraceMs).unref();
		});
	});
}
