import type {Socket} from 'node:net';
import {AxiosError} from 'axios';
import {connectionOf, refusedSession} from '../connection/connection.ts';
import {alertOf} from '../failures/tls-alerts.ts';
import type {Hop} from './hop.ts';
import type {ConnectionLoss} from './may-resend.ts';

/** How far a request had come when its connection ended, as its exchange knows it. */
export interface Progress {
	readonly socket: Socket | undefined;
	readonly reused: boolean;
	readonly sent: boolean;
	/** What the socket had read when it was given the request; without end where it read for others too. */
	readonly bytesBefore: number;
	/** The server has not begun with it, which HTTP/2 can say. */
	readonly refused?: boolean;
	/** But with others on that connection. */
	readonly othersBegun?: boolean;
	/** That connection takes no more. */
	readonly goneAway?: boolean;
}

const progress = new WeakMap<object, Progress>();

/** Ties what is known of a request to the error that ended it. */
export function attachProgress<E extends object>(error: E, known: Progress): E {
	progress.set(error, known);
	return error;
}

/** What is known of the request that `error` ended; `undefined` where its exchange did not look. */
export function connectionLossOf(error: unknown, {method, body}: Hop): ConnectionLoss | undefined {
	if (!(error instanceof AxiosError)) return undefined;
	const known = progress.get(error);
	if (known === undefined) return undefined;
	const {socket, reused, sent, bytesBefore, refused, othersBegun, goneAway} = known;
	const connection = connectionOf(socket);
	return {
		method,
		code: error.code,
		reused,
		sent,
		answered: socket !== undefined && socket.bytesRead > bytesBefore,
		alerted: alertOf(connection?.firstError?.message ?? '') !== undefined,
		unresumed: refusedSession(connection),
		refused: refused === true,
		othersBegun: othersBegun === true,
		goneAway: goneAway === true,
		replayable: body?.replayable ?? true,
	};
}
