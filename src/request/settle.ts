import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import {connectionFacts, connectionOf} from '../connection/connection.ts';
import type {Hop} from '../exchange/hop.ts';
import {diagnoseResponse} from './diagnose.ts';
import {tlsPortNote} from './plain-http.ts';
import type {Call} from './prepare-call.ts';
import type {RedirectPolicy} from './redirect.ts';

/** The last response of a call, and the hop that it answers. */
export interface FinalResponse {
	readonly response: AxiosResponse;
	readonly hop: Hop;
	/** What the login session has to do with it, for the message of its error. */
	readonly note?: string;
}

/** Adds what apps read in a response: their own config, the final URL, `response.tls`. */
export function complete(
	response: AxiosResponse,
	{originalConfig, redirectPolicy}: Pick<Call, 'originalConfig' | 'redirectPolicy'>,
	hop: Hop,
): void {
	response.config = originalConfig;
	setResponseUrl(response, redirectPolicy, hop);
	const connection = connectionOf(response.request?.socket);
	const tls = connection && connectionFacts(connection);
	if (tls !== undefined) response.tls = tls;
}

function noteOn(response: AxiosResponse, {url}: Hop): string | undefined {
	return url.protocol === 'http:' ? tlsPortNote(response) : undefined;
}

/**
 * Ends a call as axios does: the response where `validateStatus` accepts it, else an AxiosError; an
 * MtlsError if the server refuses the client certificate with that response.
 */
export function settle(
	{response, hop, note: loginNote}: FinalResponse,
	config: InternalAxiosRequestConfig,
): AxiosResponse {
	const {status} = response;
	const {validateStatus} = config;
	if (!status || !validateStatus || validateStatus(status)) return response;
	const note = loginNote ?? noteOn(response, hop);
	const error = new AxiosError(
		`Request failed with status code ${status}${note ? `: ${note}` : ''}`,
		status >= 400 && status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE,
		config,
		response.request,
		response,
	);
	throw diagnoseResponse(error, response, hop, config);
}

/**
 * Writes the final URL where follow-redirects writes it and apps read it. axios does not use
 * follow-redirects when redirects are switched off.
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
