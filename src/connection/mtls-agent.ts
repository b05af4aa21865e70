import type {ClientRequest, ClientRequestArgs} from 'node:http';
import https from 'node:https';
import type {LookupFunction} from 'node:net';
import type {Duplex} from 'node:stream';
import {inspect} from 'node:util';
import {MtlsConfigError} from '../errors.ts';
import type {CertificateFacts} from '../facts.ts';
import type {MtlsOptions, ProxySetting} from '../options.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {unlessAborted} from '../util/abortable.ts';
import {flattened, memberOf, withoutPrototype} from '../util/check-options.ts';
import {authorityOf, bareHost, urlHost} from '../util/url.ts';
import {type MtlsAgentOptions, readAgentOptions} from './agent-options.ts';
import {AgentQueue, type AgentSlotRequest} from './agent-queue.ts';
import {connect, connectToProxy} from './connect.ts';
import type {ConnectTimeouts} from './connect-timeout.ts';
import {connectionOf} from './connection.ts';
import {type ConnectionLimit, connectionLimit, routeKey} from './connection-limit.ts';
import {CurrentIdentities} from './current-identities.ts';
import {idleLimitMs} from './keep-alive.ts';
import {connectPlain} from './pool.ts';
import {type HttpProxy, resolveProxy} from './proxy/proxy-config.ts';

/** How one request wants to travel; the adapter says it, other clients leave it to the agent. */
export interface Route {
	readonly snapshot: Snapshot;
	readonly presentCertificate: boolean;
	readonly proxy: HttpProxy | undefined;
	/** The proxy itself is asked, for plain http: one connection serves any number of origins. */
	readonly forwards?: boolean;
	/** Plain http, which is asked directly. */
	readonly plain?: boolean;
	/** It was sent before, on a connection that was stale. */
	readonly again?: boolean;
	/** Aborted when the request is over, so that an attempt to connect does not outlive it. */
	readonly signal: AbortSignal;
	readonly timeouts: ConnectTimeouts;
}

const route: unique symbol = Symbol('axios-mtls.route');

/** Request options that carry `way` to the agent. */
export function routed<O extends object>(options: O, way: Route): O {
	return withoutPrototype({...options, [route]: way});
}

interface RequestOptions extends ClientRequestArgs {
	[route]?: AgentRoute;
	lookup?: LookupFunction;
}

/** A route that the agent has found itself: its loader may have yet to answer, and nobody gives it up. */
type AgentRoute = Omit<Route, 'snapshot' | 'signal' | 'timeouts'> & {
	readonly snapshot: Snapshot | Promise<Snapshot>;
	readonly signal?: AbortSignal;
	readonly timeouts?: ConnectTimeouts;
};

// What an https request may bring to take the place of ours. Silently dropping it would hide a mistake.
const foreign = ['cert', 'key', 'pfx', 'ca', 'secureContext'] as const;

const identities = new WeakMap<MtlsAgent, CurrentIdentities>();

/** Ends the idle connections that a request with `options` could be given, so that it gets a new one. */
export function endIdle(agent: https.Agent, options: ClientRequestArgs): void {
	const host = options.hostname ?? options.host;
	const port = options.port || options.defaultPort || 443;
	const name = agent.getName({...options, host, port});
	for (const socket of agent.freeSockets[name] ?? []) socket.destroy();
}

/** Destroys an agent, and waits until its connections are closed. */
export async function endConnections(agent: https.Agent): Promise<void> {
	const sockets = [agent.sockets, agent.freeSockets].flatMap((byName) =>
		Object.values(byName).flat(),
	);
	const open = sockets.filter((socket) => socket !== undefined && !socket.closed) as Duplex[];
	const closed = open.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
	agent.destroy();
	await Promise.allSettled([...closed, ...(attempts.get(agent) ?? [])]);
}

/** The connections that an agent is making; Node's lists hold those that stand. */
const attempts = new WeakMap<https.Agent, Set<Promise<unknown>>>();

const queues = new WeakMap<https.Agent, AgentQueue>();

/** How many requests wait for a connection that an agent is making, or for a free one. */
export function queuedAt(agent: MtlsAgent): number {
	return (attempts.get(agent)?.size ?? 0) + (queues.get(agent)?.size ?? 0);
}

const limits = new WeakMap<https.Agent, ConnectionLimit | undefined>();

/** How many connections there may be, the agent's own among them; `undefined` for any number. */
export function limitOf(agent: https.Agent): ConnectionLimit | undefined {
	return limits.get(agent);
}

/** Who an agent is, for those who make connections beside it. */
export function identitiesOf(agent: MtlsAgent): CurrentIdentities {
	return identities.get(agent) as CurrentIdentities;
}

/**
 * An `https.Agent` that proves who we are and verifies whom it talks to: the transport half of a
 * client, for any Node client that takes an agent.
 *
 * Connections are kept alive, go through the proxy of the environment unless `proxy` says
 * otherwise, and are handed out after verification only. The files are read and checked by the
 * constructor, and no key or passphrase is kept on the object. `rejectUnauthorized` is always
 * `true`, whatever a request or `NODE_TLS_REJECT_UNAUTHORIZED` says.
 *
 * @throws {MtlsConfigError} when an option cannot be used.
 *
 * @example
 * ```ts
 * https.get('https://api.bank.example/', {agent: new MtlsAgent({cert, key, ca})});
 * ```
 */
export class MtlsAgent extends https.Agent {
	readonly #identities: CurrentIdentities;
	readonly #proxy: ProxySetting | undefined;
	readonly #retired = new WeakSet<Snapshot>();
	/** Of connections that were asked for before there was a snapshot to name them by. */
	readonly #nameless = new WeakSet<Duplex>();
	/** Connections of plain http. */
	readonly #plain = new WeakSet<Duplex>();
	readonly #queue: AgentQueue;
	// Node knows the sockets that stand, not the attempts to make one.
	#attempts = new AbortController();

	constructor(mtls: MtlsOptions | readonly MtlsOptions[] = {}, options: MtlsAgentOptions = {}) {
		const given = readAgentOptions(options);
		const limit = connectionLimit(given);
		const {proxy, logger = console, maxIdentities, maxSockets, maxTotalSockets, ...ofNode} = given;
		super(
			withoutPrototype({
				// Without the bounds: Node counts the sockets that stand, and would queue requests of its own.
				...ofNode,
				keepAlive: true,
				timeout: idleLimitMs,
				rejectUnauthorized: true,
			}),
		);
		// A mistake in it is told here, not at the first request; and before any file is watched.
		if (proxy) resolveProxy(proxy, new URL('https://localhost'));
		this.#identities = new CurrentIdentities(mtls, logger, maxIdentities);
		identities.set(this, this.#identities);
		attempts.set(this, new Set());
		limits.set(this, limit);
		this.#queue = new AgentQueue(this, limit);
		queues.set(this, this.#queue);
		this.#identities.onRetire((snapshot) => this.#retire(snapshot));
		this.#proxy = proxy;
	}

	/** The facts of our certificate; `null` when we have none, or several, or one that is yet to be fetched. */
	get identity(): CertificateFacts | null {
		return this.#identities.roster.identity;
	}

	/**
	 * Reads the files, or asks `identity`, again, and goes over to what is found: requests in flight
	 * finish as they began, and every later one is on the new identity.
	 *
	 * @throws {MtlsConfigError} when it cannot be used, or what the loader threw; the old then stays.
	 */
	reload(): Promise<void> {
		return this.#identities.roster.reload();
	}

	/** Resolves at the next swap, by `reload` or by {@link reload}, with the facts of the new certificate. */
	nextIdentity(): Promise<CertificateFacts | null> {
		return this.#identities.next();
	}

	/**
	 * The pool key. Node's own holds the PEM of `cert`, `key` and `ca`, and ignores `secureContext`;
	 * ours holds what tells two connections apart and no secret.
	 */
	override getName(options: RequestOptions = {}): string {
		const way = withoutPrototype(this.#routeOf(options));
		const {snapshot, presentCertificate, proxy, forwards = false, plain = false} = way;
		return [
			forwards ? 'any' : options.host,
			forwards ? 'http' : options.port,
			options.socketPath,
			options.localAddress,
			options.family,
			// Plain http shows no identity.
			plain ? 'plain' : snapshot instanceof Promise ? 'loading' : snapshot.id,
			presentCertificate,
			proxy?.poolKey ?? 'direct',
		].join('|');
	}

	/** Not for the connections of an identity that another has taken the place of, nor where no other request would look. */
	override keepSocketAlive(socket: Duplex): boolean {
		const snapshot = connectionOf(socket)?.snapshot;
		const outlived = snapshot === undefined || this.#retired.has(snapshot);
		if ((outlived && !this.#plain.has(socket)) || this.#nameless.has(socket)) return false;
		// Its types say that it says nothing. For the time that the server announces it has a timer.
		const kept = super.keepSocketAlive(socket) as unknown as boolean;
		if (kept) this.#queue.keep(socket);
		return kept;
	}

	override reuseSocket(socket: Duplex, request: ClientRequest): void {
		this.#queue.use(socket);
		super.reuseSocket(socket, request);
	}

	/** Takes each request from Node, whose types and documentation leave it out. */
	addRequest(request: ClientRequest, options: RequestOptions): void {
		this.#queue.add(request, options, () => this.#claimOf(options));
	}

	override createConnection(
		options: RequestOptions,
		callback?: (error: Error | null, socket: Duplex) => void,
	): undefined {
		const done = callback as (error: unknown, socket?: Duplex) => void;
		const made = this.#queue.make(
			options,
			() => this.#claimOf(options),
			this.#attempts.signal,
			(waitedMs) => this.#connect(options, waitedMs),
		);
		attempts.get(this)?.add(made);
		made
			.finally(() => attempts.get(this)?.delete(made))
			.then(
				(socket) => done(null, socket),
				(error) => done(error),
			);
		return undefined;
	}

	/**
	 * Ends all connections and the attempts to make one, and looks for new files no more. As with Node's
	 * agent, it can be used again.
	 */
	override destroy(): void {
		this.#identities.close();
		const error = new Error('the agent was destroyed');
		this.#queue.destroy(error);
		this.#attempts.abort(error);
		this.#attempts = new AbortController();
		super.destroy();
	}

	override toString(): string {
		const name = this.identity ? `'${this.identity.subject}'` : 'no certificate';
		return `MtlsAgent(${name}, epoch ${this.#identities.roster.epoch})`;
	}

	toJSON(): object {
		return {identity: this.identity};
	}

	// Security: Node's print goes into the requests that are waiting, cookies and all.
	[inspect.custom](): string {
		return String(this);
	}

	async #connect(options: RequestOptions, waitedMs: number) {
		const intruder = foreign.find((name) => memberOf(options, name));
		if (intruder !== undefined) {
			throw new MtlsConfigError(
				'ERR_MTLS_AGENT_CONFLICT',
				intruder,
				'a request through an MtlsAgent cannot bring its own; give it to the agent',
			);
		}
		const {socketPath, localAddress, family, lookup, timeout} = flattened(options);
		const way = withoutPrototype(this.#routeOf(options));
		const {signal} = this.#attempts;
		const {snapshot: loading} = way;
		// A loader may never answer.
		const snapshot = await (loading instanceof Promise ? unlessAborted(loading, signal) : loading);
		const target = {
			...way,
			host: hostOf(options),
			port: portOf(options, way),
			signal: way.signal ? AbortSignal.any([way.signal, signal]) : signal,
			timeouts: {...way.timeouts, waitedMs},
			net: {
				...(socketPath && {path: socketPath}),
				...(localAddress !== undefined && {localAddress}),
				...(family !== undefined && {family}),
				...(lookup !== undefined && {lookup}),
			},
		};
		const {proxy, forwards, plain} = way;
		const socket = await (proxy && forwards
			? connectToProxy(snapshot, {...target, proxy})
			: plain
				? connectPlain(target)
				: connect(snapshot, target));
		if (plain) this.#plain.add(socket);
		// As `net.connect` does: where it is that of the agent, Node takes it for done.
		if (timeout) socket.setTimeout(timeout);
		if (way.snapshot instanceof Promise) this.#nameless.add(socket);
		return socket;
	}

	#claimOf(options: RequestOptions): AgentSlotRequest {
		const way = withoutPrototype(this.#routeOf(options));
		const {snapshot, presentCertificate, proxy, forwards, plain, again = false, signal} = way;
		const {origin} = urlOf(options, plain ? 'http:' : 'https:');
		const identityKey =
			snapshot instanceof Promise ? this.#identities.roster.keyAt(origin) : snapshot.identityKey;
		return {
			route: routeKey(identityKey, forwards && proxy ? proxy : {origin, presentCertificate}),
			host: authorityOf(hostOf(options), portOf(options, way)),
			connectMs: withoutPrototype(way.timeouts ?? {}).connectMs,
			again,
			signal,
		};
	}

	#routeOf(options: RequestOptions): AgentRoute {
		const given = options[route];
		if (given) return given;
		const url = urlOf(options);
		const snapshot = this.#identities.roster.at(url.origin);
		// A request that is queued has yet to ask for it, and whoever asks for the name alone never does.
		if (snapshot instanceof Promise) snapshot.catch(() => {});
		const found: AgentRoute = {
			snapshot,
			presentCertificate: true,
			proxy: options.socketPath ? undefined : resolveProxy(this.#proxy, url),
		};
		// Node asks again for the same options when the connection is free: it belongs where it began.
		options[route] = found;
		return found;
	}

	#retire(snapshot: Snapshot): void {
		this.#retired.add(snapshot);
		for (const socket of Object.values(this.freeSockets).flatMap((free) => free ?? [])) {
			if (connectionOf(socket)?.snapshot === snapshot) socket.destroy();
		}
	}
}

function urlOf(options: RequestOptions, protocol = 'https:'): URL {
	const url = new URL(`${protocol}//${urlHost(hostOf(options))}`);
	url.port = String(options.port ?? '');
	return url;
}

function portOf({port}: RequestOptions, {forwards, plain}: AgentRoute): number {
	return Number(port) || (forwards || plain ? 80 : 443);
}

function hostOf({host, hostname}: RequestOptions): string {
	return bareHost(host ?? hostname ?? 'localhost');
}
