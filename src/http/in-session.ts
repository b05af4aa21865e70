import type {AxiosResponse, InternalAxiosRequestConfig} from 'axios';
import type {Body} from './body.ts';
import {isExpired} from './expiry.ts';
import {LoginFailure, sessionError} from './login-failure.ts';
import type {Login} from './login-turn.ts';
import {type Waiting, withPatience} from './patience.ts';
import {type Answer, throwIfCancelled} from './response.ts';
import type {Session} from './session.ts';

/** A call of the app, as far as its session is concerned. */
export interface SessionCall {
	readonly config: InternalAxiosRequestConfig;
	readonly body: Body | undefined;
	/** All hops of it; may be called again. */
	send(): Promise<Answer>;
	/** How long it may wait, from now on. */
	waiting(): Waiting;
	/** Throws once the client is closed. */
	assertOpen(): void;
}

/**
 * Sends a call in a session: after the login, and once more after another when the session turns
 * out to be over. A second end is the app's to see, and so is the first where the body cannot be
 * sent twice.
 */
export async function inSession(session: Session, call: SessionCall): Promise<Answer> {
	let login = session.current ?? (await loginAfter(session, call, undefined));
	let last = false;
	for (let sent = 1; ; sent += 1) {
		const answer = await call.send();
		// Then nothing could be done about it.
		if (call.body?.replayable === false) return answer;
		const over = isOver(session, call, answer);
		// To wait for a plain `false` would cost each request a turn.
		if (!(over instanceof Promise ? await over : over)) {
			session.prove(login);
			return answer;
		}
		if (last) session.doubt(login);
		if (last || session.isInVain(login)) return answer;

		leave(answer.response);
		login = await loginAfter(session, call, login);
		// Of another process's login nobody here knows the age: it may be over as well, once.
		last = !login.adopted || sent > 1;
	}
}

function isOver(
	{settings}: Session,
	{waiting}: SessionCall,
	answer: Answer,
): boolean | Promise<boolean> {
	const verdict = isExpired(settings, answer);
	return verdict instanceof Promise ? withPatience(verdict, waiting()) : verdict;
}

async function loginAfter(
	session: Session,
	{config, waiting, assertOpen}: SessionCall,
	used: Login | undefined,
): Promise<Login> {
	throwIfCancelled(config);
	try {
		return await withPatience(session.after(used), waiting());
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
