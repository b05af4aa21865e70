import type {InternalAxiosRequestConfig} from 'axios';
import {type AbortSources, abortable} from '../exchange/abortable.ts';
import {throwIfCancelled} from '../exchange/axios-errors.ts';
import type {Head} from '../exchange/exchange.ts';
import type {Hop} from '../exchange/hop.ts';
import type {Body} from '../exchange/request-body.ts';
import {LoginProblem, sessionError} from '../login/login-error.ts';
import type {LoginSession} from '../login/login-session.ts';
import type {Login} from '../login/shared-login.ts';
import {dropBody} from './response-body.ts';
import {isSessionOver, refuses} from './session-end.ts';
import type {Answer} from './settle.ts';

/** A call of the app, as far as its session is concerned. */
export interface LoginCall {
	readonly config: InternalAxiosRequestConfig;
	readonly body: Body | undefined;
	/**
	 * All hops of it; may be called again.
	 *
	 * @param keeps - Whether the cookies of an answer are to be kept.
	 */
	send(keeps: (head: Head, hop: Hop) => boolean): Promise<Answer>;
	/** How long it may wait, from now on. */
	waiting(): AbortSources;
	/** Throws once the client is closed. */
	assertOpen(): void;
}

/**
 * Sends a call in a session: after the login, and once more after another when the session turns
 * out to be over. A second end is the app's to see, and so is the first where the body cannot be
 * sent twice.
 *
 * Servers let an answer that refuses end the session too, or begin one of nobody. What belongs to a
 * session of the past must not take the place of the cookies of the login that came after it; and
 * where processes share them, that login may have been another's, which is found out only later.
 */
export async function withLogin(session: LoginSession, call: LoginCall): Promise<Answer> {
	let login = session.current ?? (await loginAfter(session, call, undefined));
	let last = false;
	// With a body that cannot be sent twice nothing could be done about it.
	const isSpent = () => call.body?.replayable === false;
	const isLast = () => last || isSpent() || session.isUseless(login);
	const keeps = (head: Head, hop: Hop) => {
		if (session.current !== login) return false;
		return !session.isShared || isLast() || !refuses(session.settings, head, hop);
	};
	for (let sent = 1; ; sent += 1) {
		const answer = await call.send(keeps);
		if (isSpent()) return answer;
		const over = isOver(session, call, answer);
		// To wait for a plain `false` would cost each request a turn.
		if (!(over instanceof Promise ? await over : over)) {
			session.markValid(login);
			return answer;
		}
		if (last) session.markUseless(login);
		if (isLast()) return answer;

		dropBody(answer.response);
		login = await loginAfter(session, call, login);
		// Of another process's login nobody here knows the age: it may be over as well, once.
		last = !login.adopted || sent > 1;
	}
}

function isOver(
	{settings}: LoginSession,
	{waiting}: LoginCall,
	answer: Answer,
): boolean | Promise<boolean> {
	const verdict = isSessionOver(settings, answer);
	return verdict instanceof Promise ? abortable(verdict, waiting()) : verdict;
}

async function loginAfter(
	session: LoginSession,
	{config, waiting, assertOpen}: LoginCall,
	used: Login | undefined,
): Promise<Login> {
	throwIfCancelled(config);
	try {
		return await abortable(session.after(used), waiting());
	} catch (error) {
		// What ended with the client is not the login's failure.
		assertOpen();
		throw error instanceof LoginProblem ? sessionError(error, config, session.retryAfterMs) : error;
	}
}
