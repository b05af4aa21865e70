import http, {type ClientRequest, type ClientRequestArgs} from 'node:http';
import type https from 'node:https';
import type {LookupFunction, Socket} from 'node:net';
import type {Duplex} from 'node:stream';
import {MtlsConfigError} from '../errors.ts';
import type {ProxySetting} from '../options.ts';
import type {Snapshot} from '../tls/snapshot.ts';
import {unlessAborted} from '../util/abortable.ts';
import {flattened, memberOf, withoutPrototype} from '../util/check-options.ts';
import {bareHost, urlHost} from '../util/url.ts';
import {connect} from './connect.ts';
import {connectionOf} from './connection.ts';
import {type ConnectionLimit, slotRequest, type WaitingRequest} from './connection-limit.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import type {CurrentIdentities} from './current-identities.ts';
import {IdleSince, idleLimitMs} from './keep-alive.ts';
import {resolveProxy} from './proxy/resolve-proxy.ts';
import {afterWaiting, isForwarded, poolKey, type Route} from './route.ts';

/** Missing from Node's types: the method that gives an agent its requests. */
const nodeAgent = http.Agent.prototype as unknown as {
	addRequest(this: http.Agent, request: ClientRequest, options: ClientRequestArgs): void;
};

const routeKey: unique symbol = Symbol('axios-mtls.route');
const slotKey: unique symbol = Symbol('axios-mtls.slot');

/** Options of a request, with its route and its slot. */
export interface AgentRequestOptions extends ClientRequestArgs {
	/** @internal */
	[routeKey]?: OptionalRoute;
	/** @internal The slot for a new connection. */
	[slotKey]?: ConnectionSlot;
	lookup?: LookupFunction;
}

/** @internal A route without host and port, which are in the options. Its snapshot may still be loading. */
type OptionalRoute = Omit<Route, 'snapshot' | 'host' | 'port'> & {
	readonly snapshot: Snapshot | Promise<Snapshot>;
};
type AgentRoute = OptionalRoute & Pick<Route, 'host' | 'port'>;

/** @internal Request options that carry `route` to the agent, which would otherwise find one itself. */
export function attachRoute<O extends object>(options: O, route: OptionalRoute): O {
	return withoutPrototype({...options, [routeKey]: route});
}

// They would replace the agent's own TLS. To ignore them would hide a mistake.
const conflicting = ['cert', 'key', 'pfx', 'ca', 'secureContext'] as const;

const hosts = new WeakMap<ClientRequest, string>();

/** @internal The `host:port` for which `request` waits for a connection. */
export function hostWaitedFor(request: ClientRequest): string | undefined {
	return hosts.get(request);
}

/**
 * @internal
 *
 * Makes the connections of a Node agent, decides which may be kept, and limits their number.
 *
 * Node's own `maxSockets` counts the sockets that are connected, which is too late where connecting is
 * asynchronous. So a request is passed to Node's agent only when there is an idle connection for it, or a
 * slot for a new one.
 */
export class AgentPool {
	readonly #agent: https.Agent;
	readonly #identities: CurrentIdentities;
	readonly #limit: ConnectionLimit | undefined;
	readonly #proxy: ProxySetting | undefined;
	readonly #retired = new WeakSet<Snapshot>();
	/** Connections whose pool key names no snapshot, because it was still loading. */
	readonly #unnamed = new WeakSet<Duplex>();
	/** Connections of plain http. */
	readonly #plain = new WeakSet<Duplex>();
	readonly #waiting = new Map<ClientRequest, (error: Error) => void>();
	readonly #slots = new WeakMap<Duplex, ConnectionSlot>();
	readonly #idle = new WeakMap<Duplex, IdleSince>();
	// Node has lists of the sockets that are connected, but not of those that connect.
	readonly #connecting = new Set<Promise<unknown>>();
	#abort = new AbortController();

	/** @param limit - On the connections of all pools together. */
	constructor(
		agent: https.Agent,
		identities: CurrentIdentities,
		limit: ConnectionLimit | undefined,
		proxy: ProxySetting | undefined,
	) {
		this.#agent = agent;
		this.#identities = identities;
		this.#limit = limit;
		this.#proxy = proxy;
		// After Node's own listener, which has kept the socket or closed it.
		if (limit) agent.on('free', (socket: Socket) => this.#rest(socket));
	}

	/** The pool key: all that distinguishes two connections, and no secret. */
	nameOf(options: AgentRequestOptions): string {
		const route = this.#routeOf(options);
		const {snapshot, secure, proxy} = route;
		const identity = snapshot instanceof Promise ? 'loading' : snapshot.id;
		const {socketPath, localAddress, family} = options;
		// Plain http presents no identity.
		const owner = secure || proxy ? identity : 'plain';
		return poolKey(route, [socketPath, localAddress, family, owner].join('|'));
	}

	/** Passes a request to Node's agent when its turn comes. */
	add(request: ClientRequest, options: AgentRequestOptions): void {
		const name = this.#agent.getName(options);
		// In the same event-loop turn as the request, so that no connection becomes idle in between.
		if (this.#routeOf(options).fresh) {
			for (const socket of this.#agent.freeSockets[name] ?? []) socket.destroy();
		}
		const hasIdle = () => this.#hasIdle(name);
		const start = (slot?: ConnectionSlot) => {
			const withSlot: AgentRequestOptions = slot ? {...options, [slotKey]: slot} : options;
			nodeAgent.addRequest.call(this.#agent, request, withSlot);
			slot?.releaseUnused();
		};
		const idle = hasIdle();
		const limit = this.#limit;
		if (limit === undefined || (idle && !limit.contended)) {
			start();
			return;
		}
		const {route, ...waiting} = this.#slotRequest(options);
		const slot = limit.take(route);
		if (slot) {
			start(slot);
			return;
		}
		const {signal} = this.#routeOf(options);
		this.#wait(limit, request, signal, {
			route,
			...waiting,
			reuse() {
				if (!hasIdle()) return false;
				start();
				return true;
			},
			begin: start,
		});
	}

	/** Makes a connection, in the slot of its request or in one that it waits for. */
	connect(options: AgentRequestOptions): Promise<Socket> {
		const {signal} = this.#abort;
		const connecting = this.#connectInSlot(options, signal);
		this.#connecting.add(connecting);
		return connecting.finally(() => this.#connecting.delete(connecting));
	}

	/** Whether a connection may be kept: not if its identity was replaced, or no request would find it. */
	mayKeep(socket: Duplex): boolean {
		if (this.#unnamed.has(socket)) return false;
		const snapshot = connectionOf(socket)?.snapshot;
		return snapshot === undefined ? this.#plain.has(socket) : !this.#retired.has(snapshot);
	}

	/** A connection is idle. */
	markIdle(socket: Duplex): void {
		this.#idle.set(socket, new IdleSince());
	}

	/** A connection is no longer idle. */
	markUsed(socket: Duplex): void {
		this.#idle.delete(socket);
		this.#slots.get(socket)?.use();
	}

	get counts(): {active: number; idle: number; queued: number} {
		const {sockets, freeSockets, requests} = this.#agent;
		return {
			active: countOf(sockets),
			idle: countOf(freeSockets),
			queued: countOf(requests) + this.#connecting.size + this.#waiting.size,
		};
	}

	/** Ends the idle connections of `snapshot`; the others are not kept after their request. */
	retire(snapshot: Snapshot): void {
		this.#retired.add(snapshot);
		for (const socket of Object.values(this.#agent.freeSockets).flatMap((free) => free ?? [])) {
			if (connectionOf(socket)?.snapshot === snapshot) socket.destroy();
		}
	}

	/** Fails the requests that wait or connect. */
	abort(error: Error): void {
		for (const fail of [...this.#waiting.values()]) fail(error);
		this.#abort.abort(error);
		this.#abort = new AbortController();
	}

	/** Destroys the agent, and waits until its connections are closed. */
	async destroy(): Promise<void> {
		const sockets = [this.#agent.sockets, this.#agent.freeSockets].flatMap((byName) =>
			Object.values(byName).flat(),
		);
		const open = sockets.filter((socket) => socket !== undefined && !socket.closed) as Duplex[];
		const closed = open.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
		this.#agent.destroy();
		await Promise.allSettled([...closed, ...this.#connecting]);
	}

	async #connectInSlot(options: AgentRequestOptions, signal: AbortSignal): Promise<Socket> {
		if (this.#limit === undefined) return this.#connect(options, signal, 0);
		const slot =
			options[slotKey] ?? (await this.#limit.slotFor(this.#slotRequest(options), signal));
		if (slot === undefined) return this.#connect(options, signal, 0);
		const socket = await slot.hold((waitedMs) => this.#connect(options, signal, waitedMs));
		this.#slots.set(socket, slot);
		return socket;
	}

	async #connect(
		options: AgentRequestOptions,
		signal: AbortSignal,
		waitedMs: number,
	): Promise<Socket> {
		const conflict = conflicting.find((name) => memberOf(options, name));
		if (conflict !== undefined) {
			throw new MtlsConfigError(
				'ERR_MTLS_AGENT_CONFLICT',
				conflict,
				'a request through an MtlsAgent cannot bring its own; give it to the agent',
			);
		}
		const {socketPath, localAddress, family, lookup, timeout} = flattened(options);
		const route = this.#routeOf(options);
		const {snapshot} = route;
		const own: Route = {
			...route,
			// A loader may never answer.
			snapshot: await (snapshot instanceof Promise ? unlessAborted(snapshot, signal) : snapshot),
			signal: route.signal ? AbortSignal.any([route.signal, signal]) : signal,
			net: {
				...(socketPath && {path: socketPath}),
				...(localAddress !== undefined && {localAddress}),
				...(family !== undefined && {family}),
				...(lookup !== undefined && {lookup}),
			},
		};
		const socket = await connect(afterWaiting(own, waitedMs));
		if (!own.secure && !isForwarded(own)) this.#plain.add(socket);
		// As `net.connect` does. Node sets it only if it differs from the agent's own.
		if (timeout) socket.setTimeout(timeout);
		if (snapshot instanceof Promise) this.#unnamed.add(socket);
		return socket;
	}

	#slotRequest(options: AgentRequestOptions) {
		const route = this.#routeOf(options);
		const {snapshot, secure} = route;
		const {hostname, origin} = urlOf(options, secure ? 'https:' : 'http:');
		const identityKey =
			snapshot instanceof Promise ? this.#identities.selector.keyAt(origin) : snapshot.identityKey;
		return slotRequest(route, identityKey, bareHost(hostname));
	}

	#routeOf(options: AgentRequestOptions): AgentRoute {
		const route = options[routeKey] ?? this.#findRoute(options);
		// Node calls `getName` again with the same options when the connection is free: its key must not change.
		options[routeKey] = route;
		const port = Number(options.port) || (route.secure ? 443 : 80);
		return withoutPrototype({...route, host: hostOf(options), port});
	}

	#findRoute(options: AgentRequestOptions): OptionalRoute {
		const url = urlOf(options, 'https:');
		const snapshot = this.#identities.selector.at(url.origin);
		// While the request is queued, or after `getName` alone, nothing waits for it.
		if (snapshot instanceof Promise) snapshot.catch(() => {});
		return {
			snapshot,
			secure: true,
			presentCertificate: true,
			proxy: options.socketPath ? undefined : resolveProxy(this.#proxy, url),
		};
	}

	/** Whether there is an idle connection under `name`. Removes those that must not be used. */
	#hasIdle(name: string): boolean {
		const free = this.#agent.freeSockets[name] ?? [];
		for (const socket of [...free]) {
			const overdue = this.#idle.get(socket)?.isOver(socket.timeout || idleLimitMs);
			if (!socket.destroyed && !overdue) continue;
			// Node checks whether the first of the list is destroyed, and takes the last.
			free.splice(free.indexOf(socket), 1);
			socket.destroy();
		}
		return free.length > 0;
	}

	#wait(
		limit: ConnectionLimit,
		request: ClientRequest,
		signal: AbortSignal | undefined,
		waiting: Omit<WaitingRequest, 'expire'>,
	): void {
		const isOwn = Object.hasOwn(request, 'destroy');
		const {destroy} = request;
		const settle = () => {
			leave();
			this.#waiting.delete(request);
			hosts.delete(request);
			signal?.removeEventListener('abort', onAbort);
			// Other code may have replaced it since.
			if (request.destroy !== destroyWaiting) return;
			if (isOwn) request.destroy = destroy;
			else Reflect.deleteProperty(request, 'destroy');
		};
		const fail = (error?: Error) => {
			settle();
			// It emits `error` and `close`, as after a failed connection. Node's types leave it out.
			(request as unknown as FailingRequest).onSocket(null, error);
		};
		// Node closes a destroyed request only when it has a socket for it.
		const destroyWaiting: ClientRequest['destroy'] = (error) => {
			destroy.call(request, error);
			if (this.#waiting.has(request)) fail(error);
			return request;
		};
		const onAbort = () => fail(signal?.reason as Error);
		const leave = limit.wait({
			...waiting,
			reuse() {
				const reused = waiting.reuse();
				if (reused) settle();
				return reused;
			},
			begin(slot) {
				settle();
				waiting.begin(slot);
			},
			expire: fail,
		});
		this.#waiting.set(request, fail);
		hosts.set(request, waiting.host);
		request.destroy = destroyWaiting;
		signal?.addEventListener('abort', onAbort);
		if (request.destroyed || signal?.aborted) fail();
	}

	#rest(socket: Socket): void {
		if (socket.destroyed || !this.#idle.has(socket)) return;
		this.#slots.get(socket)?.rest(() => socket.destroy());
	}
}

interface FailingRequest {
	onSocket(socket: null, error?: Error): void;
}

function urlOf(options: ClientRequestArgs, protocol: string): URL {
	const url = new URL(`${protocol}//${urlHost(hostOf(options))}`);
	url.port = String(options.port ?? '');
	return url;
}

function hostOf({host, hostname}: ClientRequestArgs): string {
	return bareHost(host ?? hostname ?? 'localhost');
}

// A destroyed socket leaves Node's lists a turn later.
function countOf(lists: NodeJS.ReadOnlyDict<readonly {readonly destroyed: boolean}[]>): number {
	const all = Object.values(lists).flatMap((list) => list ?? []);
	return all.filter(({destroyed}) => !destroyed).length;
}
