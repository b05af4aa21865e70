/*
 * When a request may be sent again (RFC 9110 §9.2.2): its connection ended before there was a response.
 * How often, and after which pause, is in request/retries.ts.
 */
import {isAxiosError} from 'axios';
import {connectionOf, refusedSession} from '../connection/connection.ts';
import type {RequestLoss} from '../connection/request-connection.ts';
import {alertOf} from '../failures/tls-alerts.ts';
import type {Hop} from './hop.ts';

/** What is known of a request that was lost with its connection. */
export interface ConnectionLoss {
	readonly method: string;
	/** Node's code for the error. */
	readonly code: string | undefined;
	/** The connection had carried a request before. */
	readonly reused: boolean;
	/** Some of the request was written to the connection. It may or may not have arrived. */
	readonly sent: boolean;
	/** Part of a response had arrived, if only half a head. */
	readonly answered: boolean;
	/** The server gave the reason in a TLS alert. */
	readonly alerted: boolean;
	/** The handshake resumed a TLS session, and the server ended it before any response. */
	readonly unresumed: boolean;
	/** HTTP/2: the server has said that it did not process the request, and never will. */
	readonly refused: boolean;
	/** HTTP/2: it has begun to process other requests on that connection. */
	readonly othersBegun: boolean;
	/** HTTP/2: the connection takes no more requests. */
	readonly goneAway: boolean;
	/** The body, if any, can be sent again. */
	readonly replayable: boolean;
}

const losses = new WeakMap<object, RequestLoss>();

/** Attaches what an exchange has seen to the error that ended the request. */
export function attachLoss<E extends object>(error: E, loss: RequestLoss): E {
	losses.set(error, loss);
	return error;
}

/** What is known of the request that `error` ended; `undefined` if its connection was not the reason. */
export function connectionLossOf(error: unknown, {method, body}: Hop): ConnectionLoss | undefined {
	if (!isAxiosError(error)) return undefined;
	const seen = losses.get(error);
	if (seen === undefined) return undefined;
	const {socket, reused, sent, answered} = seen;
	const connection = connectionOf(socket);
	return {
		method,
		code: error.code,
		reused,
		sent,
		answered,
		alerted: alertOf(connection?.firstError?.message ?? '') !== undefined,
		unresumed: refusedSession(connection),
		refused: seen.refused === true,
		othersBegun: seen.othersBegun === true,
		goneAway: seen.goneAway === true,
		replayable: body?.replayable ?? true,
	};
}

/** RFC 9110 §9.2.2: sending one twice has the same effect as sending it once. */
const idempotent: ReadonlySet<string> = new Set([
	'GET',
	'HEAD',
	'OPTIONS',
	'TRACE',
	'PUT',
	'DELETE',
]);

/** Node's codes for a connection that the server had closed before it was used again. */
const closedByServer: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE']);

/** Why a request that was lost with a kept connection is not sent again; `undefined` for any other loss. */
export function whyNotResent(loss: ConnectionLoss): string | undefined {
	const {method, code, reused, sent, answered, alerted, replayable} = loss;
	const lost = reused && sent && !answered && !alerted && closedByServer.has(code);
	if (!lost || mayResend(loss)) return undefined;
	const why =
		idempotent.has(method) && !replayable ? 'its body cannot be read twice' : 'it may have arrived';
	return `the server closed this kept-alive connection as it was used again; the ${method} was not sent again, because ${why}`;
}

/**
 * Whether a request may be sent once more, on a new connection, because the server had closed the kept
 * one (RFC 9112 §9.3.1, §9.5).
 *
 * A POST may not, unless nothing of it was sent: the server may have carried it out without responding.
 * A request that fails on a new connection may not either: the server has not closed an idle connection,
 * it fails. The exception is a resumed TLS session: the next connection makes a full handshake, which
 * also tells a refused certificate from a refused session. A request that an HTTP/2 server has refused
 * to process is sent again whatever the method (RFC 9113 §8.7).
 */
export function mayResend(loss: ConnectionLoss): boolean {
	const {method, code, reused, sent, answered, alerted, unresumed, refused, replayable} = loss;
	if (refused) return replayable;
	const repeatable = replayable && (!sent || idempotent.has(method));
	if (unresumed) return repeatable && !answered;
	if (!reused || answered || alerted || !closedByServer.has(code)) return false;
	return repeatable;
}
