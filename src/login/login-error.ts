import type {InternalAxiosRequestConfig} from 'axios';
import {CausedError} from '../errors.ts';
import {causeInShort} from '../logging/redact.ts';
import type {SessionError} from '../options.ts';
import {isError} from '../util/is-error.ts';

/** Why there is no session: one object for all requests that waited for the same login. */
export class LoginFailure extends Error {
	override readonly name = 'LoginFailure';
	readonly code: 'ERR_MTLS_LOGIN_FAILED' | 'ERR_MTLS_LEDGER_FAILED';
	readonly #cause: unknown;

	constructor(code: LoginFailure['code'], message: string, cause?: unknown) {
		super(message);
		this.code = code;
		this.#cause = cause;
	}

	override get cause(): unknown {
		return this.#cause;
	}
}

/** The app's `login()` threw. */
export function loginFailed(cause: unknown): LoginFailure {
	const error = isError(cause) ? cause : new Error(`login() threw a ${typeof cause}`, {cause});
	return new LoginFailure('ERR_MTLS_LOGIN_FAILED', `the login failed${causeInShort(cause)}`, error);
}

/** The login lock of the shared store threw. @param message - What could not be done. */
export function loginLockFailed(message: string, cause: unknown): LoginFailure {
	return new LoginFailure('ERR_MTLS_LEDGER_FAILED', `${message}${causeInShort(cause)}`, cause);
}

/** The error of one request that waited. */
export function sessionError(
	{code, message, cause}: LoginFailure,
	config: InternalAxiosRequestConfig,
	retryAfterMs: number,
): SessionError {
	return Object.assign(new CausedError(message, code, cause, config), {retryAfterMs});
}
