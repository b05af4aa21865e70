import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import {headerOf} from '../exchange/exchange.ts';
import type {Hop} from '../exchange/hop.ts';
import {askBeforeRedirect} from './before-redirect.ts';
import {removeCallerFrames} from './caller-frames.ts';
import {insecureRedirect} from './diagnose.ts';
import {isDowngrade, nextHop, presentationAt, type RedirectPolicy} from './redirect.ts';

/**
 * The hop that follows a response; `undefined` when the response is the answer.
 *
 * @throws {AxiosError} when it may not be followed, or leads nowhere.
 */
export function follow(
	{config, policy}: {config: InternalAxiosRequestConfig; policy: RedirectPolicy},
	hop: Hop,
	response: AxiosResponse,
): Hop | undefined {
	const {status, headers, request} = response;
	const step = nextHop(hop, {status, location: headerOf(headers, 'location')}, policy);
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
			return asked(step.hop, hop, response, config, policy);
	}
}

/** The next hop as `beforeRedirect` leaves it. */
function asked(
	next: Hop,
	hop: Hop,
	response: AxiosResponse,
	config: InternalAxiosRequestConfig,
	policy: RedirectPolicy,
): Hop {
	if (!config.beforeRedirect) return next;
	let changed: Hop;
	try {
		changed = askBeforeRedirect(config.beforeRedirect, next, {previous: hop, response, policy});
	} catch (error) {
		throw redirectionFailure(error, config, response.request);
	}
	// The callback may have sent it elsewhere: the rules hold for where it goes now.
	if (isDowngrade(hop.url, changed.url) && !policy.allowInsecureRedirects) {
		throw insecureRedirect(hop, changed.url, config);
	}
	return {
		...changed,
		...presentationAt(changed.url, hop, policy),
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

// What the URL parser says, or follow-redirects where the parser does not mind.
function locationError(reason: string): TypeError {
	const error = new TypeError(reason);
	return reason === 'Invalid URL' ? Object.assign(error, {code: 'ERR_INVALID_URL'}) : error;
}

// Name, code and words of follow-redirects, which axios users know.
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
