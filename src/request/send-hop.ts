/*
 * One hop of a call: cookies in, exchange, cookies out.
 */
import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import {type HttpProxy, resolveProxy} from '../connection/proxy/proxy-config.ts';
import {cookieHeader, readCookies} from '../cookies/cookie-header.ts';
import {storeCookies} from '../cookies/set-cookie.ts';
import {CausedError, MtlsConfigError} from '../errors.ts';
import {abortable} from '../exchange/abortable.ts';
import {closedError, throwIfCancelled} from '../exchange/axios-errors.ts';
import {type Head, headerOf, headOf} from '../exchange/exchange.ts';
import {
	type GlobalAgent,
	globalAgent as globalAgentOf,
	hasOwnProxies,
} from '../exchange/global-agent.ts';
import {adoptHeaders} from '../exchange/headers.ts';
import {cookieOfApp, type Hop, wirePath} from '../exchange/hop.ts';
import {wantsHttp2} from '../exchange/http2-options.ts';
import {isForwarded} from '../exchange/proxy-request.ts';
import {connectionLossOf} from '../exchange/resend.ts';
import type {ProxySetting} from '../options.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {type AdapterParts, type Call, remainingMs, waiting} from './call.ts';
import {diagnose, proxyWantsLogin} from './diagnose.ts';
import {dropBody} from './response-body.ts';
import {Retries} from './retries.ts';
import {setResponseUrl} from './settle.ts';
import {withXsrfToken, xsrfHeader} from './xsrf.ts';

/** Sends a hop and keeps the cookies of its answer. */
export async function send(parts: AdapterParts, call: Call, hop: Hop): Promise<AxiosResponse> {
	const {config, policy, timeoutMs} = call;
	const jar = jarAt(call, hop);
	const asked = jar && readCookies(jar, hop.url, parts.cookiePolicy, wirePath(hop));
	const cookies = asked instanceof Promise ? await abortable(asked, waiting(parts, call)) : asked;
	const secure = hop.url.protocol === 'https:';
	const {agent: globalAgent, ca} = followed(parts, config, secure);
	const taken = ca === undefined ? parts.snapshotAt(hop.url.origin) : parts.trusting(ca);
	const snapshot = taken instanceof Promise ? await ours(taken, parts, call) : taken;
	// A jar, or a vault, may have taken its time: what was cancelled meanwhile is not sent.
	if (parts.lifetime.ended) throw closedError(config);
	throwIfCancelled(config);

	const asksItself =
		globalAgent !== undefined &&
		(config.proxy ?? undefined) === undefined &&
		hasOwnProxies(globalAgent);
	const proxy = asksItself ? undefined : proxyOf(config, hop.url);
	const sent = cookies === undefined || hop.leftOrigin ? hop : withXsrfToken(hop, config, cookies);
	let response: AxiosResponse;
	let retries: Retries | undefined;
	for (;;) {
		try {
			response = await parts.exchange({
				hop: sent,
				config,
				cookie: cookies && cookieHeader(cookies, cookieOfApp(hop)),
				snapshot,
				// Security: plain http may go by an https proxy, which is verified by us and not told to axios.
				agent: secure && (config.httpsAgent || globalAgent) ? undefined : parts.agent,
				globalAgent,
				proxy,
				followsRedirect: policy.maxRedirects !== 0,
				idleMs: timeoutMs,
				remainingMs: remainingMs(call),
				timeouts: call.timeouts,
				fresh: retries !== undefined,
				closed: parts.lifetime.signal,
			});
			break;
		} catch (error) {
			// What ended with the client is not the server's failure.
			if (parts.lifetime.ended) throw closedError(config);
			const ending = connectionLossOf(error, hop);
			if (ending !== undefined) {
				retries ??= new Retries();
				if (retries.allow(ending)) {
					await retries.pause(waiting(parts, call));
					throwIfCancelled(config);
					continue;
				}
				retries.explain(error as AxiosError);
			}
			const head = headOf(error);
			if (head && !(head.status === 407 && isForwarded(hop, proxy))) {
				// The app is to hear of the answer, whatever the jar says.
				await keepCookies(parts, call, hop, head)?.catch(() => {});
			}
			if (error instanceof AxiosError && error.response)
				setResponseUrl(error.response, policy, hop);
			throw diagnose(error, hop, config);
		} finally {
			if (sent !== hop) adoptHeaders(hop.headers, sent.headers, [xsrfHeader(config)]);
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

/** @throws {AxiosError} where the environment is wrong, and where axios has an error of its own. */
function proxyOf(config: InternalAxiosRequestConfig, url: URL): HttpProxy | undefined {
	const setting = config.proxy as ProxySetting | undefined;
	try {
		return resolveProxy(setting, url);
	} catch (cause) {
		if (!(cause instanceof MtlsConfigError)) throw cause;
		const isAxios = cause.option === 'proxy.auth';
		if (setting && !isAxios) throw cause;
		const code = isAxios ? AxiosError.ERR_BAD_OPTION : AxiosError.ERR_BAD_OPTION_VALUE;
		throw new CausedError(cause.message, code, cause, config);
	}
}

// Security: with the cookies that another identity of ours has there, it would be done in its name; and
// what is answered to nobody could end its session, or begin one of a stranger's.
function jarAt({jar}: Call, {guestOf}: Hop): Call['jar'] {
	return guestOf === undefined ? jar : undefined;
}

const nothingFollowed: GlobalAgent = withoutPrototype({});

/** What is to be followed of Node's global agent: nothing where the connections are ours or the request's. */
function followed(
	{ownsConnections}: AdapterParts,
	config: InternalAxiosRequestConfig,
	secure: boolean,
): GlobalAgent {
	if (ownsConnections || (secure ? config.httpsAgent : config.httpAgent)) return nothingFollowed;
	// axios asks no agent for HTTP/2.
	return wantsHttp2(config) ? nothingFollowed : globalAgentOf(secure);
}

/** Puts what an answer sets into the jar; `undefined` where it sets nothing. */
function keepCookies(
	parts: AdapterParts,
	call: Call,
	hop: Hop,
	head: Head,
): Promise<void> | undefined {
	const {shouldStoreCookies} = call;
	const jar = jarAt(call, hop);
	const lines = headerOf(head.headers, 'set-cookie');
	if (!jar || !lines || shouldStoreCookies?.(head, hop) === false) return undefined;
	const {cookiePolicy, onCookieRejected} = parts;
	const stored = storeCookies(jar, hop.url, lines, cookiePolicy, onCookieRejected, wirePath(hop));
	return abortable(stored, waiting(parts, call));
}

/** Our identity, where it has yet to be fetched. */
async function ours(taken: Promise<Snapshot>, parts: AdapterParts, call: Call): Promise<Snapshot> {
	const {config} = call;
	// Security: what a loader throws may hold a token, so it is the cause, which does not print.
	const fetched = taken.catch((cause) => {
		const why = cause instanceof MtlsConfigError ? `: ${cause.message}` : '';
		const message = `our identity could not be loaded${why}`;
		throw new CausedError(message, 'ERR_MTLS_IDENTITY_FAILED', cause, config);
	});
	return abortable(fetched, waiting(parts, call));
}
