/*
 * One hop of a call: cookies in, exchange, cookies out.
 */
import {AxiosError, type AxiosResponse, isAxiosError} from 'axios';
import {type ProxyServer, resolveProxy} from '../connection/proxy/resolve-proxy.ts';
import {isForwarded} from '../connection/route.ts';
import {type CookieList, cookieHeader, readCookies} from '../cookies/cookie-header.ts';
import {storeCookies} from '../cookies/set-cookie.ts';
import {CausedError, MtlsConfigError} from '../errors.ts';
import {abortable} from '../exchange/abortable.ts';
import {closedError} from '../exchange/axios-errors.ts';
import {type ExchangeInput, type Head, headerOf, headOf} from '../exchange/exchange.ts';
import {
	type GlobalAgent,
	globalAgentOf,
	hasOwnProxies,
	noGlobalAgent,
} from '../exchange/global-agent.ts';
import {cookieOfApp, type Hop, wirePath} from '../exchange/hop.ts';
import {alpnOf} from '../exchange/http2-options.ts';
import {connectionLossOf} from '../exchange/may-retry.ts';
import {adoptHeaders} from '../exchange/outgoing/config-headers.ts';
import {apiKey, registry} from '../logging/opentelemetry.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {diagnose, proxyAuthRequired} from './diagnose.ts';
import {dropBody} from './in-flight.ts';
import {explainPlainHttp} from './plain-http.ts';
import {abortSources, type Call, remainingMs, throwIfCancelled} from './prepare-call.ts';
import {Retries} from './retries.ts';
import {setResponseUrl} from './settle.ts';
import {tracedExchange} from './traced-exchange.ts';
import {withXsrfToken, xsrfHeader} from './xsrf.ts';

/** Sends a hop, resends it if its connection was stale, and stores the cookies of the response. */
export async function sendHop(call: Call, hop: Hop): Promise<AxiosResponse> {
	const {client, config} = call;
	const jar = jarFor(call, hop);
	const read = jar && readCookies(jar, hop.url, client.cookiePolicy, wirePath(hop));
	const cookies =
		read instanceof Promise
			? await abortable(read, abortSources(call), 'the jar has not given its cookies yet')
			: read;
	const {agent: globalAgent, ca} = followedGlobalAgent(call, hop);
	const {identities} = client.connections;
	const found = ca === undefined ? identities.selector.at(hop.url.origin) : identities.trusting(ca);
	const snapshot = found instanceof Promise ? await loadSnapshot(found, call) : found;
	// The jar or the loader may have been slow: a request that was cancelled meanwhile is not sent.
	if (client.inFlight.ended) throw closedError(config);
	throwIfCancelled(config);

	const input = prepareHop(call, hop, cookies, {snapshot, globalAgent});
	// Read here, because most apps have none.
	const exchange = registry[apiKey]?.trace === undefined ? call.exchange : tracedExchange(call);
	let retries: Retries | undefined;
	let response: AxiosResponse | undefined;
	while (response === undefined) {
		try {
			response = await exchange(
				retries === undefined ? input : {...input, remainingMs: remainingMs(call), fresh: true},
			);
		} catch (error) {
			retries ??= new Retries();
			await resendOrThrow(error, retries, call, input);
		} finally {
			if (input.hop !== hop) adoptHeaders(hop.headers, input.hop.headers, [xsrfHeader(config)]);
		}
	}
	const stored = finishHop(call, hop, input.proxy, response);
	if (stored !== undefined) await stored;
	return response;
}

function prepareHop(
	call: Call,
	hop: Hop,
	cookies: CookieList | undefined,
	{snapshot, globalAgent}: Pick<ExchangeInput, 'snapshot' | 'globalAgent'>,
): ExchangeInput {
	const {client, config, redirectPolicy, timeouts, timeoutMs} = call;
	const secure = hop.url.protocol === 'https:';
	const agentFindsProxy =
		globalAgent !== undefined && call.proxy === undefined && hasOwnProxies(globalAgent);
	return {
		hop: cookies === undefined || hop.leftOrigin ? hop : withXsrfToken(hop, config, cookies),
		config,
		cookie: cookies && cookieHeader(cookies, cookieOfApp(hop)),
		snapshot,
		// Security: plain http may go through an https proxy, which this client verifies, not axios.
		agent: secure && (call.hasHttpsAgent || globalAgent) ? undefined : client.agent,
		globalAgent,
		proxy: agentFindsProxy ? undefined : proxyFor(call, hop.url),
		net: call.net,
		followsRedirect: redirectPolicy.maxRedirects !== 0,
		idleMs: timeoutMs,
		remainingMs: remainingMs(call),
		timeouts,
		fresh: false,
		closed: client.inFlight.signal,
		limited: client.connections.limit !== undefined,
	};
}

/** Returns if the request must be sent again. @throws the error for the app if it must not. */
async function resendOrThrow(
	error: unknown,
	retries: Retries,
	call: Call,
	{hop, proxy, snapshot}: ExchangeInput,
): Promise<void> {
	const {client, config} = call;
	// A request that the client's close() ended did not fail because of the server.
	if (client.inFlight.ended) throw closedError(config);
	const loss = connectionLossOf(error, hop);
	if (loss !== undefined) {
		if (retries.allow(loss)) {
			await retries.pause(abortSources(call));
			throwIfCancelled(config);
			return;
		}
		retries.explain(error as AxiosError, loss);
	}
	const head = headOf(error);
	if (head && !isRefusedByProxy(head, hop, proxy, config)) {
		// The app gets this error even if the jar fails too.
		await storeCookiesOf(head, call, hop)?.catch(() => {});
	}
	if (isAxiosError(error) && error.response) {
		setResponseUrl(error.response, call.redirectPolicy, hop);
	}
	if (hop.url.protocol === 'http:' && proxy === undefined) {
		explainPlainHttp(error, loss, snapshot.identity !== null);
	}
	throw diagnose(error, hop, config);
}

/** Stores the cookies of a response. @returns a promise only if it has some. */
function finishHop(
	call: Call,
	hop: Hop,
	proxy: ProxyServer | undefined,
	response: AxiosResponse,
): Promise<void> | undefined {
	if (isRefusedByProxy(response, hop, proxy, call.config)) {
		// The response is the proxy's, not the server's.
		dropBody(response);
		throw proxyAuthRequired(proxy, hop, call.config, response);
	}
	return storeCookiesOf(response, call, hop)?.catch((error) => {
		dropBody(response);
		throw error;
	});
}

function isRefusedByProxy(
	{status}: Head,
	hop: Hop,
	proxy: ProxyServer | undefined,
	config: Call['config'],
): proxy is ProxyServer {
	if (status !== 407) return false;
	return isForwarded({secure: hop.url.protocol === 'https:', proxy, alpn: alpnOf(config)});
}

// Security: at an origin of another identity, a request with cookies would act in its name. The cookies
// of an anonymous response could end that identity's session, or start one of another user.
function jarFor({jar}: Call, {anonymizedBy}: Hop): Call['jar'] {
	return anonymizedBy === undefined ? jar : undefined;
}

/** Puts the cookies that a response sets into the jar; `undefined` where it sets none. */
function storeCookiesOf(head: Head, call: Call, hop: Hop): Promise<void> | undefined {
	const {client, shouldStoreCookies} = call;
	const jar = jarFor(call, hop);
	const lines = headerOf(head.headers, 'set-cookie');
	if (!jar || !lines || shouldStoreCookies?.(head, hop) === false) return undefined;
	const {cookiePolicy, onCookieRejected} = client;
	const stored = storeCookies(jar, hop.url, lines, cookiePolicy, onCookieRejected, wirePath(hop));
	return abortable(
		stored,
		abortSources(call),
		'the jar has not stored the cookies of the response yet',
	);
}

/** The parts of Node's global agent that apply: none if the client or the request has an agent. */
function followedGlobalAgent(call: Call, {url}: Hop): GlobalAgent {
	const secure = url.protocol === 'https:';
	const hasAgent = secure ? call.hasHttpsAgent : call.hasHttpAgent;
	return call.followsGlobalAgents && !hasAgent ? globalAgentOf(secure) : noGlobalAgent;
}

/** Waits for the loader of a client certificate. */
function loadSnapshot(loading: Promise<Snapshot>, call: Call): Promise<Snapshot> {
	// Security: what a loader throws may hold a token. It is the cause, which is not printed.
	const loaded = loading.catch((cause) => {
		const why = cause instanceof MtlsConfigError ? `: ${cause.message}` : '';
		const message = `our identity could not be loaded${why}`;
		throw new CausedError(message, 'ERR_MTLS_IDENTITY_FAILED', cause, call.config);
	});
	return abortable(loaded, abortSources(call), '`mtls.identity` has not given a certificate yet');
}

/** @throws {AxiosError} for a wrong environment variable, and where axios has an error of its own. */
function proxyFor({config, proxy}: Call, url: URL): ProxyServer | undefined {
	if (proxy === false) return undefined;
	try {
		return resolveProxy(proxy, url);
	} catch (cause) {
		if (!(cause instanceof MtlsConfigError)) throw cause;
		const isAxiosOption = cause.option === 'proxy.auth';
		if (proxy && !isAxiosOption) throw cause;
		const code = isAxiosOption ? AxiosError.ERR_BAD_OPTION : AxiosError.ERR_BAD_OPTION_VALUE;
		throw new CausedError(cause.message, code, cause, config);
	}
}
