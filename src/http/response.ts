import {
	AxiosError,
	type AxiosResponse,
	CanceledError,
	type InternalAxiosRequestConfig,
	isCancel,
} from 'axios';
import {connectionFacts, connectionOf} from '../net/connection.ts';
import {diagnoseAnswer} from './diagnose.ts';
import type {Hop} from './hop.ts';
import type {RedirectPolicy} from './redirect.ts';

/**
 * The body of a redirect is thrown away. Up to these limits it is waited for, so that its connection
 * can serve the next hop; past them the connection is closed.
 */
export const redirectBody = {limitBytes: 64 * 1024, limitMs: 100} as const;

/** The part of an answer that comes before its body. */
export type Head = Pick<AxiosResponse, 'status' | 'headers'>;

/** The head of an answer whose body failed; `undefined` where there was none, or nobody waits any more. */
export function headOf(error: unknown): Head | undefined {
	const head = error instanceof AxiosError && !isCancel(error) ? error.request?.res : undefined;
	return head && {status: head.statusCode, headers: head.headers};
}

/** A header of an answer, which may be called as something is that `Object.prototype` has. */
export function headerOf<H extends object, N extends keyof H>(
	headers: H,
	name: N,
): H[N] | undefined {
	return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

/** What a call came to: the last response, and the hop that it answers. */
export interface Answer {
	readonly response: AxiosResponse;
	readonly hop: Hop;
}

/** Completes a response with what apps read in it. */
export function complete(
	response: AxiosResponse,
	{given, policy}: {readonly given: InternalAxiosRequestConfig; readonly policy: RedirectPolicy},
	hop: Hop,
): void {
	response.config = given;
	tellUrl(response, policy, hop);
	const connection = connectionOf(response.request?.socket);
	const tls = connection && connectionFacts(connection);
	if (tls !== undefined) response.tls = tls;
}

/**
 * Ends a call as axios does: the response where `validateStatus` accepts it, else an AxiosError,
 * which is typed where the answer is a refusal of our certificate.
 */
export function settle({response, hop}: Answer, config: InternalAxiosRequestConfig): AxiosResponse {
	const {status} = response;
	const {validateStatus} = config;
	if (!status || !validateStatus || validateStatus(status)) return response;
	const error = new AxiosError(
		`Request failed with status code ${status}`,
		status >= 400 && status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE,
		config,
		response.request,
		response,
	);
	throw diagnoseAnswer(error, response, hop, config);
}

/**
 * Writes the final URL where apps read it, as follow-redirects has taught them; which is not at work
 * where redirects are not wanted.
 */
export function tellUrl(
	{request}: AxiosResponse,
	{maxRedirects}: RedirectPolicy,
	{url, path}: Hop,
): void {
	if (request?.res && maxRedirects !== 0) {
		request.res.responseUrl = url.origin + path + url.hash;
	}
}

/** What a request fails with that begins after the end of its client, or is cut by it. */
export function closedError(config: InternalAxiosRequestConfig): AxiosError {
	return new AxiosError('the client was closed', 'ERR_MTLS_CLIENT_CLOSED', config);
}

/** @throws {CanceledError} when the request's signal or cancel token says so. */
export function throwIfCancelled(config: InternalAxiosRequestConfig): void {
	config.cancelToken?.throwIfRequested();
	if (config.signal?.aborted) throw new CanceledError(undefined, config);
}
