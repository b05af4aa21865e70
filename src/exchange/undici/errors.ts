import {AxiosError, type InternalAxiosRequestConfig} from 'axios';
import {withCode} from '../axios-errors.ts';
import {parseError} from './parse-errors.ts';
import type {UndiciRequest} from './request.ts';

/** What axios makes of an error of the wire, said in Node's words rather than undici's. */
export function wireError(
	error: NodeJS.ErrnoException,
	config: InternalAxiosRequestConfig,
	request: UndiciRequest,
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
			return withCode('socket hang up', 'ECONNRESET');
		default:
			return error;
	}
}
