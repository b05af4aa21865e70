import type {AxiosResponse, AxiosResponseHeaders} from 'axios';
import {CausedError} from '../errors.ts';
import {type Head, headerOf, isRedirect} from '../exchange/exchange.ts';
import type {Hop} from '../exchange/hop.ts';
import type {SessionSettings} from '../login/session-options.ts';
import type {Answer} from './settle.ts';

/**
 * Whether an answer says that the session is over.
 *
 * @returns a promise only where the app's own `isExpired` does.
 * @throws {AxiosError} `ERR_MTLS_EXPIRY_UNKNOWN` when that fails.
 */
export function isSessionOver(
	{isExpired, loginUrl}: Pick<SessionSettings, 'isExpired' | 'loginUrl'>,
	{response, hop}: Answer,
): boolean | Promise<boolean> {
	if (isExpired === undefined) return saysSo(loginUrl, response, hop);
	const fail = (cause: unknown): never => {
		throw unknownExpiry(response, cause);
	};
	try {
		const verdict: unknown = isExpired(asAppsSeeIt(response));
		if (typeof (verdict as PromiseLike<unknown> | null)?.then !== 'function')
			return Boolean(verdict);
		return Promise.resolve(verdict).then(Boolean, fail);
	} catch (cause) {
		return fail(cause);
	}
}

/** Whether an answer, also one that is followed, says by itself that the session is over. */
export function refuses(
	{isExpired, loginUrl}: Pick<SessionSettings, 'isExpired' | 'loginUrl'>,
	head: Head,
	hop: Hop,
): boolean {
	return isExpired === undefined && saysSo(loginUrl, head, hop);
}

function saysSo(loginUrl: URL | undefined, head: Head, hop: Hop): boolean {
	// Nobody's request is answered by 401 whatever has become of the session.
	const unauthorized = head.status === 401 && hop.guestOf === undefined;
	return unauthorized || (loginUrl !== undefined && wasSent(loginUrl, head, hop));
}

/** Whether the answer is the login page to which a redirect led, or such a redirect itself. */
function wasSent(loginUrl: URL, {status, headers}: Head, hop: Hop): boolean {
	if (hop.index > 0 && isSamePage(hop.url, loginUrl)) return true;
	const location = headerOf(headers, 'location');
	if (!isRedirect(status) || !location) return false;
	const target = URL.parse(location, hop.url.href);
	return target !== null && isSamePage(target, loginUrl);
}

function isSamePage(url: URL, {origin, pathname}: URL): boolean {
	return url.origin === origin && url.pathname === pathname;
}

/** The response with the `data` that axios will make of it, once somebody reads it. */
function asAppsSeeIt(response: AxiosResponse): AxiosResponse {
	let read: {data: unknown} | undefined;
	return {
		...response,
		get data() {
			read ??= {data: transformed(response)};
			return read.data;
		},
	};
}

function transformed(response: AxiosResponse): unknown {
	const {config, status} = response;
	const headers = response.headers as AxiosResponseHeaders;
	try {
		return [config.transformResponse ?? []]
			.flat()
			.reduce((data, transform) => transform.call(config, data, headers, status), response.data);
	} catch {
		// What it is not, such as JSON, is told by axios when the app gets it.
		return response.data;
	}
}

function unknownExpiry(response: AxiosResponse, cause: unknown): CausedError {
	return new CausedError(
		'session.isExpired failed on an answer',
		'ERR_MTLS_EXPIRY_UNKNOWN',
		cause,
		response.config,
		response.request,
		response,
	);
}
