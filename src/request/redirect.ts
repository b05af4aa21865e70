/*
 * Redirects as RFC 9110 §15.4 and axios define them. Pure functions: the next URL, method, headers and
 * certificate; `nextHop` puts them together.
 */
import type {AxiosHeaders} from 'axios';
import {isRedirect} from '../exchange/exchange.ts';
import {type Hop, withoutCredentials} from '../exchange/hop.ts';
import {copyHeaders, exactHeaders} from '../exchange/outgoing/config-headers.ts';
import type {IdentitySelector} from '../tls/rotation/identity-selector.ts';

/** The rules for the redirects of one call. */
export interface RedirectPolicy {
	/** 0: a redirect is a response like any other. */
	readonly maxRedirects: number;
	readonly allowInsecureRedirects: boolean;
	/** Further headers to drop on another origin: the app's list, and that of the XSRF token. */
	readonly sensitiveHeaders: readonly string[];
	/** The origin that the app requested. */
	readonly origin: string;
	/** Whether a redirect to another origin presents the client certificate. */
	readonly redirectAccess: IdentitySelector['redirectAccess'];
	/** Credentials of the first request. They are sent to its origin only, until a redirect leaves it. */
	readonly auth: Hop['auth'];
}

/** What to do after a response. */
export type Step =
	| {readonly kind: 'stop'}
	| {readonly kind: 'follow'; readonly hop: Hop}
	| {readonly kind: 'too-many'}
	| {readonly kind: 'bad-location'; readonly reason: string}
	| {readonly kind: 'insecure'; readonly url: URL};

const stop: Step = {kind: 'stop'};

const originHeaders: ReadonlySet<string> = new Set(['authorization', 'cookie', 'host']);

/** Decides what follows a response with `status` to `hop`. */
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
			...(hop.beforeRedirectState && {beforeRedirectState: hop.beforeRedirectState}),
		},
	};
}

/** Whether a redirect leaves TLS. */
export function isDowngrade(from: URL, to: URL): boolean {
	return from.protocol === 'https:' && to.protocol === 'http:';
}

/**
 * Whether the client certificate is presented to `target`, to which the response to `hop` redirects:
 * only to the origin that the app requested and to the origins that it listed.
 */
export function presentationAt(
	target: URL,
	hop: Pick<Hop, 'url' | 'presentCertificate' | 'withheldAfter' | 'anonymizedBy'>,
	{origin, redirectAccess}: Pick<RedirectPolicy, 'origin' | 'redirectAccess'>,
): Pick<Hop, 'presentCertificate' | 'withheldAfter' | 'anonymizedBy'> {
	if (target.origin === origin) {
		return {presentCertificate: true, withheldAfter: undefined, anonymizedBy: undefined};
	}
	const from = hop.url.origin;
	// Security: a redirect led to the hop without the certificate, so the sender of that redirect may
	// also control where this one leads.
	const redirector = {first: origin, from: hop.presentCertificate ? from : undefined};
	const access = redirectAccess(target.origin, redirector);
	return {
		presentCertificate: access === 'with-certificate',
		withheldAfter: access === 'without-certificate' ? (hop.withheldAfter ?? from) : undefined,
		anonymizedBy: access === 'anonymous' ? (hop.anonymizedBy ?? from) : undefined,
	};
}

/** Whether a header is meant for one origin, and must not go to another with a redirect. */
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

/** RFC 9110 §10.2.2. Credentials in a `Location` are dropped: the server chose them, not the app. */
function redirectUrl(from: URL, location: string): URL | undefined {
	const target = URL.parse(location, from.href);
	if (target === null) return undefined;
	const bare = withoutCredentials(target);
	// Never sent, but apps read it from `responseUrl`: OAuth puts a token there.
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
	const isCrossOrigin = target.origin !== hop.url.origin;
	const locationHasHost = /^\s*(\w+:|[/\\]{2})/.test(location);
	const headers = hop.beforeRedirectState
		? exactHeaders(hop.beforeRedirectState.options.headers)
		: copyHeaders(hop.headers);
	for (const name of Object.keys(headers.toJSON())) {
		const lower = name.toLowerCase();
		const drop =
			// `Proxy-Authorization` is for the proxy of one hop, `Host` for the server of one hop.
			lower === 'proxy-authorization' ||
			(locationHasHost && lower === 'host') ||
			(method !== hop.method && lower.startsWith('content-')) ||
			(isCrossOrigin && isWithheldElsewhere(name, policy));
		if (!drop) continue;
		// axios would replace a deleted one with its default.
		if (lower === 'user-agent' || lower === 'accept-encoding') headers.set(name, false);
		else headers.delete(name);
	}
	return headers;
}
