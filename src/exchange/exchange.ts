import type {Agent as HttpAgent} from 'node:http';
import type {Agent} from 'node:https';
import {type AxiosResponse, type InternalAxiosRequestConfig, isAxiosError, isCancel} from 'axios';
import type {ProxyServer} from '../connection/proxy/resolve-proxy.ts';
import type {Route} from '../connection/route.ts';
import type {Timeouts} from '../options.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {bareHost, portOfUrl} from '../util/url.ts';
import type {Hop} from './hop.ts';
import {alpnOf, wantsHttp2} from './http2-options.ts';

/** What an exchange needs for one request. */
export interface ExchangeInput {
	readonly hop: Hop;
	/** The client certificate and the trusted CAs of this hop. */
	readonly snapshot: Snapshot;
	/** Makes the https connections; `undefined` where the config has an agent of its own. */
	readonly agent: Agent | undefined;
	/** The global agent, if the app has replaced Node's: it makes the connection. */
	readonly globalAgent?: HttpAgent | undefined;
	/** The config of the call; URL, method, headers and data are those of the hop. */
	readonly config: InternalAxiosRequestConfig;
	/** The `Cookie` header of this hop. */
	readonly cookie: string | undefined;
	readonly proxy: ProxyServer | undefined;
	/** How to reach the host, where the config says it. */
	readonly net: Route['net'];
	/** A redirect will be followed, so that its body is not needed. */
	readonly followsRedirect: boolean;
	/** Needs a new connection: the request was lost with a kept-alive one. */
	readonly fresh: boolean;
	/** The time left until the head of the response; `undefined` without a `timeout`. */
	readonly remainingMs: number | undefined;
	/** How long a pause in its body may be. */
	readonly idleMs: number | undefined;
	/** Aborted when the client is closed and its requests must end. */
	readonly closed: AbortSignal;
	/** The timeouts of one hop; `requestMs` is for the whole call. */
	readonly timeouts: Timeouts;
	/** The number of connections is limited, those of plain http included. */
	readonly limited: boolean;
}

/** The route of a request. */
export function routeOf(input: ExchangeInput): Route {
	const {hop, config, snapshot, proxy, net, timeouts, fresh} = input;
	const {secure, host, port} = serverOf(hop.url);
	const {presentCertificate} = hop;
	const alpn = alpnOf(config);
	const route = {snapshot, secure, host, port, presentCertificate, proxy, alpn, timeouts, fresh};
	if (net === undefined) return route;
	// A Unix socket needs no proxy.
	return {...route, net, proxy: net.path === undefined ? proxy : undefined};
}

/** Whether the origin itself gets the request: no proxy on the way reads its headers. */
export function isForOrigin({hop, config, proxy}: ExchangeInput): boolean {
	return hop.url.protocol === 'https:' || wantsHttp2(config) || proxy?.isSocks === true;
}

type Server = Pick<Route, 'secure' | 'host' | 'port'>;

// The calls to one URL share its object, which is never changed; its getters build a string each time.
const servers = new WeakMap<URL, Server>();

function serverOf(url: URL): Server {
	const known = servers.get(url);
	if (known !== undefined) return known;
	const secure = url.protocol === 'https:';
	const server = {secure, host: bareHost(url.hostname), port: portOfUrl(url)};
	servers.set(url, server);
	return server;
}

/**
 * One request and one response, on one hop: without cookies, redirects and `validateStatus`.
 * Rejects with an AxiosError, as axios's own adapter does.
 */
export type Exchange = (input: ExchangeInput) => Promise<AxiosResponse>;

/**
 * How much of the body of a redirect is read and dropped, so that its connection can carry the next hop.
 * Past these limits the connection is closed.
 */
export const redirectBody = {limitBytes: 64 * 1024, limitMs: 100} as const;

/** The part of a response that comes before its body. */
export type Head = Pick<AxiosResponse, 'status' | 'headers'>;

/** The head of a response whose body failed; `undefined` where there was none, or it was cancelled. */
export function headOf(error: unknown): Head | undefined {
	const head = isAxiosError(error) && !isCancel(error) ? error.request?.res : undefined;
	// Node has `null` there until there is one.
	return head ? {status: head.statusCode, headers: head.headers} : undefined;
}

/** A header of a response. Its name may be one that `Object.prototype` has. */
export function headerOf<H extends object, N extends keyof H>(
	headers: H,
	name: N,
): H[N] | undefined {
	return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

/** Whether a response with a `Location` is followed. A 304 is a cached response, a 305 deprecated (RFC 9110 §15.4.5, §15.4.6). */
export function isRedirect(status = 0): boolean {
	return status >= 300 && status < 400 && status !== 304 && status !== 305;
}
