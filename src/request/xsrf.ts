/*
 * The token against forged requests (XSRF, CSRF): a page of the server itself reads it from a cookie
 * and sends it in a header, which a page of another site cannot do. axios does so in browsers. Node has
 * no page: the origin of `baseURL` takes the place of the page's origin.
 */
import type {InternalAxiosRequestConfig} from 'axios';
import type {CookieList} from '../cookies/cookie-header.ts';
import {cookieOfApp, type Hop} from '../exchange/hop.ts';
import {copyHeaders} from '../exchange/outgoing/config-headers.ts';
import {decodePercent} from '../util/url.ts';

/**
 * The hop with the value of the cookie `xsrfCookieName` in the header `xsrfHeaderName`, if it goes to
 * the origin of `baseURL`, or to any origin with `withXSRFToken: true`. A header that the app has set
 * has precedence, and an `HttpOnly` cookie is not read, as in a browser.
 *
 * Security: the token is one of the cookies of this very request, so the server gets it anyway. After
 * a redirect to another origin the token must not be added again, or that origin could forge a
 * request by redirecting back.
 */
export function withXsrfToken(
	hop: Hop,
	config: InternalAxiosRequestConfig,
	{pairs}: CookieList,
): Hop {
	const {xsrfCookieName, xsrfHeaderName, withXSRFToken} = config;
	if (!xsrfCookieName || !xsrfHeaderName || withXSRFToken === false) return hop;
	// Checked first, because few requests have the cookie.
	const cookie = pairs.find(({name, httpOnly}) => name === xsrfCookieName && !httpOnly);
	if (cookie === undefined || hop.headers.has(xsrfHeaderName)) return hop;

	const pair = pairOfApp(hop, xsrfCookieName) ?? cookie.text;
	const token = decodePercent(pair.slice(xsrfCookieName.length + 1));
	if (!token || !isWanted(hop, config)) return hop;
	return {...hop, headers: copyHeaders(hop.headers).set(xsrfHeaderName, token)};
}

/** The name of the token's header, in lower case; empty if the config has none. */
export function xsrfHeader({xsrfHeaderName}: InternalAxiosRequestConfig): string {
	return xsrfHeaderName?.toLowerCase() ?? '';
}

/** The pair in the app's own `Cookie` header, which replaces the jar's: servers compare token and cookie. */
function pairOfApp(hop: Hop, name: string): string | undefined {
	const pairs = cookieOfApp(hop)?.split(';') ?? [];
	return pairs.map((pair) => pair.trim()).find((pair) => pair.startsWith(`${name}=`));
}

// As in axios, only `true` sends it to any origin, so that a mistake is not a leak.
function isWanted({url}: Hop, config: InternalAxiosRequestConfig): boolean {
	const {withXSRFToken, baseURL} = config;
	const wanted = typeof withXSRFToken === 'function' ? withXSRFToken(config) : withXSRFToken;
	if (wanted !== undefined && wanted !== null) return wanted === true;
	const base = baseURL ? URL.parse(baseURL) : null;
	// Without a `baseURL`, each origin is the app's own.
	return base === null || base.origin === url.origin;
}
