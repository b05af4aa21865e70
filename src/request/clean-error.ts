/*
 * The error of a call as the app sees it: with the app's own config, and without secrets.
 */
import {type AxiosError, type InternalAxiosRequestConfig, isAxiosError, isCancel} from 'axios';
import {hideSecrets, redactInvalidUrl, redactJsonMessage} from '../logging/redact.ts';

/** Prepares the error of a call for the app, in place. */
export function cleanError(error: unknown, originalConfig: InternalAxiosRequestConfig): void {
	if (error instanceof Error) removeCallerFrames(error);
	if (isAxiosError(error)) {
		removeFieldsOfCause(error);
		// Security: a hop's own config holds the jar's cookies, which a retry would send once more.
		// The error of a cancelled CancelToken has no config: all requests with that token share it.
		// An app's own error may be frozen.
		if (error.config || !isCancel(error)) Reflect.set(error, 'config', originalConfig);
		if (error.response) Reflect.set(error.response, 'config', originalConfig);
		hideSecrets(error);
	} else if (error instanceof Error && Object.hasOwn(error, 'config')) {
		// axios could not build the URL: it throws a plain error that holds the whole config.
		hideSecrets(error);
	} else {
		redactInvalidUrl(error);
	}
}

/** The fields of an AxiosError, and those that Node gives its errors. */
const ownFields: ReadonlySet<string> = new Set([
	...['message', 'name', 'stack', 'code', 'status', 'config', 'request', 'response', 'cause'],
	...['errno', 'syscall', 'address', 'port', 'hostname', 'isAxiosError'],
]);

// Security: axios before 1.13.3 copies the fields of a cause, which may be an error of the app that quotes
// a secret, to its own error, and Node prints them.
function removeFieldsOfCause(error: AxiosError): void {
	const {cause} = error;
	if (typeof cause !== 'object' || cause === null || cause === error) return;
	for (const name of Object.keys(cause)) {
		if (!ownFields.has(name) && Object.hasOwn(error, name)) Reflect.deleteProperty(error, name);
	}
}

/** The frame at which the stack of an error leaves this package: axios awaits its adapter there. */
const axiosFrame = /\n\s+at async Axios\.request /g;

/** axios inlines the stack of a cause after this text, and later looks for that exact stack. */
const causeBegins = '\nCaused by: ';

/**
 * Removes the caller's frames from an error's stack: axios adds them itself to each error of its
 * adapter. V8 keeps ten frames: axios does not recognise the frames of a stack that was cut there, and
 * would print the same lines twice.
 */
export function removeCallerFrames<E extends Error>(error: E): E {
	const stack: unknown = error.stack;
	if (typeof stack !== 'string') return error;
	const end = stack.indexOf(causeBegins);
	const own = end === -1 ? stack : stack.slice(0, end);
	// The last one: an app's own jar or login may have sent a request in between.
	const found = Array.from(own.matchAll(axiosFrame)).at(-1);
	if (found === undefined) return error;
	// Does not throw for a frozen error.
	Reflect.set(error, 'stack', own.slice(0, found.index) + stack.slice(own.length));
	return error;
}

/**
 * The error of a response that is not JSON, without the part of the body that its message, its stack
 * and its cause quote; any other error as it is. The body stays on `error.response`.
 */
export function withoutBodyText(error: AxiosError): AxiosError {
	const {name, message, cause, code, config, request, response} = error;
	if (name !== 'SyntaxError' || !message.includes('JSON') || !(cause instanceof Error))
		return error;
	const bare = redactJsonMessage(message);
	if (bare === message) return error;
	// Changed in place: nothing else references V8's own error.
	cause.stack = cause.stack?.replace(message, () => bare) ?? '';
	cause.message = bare;
	// A new error, because axios keeps the stack of the cause in a field that cannot be changed. Its class
	// is that of the axios that made it, which in a CommonJS app differs from this package's axios.
	const {from} = error.constructor as typeof AxiosError;
	return from(cause, code, config, request, response);
}
