/*
 * One call, hop by hop: cookies in, exchange, cookies out, what next?
 */
import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig, isCancel} from 'axios';
import {keepCause, MtlsConfigError} from '../errors.ts';
import type {CookiePolicy} from '../jar/policy.ts';
import type {Lifetime} from '../lifetime.ts';
import {longestDelayMs} from '../longest-delay.ts';
import type {MtlsAgent} from '../net/agent.ts';
import {type ProxySetting, resolveProxy} from '../net/proxy.ts';
import type {CookieRefusal, Timeouts} from '../options.ts';
import {hideSecrets} from '../redact.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {type CookieJar, cookieHeader, jarOf, readCookies, storeCookies} from './cookies.ts';
import {diagnose, proxyWantsLogin} from './diagnose.ts';
import {endingOf} from './ending.ts';
import type {Exchange} from './exchange.ts';
import {follow} from './follow.ts';
import {assertNoAgent, withoutCookieAgents} from './foreign-agent.ts';
import {isForwarded} from './forward.ts';
import {firstHop, type Hop, ownCookie} from './hop.ts';
import {type Waiting, withPatience} from './patience.ts';
import {type RedirectPolicy, redirectPolicy} from './redirect.ts';
import {withinDeadline} from './request-deadline.ts';
import {
	type Answer,
	closedError,
	complete,
	type Head,
	headOf,
	settle,
	tellUrl,
	throwIfCancelled,
} from './response.ts';
import {inSession} from './session/in-session.ts';
import type {Session} from './session/session.ts';
import {isStale} from './stale.ts';
import {dropBody, holdBody} from './streamed-body.ts';
import {resolveTimeouts} from './timeouts.ts';
import {withXsrfToken} from './xsrf.ts';

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
	/** Of the requests that use its jar and do not say `session: false`. */
	readonly session?: Session | undefined;
	/** The requests belong to calls that are in flight: a login's. They may begin while the client closes. */
	readonly nested?: boolean;
	/** Who we are, origin by origin. */
	readonly snapshotAt: (origin: string) => Snapshot | Promise<Snapshot>;
	/** Whether our certificate may be shown at an origin that the app does not ask for. */
	readonly lists: (origin: string) => boolean;
	/** Holds for any jar. */
	readonly cookiePolicy: CookiePolicy;
	readonly tellRefused: (refusal: CookieRefusal) => void;
	readonly allowInsecureRedirects: boolean;
	/** For the requests that have none of their own. */
	readonly timeouts: Timeouts;
	/** Ends with the client. */
	readonly lifetime: Lifetime;
}

/** What holds for all hops of one call. */
interface Call {
	readonly config: InternalAxiosRequestConfig;
	/** As the app gave it: what it gets back. */
	readonly given: InternalAxiosRequestConfig;
	readonly jar: CookieJar | undefined;
	readonly policy: RedirectPolicy;
	readonly timeouts: Timeouts;
	readonly timeoutMs: number | undefined;
	/** Of the last answer's head, on the clock of `performance.now()`. */
	readonly deadline: number | undefined;
	/** Whether the cookies of an answer are kept; all are where there is no session. */
	readonly keeps?: (head: Head, hop: Hop) => boolean;
}

/** Makes an axios adapter that owns the hops. */
export function makeAdapter(parts: AdapterParts): Adapter {
	return async (given) => {
		parts.lifetime.begin();
		try {
			const response = await run(parts, given);
			holdBody(response, given, parts.lifetime, true);
			return response;
		} catch (error) {
			if (error instanceof AxiosError) {
				// A hop's own config holds the jar's cookies, which a retry would send once more.
				// A token that is cancelled gives all its requests one error, which knows of none.
				if (error.config || !isCancel(error)) error.config = given;
				if (error.response) error.response.config = given;
				hideSecrets(error);
				holdBody(error.response, given, parts.lifetime, false);
			}
			throw error;
		} finally {
			parts.lifetime.done();
		}
	};
}

// Not async: each turn that a call waits for is felt in a small one.
function run(parts: AdapterParts, given: InternalAxiosRequestConfig): Promise<AxiosResponse> {
	const config = withoutCookieAgents(given);
	const {lifetime, nested} = parts;
	if (nested ? lifetime.ended : lifetime.closing) throw closedError(config);
	if (parts.ownsConnections) assertNoAgent(config);
	const hop = firstHop(config);
	if (hop === undefined) return parts.fallback(config);

	const timeouts = resolveTimeouts(config.timeouts, parts.timeouts);
	const {requestMs} = timeouts;
	if (!requestMs) return begin(parts, {config, given, timeouts}, hop);
	return withinDeadline({
		config,
		requestMs,
		url: hop.url,
		run: (bounded) => begin(parts, {config: bounded, given, timeouts}, hop),
	});
}

function begin(
	parts: AdapterParts,
	asked: Pick<Call, 'config' | 'given' | 'timeouts'>,
	hop: Hop,
): Promise<AxiosResponse> {
	const {config, given, timeouts} = asked;
	const {lifetime} = parts;
	// What is no number is refused by axios's exchange, in its own words.
	const timeoutMs =
		Math.min(Number.parseInt(String(config.timeout || ''), 10), longestDelayMs) || undefined;
	const call: Call = {
		config,
		given,
		timeouts,
		jar: jarOf(config, parts.jar),
		policy: redirectPolicy(config, hop, parts),
		timeoutMs,
		deadline: timeoutMs === undefined ? undefined : performance.now() + timeoutMs,
	};
	const end = (answer: Answer) => {
		// A redirect has made a GET of it, which may fail as well.
		if (answer.hop.body === undefined) hop.body?.discard();
		return settle(answer, given);
	};
	const session = sessionOf(parts, call);
	if (session === undefined) return walk(parts, call, hop, end);
	return inSession(session, {
		config,
		body: hop.body,
		send: (keeps) => walk(parts, {...call, keeps}, hop, (answer) => answer),
		waiting: () => waiting(parts, call),
		assertOpen() {
			if (lifetime.ended) throw closedError(config);
		},
	}).then(end);
}

function sessionOf({session}: AdapterParts, {config, jar}: Call): Session | undefined {
	return session?.settings.jar === jar && config.session !== false ? session : undefined;
}

/** Hop by hop to the answer, which `end` makes the result. */
async function walk<T>(
	parts: AdapterParts,
	call: Call,
	first: Hop,
	end: (answer: Answer) => T,
): Promise<T> {
	let strayed = false;
	let hop = first;
	try {
		for (;;) {
			const response = await send(parts, call, hop, strayed);
			const next = follow(call, hop, response);
			if (next === undefined) {
				complete(response, call, hop);
				return end({response, hop});
			}
			strayed ||= next.url.origin !== hop.url.origin;
			hop = next;
		}
	} catch (error) {
		if (hop.body === undefined) first.body?.discard();
		throw error;
	}
}

/** @param strayed - A redirect has led to another origin on the way. */
async function send(
	parts: AdapterParts,
	call: Call,
	hop: Hop,
	strayed: boolean,
): Promise<AxiosResponse> {
	const {config, jar, policy, timeoutMs} = call;
	const asked = jar && readCookies(jar, hop.url, parts.cookiePolicy);
	const cookies =
		asked instanceof Promise ? await withPatience(asked, waiting(parts, call)) : asked;
	const taken = parts.snapshotAt(hop.url.origin);
	const snapshot = taken instanceof Promise ? await ours(taken, parts, call) : taken;
	// A jar, or a vault, may have taken its time: what was cancelled meanwhile is not sent.
	if (parts.lifetime.ended) throw closedError(config);
	throwIfCancelled(config);

	const proxy = resolveProxy(config.proxy as ProxySetting, hop.url);
	// Security: plain http may go by an https proxy, which is verified by us and not told to axios.
	const secure = hop.url.protocol === 'https:';
	let response: AxiosResponse;
	for (let fresh = false; ; fresh = true) {
		try {
			response = await parts.exchange({
				hop: cookies === undefined || strayed ? hop : withXsrfToken(hop, config, cookies),
				config,
				cookie: cookies && cookieHeader(cookies, ownCookie(hop)),
				snapshot,
				agent: secure && config.httpsAgent ? undefined : parts.agent,
				proxy,
				follows: policy.maxRedirects !== 0,
				idleMs: timeoutMs,
				remainingMs: remainingMs(call),
				timeouts: call.timeouts,
				fresh,
				closed: parts.lifetime.signal,
			});
			break;
		} catch (error) {
			// What ended with the client is not the server's failure.
			if (parts.lifetime.ended) throw closedError(config);
			const ending = fresh ? undefined : endingOf(error, hop);
			if (ending !== undefined && isStale(ending)) continue;
			const head = headOf(error);
			if (head && !(head.status === 407 && isForwarded(hop, proxy))) {
				// The app is to hear of the answer, whatever the jar says.
				await keepCookies(parts, call, hop, head)?.catch(() => {});
			}
			if (error instanceof AxiosError && error.response) tellUrl(error.response, policy, hop);
			throw diagnose(error, hop, config);
		}
	}
	if (response.status === 407 && isForwarded(hop, proxy)) {
		// The proxy's words are nobody's to read.
		dropBody(response);
		throw proxyWantsLogin(proxy, hop, config, response);
	}
	try {
		const kept = keepCookies(parts, call, hop, response);
		if (kept !== undefined) await kept;
	} catch (error) {
		dropBody(response);
		throw error;
	}
	return response;
}

/** Puts what an answer sets into the jar; `undefined` where it sets nothing. */
function keepCookies(
	parts: AdapterParts,
	call: Call,
	hop: Hop,
	head: Head,
): Promise<void> | undefined {
	const {jar, keeps} = call;
	const lines = head.headers['set-cookie'];
	if (!jar || !lines || keeps?.(head, hop) === false) return undefined;
	const stored = storeCookies(jar, hop.url, lines, parts.cookiePolicy, parts.tellRefused);
	return withPatience(stored, waiting(parts, call));
}

/** Our identity, where it has yet to be fetched. */
async function ours(taken: Promise<Snapshot>, parts: AdapterParts, call: Call): Promise<Snapshot> {
	const {config} = call;
	// Security: what a loader throws may hold a token, so it is the cause, which does not print.
	const fetched = taken.catch((cause) => {
		const why = cause instanceof MtlsConfigError ? `: ${cause.message}` : '';
		const error = new AxiosError(
			`our identity could not be loaded${why}`,
			'ERR_MTLS_IDENTITY_FAILED',
			config,
		);
		throw keepCause(error, cause);
	});
	return withPatience(fetched, waiting(parts, call));
}

function waiting({lifetime}: AdapterParts, call: Call): Waiting {
	return {config: call.config, remainingMs: remainingMs(call), closed: lifetime.signal};
}

function remainingMs({deadline}: Call): number | undefined {
	return deadline && Math.max(1, Math.ceil(deadline - performance.now()));
}
