import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import type {LeanRequest} from './lean-request.ts';

/** What axios says when `timeout` is over. */
export function timeoutError(
	config: InternalAxiosRequestConfig,
	request?: LeanRequest,
): AxiosError {
	return new AxiosError(
		config.timeoutErrorMessage || `timeout of ${config.timeout}ms exceeded`,
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

/** Whether what came is not HTTP. */
export function isParseError({code}: Error & {code?: string}): boolean {
	return code?.startsWith('HPE_') ?? false;
}

/** What axios makes of an error of the wire, said in Node's words rather than undici's. */
export function wireError(
	error: Error & {code?: string},
	config: InternalAxiosRequestConfig,
	request: LeanRequest,
): AxiosError {
	return AxiosError.from(nodeError(error), undefined, config, request);
}

function nodeError(error: Error & {code?: string}): Error {
	if (isParseError(error)) return parseError(error);
	switch (error.code) {
		case 'UND_ERR_SOCKET':
		case 'UND_ERR_CLOSED':
		case 'UND_ERR_DESTROYED':
			return coded('socket hang up', 'ECONNRESET');
		case 'UND_ERR_HEADERS_OVERFLOW':
			return coded('Parse Error: Header overflow', 'HPE_HEADER_OVERFLOW');
		default:
			return error;
	}
}

function parseError({message, code}: Error & {code?: string}): Error {
	const reason = /\((.*)\)$/.exec(message)?.[1] ?? message;
	return coded(`Parse Error: ${reason}`, code ?? 'HPE_UNKNOWN');
}

function coded(message: string, code: string): Error {
	return Object.assign(new Error(message), {code});
}
