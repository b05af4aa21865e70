/*
 * Node's global agents, by which axios sends what an app gives no agent for. Apps and their packages
 * change them for the whole process: a CA of the company, a proxy, a tracer. Without `mtls` they are
 * followed, as in a drop-in; as long as they are what Node has made, our own connections are faster.
 */
import http, {type ClientRequest, type IncomingMessage} from 'node:http';
import https from 'node:https';
import type {Socket} from 'node:net';
import type {TLSSocket} from 'node:tls';
import {MtlsConfigError} from '../config-error.ts';
import type {HttpProxy} from '../connection/proxy/proxy-config.ts';
import type {Source} from '../options.ts';
import {withoutPrototype} from '../util/check-options.ts';

/** What an app has made of a global agent. */
export interface GlobalAgent {
	/** Makes the connections itself; `undefined` where ours do all that is asked for. */
	readonly agent?: http.Agent;
	/** The CAs that https servers are to be verified with. */
	readonly ca?: Source | readonly Source[];
}

/** How an agent keeps its pool, which ours has its own answers to; and what is looked at by itself. */
const passedOver: ReadonlySet<string> = new Set([
	'agentKeepAliveTimeoutBuffer',
	'ca',
	'defaultPort',
	'keepAlive',
	'keepAliveMsecs',
	'maxCachedSessions',
	'maxFreeSockets',
	'noDelay',
	'path',
	'protocol',
	'proxyEnv',
	// Security: to switch verification off is no wish that is followed.
	'rejectUnauthorized',
	'scheduling',
	'timeout',
]);

/** With what Node's types leave out. An agent of another make need not have any of it. */
type FullAgent = http.Agent & {
	readonly keepAlive: boolean;
	readonly addRequest: unknown;
	readonly createSocket: unknown;
	readonly options: https.AgentOptions & {readonly proxyEnv?: unknown};
};

const node: GlobalAgent = withoutPrototype({});

/**
 * What the global agent for https, or for http, is by now. Asked for each request: nobody tells when it
 * is changed.
 *
 * @throws {MtlsConfigError} when it is to be followed and does not verify.
 */
export function globalAgent(secure: boolean): GlobalAgent {
	const agent = (secure ? https : http).globalAgent as FullAgent;
	if (isNodes(agent, (secure ? https.Agent : http.Agent).prototype as FullAgent)) {
		// Security: an own one alone. A CA that is merged into `Object.prototype` is nobody's to trust.
		const ca = Object.hasOwn(agent.options, 'ca') ? agent.options.ca : undefined;
		return ca && secure ? withoutPrototype({ca: ca as Source | Source[]}) : node;
	}
	if (secure && agent.options?.rejectUnauthorized === false) {
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			'https.globalAgent.options.rejectUnauthorized',
			'an agent that does not verify its servers is not followed; give `mtls`, such as `mtls: {ca}`',
		);
	}
	return withoutPrototype({agent});
}

// Asked for each request: loops over the names of methods would cost four times as much. What is put
// into the prototype, as nock and msw do, holds for our agents too.
/** Whether connections of ours do the same, but for its CAs. */
function isNodes(agent: FullAgent, prototype: FullAgent): boolean {
	if (
		Object.getPrototypeOf(agent) !== prototype ||
		agent.createConnection !== prototype.createConnection ||
		agent.addRequest !== prototype.addRequest ||
		agent.createSocket !== prototype.createSocket ||
		agent.getName !== prototype.getName ||
		agent.keepSocketAlive !== prototype.keepSocketAlive ||
		agent.reuseSocket !== prototype.reuseSocket ||
		agent.maxSockets !== Number.POSITIVE_INFINITY ||
		agent.maxTotalSockets !== Number.POSITIVE_INFINITY ||
		agent.keepAlive !== true
	) {
		return false;
	}
	const {options} = agent;
	for (const name in options) {
		if (passedOver.has(name) || options[name as keyof typeof options] === undefined) continue;
		if (Object.hasOwn(options, name)) return false;
	}
	return !hasOwnProxies(agent);
}

const proxyVariables = ['http_proxy', 'https_proxy', 'no_proxy'] as const;

/** Whether an agent has been given an environment with other proxies than ours: it asks them itself. */
export function hasOwnProxies(agent: http.Agent): boolean {
	const given: unknown = (agent as FullAgent).options?.proxyEnv;
	if (typeof given !== 'object' || given === null) return false;
	const env = given as NodeJS.ProcessEnv;
	return proxyVariables.some((name) =>
		[name, name.toUpperCase()].some((variable) => env[variable] !== process.env[variable]),
	);
}

/** What `@mswjs/interceptors`, below nock and msw, says of a connection that there is not: no server has this word. */
const mocked = 'MOCKED_CONNECTION_NOT_VERIFIED';

/**
 * Ends a request before it is sent where its agent has taken a server that could not be verified.
 *
 * Security: an agent may be made so by its class, or by `NODE_TLS_REJECT_UNAUTHORIZED=0`.
 */
export function refuseUnverified(request: ClientRequest): void {
	request.once('socket', (socket: Partial<TLSSocket> & Socket) => {
		if (!socket.encrypted) return;
		const judge = () => {
			if (socket.authorized) return;
			const code = String(socket.authorizationError ?? 'ERR_TLS_CERT_UNVERIFIED');
			if (code === mocked) return;
			const why = `the server could not be verified (${code}), and its agent took it`;
			request.destroy(Object.assign(new Error(why), {code}));
		};
		// One that is kept alive has been secured long ago.
		if (Reflect.get(socket, 'secureConnecting') === true) socket.once('secureConnect', judge);
		else judge();
	});
}

/**
 * Security: older versions of axios asked a proxy for https URLs in the clear, with all that the request
 * says.
 *
 * @throws {MtlsConfigError} when a request is not on its way to a path on a server.
 */
export function assertTunnel({path}: http.RequestOptions): void {
	if (path?.startsWith('/')) return;
	throw new MtlsConfigError(
		'ERR_MTLS_AGENT_CONFLICT',
		'proxy',
		'this version of axios has no tunnel for an agent in the place of https.globalAgent; give `mtls`, or a later axios',
	);
}

/** Whether a response over TLS came from before the TLS: axios takes the refusal of a tunnel for an answer. */
export function isRefusedTunnel({socket}: IncomingMessage): boolean {
	return !(socket as Partial<TLSSocket>).encrypted;
}

/** Ends a request with the refusal of its proxy, of which nothing else is to be read: nobody logs in there. */
export function refuseTunnel(
	request: ClientRequest,
	{statusCode}: IncomingMessage,
	proxy: HttpProxy,
): void {
	// Its cookies would go into the jar, as those of the server.
	Reflect.deleteProperty(request, 'res');
	const code = statusCode === 407 ? 'ERR_PROXY_AUTH_REQUIRED' : 'ERR_PROXY_REFUSED';
	const why = `the proxy ${proxy} refused a tunnel (${statusCode})`;
	request.destroy(Object.assign(new Error(why), {code}));
}
