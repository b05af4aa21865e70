import type {InternalAxiosRequestConfig} from 'axios';
import {CausedError} from '../errors.ts';
import {causeInShort} from '../logging/redact.ts';
import type {SessionError} from '../options.ts';

/** Why there is no session; all requests that waited for it have this one in common. */
export class LoginProblem extends Error {
	override readonly name = 'LoginFailure';
	readonly code: 'ERR_MTLS_LOGIN_FAILED' | 'ERR_MTLS_LEDGER_FAILED';
	readonly #cause: unknown;

	constructor(code: LoginProblem['code'], message: string, cause?: unknown) {
		super(message);
		this.code = code;
		this.#cause = cause;
	}

	override get cause(): unknown {
		return this.#cause;
	}
}

/** The login threw. */
export function loginFailed(cause: unknown): LoginProblem {
	const error =
		cause instanceof Error ? cause : new Error(`login() threw a ${typeof cause}`, {cause});
	return new LoginProblem('ERR_MTLS_LOGIN_FAILED', `the login failed${causeInShort(cause)}`, error);
}

/** The ledger threw. */
export function loginLockFailed(what: string, cause: unknown): LoginProblem {
	return new LoginProblem(
		'ERR_MTLS_LEDGER_FAILED',
		`the ledger of logins could not be ${what}${causeInShort(cause)}`,
		cause,
	);
}

/** The error of one request that waited. */
export function sessionError(
	{code, message, cause}: LoginProblem,
	config: InternalAxiosRequestConfig,
	retryAfterMs: number,
): SessionError {
	return Object.assign(new CausedError(message, code, cause, config), {retryAfterMs});
}
