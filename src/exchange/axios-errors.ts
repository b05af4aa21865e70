/*
 * Errors as axios itself would throw them, for all exchanges.
 */
import {
	AxiosError,
	type AxiosResponse,
	CanceledError,
	type InternalAxiosRequestConfig,
} from 'axios';

/** What a request fails with that begins after the end of its client, or is cut by it. */
export function closedError(config: InternalAxiosRequestConfig): AxiosError {
	return new AxiosError('the client was closed', 'ERR_MTLS_CLIENT_CLOSED', config);
}

/** @throws {CanceledError} when the request's signal or cancel token says so. */
export function throwIfCancelled(config: InternalAxiosRequestConfig): void {
	config.cancelToken?.throwIfRequested();
	if (config.signal?.aborted) throw new CanceledError(undefined, config);
}

/**
 * What axios says when `timeout` is over.
 *
 * @param waitsFor - The host to which there was no free connection, with its port.
 */
export function timeoutError(
	config: InternalAxiosRequestConfig,
	request?: unknown,
	waitsFor?: string,
): AxiosError {
	const where = waitsFor === undefined ? '' : ` waiting for a free connection to ${waitsFor}`;
	return new AxiosError(
		config.timeoutErrorMessage || `timeout of ${config.timeout}ms exceeded${where}`,
		config.transitional?.clarifyTimeoutError ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED,
		config,
		request,
	);
}

/** What axios says of an answer longer than `maxContentLength`. */
export function tooLongError(config: InternalAxiosRequestConfig, request: unknown): AxiosError {
	return new AxiosError(
		`maxContentLength size of ${config.maxContentLength} exceeded`,
		AxiosError.ERR_BAD_RESPONSE,
		config,
		request,
	);
}

/** What axios says of an answer that breaks off: of an encoded one in the words of its decoder. */
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

/** An error of Node's form. */
export function withCode(message: string, code: string): Error {
	return Object.assign(new Error(message), {code});
}
