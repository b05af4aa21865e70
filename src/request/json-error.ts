import type {AxiosError} from 'axios';
import {redactJsonMessage} from '../logging/redact.ts';

/**
 * The error of an answer that is no JSON, without what its message, its stack and its cause quote of the
 * body; any other error as it is. The body stays on `error.response`.
 */
export function withoutBodyText(error: AxiosError): AxiosError {
	const {name, message, cause, code, config, request, response} = error;
	if (name !== 'SyntaxError' || !message.includes('JSON') || !(cause instanceof Error))
		return error;
	const bare = redactJsonMessage(message);
	if (bare === message) return error;
	// V8's own error, which nobody else holds.
	cause.stack = cause.stack?.replace(message, () => bare) ?? '';
	cause.message = bare;
	// Made anew: axios keeps the stack of the cause in a field that cannot be changed. By the class of the
	// axios that made it, which of a CommonJS app is another than ours.
	const {from} = error.constructor as typeof AxiosError;
	return from(cause, code, config, request, response);
}
