/*
 * One call, hop by hop: cookies in, exchange, cookies out, what next?
 */
import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import type {MtlsAgent} from '../net/agent.ts';
import {type ProxySetting, resolveProxy} from '../net/proxy.ts';
import {hideSecrets} from '../redact.ts';
import {askBeforeRedirect} from './before-redirect.ts';
import {type CookieJar, cookieHeader, jarOf, storeCookies} from './cookies.ts';
import {diagnose, insecureRedirect} from './diagnose.ts';
import type {Exchange} from './exchange.ts';
import {assertNoAgent, withoutCookieAgents} from './foreign-agent.ts';
import {firstHop, type Hop} from './hop.ts';
import {
	isDowngrade,
	nextHop,
	type RedirectPolicy,
	redirectPolicy,
	redirectShowing,
} from './redirect.ts';
import {discard, settle, throwIfCancelled} from './response.ts';

type Adapter = (config: InternalAxiosRequestConfig) => Promise<AxiosResponse>;

/** What an adapter is made of. */
export interface AdapterParts {
	readonly exchange: Exchange;
	/** Takes what is no hop: `data:` URLs, and URLs that axios refuses in its own words. */
	readonly fallback: Adapter;
	readonly agent: MtlsAgent;
	/** Whether `mtls` was given, so that a request may not bring an agent of its own. */
	readonly ownsConnections: boolean;
	/** For the requests that name no jar of their own. */
	readonly jar: CookieJar | undefined;
	/** Where our certificate may be shown besides the origins that the app asks for. */
	readonly origins: ReadonlySet<string>;
	readonly allowInsecureRedirects: boolean;
	/** Asked before each hop; throws once the client is closed. */
	readonly assertOpen: (config: InternalAxiosRequestConfig) => void;
}

/** What holds for all hops of one call. */
interface Call {
	readonly config: InternalAxiosRequestConfig;
	readonly jar: CookieJar | undefined;
	readonly policy: RedirectPolicy;
	/** On the clock of `performance.now()`. */
	readonly deadline: number | undefined;
}

/** Makes an axios adapter that owns the hops. */
export function makeAdapter(parts: AdapterParts): Adapter {
	return async (given) => {
		try {
			return await run(parts, given);
		} catch (error) {
			if (error instanceof AxiosError) {
				// A hop's own config holds the jar's cookies, which a retry would send once more.
				error.config = given;
				if (error.response) error.response.config = given;
				hideSecrets(error);
			}
			throw error;
		}
	};
}

async function run(parts: AdapterParts, given: InternalAxiosRequestConfig) {
	const config = withoutCookieAgents(given);
	if (parts.ownsConnections) assertNoAgent(config);
	let hop = firstHop(config);
	if (hop === undefined) return parts.fallback(config);

	const call: Call = {
		config,
		jar: jarOf(config, parts.jar),
		policy: redirectPolicy(config, hop, parts),
		deadline: config.timeout ? performance.now() + Number(config.timeout) : undefined,
	};
	for (;;) {
		const response = await send(parts, call, hop);
		const next = follow(call, hop, response);
		if (next === undefined) return settle(response, given, hop);
		discard(response);
		hop = next;
	}
}

async function send(parts: AdapterParts, call: Call, hop: Hop): Promise<AxiosResponse> {
	const {config, jar, deadline} = call;
	const cookie = jar && (await cookieHeader(jar, hop.url, hop.headers.get('Cookie')?.toString()));
	parts.assertOpen(config);
	// A jar may have taken its time: what was cancelled meanwhile is not sent.
	throwIfCancelled(config);

	const response = await parts
		.exchange({
			hop,
			config,
			cookie,
			agent: config.httpsAgent ? undefined : parts.agent,
			proxy: resolveProxy(config.proxy as ProxySetting, hop.url),
			remainingMs: deadline && Math.max(1, Math.ceil(deadline - performance.now())),
		})
		.catch((error) => {
			throw diagnose(error, hop, config);
		});
	const lines = response.headers['set-cookie'];
	if (jar && lines) await storeCookies(jar, hop.url, lines);
	return response;
}

/** The next hop; `undefined` when the response is the answer. */
function follow({config, policy}: Call, hop: Hop, response: AxiosResponse): Hop | undefined {
	const {status, headers, request} = response;
	const step = nextHop(hop, {status, location: headers.location}, policy);
	switch (step.kind) {
		case 'stop':
			return undefined;
		case 'too-many':
			discard(response);
			throw new AxiosError(
				'Maximum number of redirects exceeded',
				AxiosError.ERR_FR_TOO_MANY_REDIRECTS,
				config,
				request,
			);
		case 'bad-location':
			discard(response);
			throw redirectionFailure(step.reason, config, request);
		case 'insecure':
			discard(response);
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
		changed = askBeforeRedirect(config.beforeRedirect, next, hop, response);
	} catch (error) {
		discard(response);
		throw redirectionFailure((error as Error).message, config, response.request, error);
	}
	// The callback may have sent it elsewhere: the rules hold for where it goes now.
	if (isDowngrade(hop.url, changed.url) && !policy.allowInsecureRedirects) {
		discard(response);
		throw insecureRedirect(hop, changed.url, config);
	}
	return {...changed, showing: redirectShowing(changed.url, policy)};
}

// Code and words of follow-redirects, which axios users know.
function redirectionFailure(
	reason: string,
	config: InternalAxiosRequestConfig,
	request: unknown,
	cause?: unknown,
): AxiosError {
	const error = new AxiosError(
		`Redirected request failed: ${reason}`,
		'ERR_FR_REDIRECTION_FAILURE',
		config,
		request,
	);
	Object.defineProperty(error, 'cause', {value: cause, writable: true, configurable: true});
	return error;
}
