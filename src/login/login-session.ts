import type {CookieJar} from '../cookies/jar.ts';
import {publish} from '../logging/diagnostics-channel.ts';
import type {SessionClient} from '../options.ts';
import {type Clock, systemClock, withTimeout} from '../util/clock.ts';
import {LoginBackoff} from './backoff.ts';
import {LoginFailure, loginFailed} from './login-error.ts';
import {type SharedLoginLock, sharedLoginLock} from './login-lock.ts';
import type {SessionSettings} from './session-options.ts';
import {type Login, loginOrAdopt} from './shared-login.ts';

/** Makes the client for a login; `signal` ends its requests. */
export type MakeSessionClient = (signal: AbortSignal) => SessionClient;

/** The session of one jar: all requests that need a login wait for the same one. */
export class LoginSession {
	readonly settings: SessionSettings;
	readonly #makeClient: MakeSessionClient;
	readonly #clock: Clock;
	readonly #backoff: LoginBackoff;
	readonly #closing: AbortSignal;
	/** The last login; `undefined` before the first, and after one that failed. */
	#login: Login | undefined;
	/** The number of the last login that succeeded, also after its session has ended. */
	#generation = 0;
	/** The login under way. */
	#pending: Promise<Login> | undefined;
	#failure: LoginFailure | undefined;
	/** The last login whose session a response has confirmed. */
	#validLogin: Login | undefined;
	/** The last login after which a response still said that there is no session. */
	#uselessLogin: Login | undefined;

	/** @param closing - Aborted when the client is closed: ends the login under way. */
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

	/** The login to send a request with now; `undefined` when it has to wait for {@link after}. */
	get current(): Login | undefined {
		return this.#pending === undefined ? this.#login : undefined;
	}

	/** Whether other processes log in too. */
	get isShared(): boolean {
		return lockOf(this.settings.jar) !== undefined;
	}

	/** How long requests that need a login fail at once. */
	get retryAfterMs(): number {
		return this.#backoff.remainingMs(this.#clock.now());
	}

	/**
	 * The login after `used`: one that has been made, one under way, or a new one.
	 *
	 * @param used - The login of the request whose session had ended.
	 * @throws {LoginFailure} the same for all requests that wait for one login.
	 */
	after(used: Login | undefined): Promise<Login> {
		if (this.#pending !== undefined) return this.#pending;
		if (this.#login !== undefined && this.#login !== used) return Promise.resolve(this.#login);
		if (this.#failure !== undefined && this.retryAfterMs > 0) return Promise.reject(this.#failure);

		// In the next microtask: a `login()` that uses the outer client must find this login under way.
		this.#pending = Promise.resolve().then(() => this.#start());
		// All requests that wait for it may have been cancelled.
		this.#pending.catch(() => {});
		return this.#pending;
	}

	/** A response shows that the session of `login` exists. */
	markValid(login: Login): void {
		// An older login says nothing about the current one.
		if (login === this.#validLogin || login !== this.#login) return;
		this.#validLogin = login;
		this.#backoff.succeeded();
	}

	/**
	 * There is no session though `login` succeeded: a server may respond to a wrong password with a page.
	 * A login that was valid stays valid: then the server refuses that one request.
	 */
	markUseless(login: Login): void {
		if (login !== this.#login || login === this.#validLogin || login === this.#uselessLogin) return;
		this.#uselessLogin = login;
		this.#backoff.failed(this.#clock.now());
	}

	/** Whether `login` gave no session, and the next login must wait. */
	isUseless(login: Login): boolean {
		return login === this.#uselessLogin && login !== this.#validLogin && this.retryAfterMs > 0;
	}

	async #start(): Promise<Login> {
		const startedAt = this.#clock.now();
		const durationMs = () => Math.round(this.#clock.now() - startedAt);
		try {
			const login = await this.#makeLogin();
			this.#login = login;
			this.#generation = login.generation;
			this.#failure = undefined;
			const event = login.adopted ? 'login_adopted' : 'logged_in';
			publish('axios-mtls:login', () => ({event, durationMs: durationMs()}));
			return login;
		} catch (error) {
			const failure = error instanceof LoginFailure ? error : loginFailed(error);
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
			this.#pending = undefined;
		}
	}

	async #makeLogin(): Promise<Login> {
		const lock = lockOf(this.settings.jar);
		const logIn = () => this.#logIn();
		if (lock === undefined) {
			await logIn();
			return {generation: 0, adopted: false};
		}
		return loginOrAdopt({
			lock,
			endedGeneration: this.#generation,
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
			throw error instanceof LoginFailure ? error : loginFailed(error);
		}
	}
}

function loginTimeout(ms: number): LoginFailure {
	const message = `the login took longer than ${ms} ms`;
	return new LoginFailure(
		'ERR_MTLS_LOGIN_FAILED',
		message,
		new Error(`${message}: it must use the client that it is given, others wait for it`),
	);
}

function lockOf({store}: CookieJar): SharedLoginLock | undefined {
	return (store as {[sharedLoginLock]?: SharedLoginLock} | undefined)?.[sharedLoginLock];
}
