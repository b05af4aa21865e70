import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import {connectionFacts, connectionOf} from '../connection/connection.ts';
import type {Hop} from '../exchange/hop.ts';
import {diagnoseAnswer} from './diagnose.ts';
import type {RedirectPolicy} from './redirect.ts';

/** What a call came to: the last response, and the hop that it answers. */
export interface Answer {
	readonly response: AxiosResponse;
	readonly hop: Hop;
}

/** Completes a response with what apps read in it. */
export function complete(
	response: AxiosResponse,
	{
		originalConfig,
		policy,
	}: {readonly originalConfig: InternalAxiosRequestConfig; readonly policy: RedirectPolicy},
	hop: Hop,
): void {
	response.config = originalConfig;
	setResponseUrl(response, policy, hop);
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
export function setResponseUrl(
	{request}: AxiosResponse,
	{maxRedirects}: RedirectPolicy,
	{url, path}: Hop,
): void {
	if (request?.res && maxRedirects !== 0) {
		request.res.responseUrl = url.origin + path + url.hash;
	}
}
