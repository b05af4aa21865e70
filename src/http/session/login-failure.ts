import {AxiosError, type InternalAxiosRequestConfig} from 'axios';
import {keepCause} from '../../errors.ts';
import type {SessionError} from '../../session-options.ts';

/** Why there is no session; all requests that waited for it have this one in common. */
export class LoginFailure extends Error {
	override readonly name = 'LoginFailure';
	readonly code: 'ERR_MTLS_LOGIN_FAILED' | 'ERR_MTLS_LEDGER_FAILED';

	constructor(code: LoginFailure['code'], message: string, cause?: unknown) {
		super(message, {cause});
		this.code = code;
	}
}

/** The login threw. */
export function loginFailed(cause: unknown): LoginFailure {
	const error =
		cause instanceof Error ? cause : new Error(`login() threw a ${typeof cause}`, {cause});
	return new LoginFailure('ERR_MTLS_LOGIN_FAILED', `the login failed${inShort(cause)}`, error);
}

/** The ledger threw. */
export function ledgerFailed(what: string, cause: unknown): LoginFailure {
	return new LoginFailure(
		'ERR_MTLS_LEDGER_FAILED',
		`the ledger of logins could not be ${what}${inShort(cause)}`,
		cause,
	);
}

// Security: what a login says of its failure may quote the password, and a store its contents.
function inShort(cause: unknown): string {
	const {code, status} = (cause ?? {}) as {code?: unknown; status?: unknown};
	const facts = [
		...(typeof code === 'string' && /^[\w-]{1,64}$/.test(code) ? [code] : []),
		...(typeof status === 'number' ? [`status ${status}`] : []),
	];
	return facts.length > 0 ? ` (${facts.join(', ')})` : '';
}

/** The error of one request that waited. */
export function sessionError(
	{code, message, cause}: LoginFailure,
	config: InternalAxiosRequestConfig,
	retryAfterMs: number,
): SessionError {
	const error = new AxiosError(message, code, config);
	return Object.assign(keepCause(error, cause), {retryAfterMs});
}
