/*
 * A server may respond before it has read the request (RFC 9112 §9.3, RFC 9113 §8.1), and read no
 * more. A connection of HTTP/1.1 is free for the next request when request and response are both
 * complete, and ended otherwise: what comes behind unread bytes waits for ever.
 */

/**
 * How long the rest of a request may take to go out once its response is complete. Go's client waits
 * as long (`maxWriteWaitBeforeConnReuse` in net/http/transport.go).
 */
export const unsentGraceMs = 50;

/** A body up to this size has mostly come along with the head: TCP's first window is as large. */
const unreadLimitBytes = 64 * 1024;

/**
 * Whether a server has likely not read the body that it refuses or redirects. It may have left the
 * connection open without reading on, and we cannot see that: the buffers of the system between us
 * take megabytes that nobody reads.
 */
export function mayBeUnread(status: number, bodyBytes: number): boolean {
	return status >= 300 && bodyBytes > unreadLimitBytes;
}
