import type {CookieJar} from 'tough-cookie';
import type {SessionClient, SessionOptions} from '../../src/index.ts';
import {LoginSession} from '../../src/login/login-session.ts';
import {resolveSession} from '../../src/login/session-options.ts';
import type {Clock} from '../../src/util/clock.ts';

/** Time that passes at once when it is waited for; deadlines are never met. */
class FastClock implements Clock {
	time = 0;
	/** Runs at each poll. */
	onPoll = () => {};

	now(): number {
		return this.time;
	}

	delay(ms: number, signal: AbortSignal): Promise<unknown> {
		if (ms > 1_000) return new Promise(() => {});
		signal.throwIfAborted();
		this.time += ms;
		return new Promise((resolve) => {
			setImmediate(() => {
				this.onPoll();
				resolve(undefined);
			});
		});
	}
}

/** One process's session of `jar`, with the time in hand, and the number of its logins. */
export function simulateLogin(jar: CookieJar, options: Partial<SessionOptions> = {}) {
	const clock = new FastClock();
	const closing = new AbortController();
	const logins = {count: 0};
	const login = () => {
		logins.count += 1;
	};
	const settings = resolveSession({login, ...options}, {jar, baseURL: undefined});
	// No login here sends anything.
	const makeClient = () => ({}) as SessionClient;
	return {
		session: new LoginSession(settings, makeClient, closing.signal, clock),
		clock,
		closing,
		logins,
	};
}
