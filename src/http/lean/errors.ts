import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import {parseError} from './parse-errors.ts';
import type {LeanRequest} from './request.ts';

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
export function tooLongError(config: InternalAxiosRequestConfig, request: LeanRequest): AxiosError {
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
	request: LeanRequest,
	response: AxiosResponse,
	encoded: boolean,
): AxiosError {
	if (encoded) {
		return AxiosError.from(coded('aborted', 'ECONNRESET'), undefined, config, request, response);
	}
	return new AxiosError(
		'stream has been aborted',
		AxiosError.ERR_BAD_RESPONSE,
		config,
		request,
		response,
	);
}

/** What axios makes of an error of the wire, said in Node's words rather than undici's. */
export function wireError(
	error: NodeJS.ErrnoException,
	config: InternalAxiosRequestConfig,
	request: LeanRequest,
): AxiosError {
	return AxiosError.from(parseError(error) ?? nodeError(error), undefined, config, request);
}

/** Whether a response that had begun broke off with its connection. */
export function isBrokenOff(error: NodeJS.ErrnoException): boolean {
	// Where the server has said that it closes, undici lets the parser find out.
	if (error.code?.startsWith('UND_ERR_')) return true;
	return parseError(error)?.code === 'HPE_INVALID_EOF_STATE';
}

function nodeError(error: NodeJS.ErrnoException): Error {
	switch (error.code) {
		case 'UND_ERR_SOCKET':
		case 'UND_ERR_CLOSED':
		case 'UND_ERR_DESTROYED':
			return coded('socket hang up', 'ECONNRESET');
		default:
			return error;
	}
}

function coded(message: string, code: string): Error {
	return Object.assign(new Error(message), {code});
}
