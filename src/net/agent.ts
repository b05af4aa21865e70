import type {ClientRequest, ClientRequestArgs} from 'node:http';
import https from 'node:https';
import type {LookupFunction} from 'node:net';
import type {Duplex} from 'node:stream';
import {inspect} from 'node:util';
import type {CertificateFacts} from '../certificate.ts';
import {MtlsConfigError} from '../errors.ts';
import {bareHost, urlHost} from '../host.ts';
import type {MtlsOptions, ProxySetting} from '../options.ts';
import {flattened, memberOf, withoutPrototype} from '../own-options.ts';
import type {Showing, Snapshot} from '../tls/snapshot.ts';
import {type MtlsAgentOptions, readAgentOptions} from './agent-options.ts';
import {connect, connectToProxy} from './connect.ts';
import {connectionOf} from './connection.ts';
import type {ConnectTimeouts} from './deadlines.ts';
import {Identities} from './identities.ts';
import {IdleSince, idleLimitMs} from './idle.ts';
import {type HttpProxy, resolveProxy} from './proxy.ts';

/** How one request wants to travel; the adapter says it, other clients leave it to the agent. */
export interface Route {
	readonly snapshot: Snapshot;
	readonly showing: Showing;
	readonly proxy: HttpProxy | undefined;
	/** The proxy itself is asked, for plain http: one connection serves any number of origins. */
	readonly forwards?: boolean;
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

/** What Node's types leave out. */
const nodeAgent = https.Agent.prototype as unknown as {
	addRequest(this: https.Agent, request: ClientRequest, options: RequestOptions): void;
};

const identities = new WeakMap<MtlsAgent, Identities>();

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

/** How many connections an agent is making. */
export function attemptsOf(agent: MtlsAgent): number {
	return attempts.get(agent)?.size ?? 0;
}

/** Who an agent is, for those who make connections beside it. */
export function identitiesOf(agent: MtlsAgent): Identities {
	return identities.get(agent) as Identities;
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
	readonly #identities: Identities;
	readonly #proxy: ProxySetting | undefined;
	readonly #retired = new WeakSet<Snapshot>();
	/** Of connections that were asked for before there was a snapshot to name them by. */
	readonly #nameless = new WeakSet<Duplex>();
	/** Of the free connections. */
	readonly #idle = new WeakMap<Duplex, IdleSince>();
	// Node knows the sockets that stand, not the attempts to make one.
	#attempts = new AbortController();

	constructor(mtls: MtlsOptions | readonly MtlsOptions[] = {}, options: MtlsAgentOptions = {}) {
		const {proxy, logger = console, maxIdentities, ...ofNode} = readAgentOptions(options);
		super(
			withoutPrototype({
				...ofNode,
				keepAlive: true,
				timeout: idleLimitMs,
				rejectUnauthorized: true,
			}),
		);
		// A mistake in it is told here, not at the first request; and before any file is watched.
		if (proxy) resolveProxy(proxy, new URL('https://localhost'));
		this.#identities = new Identities(mtls, logger, maxIdentities);
		identities.set(this, this.#identities);
		attempts.set(this, new Set());
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
		const {snapshot, showing, proxy, forwards = false} = withoutPrototype(this.#routeOf(options));
		return [
			forwards ? 'any' : options.host,
			forwards ? 'http' : options.port,
			options.socketPath,
			options.localAddress,
			options.family,
			snapshot instanceof Promise ? 'loading' : snapshot.id,
			showing,
			proxy?.poolKey ?? 'direct',
		].join('|');
	}

	/** Not for the connections of an identity that another has taken the place of, nor where no other request would look. */
	override keepSocketAlive(socket: Duplex): boolean {
		const snapshot = connectionOf(socket)?.snapshot;
		if (snapshot === undefined || this.#retired.has(snapshot)) return false;
		if (this.#nameless.has(socket)) return false;
		// Its types say that it says nothing. For the time that the server announces it has a timer.
		const kept = super.keepSocketAlive(socket) as unknown as boolean;
		if (kept) this.#idle.set(socket, new IdleSince());
		return kept;
	}

	/** Called by Node for each request; documented by its use in agents of many makes alone. */
	addRequest(request: ClientRequest, options: RequestOptions): void {
		const free = this.freeSockets[this.getName(options)] ?? [];
		for (const socket of [...free]) {
			if (!this.#idle.get(socket)?.isOver(socket.timeout || idleLimitMs)) continue;
			// Not left in the list until it is closed: Node may take the last one unseen.
			free.splice(free.indexOf(socket), 1);
			socket.destroy();
		}
		nodeAgent.addRequest.call(this, request, options);
	}

	override createConnection(
		options: RequestOptions,
		callback?: (error: Error | null, socket: Duplex) => void,
	): undefined {
		const done = callback as (error: unknown, socket?: Duplex) => void;
		const made = this.#connect(options);
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
		this.#identities.roster.close();
		this.#attempts.abort(new Error('the agent was destroyed'));
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

	async #connect(options: RequestOptions) {
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
		const snapshot = await unlessAborted(way.snapshot, signal);
		const target = {
			...way,
			host: hostOf(options),
			port: Number(options.port) || (way.forwards ? 80 : 443),
			signal: way.signal ? AbortSignal.any([way.signal, signal]) : signal,
			net: {
				...(socketPath && {path: socketPath}),
				...(localAddress !== undefined && {localAddress}),
				...(family !== undefined && {family}),
				...(lookup !== undefined && {lookup}),
			},
		};
		const {proxy, forwards} = way;
		const socket = await (proxy && forwards
			? connectToProxy(snapshot, {...target, proxy})
			: connect(snapshot, target));
		// As `net.connect` does: where it is that of the agent, Node takes it for done.
		if (timeout) socket.setTimeout(timeout);
		if (way.snapshot instanceof Promise) this.#nameless.add(socket);
		return socket;
	}

	#routeOf(options: RequestOptions): AgentRoute {
		const given = options[route];
		if (given) return given;
		const host = hostOf(options);
		const url = new URL(`https://${urlHost(host)}`);
		url.port = String(options.port ?? '');
		const snapshot = this.#identities.roster.at(url.origin);
		// A request that is queued has yet to ask for it, and whoever asks for the name alone never does.
		if (snapshot instanceof Promise) snapshot.catch(() => {});
		const found: AgentRoute = {
			snapshot,
			showing: 'shown',
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

/** Waits for a loader, which may never answer, for as long as the agent lives. */
async function unlessAborted<T>(work: T | Promise<T>, signal: AbortSignal): Promise<T> {
	if (!(work instanceof Promise)) return work;
	let onAbort = () => {};
	const aborted = new Promise<never>((_, reject) => {
		onAbort = () => reject(signal.reason);
		signal.addEventListener('abort', onAbort);
	});
	return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', onAbort));
}

function hostOf({host, hostname}: RequestOptions): string {
	return bareHost(host ?? hostname ?? 'localhost');
}
