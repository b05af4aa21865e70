/*
 * What comes after a response: RFC 9110 §15.4, and what axios users have today. Pure questions,
 * each a function of values; `nextHop` puts them together.
 */
import {AxiosError, type AxiosHeaders, type InternalAxiosRequestConfig} from 'axios';
import {MtlsConfigError} from '../config-error.ts';
import {isRedirect} from '../exchange/exchange.ts';
import {copyHeaders, exactHeaders} from '../exchange/headers.ts';
import {type Hop, withoutCredentials} from '../exchange/hop.ts';
import {tlsHttp2Option, wantsHttp2} from '../exchange/http2-options.ts';
import type {IdentitySelector} from '../tls/rotation/identity-selector.ts';
import {describeType} from '../util/check-options.ts';

/** What decides about a redirect. */
export interface RedirectPolicy {
	/** 0: a redirect is an answer like any other. */
	readonly maxRedirects: number;
	readonly allowInsecureRedirects: boolean;
	/** Further headers to drop on another origin: the app's list, and that of the XSRF token. */
	readonly sensitiveHeaders: readonly string[];
	/** The origin that the app asked for. */
	readonly origin: string;
	/** How a redirect may lead to another origin than that. */
	readonly arrival: IdentitySelector['arrival'];
	/** Credentials of the first request; they hold on its origin only, and until a redirect leaves it. */
	readonly auth: Hop['auth'];
}

/** What comes next. */
export type Step =
	| {readonly kind: 'stop'}
	| {readonly kind: 'follow'; readonly hop: Hop}
	| {readonly kind: 'too-many'}
	| {readonly kind: 'bad-location'; readonly reason: string}
	| {readonly kind: 'insecure'; readonly url: URL};

const stop: Step = {kind: 'stop'};

/** axios's default, which is that of follow-redirects. */
const defaultMaxRedirects = 21;

const originHeaders: ReadonlySet<string> = new Set(['authorization', 'cookie', 'host']);

/**
 * As in axios: who brings a transport, or HTTP/2 sessions of its own making, is alone with it. Ours,
 * not axios's: over the sessions of this client redirects are followed too.
 */
export function followsRedirects(config: Partial<InternalAxiosRequestConfig>): boolean {
	const {maxRedirects, transport, httpVersion} = config;
	if (maxRedirects === 0) return false;
	// axios asks no transport for HTTP/2.
	if (wantsHttp2(config)) return tlsHttp2Option(config) === undefined;
	return !transport && (httpVersion === undefined || Number(httpVersion) === 1);
}

/**
 * `allowInsecureRedirects` of a client or a request, or else `base`.
 *
 * @throws {MtlsConfigError} when it is neither true nor false.
 */
export function insecureRedirects(own: unknown, base: boolean): boolean {
	const allowed = own ?? base;
	if (typeof allowed === 'boolean') return allowed;
	// Security: the text 'false' of an environment variable must not open the way to plaintext.
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'allowInsecureRedirects',
		`expected true or false, found a ${describeType(allowed)}`,
	);
}

/**
 * The policy of a call that begins with `hop`.
 *
 * @throws {AxiosError} that of axios, when `sensitiveHeaders` is no list of names.
 * @throws {MtlsConfigError} when `allowInsecureRedirects` is neither true nor false.
 */
export function redirectPolicy(
	config: InternalAxiosRequestConfig,
	hop: Hop,
	defaults: Pick<RedirectPolicy, 'allowInsecureRedirects' | 'arrival'>,
): RedirectPolicy {
	const follows = followsRedirects(config);
	const sensitiveHeaders = follows ? (config.sensitiveHeaders ?? []) : [];
	const {xsrfHeaderName} = config;
	if (
		!Array.isArray(sensitiveHeaders) ||
		sensitiveHeaders.some((name) => typeof name !== 'string')
	) {
		throw new AxiosError(
			'sensitiveHeaders must be an array of strings',
			AxiosError.ERR_BAD_OPTION_VALUE,
			config,
		);
	}
	return {
		// As axios: what says nothing, 0 aside, is the default.
		maxRedirects: follows ? config.maxRedirects || defaultMaxRedirects : 0,
		allowInsecureRedirects: insecureRedirects(
			config.allowInsecureRedirects,
			defaults.allowInsecureRedirects,
		),
		// Compared where there is a redirect: most requests have none.
		sensitiveHeaders: xsrfHeaderName ? [...sensitiveHeaders, xsrfHeaderName] : sensitiveHeaders,
		origin: hop.url.origin,
		arrival: defaults.arrival,
		auth: hop.auth,
	};
}

/** Decides what follows the answer `status` to `hop`. */
export function nextHop(
	hop: Hop,
	{status, location}: {status: number; location: string | undefined},
	policy: RedirectPolicy,
): Step {
	if (!isRedirect(status) || !location || policy.maxRedirects === 0) return stop;
	if (hop.index + 1 > policy.maxRedirects) return {kind: 'too-many'};

	const target = redirectUrl(hop.url, location);
	if (target === undefined) return {kind: 'bad-location', reason: 'Invalid URL'};
	if (target.protocol !== 'https:' && target.protocol !== 'http:') {
		return {kind: 'bad-location', reason: `Unsupported protocol ${target.protocol}`};
	}
	if (isDowngrade(hop.url, target) && !policy.allowInsecureRedirects) {
		return {kind: 'insecure', url: target};
	}

	const method = redirectMethod(hop.method, status);
	const leftOrigin = hop.leftOrigin || target.origin !== hop.url.origin;
	return {
		kind: 'follow',
		hop: {
			index: hop.index + 1,
			url: target,
			path: target.pathname + target.search,
			method,
			headers: redirectHeaders(hop, target, location, method, policy),
			auth: leftOrigin ? undefined : (policy.auth ?? hop.auth),
			body: method === hop.method ? hop.body : undefined,
			leftOrigin,
			...presentationAt(target, hop, policy),
			...(hop.redirectCallback && {redirectCallback: hop.redirectCallback}),
		},
	};
}

/** Whether a redirect leaves TLS. */
export function isDowngrade(from: URL, to: URL): boolean {
	return from.protocol === 'https:' && to.protocol === 'http:';
}

/**
 * Whether our certificate may be offered at `target`, to which the answer to `hop` leads: to the origin
 * that the app asked for, and to those it listed.
 */
export function presentationAt(
	target: URL,
	hop: Pick<Hop, 'url' | 'presentCertificate' | 'guestOf'>,
	{origin, arrival}: Pick<RedirectPolicy, 'origin' | 'arrival'>,
): Pick<Hop, 'presentCertificate' | 'guestOf'> {
	if (target.origin === origin) return {presentCertificate: true, guestOf: undefined};
	const from = hop.url.origin;
	// Security: who came without a certificate was sent there by somebody, whose word it may be.
	const redirector = {first: origin, from: hop.presentCertificate ? from : undefined};
	const standing = arrival(target.origin, redirector);
	return {
		presentCertificate: standing === 'invited',
		guestOf: standing === 'guest' ? (hop.guestOf ?? from) : undefined,
	};
}

/** Whether a header belongs to the origin that it was sent to, and does not go with a redirect to another. */
export function isWithheldElsewhere(
	name: string,
	{sensitiveHeaders}: Pick<RedirectPolicy, 'sensitiveHeaders'>,
): boolean {
	const lower = name.toLowerCase();
	return (
		originHeaders.has(lower) ||
		sensitiveHeaders.some((sensitive) => sensitive.toLowerCase() === lower)
	);
}

/** RFC 9110 §10.2.2. Credentials in a `Location` are the server's wish, not the app's: dropped. */
function redirectUrl(from: URL, location: string): URL | undefined {
	const target = URL.parse(location, from.href);
	if (target === null) return undefined;
	const bare = withoutCredentials(target);
	// Never sent, but apps read it from `responseUrl`, where OAuth puts a token.
	bare.hash = target.hash;
	return bare;
}

/** POST becomes GET on 301 and 302 (RFC 9110 §15.4.2, §15.4.3), all but GET and HEAD on 303 (§15.4.4). */
function redirectMethod(method: string, status: number): string {
	if ((status === 301 || status === 302) && method === 'POST') return 'GET';
	if (status === 303 && method !== 'GET' && method !== 'HEAD') return 'GET';
	return method;
}

function redirectHeaders(
	hop: Hop,
	target: URL,
	location: string,
	method: string,
	policy: RedirectPolicy,
): AxiosHeaders {
	const elsewhere = target.origin !== hop.url.origin;
	const namesHost = /^\s*(\w+:|[/\\]{2})/.test(location);
	const headers = hop.redirectCallback
		? exactHeaders(hop.redirectCallback.options.headers)
		: copyHeaders(hop.headers);
	for (const name of Object.keys(headers.toJSON())) {
		const lower = name.toLowerCase();
		const drop =
			// For the proxy of one hop, and for the host that no other name has taken the place of.
			lower === 'proxy-authorization' ||
			(namesHost && lower === 'host') ||
			(method !== hop.method && lower.startsWith('content-')) ||
			(elsewhere && isWithheldElsewhere(name, policy));
		if (!drop) continue;
		// In the place of these axios would put its own.
		if (lower === 'user-agent' || lower === 'accept-encoding') headers.set(name, false);
		else headers.delete(name);
	}
	return headers;
}
