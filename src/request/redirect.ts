/*
 * What comes after a response: RFC 9110 §15.4, and what axios users have today. Pure questions,
 * each a function of values; `nextHop` puts them together.
 */
import type {AxiosHeaders} from 'axios';
import {isRedirect} from '../exchange/exchange.ts';
import {copyHeaders, exactHeaders} from '../exchange/headers.ts';
import {type Hop, withoutCredentials} from '../exchange/hop.ts';
import type {IdentitySelector} from '../tls/rotation/identity-selector.ts';

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

const originHeaders: ReadonlySet<string> = new Set(['authorization', 'cookie', 'host']);

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
