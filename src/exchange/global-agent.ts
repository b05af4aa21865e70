/*
 * Node's global agents, which axios uses for a request without an agent. Apps and their packages change
 * them for the whole process: a company's CA, a proxy, a tracer. Without `mtls` the client uses them, as
 * axios does; while they are unchanged, the client's own connections are faster.
 */
import http, {type ClientRequest, type IncomingMessage} from 'node:http';
import https from 'node:https';
import type {Socket} from 'node:net';
import type {TLSSocket} from 'node:tls';
import {MtlsConfigError} from '../config-error.ts';
import type {ProxyServer} from '../connection/proxy/resolve-proxy.ts';
import type {Source} from '../options/mtls.ts';
import {withoutPrototype} from '../util/check-options.ts';

/** The changes of an app to a global agent. */
export interface GlobalAgent {
	/** Makes the connections; `undefined` where the client's own do the same. */
	readonly agent?: http.Agent;
	/** The CAs to verify https servers with. */
	readonly ca?: Source | readonly Source[];
}

/** Options of the agent's pool, for which the client has its own, and options that are read elsewhere. */
const ignored: ReadonlySet<string> = new Set([
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
	// Security: the client's own connections verify the server whatever this says.
	'rejectUnauthorized',
	'scheduling',
	'timeout',
]);

/** With the members that Node's types omit. An agent of another library may lack them. */
type FullAgent = http.Agent & {
	readonly keepAlive: boolean;
	readonly addRequest: unknown;
	readonly createSocket: unknown;
	readonly options: https.AgentOptions & {readonly proxyEnv?: unknown};
};

/** For a global agent that is unchanged, or must not be used. */
export const noGlobalAgent: GlobalAgent = withoutPrototype({});

/**
 * The present global agent for https or http. Read for each request: a change emits no event.
 *
 * @throws {MtlsConfigError} when it would be used and does not verify.
 */
export function globalAgentOf(secure: boolean): GlobalAgent {
	const agent = (secure ? https : http).globalAgent as FullAgent;
	if (isUnchanged(agent, (secure ? https.Agent : http.Agent).prototype as FullAgent)) {
		// Security: its own property only. A CA that was merged into `Object.prototype` must not be trusted.
		const ca = Object.hasOwn(agent.options, 'ca') ? agent.options.ca : undefined;
		return ca && secure ? withoutPrototype({ca: ca as Source | Source[]}) : noGlobalAgent;
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

// Called for each request: a loop over the names of the methods would take four times as long. Patches of
// nock and msw to the prototype apply to the client's agents too.
/** Whether the client's own connections do the same, apart from the agent's CAs. */
function isUnchanged(agent: FullAgent, prototype: FullAgent): boolean {
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
		if (ignored.has(name) || options[name as keyof typeof options] === undefined) continue;
		if (Object.hasOwn(options, name)) return false;
	}
	return !hasOwnProxies(agent);
}

const proxyVariables = ['http_proxy', 'https_proxy', 'no_proxy'] as const;

/** Whether an agent has an environment of its own with other proxies, and uses them itself. */
export function hasOwnProxies(agent: http.Agent): boolean {
	const given: unknown = (agent as FullAgent).options?.proxyEnv;
	if (typeof given !== 'object' || given === null) return false;
	const env = given as NodeJS.ProcessEnv;
	return proxyVariables.some((name) =>
		[name, name.toUpperCase()].some((variable) => env[variable] !== process.env[variable]),
	);
}

/** The error code of `@mswjs/interceptors`, used by nock and msw, for a mocked connection. */
const mockedCode = 'MOCKED_CONNECTION_NOT_VERIFIED';

/**
 * Ends a request before it is sent if its agent has accepted a server that could not be verified.
 *
 * Security: the agent's class or `NODE_TLS_REJECT_UNAUTHORIZED=0` may switch verification off.
 */
export function refuseUnverified(request: ClientRequest): void {
	request.once('socket', (socket: Partial<TLSSocket> & Socket) => {
		if (!socket.encrypted) return;
		const check = () => {
			if (socket.authorized) return;
			const code = String(socket.authorizationError ?? 'ERR_TLS_CERT_UNVERIFIED');
			if (code === mockedCode) return;
			const why = `the server could not be verified (${code}), and its agent took it`;
			request.destroy(Object.assign(new Error(why), {code}));
		};
		// A kept-alive connection has finished its handshake.
		if (Reflect.get(socket, 'secureConnecting') === true) socket.once('secureConnect', check);
		else check();
	});
}

/**
 * Security: older versions of axios send an https request to a proxy in the clear, rather than through a
 * tunnel.
 *
 * @throws {MtlsConfigError} when the path of a request is a whole URL, which is for a proxy.
 */
export function assertTunnel({path}: http.RequestOptions): void {
	if (path?.startsWith('/')) return;
	throw new MtlsConfigError(
		'ERR_MTLS_AGENT_CONFLICT',
		'proxy',
		'this version of axios has no tunnel for an agent in the place of https.globalAgent; give `mtls`, or a later axios',
	);
}

/** Whether a response to an https request came without TLS: axios treats a refused tunnel as a response. */
export function isRefusedTunnel({socket}: IncomingMessage): boolean {
	return !(socket as Partial<TLSSocket>).encrypted;
}

/** Ends a request with an error for the proxy's refusal. The app does not get the proxy's response. */
export function refuseTunnel(
	request: ClientRequest,
	{statusCode}: IncomingMessage,
	proxy: ProxyServer,
): void {
	// Otherwise the jar would store the proxy's cookies as the server's.
	Reflect.deleteProperty(request, 'res');
	const code = statusCode === 407 ? 'ERR_PROXY_AUTH_REQUIRED' : 'ERR_PROXY_REFUSED';
	const why = `the proxy ${proxy} refused a tunnel (${statusCode})`;
	request.destroy(Object.assign(new Error(why), {code}));
}
