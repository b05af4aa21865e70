import type {AxiosError} from 'axios';
import {isMtlsError} from '../errors.ts';
import {redactUrl} from '../util/redact-url.ts';
import {failureFacts} from './messages.ts';
import {redactJsonMessage} from './redact.ts';

/** An answer that the app did not want is a warning; no answer is an error. */
export function failureLevel(error: AxiosError): 'warn' | 'error' {
	return error.response ? 'warn' : 'error';
}

/** One line for people: what was asked, and what came of it. */
export function failureMessage(error: AxiosError): string {
	// A request that failed before it was one, in an interceptor of the app's, has no config.
	const {config} = error;
	const what = config ? `${config.method?.toUpperCase() ?? 'GET'} ${failedUrl(error)}` : 'request';
	// Security: of an answer that is no JSON V8 quotes the body.
	const why = error.name === 'SyntaxError' ? redactJsonMessage(error.message) : error.message;
	return `${what} failed: ${why}`;
}

/** The same for machines: flat, in few words, without a secret. */
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

// After a redirect not the URL that was asked for.
function failedUrl(error: AxiosError): string {
	if (isMtlsError(error)) return error.failure.url;
	const {url = '', baseURL = ''} = error.config ?? {};
	if (!baseURL || /^([a-z][a-z0-9+.-]*:)?\/\//i.test(url)) return redactUrl(url);
	return redactUrl(url ? `${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}` : baseURL);
}
