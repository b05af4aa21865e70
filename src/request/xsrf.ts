/*
 * The token against forged requests: a page of the server's own reads it from a cookie and says it
 * in a header, which a stranger's page cannot do. axios does so in browsers; here, where there is
 * no page, that of `baseURL` stands for it.
 */
import type {InternalAxiosRequestConfig} from 'axios';
import type {CookieList} from '../cookies/cookie-header.ts';
import {copyHeaders} from '../exchange/headers.ts';
import {cookieOfApp, type Hop} from '../exchange/hop.ts';
import {decodePercent} from '../util/url.ts';

/**
 * The hop with the header `xsrfHeaderName`, which holds what its cookie `xsrfCookieName` says: where
 * it goes to the origin of `baseURL`, or to any with `withXSRFToken: true`. A header of that name
 * that the app has set itself wins, and a cookie that is `HttpOnly` is not for it to read.
 *
 * Security: the token is one of the cookies of this very request, so nobody learns it who does not
 * get it as a cookie anyway. What a redirect has led to another origin must never have it again, or
 * that origin could forge a request on the way back.
 */
export function withXsrfToken(
	hop: Hop,
	config: InternalAxiosRequestConfig,
	{pairs}: CookieList,
): Hop {
	const {xsrfCookieName, xsrfHeaderName, withXSRFToken} = config;
	if (!xsrfCookieName || !xsrfHeaderName || withXSRFToken === false) return hop;
	// First, as few requests have it.
	const cookie = pairs.find(({name, httpOnly}) => name === xsrfCookieName && !httpOnly);
	if (cookie === undefined || hop.headers.has(xsrfHeaderName)) return hop;

	const pair = ownPair(hop, xsrfCookieName) ?? cookie.text;
	const token = decodePercent(pair.slice(xsrfCookieName.length + 1));
	if (!token || !isWanted(hop, config)) return hop;
	return {...hop, headers: copyHeaders(hop.headers).set(xsrfHeaderName, token)};
}

/** The header of the token, in lower case; empty without one. */
export function xsrfHeader({xsrfHeaderName}: InternalAxiosRequestConfig): string {
	return xsrfHeaderName?.toLowerCase() ?? '';
}

/** What the app's own `Cookie` header says in the place of the jar: servers compare the two. */
function ownPair(hop: Hop, name: string): string | undefined {
	const pairs = cookieOfApp(hop)?.split(';') ?? [];
	return pairs.map((pair) => pair.trim()).find((pair) => pair.startsWith(`${name}=`));
}

// As axios: no other value than `true` lets it go anywhere, so that a mistake is not a leak.
function isWanted({url}: Hop, config: InternalAxiosRequestConfig): boolean {
	const {withXSRFToken, baseURL} = config;
	const wanted = typeof withXSRFToken === 'function' ? withXSRFToken(config) : withXSRFToken;
	if (wanted !== undefined && wanted !== null) return wanted === true;
	const home = baseURL ? URL.parse(baseURL) : null;
	// Without one, the app is at home wherever it asks.
	return home === null || home.origin === url.origin;
}
