import type {CookieJar} from '../cookies/jar.ts';
import {publish} from '../logging/diagnostics-channel.ts';
import type {SessionClient} from '../options.ts';
import {type Clock, systemClock, withTimeout} from '../util/clock.ts';
import {LoginBackoff} from './backoff.ts';
import {LoginProblem, loginFailed} from './login-error.ts';
import {type SharedLoginLock, sharedLoginLock} from './login-lock.ts';
import type {SessionSettings} from './session-options.ts';
import {type Login, loginOrAdopt} from './shared-login.ts';

/** Makes what a login sends with; `signal` ends its requests. */
export type MakeSessionClient = (signal: AbortSignal) => SessionClient;

/** The login that all requests of one jar have in common. */
export class LoginSession {
	readonly settings: SessionSettings;
	readonly #makeClient: MakeSessionClient;
	readonly #clock: Clock;
	readonly #backoff: LoginBackoff;
	readonly #closing: AbortSignal;
	/** `undefined` before the first, and after one that failed. */
	#login: Login | undefined;
	/** Of the last login that was seen, over or not. */
	#generation = 0;
	/** The one that all wait for. */
	#renewal: Promise<Login> | undefined;
	#failure: LoginProblem | undefined;
	/** The last in which an answer said that there was a session. */
	#proven: Login | undefined;
	/** The last after which there still was none. */
	#uselessLogin: Login | undefined;

	/** @param closing - Aborted when the client is closed: ends a login that is under way. */
	constructor(
		settings: SessionSettings,
		makeClient: MakeSessionClient,
		closing: AbortSignal,
		clock = systemClock,
	) {
		this.settings = settings;
		this.#makeClient = makeClient;
		this.#closing = closing;
		this.#clock = clock;
		this.#backoff = new LoginBackoff(settings);
	}

	/** What a request that begins now travels with; `undefined` when it has to wait. */
	get current(): Login | undefined {
		return this.#renewal === undefined ? this.#login : undefined;
	}

	/** Whether other processes log in for it as well. */
	get isShared(): boolean {
		return ledgerOf(this.settings.jar) !== undefined;
	}

	/** How long requests fail at once. */
	get retryAfterMs(): number {
		return this.#backoff.remainingMs(this.#clock.now());
	}

	/**
	 * A login that is not `used`: the one that came after it, that is under way, or that begins now.
	 *
	 * @param used - What the request travelled with that met its end.
	 * @throws {LoginProblem} one for all who wait for the same login.
	 */
	after(used: Login | undefined): Promise<Login> {
		if (this.#renewal !== undefined) return this.#renewal;
		if (this.#login !== undefined && this.#login !== used) return Promise.resolve(this.#login);
		if (this.#failure !== undefined && this.retryAfterMs > 0) return Promise.reject(this.#failure);

		// In a turn of its own: a login that asks for itself must find that it is under way.
		this.#renewal = Promise.resolve().then(() => this.#renew());
		// Those who wait may all have been cancelled.
		this.#renewal.catch(() => {});
		return this.#renewal;
	}

	/** An answer says that there is a session with `login`. */
	markValid(login: Login): void {
		// One that is over says nothing of those that came after it.
		if (login === this.#proven || login !== this.#login) return;
		this.#proven = login;
		this.#backoff.succeeded();
	}

	/**
	 * There is none though `login` succeeded: a wrong password may well be answered with a page.
	 * What has been proven is not doubted: then it is the one request that is not allowed.
	 */
	markUseless(login: Login): void {
		if (login !== this.#login || login === this.#proven || login === this.#uselessLogin) return;
		this.#uselessLogin = login;
		this.#backoff.failed(this.#clock.now());
	}

	/** Whether another login is not to be tried yet, as `login` was of no use. */
	isUseless(login: Login): boolean {
		return login === this.#uselessLogin && login !== this.#proven && this.retryAfterMs > 0;
	}

	async #renew(): Promise<Login> {
		const begun = this.#clock.now();
		const durationMs = () => Math.round(this.#clock.now() - begun);
		try {
			const login = await this.#makeLogin();
			this.#login = login;
			this.#generation = login.generation;
			this.#failure = undefined;
			const event = login.adopted ? 'login_adopted' : 'logged_in';
			publish('axios-mtls:login', () => ({event, durationMs: durationMs()}));
			return login;
		} catch (error) {
			const failure = error instanceof LoginProblem ? error : loginFailed(error);
			this.#login = undefined;
			this.#failure = failure;
			this.#backoff.failed(this.#clock.now());
			publish('axios-mtls:login', () => ({
				event: 'login_failed',
				durationMs: durationMs(),
				code: failure.code,
				message: failure.message,
				retryAfterMs: this.retryAfterMs,
			}));
			throw failure;
		} finally {
			this.#renewal = undefined;
		}
	}

	async #makeLogin(): Promise<Login> {
		const ledger = ledgerOf(this.settings.jar);
		const logIn = () => this.#logIn();
		if (ledger === undefined) {
			await logIn();
			return {generation: 0, adopted: false};
		}
		return loginOrAdopt({
			ledger,
			over: this.#generation,
			logIn,
			loginTimeoutMs: this.settings.loginTimeoutMs,
			clock: this.#clock,
			signal: this.#closing,
		});
	}

	async #logIn(): Promise<void> {
		const {login, loginTimeoutMs: ms} = this.settings;
		const controller = new AbortController();
		const signal = this.#closing;
		const client = this.#makeClient(AbortSignal.any([controller.signal, signal]));
		const timeoutError = () => loginTimeout(ms);
		try {
			await withTimeout(() => login(client), {ms, clock: this.#clock, signal, timeoutError});
		} catch (error) {
			controller.abort();
			throw error instanceof LoginProblem ? error : loginFailed(error);
		}
	}
}

function loginTimeout(ms: number): LoginProblem {
	const message = `the login took longer than ${ms} ms`;
	return new LoginProblem(
		'ERR_MTLS_LOGIN_FAILED',
		message,
		new Error(`${message}: it must use the client that it is given, others wait for it`),
	);
}

function ledgerOf({store}: CookieJar): SharedLoginLock | undefined {
	return (store as {[sharedLoginLock]?: SharedLoginLock} | undefined)?.[sharedLoginLock];
}
