import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import {headerOf} from '../exchange/exchange.ts';
import type {Hop} from '../exchange/hop.ts';
import {callBeforeRedirect} from './before-redirect.ts';
import {removeCallerFrames} from './clean-error.ts';
import {insecureRedirect} from './diagnose.ts';
import type {Call} from './prepare-call.ts';
import {isDowngrade, nextHop, presentationAt} from './redirect.ts';

/**
 * The hop that a redirect leads to; `undefined` when the response is the final one.
 *
 * @throws {AxiosError} when the redirect may not be followed, or its `Location` is not valid.
 */
export function followRedirect(
	call: Pick<Call, 'config' | 'redirectPolicy'>,
	hop: Hop,
	response: AxiosResponse,
): Hop | undefined {
	const {config, redirectPolicy} = call;
	const {status, headers, request} = response;
	const step = nextHop(hop, {status, location: headerOf(headers, 'location')}, redirectPolicy);
	switch (step.kind) {
		case 'stop':
			return undefined;
		case 'too-many':
			throw redirectError(
				'Maximum number of redirects exceeded',
				'ERR_FR_TOO_MANY_REDIRECTS',
				config,
				request,
			);
		case 'bad-location':
			throw redirectionFailure(locationError(step.reason), config, request);
		case 'insecure':
			throw insecureRedirect(hop, step.url, config);
		case 'follow':
			return afterBeforeRedirect(step.hop, call, hop, response);
	}
}

/** The next hop as the app's `beforeRedirect` leaves it. */
function afterBeforeRedirect(
	next: Hop,
	{config, redirectPolicy}: Pick<Call, 'config' | 'redirectPolicy'>,
	hop: Hop,
	response: AxiosResponse,
): Hop {
	if (!config.beforeRedirect) return next;
	let changed: Hop;
	try {
		const redirect = {previous: hop, response, policy: redirectPolicy};
		changed = callBeforeRedirect(config.beforeRedirect, next, redirect);
	} catch (error) {
		throw redirectionFailure(error, config, response.request);
	}
	// The callback may have changed the URL: the rules apply to the new one.
	if (isDowngrade(hop.url, changed.url) && !redirectPolicy.allowInsecureRedirects) {
		throw insecureRedirect(hop, changed.url, config);
	}
	return {
		...changed,
		...presentationAt(changed.url, hop, redirectPolicy),
		leftOrigin: hop.leftOrigin || changed.url.origin !== hop.url.origin,
	};
}

function redirectionFailure(
	cause: unknown,
	config: InternalAxiosRequestConfig,
	request: unknown,
): AxiosError {
	return redirectError(
		`Redirected request failed: ${(cause as Error | null)?.message}`,
		'ERR_FR_REDIRECTION_FAILURE',
		config,
		request,
		{cause},
	);
}

// The error of the URL parser, or of follow-redirects for a URL that the parser accepts.
function locationError(reason: string): TypeError {
	const error = new TypeError(reason);
	return reason === 'Invalid URL' ? Object.assign(error, {code: 'ERR_INVALID_URL'}) : error;
}

// With the name, code and message of follow-redirects, which axios users know.
function redirectError(
	message: string,
	code: string,
	config: InternalAxiosRequestConfig,
	request: unknown,
	options?: ErrorOptions,
): AxiosError {
	const error = Object.assign(new Error(message, options), {name: `Error [${code}]`, code});
	return AxiosError.from(removeCallerFrames(error), code, config, request);
}
