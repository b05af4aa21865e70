import {type AxiosError, isCancel} from 'axios';
import {sharedByCopies} from '../copies.ts';
import {isMtlsError} from '../errors.ts';
import type {AnyAxiosInstance, Logger} from '../options.ts';
import {isError} from '../util/is-error.ts';
import {redactUrl} from '../util/redact-url.ts';
import {failureLines, oneLine} from './failure-lines.ts';
import {callLogger} from './logger.ts';
import {failureFacts} from './messages.ts';
import {redactJsonMessage} from './redact.ts';

// Each failure is logged once, however many instances and interceptors it passes.
const logged = sharedByCopies('loggedFailures', () => new WeakSet<object>());

/**
 * Logs each failed request of `instance` once, as `(fields, message)`, without a secret, and then
 * rejects with the same error. A request that the app cancelled is no failure.
 *
 * @param logger - `console` by default.
 * @returns a function that removes the interceptor.
 */
export function logFailures(instance: AnyAxiosInstance, logger: Logger = console): () => void {
	const id = instance.interceptors.response.use(null, (error: unknown) => {
		logOnce(logger, error);
		throw error;
	});
	return () => instance.interceptors.response.eject(id);
}

function logOnce(logger: Logger, error: unknown): void {
	if (!isError(error) || isCancel(error)) return;
	// An error that wraps another is the same failure, reworded by the app.
	const cause = isError(error.cause) ? error.cause : error;
	const alreadyLogged = logged.has(error) || logged.has(cause);
	// A failed login rejects each request that waited for it with an error of its own, and one cause.
	logged.add(error).add(cause);
	if (alreadyLogged) return;
	const failed = error as AxiosError;
	try {
		const lines = () => consoleLines(failed);
		callLogger(logger, failureLevel(failed), failureFields(failed), failureMessage(failed), lines);
	} catch {
		// The app must get its error, whether it could be logged or not.
	}
}

/** A response that the app did not want is a warning; no response is an error. */
export function failureLevel(error: AxiosError): 'warn' | 'error' {
	return error.response ? 'warn' : 'error';
}

/** One line of text: which request failed, and why. */
export function failureMessage(error: AxiosError): string {
	// Security: V8's message for a response that is not JSON quotes the body.
	const why = error.name === 'SyntaxError' ? redactJsonMessage(error.message) : error.message;
	return `${failedRequest(error)} failed: ${why}`;
}

function failedRequest(error: AxiosError): string {
	// What an interceptor of the app throws may have no config.
	const {config} = error;
	return config ? `${config.method?.toUpperCase() ?? 'GET'} ${failedUrl(error)}` : 'request';
}

/** The same for a person at a console, in at most 12 lines. */
function consoleLines(error: AxiosError): string[] {
	const {code} = error;
	if (isMtlsError(error)) {
		const what = oneLine(`${failedRequest(error)} failed: ${error.summary}`);
		return [what, ...failureLines(error.failure, code)];
	}
	const message = failureMessage(error);
	if (code === undefined || message.includes(code)) return [oneLine(message)];
	// One pair of brackets: `(EACCES, ERR_MTLS_JAR_FAILED)`.
	const codes = /^(.*\([A-Z][\w, ]*)\)$/s.exec(message)?.[1];
	return [oneLine(codes === undefined ? `${message} (${code})` : `${codes}, ${code})`)];
}

/** The same as fields: flat, short, without a secret. */
export function failureFields(error: AxiosError): Record<string, unknown> {
	const {config, code, status} = error;
	const fields: Record<string, unknown> = {
		event: 'request_failed',
		method: config?.method?.toUpperCase(),
		url: config && failedUrl(error),
		code,
		status,
	};
	if (isMtlsError(error)) {
		Object.assign(fields, {event: 'connection_failed'}, failureFacts(error.failure));
	}
	return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

// The hop that failed, which after a redirect is not the URL that the app asked for.
function failedUrl(error: AxiosError): string {
	// To the target of a redirect that was not followed nothing was sent.
	if (isMtlsError(error) && error.failure.kind !== 'insecure-redirect') return error.failure.url;
	const {url = '', baseURL = ''} = error.config ?? {};
	if (!baseURL || /^([a-z][a-z0-9+.-]*:)?\/\//i.test(url)) return redactUrl(url);
	return redactUrl(url ? `${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}` : baseURL);
}
