/*
 * Errors as axios itself would throw them, for all exchanges.
 */
import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';

/** The error of a request that begins after its client was closed, or that the closing has ended. */
export function closedError(config: InternalAxiosRequestConfig): AxiosError {
	return new AxiosError('the client was closed', 'ERR_MTLS_CLIENT_CLOSED', config);
}

/**
 * The error of axios's `timeout`.
 *
 * @param progress - The end of the message: how far the request had come.
 */
export function timeoutError(
	config: InternalAxiosRequestConfig,
	request?: unknown,
	progress = '',
): AxiosError {
	return new AxiosError(
		config.timeoutErrorMessage || timeoutMessage(config) + progress,
		config.transitional?.clarifyTimeoutError ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED,
		config,
		request,
	);
}

/** axios's message, where the app has not set one. */
export function timeoutMessage({timeout}: InternalAxiosRequestConfig): string {
	return `timeout of ${timeout}ms exceeded`;
}

/** axios's error for a response longer than `maxContentLength`. */
export function tooLongError(config: InternalAxiosRequestConfig, request: unknown): AxiosError {
	return new AxiosError(
		`maxContentLength size of ${config.maxContentLength} exceeded`,
		AxiosError.ERR_BAD_RESPONSE,
		config,
		request,
	);
}

/** axios's error for a response that breaks off; for an encoded response, the error of its decoder. */
export function abortedError(
	config: InternalAxiosRequestConfig,
	request: unknown,
	response: AxiosResponse,
	encoded: boolean,
): AxiosError {
	if (encoded) {
		return AxiosError.from(withCode('aborted', 'ECONNRESET'), undefined, config, request, response);
	}
	return new AxiosError(
		'stream has been aborted',
		AxiosError.ERR_BAD_RESPONSE,
		config,
		request,
		response,
	);
}

/** An error in Node's form. */
export function withCode(message: string, code: string): Error {
	return Object.assign(new Error(message), {code});
}
