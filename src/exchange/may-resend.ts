/** What is known of a request whose connection ended. */
export interface ConnectionLoss {
	readonly method: string;
	/** Node's code for the error. */
	readonly code: string | undefined;
	/** The connection had carried a request before. */
	readonly reused: boolean;
	/** Some of the request was given to the connection. Whether it arrived nobody knows. */
	readonly sent: boolean;
	/** Something of an answer had come, be it half a head. */
	readonly answered: boolean;
	/** The server said why, by a TLS alert. */
	readonly alerted: boolean;
	/** It resumed a TLS session, and the server ended it without a word of an answer. */
	readonly unresumed: boolean;
	/** The server has said that it did not begin with it, and never will. */
	readonly refused: boolean;
	/** It has begun with others on that connection. */
	readonly othersBegun: boolean;
	/** That connection takes no more. */
	readonly goneAway: boolean;
	/** There is another attempt at the body. */
	readonly replayable: boolean;
}

/** RFC 9110 §9.2.2: to be asked for twice means no more than once. */
const idempotent: ReadonlySet<string> = new Set([
	'GET',
	'HEAD',
	'OPTIONS',
	'TRACE',
	'PUT',
	'DELETE',
]);

/** What a connection says that the server had closed before it was used again. */
const hangUps: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Whether a request met a connection that the server was done with, and may be sent once more, on a
 * new one (RFC 9112 §9.3.1, §9.5).
 *
 * A POST is not, unless nothing of it was sent: that it was not answered does not mean that it was not
 * obeyed. Nor is what fails on a new connection, where the server had nothing to be done with, unless it
 * was a TLS session, which the next one makes anew; that tells a refusal from it too. What an HTTP/2
 * server has refused to begin with is sent again whatever it is (RFC 9113 §8.7).
 */
export function mayResend(ending: ConnectionLoss): boolean {
	const {method, code, reused, sent, answered, alerted, unresumed, refused, replayable} = ending;
	if (refused) return replayable;
	const repeatable = replayable && (!sent || idempotent.has(method));
	if (unresumed) return repeatable && !answered;
	if (!reused || answered || alerted || !hangUps.has(code)) return false;
	return repeatable;
}
