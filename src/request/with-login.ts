/*
 * A call within the client's login session: sent after the login, and again if the response says that
 * the session is over.
 */
import type {AxiosResponse, AxiosResponseHeaders} from 'axios';
import {CausedError} from '../errors.ts';
import {abortable} from '../exchange/abortable.ts';
import {closedError} from '../exchange/axios-errors.ts';
import {type Head, headerOf, isRedirect} from '../exchange/exchange.ts';
import type {Hop} from '../exchange/hop.ts';
import {LoginFailure, sessionError} from '../login/login-error.ts';
import type {LoginSession} from '../login/login-session.ts';
import type {SessionSettings} from '../login/session-options.ts';
import type {Login} from '../login/shared-login.ts';
import {dropBody} from './in-flight.ts';
import {abortSources, type Call, throwIfCancelled} from './prepare-call.ts';
import type {FinalResponse} from './settle.ts';

/** Sends all hops of a call; may be called again. */
type Send = (shouldStoreCookies: (head: Head, hop: Hop) => boolean) => Promise<FinalResponse>;

/**
 * Sends a call after the login, and once more after another login if the response says that the session
 * is over. The app then gets the second response, whatever it says. If the body cannot be sent twice,
 * the app gets the first one.
 *
 * Servers may end a session, or start an anonymous one, with a `Set-Cookie` in the response that refuses
 * the request. The cookies of an earlier session must not replace those of a later login. If processes
 * share the session, another process may have made that login, which is known only later.
 */
export async function withLogin(
	session: LoginSession,
	call: Call,
	send: Send,
): Promise<FinalResponse> {
	const {body} = call.firstHop;
	let login = session.current ?? (await loginAfter(session, call, undefined));
	let last = false;
	const isBodySpent = () => body?.replayable === false;
	const isLast = () => last || isBodySpent() || session.isUseless(login);
	const shouldStoreCookies = (head: Head, hop: Hop) => {
		if (session.current !== login) return false;
		return !session.isShared || isLast() || !isRefusal(session.settings, head, hop);
	};
	for (let sent = 1; ; sent += 1) {
		const final = await send(shouldStoreCookies);
		if (isBodySpent()) {
			return withNote(final, 'there was no other login, because the body cannot be sent twice');
		}
		const over = isOver(session, call, final);
		// A plain value is not awaited: that would cost each request a turn of the event loop.
		if (!(over instanceof Promise ? await over : over)) {
			session.markValid(login);
			return final;
		}
		if (last) session.markUseless(login);
		if (last) return withNote(final, 'after a login that succeeded, the request was sent again');
		if (isLast()) {
			const wait = `the next login may begin in ${Math.ceil(session.retryAfterMs)} ms`;
			return withNote(final, `the last login succeeded and gave no session; ${wait}`);
		}

		dropBody(final.response);
		login = await loginAfter(session, call, login);
		// Another process's login is of unknown age, and its session may be over too: then one more is allowed.
		last = !login.adopted || sent > 1;
	}
}

/** For a response that refuses the request: any other needs no explanation. */
function withNote(final: FinalResponse, note: string): FinalResponse {
	return final.response.status === 401 ? {...final, note} : final;
}

function isOver(
	{settings}: LoginSession,
	call: Call,
	final: FinalResponse,
): boolean | Promise<boolean> {
	const over = isSessionOver(settings, final);
	return over instanceof Promise
		? abortable(over, abortSources(call), '`session.isExpired` has not decided yet')
		: over;
}

async function loginAfter(
	session: LoginSession,
	call: Call,
	used: Login | undefined,
): Promise<Login> {
	const {client, config} = call;
	throwIfCancelled(config);
	try {
		return await abortable(session.after(used), abortSources(call), 'the login is not over yet');
	} catch (error) {
		// A request that the client's close() ended did not fail because of the login.
		if (client.inFlight.ended) throw closedError(config);
		throw error instanceof LoginFailure ? sessionError(error, config, session.retryAfterMs) : error;
	}
}

type ExpiryRule = Pick<SessionSettings, 'isExpired' | 'loginUrl'>;

/**
 * Whether a response says that the session is over: by the app's `isExpired`, or else by `isRefusal`.
 *
 * @returns a promise only where `isExpired` does.
 * @throws {AxiosError} `ERR_MTLS_EXPIRY_UNKNOWN` when `isExpired` fails.
 */
function isSessionOver(
	rule: ExpiryRule,
	{response, hop}: FinalResponse,
): boolean | Promise<boolean> {
	const {isExpired} = rule;
	if (isExpired === undefined) return isRefusal(rule, response, hop);
	const fail = (cause: unknown): never => {
		throw unknownExpiry(response, cause);
	};
	try {
		const expired: unknown = isExpired(withTransformedData(response));
		if (typeof (expired as PromiseLike<unknown> | null)?.then !== 'function')
			return Boolean(expired);
		return Promise.resolve(expired).then(Boolean, fail);
	} catch (cause) {
		return fail(cause);
	}
}

/** Whether a response or redirect means the end of the session, unless the app has its own `isExpired`. */
function isRefusal({isExpired, loginUrl}: ExpiryRule, head: Head, hop: Hop): boolean {
	if (isExpired !== undefined) return false;
	// An anonymous request gets a 401 also while the session is valid.
	const unauthorized = head.status === 401 && hop.anonymizedBy === undefined;
	return unauthorized || (loginUrl !== undefined && leadsTo(loginUrl, head, hop));
}

/** Whether the response is the login page to which a redirect led, or a redirect to that page. */
function leadsTo(loginUrl: URL, {status, headers}: Head, hop: Hop): boolean {
	if (hop.index > 0 && isSamePage(hop.url, loginUrl)) return true;
	const location = headerOf(headers, 'location');
	if (!isRedirect(status) || !location) return false;
	const target = URL.parse(location, hop.url.href);
	return target !== null && isSamePage(target, loginUrl);
}

function isSamePage(url: URL, {origin, pathname}: URL): boolean {
	return url.origin === origin && url.pathname === pathname;
}

/** The response with the `data` that axios will make of it, made when it is first read. */
function withTransformedData(response: AxiosResponse): AxiosResponse {
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
		// The data may not be JSON, for example: axios throws after the adapter.
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
