/*
 * One call, hop by hop: send, and what next?
 */
import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig, isCancel} from 'axios';
import {jarOf} from '../cookies/jar.ts';
import {closedError} from '../exchange/axios-errors.ts';
import type {Hop} from '../exchange/hop.ts';
import {hideSecrets, redactInvalidUrl} from '../logging/redact.ts';
import type {LoginSession} from '../login/login-session.ts';
import {flattened} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';
import {type Adapter, type AdapterParts, type Call, waiting} from './call.ts';
import {removeCallerFrames} from './caller-frames.ts';
import {assertNoConflictingAgent, withoutCookieAgents} from './conflicting-agents.ts';
import {firstHop} from './first-hop.ts';
import {follow} from './follow-redirect.ts';
import {redirectPolicy} from './redirect.ts';
import {withinTimeout} from './request-timeout.ts';
import {holdBody} from './response-body.ts';
import {send} from './send-hop.ts';
import {type Answer, complete, settle} from './settle.ts';
import {resolveTimeouts} from './timeouts.ts';
import {withLogin} from './with-login.ts';

/** Makes an axios adapter that owns the hops. */
export function makeAdapter(parts: AdapterParts): Adapter {
	return async (originalConfig) => {
		parts.lifetime.begin();
		try {
			const response = await run(parts, originalConfig);
			holdBody(response, originalConfig, parts.lifetime, true);
			return response;
		} catch (error) {
			if (error instanceof Error) removeCallerFrames(error);
			if (error instanceof AxiosError) {
				// A hop's own config holds the jar's cookies, which a retry would send once more.
				// A token that is cancelled gives all its requests one error, which knows of none.
				if (error.config || !isCancel(error)) error.config = originalConfig;
				if (error.response) error.response.config = originalConfig;
				hideSecrets(error);
				holdBody(error.response, originalConfig, parts.lifetime, false);
			} else if (error instanceof Error && Object.hasOwn(error, 'config')) {
				// Of a URL that could not be built: no AxiosError, and the whole config is in it.
				hideSecrets(error);
			} else {
				redactInvalidUrl(error);
			}
			throw error;
		} finally {
			parts.lifetime.done();
		}
	};
}

// Not async: each turn that a call waits for is felt in a small one.
function run(
	parts: AdapterParts,
	originalConfig: InternalAxiosRequestConfig,
): Promise<AxiosResponse> {
	const config = withoutCookieAgents(flattened(originalConfig));
	const {lifetime, partOfLogin} = parts;
	if (partOfLogin ? lifetime.ended : lifetime.closing) throw closedError(config);
	if (parts.ownsConnections) assertNoConflictingAgent(config);
	const hop = firstHop(config);
	if (hop === undefined) return parts.fallback(config);

	const timeouts = resolveTimeouts(config.timeouts, parts.timeouts);
	const {requestMs} = timeouts;
	if (!requestMs) return begin(parts, {config, originalConfig, timeouts}, hop);
	return withinTimeout({
		config,
		requestMs,
		url: hop.url,
		run: (bounded) => begin(parts, {config: bounded, originalConfig, timeouts}, hop),
	});
}

function begin(
	parts: AdapterParts,
	asked: Pick<Call, 'config' | 'originalConfig' | 'timeouts'>,
	hop: Hop,
): Promise<AxiosResponse> {
	const {config, originalConfig, timeouts} = asked;
	const {lifetime} = parts;
	// What is no number is refused by axios's exchange, in its own words.
	const timeoutMs =
		Math.min(Number.parseInt(String(config.timeout || ''), 10), MAX_TIMER_MS) || undefined;
	const call: Call = {
		config,
		originalConfig,
		timeouts,
		jar: jarOf(config, parts.jar),
		policy: redirectPolicy(config, hop, parts),
		timeoutMs,
		shouldStoreCookies: undefined,
		deadline: timeoutMs === undefined ? undefined : performance.now() + timeoutMs,
	};
	const end = (answer: Answer) => {
		// A redirect has made a GET of it. Not in `walk`: a login may come, and the body once more.
		if (answer.hop.body === undefined) hop.body?.discard();
		else hop.body?.last();
		return settle(answer, config);
	};
	const session = sessionOf(parts, call);
	if (session === undefined) return walk(parts, call, hop, end);
	return withLogin(session, {
		config,
		body: hop.body,
		send: (shouldStoreCookies) =>
			walk(parts, {...call, shouldStoreCookies}, hop, (answer) => answer),
		waiting: () => waiting(parts, call),
		assertOpen() {
			if (lifetime.ended) throw closedError(config);
		},
	}).then(end);
}

function sessionOf({session}: AdapterParts, {config, jar}: Call): LoginSession | undefined {
	return session?.settings.jar === jar && config.session !== false ? session : undefined;
}

/** Hop by hop to the answer, which `end` makes the result. */
async function walk<T>(
	parts: AdapterParts,
	call: Call,
	first: Hop,
	end: (answer: Answer) => T,
): Promise<T> {
	let hop = first;
	let response: AxiosResponse;
	try {
		for (;;) {
			response = await send(parts, call, hop);
			const next = follow(call, hop, response);
			if (next === undefined) break;
			hop = next;
		}
	} catch (error) {
		if (hop.body === undefined) first.body?.discard();
		throw error;
	}
	complete(response, call, hop);
	return end({response, hop});
}
