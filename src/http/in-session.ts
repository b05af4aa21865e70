import type {AxiosResponse, InternalAxiosRequestConfig} from 'axios';
import type {Body} from './body.ts';
import {isExpired} from './expiry.ts';
import {LoginFailure, sessionError} from './login-failure.ts';
import type {Login} from './login-turn.ts';
import {withPatience} from './patience.ts';
import {type Answer, throwIfCancelled} from './response.ts';
import type {Session} from './session.ts';

/** A call of the app, as far as its session is concerned. */
export interface SessionCall {
	readonly config: InternalAxiosRequestConfig;
	readonly body: Body | undefined;
	/** All hops of it; may be called again. */
	send(): Promise<Answer>;
	/** What is left of `timeout`. */
	remainingMs(): number | undefined;
	/** Throws once the client is closed. */
	assertOpen(): void;
}

/**
 * Sends a call in a session: after the login, and once more after another when the session turns
 * out to be over. A second end is the app's to see, and so is the first where the body cannot be
 * sent twice.
 */
export async function inSession(session: Session, call: SessionCall): Promise<Answer> {
	const login = session.current ?? (await loginAfter(session, call, undefined));
	const answer = await call.send();
	const over = isOver(session, call, answer);
	// To wait for a plain `false` would cost each request a turn.
	if (!(over instanceof Promise ? await over : over)) return answer;
	leave(answer.response);
	const next = await loginAfter(session, call, login);
	const second = await call.send();
	// Of another process's login nobody here knows the age: it may have been over as well.
	if (!next.adopted || !(await isOver(session, call, second))) return second;
	leave(second.response);
	await loginAfter(session, call, next);
	return call.send();
}

/** Whether the call is to be sent again. */
function isOver(
	{settings}: Session,
	{config, body, remainingMs}: SessionCall,
	answer: Answer,
): boolean | Promise<boolean> {
	if (body?.replayable === false) return false;
	const verdict = isExpired(settings, answer);
	return verdict instanceof Promise ? withPatience(verdict, config, remainingMs()) : verdict;
}

async function loginAfter(
	session: Session,
	{config, remainingMs, assertOpen}: SessionCall,
	used: Login | undefined,
): Promise<Login> {
	throwIfCancelled(config);
	try {
		return await withPatience(session.after(used), config, remainingMs());
	} catch (error) {
		// What ended with the client is not the login's failure.
		assertOpen();
		throw error instanceof LoginFailure ? sessionError(error, config, session.retryAfterMs) : error;
	}
}

/** Lets go of an answer that the app will not see: a stream would hold its connection. */
function leave({data}: AxiosResponse): void {
	if (typeof data?.destroy === 'function') data.on('error', () => {}).destroy();
}
