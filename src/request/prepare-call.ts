/*
 * Reads the axios config of a call, once.
 */
import {
	Axios,
	type AxiosBasicCredentials,
	AxiosError,
	type AxiosRequestConfig,
	type AxiosResponse,
	CanceledError,
	type InternalAxiosRequestConfig,
} from 'axios';
import type {Connections} from '../connection/connections.ts';
import type {MtlsAgent} from '../connection/mtls-agent.ts';
import type {Route} from '../connection/route.ts';
import {type CookieJar, jarOf} from '../cookies/jar.ts';
import type {CookiePolicy} from '../cookies/policy.ts';
import type {AbortSources} from '../exchange/abortable.ts';
import type {Exchange, Head} from '../exchange/exchange.ts';
import {type Hop, withoutCredentials} from '../exchange/hop.ts';
import {tlsHttp2Option, wantsHttp2} from '../exchange/http2-options.ts';
import {makeBody} from '../exchange/outgoing/request-body.ts';
import type {LoginSession} from '../login/login-session.ts';
import type {CookieRefusal, ProxySetting, Timeouts} from '../options.ts';
import type {IdentitySelector} from '../tls/rotation/identity-selector.ts';
import {BoundedMap} from '../util/bounded-map.ts';
import {badOption, describeType, flattened, memberOf} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';
import {decodePercent} from '../util/url.ts';
import {assertNoConflictingAgent, withoutCookieAgents} from './conflicting-agents.ts';
import type {InFlightRequests} from './in-flight.ts';
import {netOptions} from './net-options.ts';
import type {RedirectPolicy} from './redirect.ts';
import {resolveTimeouts} from './timeouts.ts';

export type Adapter = (config: InternalAxiosRequestConfig) => Promise<AxiosResponse>;

/** What all calls of a client share. */
export interface ClientContext {
	/**
	 * The exchange for the requests of a config.
	 *
	 * @throws {MtlsConfigError} when the config has an option of a client.
	 */
	readonly chooseExchange: (config: InternalAxiosRequestConfig) => Exchange;
	/** For `data:` URLs, and for URLs that axios refuses with an error of its own. */
	readonly fallback: Adapter;
	readonly connections: Connections;
	/** For the connections of axios's own adapter, and of other clients. */
	readonly agent: MtlsAgent;
	/** Whether `mtls` was given, so that a request may not bring an agent of its own. */
	readonly ownsConnections: boolean;
	/** For requests that name no jar of their own. */
	readonly jar: CookieJar | undefined;
	/** For requests that use its jar and do not say `session: false`. */
	readonly session: LoginSession | undefined;
	/**
	 * Whether these are the requests of a login. Calls in flight wait for them, so they may start while
	 * the client closes.
	 */
	readonly partOfLogin: boolean;
	readonly redirectAccess: IdentitySelector['redirectAccess'];
	/** Holds for any jar. */
	readonly cookiePolicy: CookiePolicy;
	readonly onCookieRejected: (refusal: CookieRefusal) => void;
	readonly allowInsecureRedirects: boolean;
	/** For requests that have none of their own. */
	readonly timeouts: Timeouts;
	/** Shared together with the agent: closing one of the instances that share it closes them all. */
	readonly inFlight: InFlightRequests;
}

/** The settings of one call, for all its hops. Only {@link prepareCall} decides them. */
export interface Call {
	readonly client: ClientContext;
	/** Without a prototype, and without the agents of axios-cookiejar-support. */
	readonly config: InternalAxiosRequestConfig;
	/** The app's own config, which it gets back with the response or the error. */
	readonly originalConfig: InternalAxiosRequestConfig;
	readonly firstHop: Hop;
	readonly exchange: Exchange;
	/** Whether the app brings an agent of its own for requests over http. */
	readonly hasHttpAgent: boolean;
	/** The same over https. */
	readonly hasHttpsAgent: boolean;
	/** Whether Node's global agents are followed where the app brings none. */
	readonly followsGlobalAgents: boolean;
	readonly proxy: ProxySetting | undefined;
	/** How to reach the hosts, where the config says it. */
	readonly net: Route['net'];
	readonly jar: CookieJar | undefined;
	readonly session: LoginSession | undefined;
	/** Whether the cookies of a response are stored. `undefined`, without a session: always. */
	readonly shouldStoreCookies: ((head: Head, hop: Hop) => boolean) | undefined;
	readonly redirectPolicy: RedirectPolicy;
	readonly timeouts: Timeouts;
	/** axios's `timeout`. */
	readonly timeoutMs: number | undefined;
	/** When the head of the last response is due, on the clock of `performance.now()`. */
	readonly deadline: number | undefined;
}

/**
 * Reads the config of a call; `undefined` when it is not a request over http or https.
 *
 * @throws {MtlsConfigError} for an option of this package that cannot be used.
 * @throws {AxiosError} for an option of axios that cannot be used.
 */
export function prepareCall(
	originalConfig: InternalAxiosRequestConfig,
	client: ClientContext,
): Call | undefined {
	let config = flattened(originalConfig);
	if (config.httpAgent || config.httpsAgent) config = withoutCookieAgents(config);
	const {httpAgent, httpsAgent, http2Options} = config;
	if (client.ownsConnections && (httpAgent || httpsAgent || http2Options)) {
		assertNoConflictingAgent(config);
	}
	const hop = firstHop(config);
	if (hop === undefined) return undefined;

	const {session} = client;
	const jar = config.jar === undefined ? client.jar : jarOf(config, client.jar);
	// axios's own adapter refuses a timeout that is not a number, with its own error.
	const timeoutMs =
		Math.min(Number.parseInt(String(config.timeout || ''), 10), MAX_TIMER_MS) || undefined;
	return {
		client,
		config,
		originalConfig,
		firstHop: hop,
		exchange: client.chooseExchange(config),
		hasHttpAgent: Boolean(httpAgent),
		hasHttpsAgent: Boolean(httpsAgent),
		// axios does not use an agent for HTTP/2.
		followsGlobalAgents: !client.ownsConnections && !wantsHttp2(config),
		proxy: (config.proxy as ProxySetting | null | undefined) ?? undefined,
		net: hasNetOptions(config) ? netOptions(config) : undefined,
		jar,
		session: session?.settings.jar === jar && config.session !== false ? session : undefined,
		shouldStoreCookies: undefined,
		redirectPolicy: redirectPolicy(config, hop, client),
		timeouts:
			config.timeouts === undefined
				? client.timeouts
				: resolveTimeouts(config.timeouts, client.timeouts),
		timeoutMs,
		deadline: timeoutMs === undefined ? undefined : performance.now() + timeoutMs,
	};
}

function hasNetOptions(config: InternalAxiosRequestConfig): boolean {
	const {lookup, family, localAddress, socketPath} = config;
	return Boolean(lookup || socketPath || family !== undefined || localAddress !== undefined);
}

/** The sources that end a call while it waits for a jar, a login or a loader, not for a server. */
export function abortSources(call: Call): AbortSources {
	const {client, config} = call;
	return {config, remainingMs: remainingMs(call), closed: client.inFlight.signal};
}

/** @throws {CanceledError} when the request's signal or cancel token has cancelled it. */
export function throwIfCancelled(config: InternalAxiosRequestConfig): void {
	config.cancelToken?.throwIfRequested();
	if (config.signal?.aborted) throw new CanceledError(undefined, config);
}

/** The milliseconds until the deadline, 1 at least; `undefined` without a `timeout`. */
export function remainingMs({deadline}: Call): number | undefined {
	return deadline && Math.max(1, Math.ceil(deadline - performance.now()));
}

/** axios's default, which is that of follow-redirects. */
const defaultMaxRedirects = 21;

/**
 * Whether redirects are followed. As in axios, they are not if the app brings a transport or configures
 * TLS in `http2Options`. Unlike in axios, they are over the HTTP/2 connections of this client.
 */
export function followsRedirects(config: Partial<InternalAxiosRequestConfig>): boolean {
	const {maxRedirects, transport, httpVersion} = config;
	if (maxRedirects === 0) return false;
	if (httpVersion === undefined) return !transport;
	// axios does not use a transport for HTTP/2.
	if (wantsHttp2(config)) return tlsHttp2Option(config) === undefined;
	return !transport && Number(httpVersion) === 1;
}

/**
 * The policy of a call that begins with `hop`.
 *
 * @throws {AxiosError} axios's own, when `sensitiveHeaders` is not a list of names.
 * @throws {MtlsConfigError} when `allowInsecureRedirects` is neither true nor false.
 */
export function redirectPolicy(
	config: InternalAxiosRequestConfig,
	hop: Hop,
	client: Pick<ClientContext, 'allowInsecureRedirects' | 'redirectAccess'>,
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
		// As in axios, anything falsy but 0 is the default.
		maxRedirects: follows ? config.maxRedirects || defaultMaxRedirects : 0,
		allowInsecureRedirects: insecureRedirects(
			config.allowInsecureRedirects,
			client.allowInsecureRedirects,
		),
		// Not in lower case yet: they are compared only at a redirect, which most requests do not have.
		sensitiveHeaders: xsrfHeaderName ? [...sensitiveHeaders, xsrfHeaderName] : sensitiveHeaders,
		origin: hop.url.origin,
		redirectAccess: client.redirectAccess,
		auth: hop.auth,
	};
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
	throw badOption('allowInsecureRedirects', 'true or false', `a ${describeType(allowed)}`);
}

// Builds URLs as axios does. The static `axios` would add its global defaults.
const urls = new Axios({});

/** The request that the app made; `undefined` when it is not one over http or https. */
export function firstHop(config: InternalAxiosRequestConfig): Hop | undefined {
	const {params, paramsSerializer} = config;
	const target = targetOf(config);
	if (target === undefined) return undefined;

	const path = params ? withParams(target.path, params, paramsSerializer) : target.path;
	return {
		index: 0,
		url: params ? new URL(target.url.origin + path) : target.url,
		path,
		method: (config.method ?? 'get').toUpperCase(),
		// The same object, as in axios: headers that the exchange adds are seen on `response.config`.
		headers: config.headers,
		auth: config.auth ? readCredentials(config.auth) : target.auth,
		body: config.data === undefined ? undefined : makeBody(config.data, config.maxRedirects !== 0),
		// The app itself requested this origin.
		presentCertificate: true,
		leftOrigin: false,
	};
}

/** Empty where the params cannot be serialised: axios's own adapter fails on them with its own error. */
function withParams(
	url: string,
	params: unknown,
	paramsSerializer: AxiosRequestConfig['paramsSerializer'],
): string {
	try {
		return urls.getUri({url, params, paramsSerializer} as AxiosRequestConfig);
	} catch {
		return '';
	}
}

/** The target of a request without its `params`. All requests of a URL share it: not to be changed. */
type Target = Pick<Hop, 'url' | 'path' | 'auth'>;

// An app sends most requests to the same few URLs: remembering them saves 2 % of a small request.
const remembered = new BoundedMap<string, Target>({maxEntries: 1_000, maxBytes: 4 * 1024 * 1024});

/** A longer URL is unlikely to come twice. */
const maxRememberedLength = 4_096;

/** The key of a target; `undefined` where it is not remembered. */
function keyOf({
	url,
	baseURL,
	allowAbsoluteUrls,
	socketPath,
}: InternalAxiosRequestConfig): string | undefined {
	if (url !== undefined && typeof url !== 'string') return undefined;
	if (baseURL !== undefined && typeof baseURL !== 'string') return undefined;
	if ((url?.length ?? 0) + (baseURL?.length ?? 0) > maxRememberedLength) return undefined;
	const flags =
		(allowAbsoluteUrls === false ? 1 : 0) + (socketPath ? 2 : 0) + (url === undefined ? 4 : 0);
	// Security: with the length of baseURL in front, no two pairs of baseURL and url share a key.
	return `${flags} ${baseURL?.length ?? ''} ${baseURL ?? ''}${url ?? ''}`;
}

function targetOf(config: InternalAxiosRequestConfig): Target | undefined {
	const {url, baseURL, allowAbsoluteUrls, socketPath} = config;
	const key = keyOf(config);
	const known = key === undefined ? undefined : remembered.get(key);
	if (known !== undefined) return known;

	const full = urls.getUri({url, baseURL, allowAbsoluteUrls} as AxiosRequestConfig);
	const parsed = URL.parse(full, socketPath ? 'http://localhost' : undefined);
	if (parsed?.protocol !== 'https:' && parsed?.protocol !== 'http:') return undefined;
	const target = {
		url: withoutCredentials(parsed),
		path: parsed.pathname + parsed.search,
		auth: credentialsOf(parsed),
	};
	// An estimate: a URL object holds its text, and the text of its parts once more.
	if (key !== undefined) remembered.set(key, target, 1_000 + 8 * key.length);
	return target;
}

// As in axios, a missing name or password is empty.
function readCredentials(auth: object): AxiosBasicCredentials {
	const [username, password] = ['username', 'password'].map((name) => memberOf(auth, name) || '');
	return {username: String(username), password: String(password)};
}

function credentialsOf({username, password}: URL): AxiosBasicCredentials | undefined {
	if (!username && !password) return undefined;
	return {username: decodePercent(username), password: decodePercent(password)};
}
