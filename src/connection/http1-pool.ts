import type {Snapshot} from '../tls/snapshot.ts';
import {connect} from './connect.ts';
import {type ConnectionLimit, slotRequest} from './connection-limit.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import {Http1Connection} from './http1-connection.ts';
import {QueuedConnection} from './queued-connection.ts';
import type {RequestConnection} from './request-connection.ts';
import {afterWaiting, originOf, poolKey, type Route} from './route.ts';

/** Idle connections kept per route, as many as Node's agent keeps. */
const maxIdle = 256;

/** Connections of HTTP/1.1, kept alive by route. */
export class Http1Pool {
	readonly #idle = new Map<Snapshot, Map<string, Http1Connection[]>>();
	readonly #connections = new Set<Http1Connection>();
	readonly #retired = new WeakSet<Snapshot>();
	readonly #queued = new Set<QueuedConnection>();
	readonly #limit: ConnectionLimit | undefined;

	/** @param limit - On the connections of all pools together. */
	constructor(limit: ConnectionLimit | undefined) {
		this.#limit = limit;
	}

	/**
	 * A connection for one request: the one that was idle for the shortest time, a new one, or one to wait
	 * for when the limit is reached.
	 */
	take(route: Route): RequestConnection {
		const key = poolKey(route, netKey(route.net));
		const limit = this.#limit;
		// Waiting requests go first.
		if (limit?.contended) return this.#queue(limit, route, key);
		const idle = this.#takeIdle(route, key);
		if (idle !== undefined) return idle;
		if (limit === undefined) return this.#open(route, key);
		const slot = limit.take(slotRequest(route, route.snapshot.identityKey).route);
		return slot ? this.#open(route, key, slot) : this.#queue(limit, route, key);
	}

	#takeIdle({snapshot, fresh}: Route, key: string): Http1Connection | undefined {
		if (fresh) return undefined;
		const idle = this.#idle.get(snapshot)?.get(key);
		for (;;) {
			const connection = idle?.pop();
			if (connection === undefined) return undefined;
			// undici closes the socket just after a response with `Connection: close`, and emits its event later.
			if (!connection.usable) continue;
			if (connection.isOverdue) void connection.destroy();
			else {
				connection.slot?.use();
				return connection;
			}
		}
	}

	#queue(limit: ConnectionLimit, route: Route, key: string): QueuedConnection {
		const request = slotRequest(route, route.snapshot.identityKey);
		const queued = new QueuedConnection(request.host, {
			wait: (events) => limit.wait({...request, ...events}),
			takeIdle: () => this.#takeIdle(route, key),
			open: (slot) => this.#open(route, key, slot),
			onEnd: (connection) => this.#queued.delete(connection),
		});
		this.#queued.add(queued);
		return queued;
	}

	#open(route: Route, key: string, slot?: ConnectionSlot): Http1Connection {
		const {snapshot} = route;
		const connection = new Http1Connection(
			originOf(route),
			(signal) => {
				const own = {...route, signal};
				return slot ? slot.hold((ms) => connect(afterWaiting(own, ms))) : connect(own);
			},
			{
				onFree: () => {
					if (this.#retired.has(snapshot)) void connection.destroy();
					else this.#keep(connection, key, snapshot);
				},
				onEnd: () => {
					this.#connections.delete(connection);
					this.#forget(connection, key, snapshot);
					slot?.releaseUnused();
				},
			},
			slot,
		);
		this.#connections.add(connection);
		return connection;
	}

	/** Each connection that is being made has a request that waits for it. */
	get counts(): {active: number; idle: number; queued: number} {
		let idle = 0;
		for (const byKey of this.#idle.values()) for (const {length} of byKey.values()) idle += length;
		let connecting = 0;
		for (const {socket} of this.#connections) if (socket === undefined) connecting += 1;
		const active = this.#connections.size - idle - connecting;
		return {active, idle, queued: connecting + this.#queued.size};
	}

	/** Ends the idle connections of `snapshot`, and each other one after its request. */
	retire(snapshot: Snapshot): void {
		this.#retired.add(snapshot);
		const idle = this.#idle.get(snapshot);
		this.#idle.delete(snapshot);
		for (const connection of [...(idle?.values() ?? [])].flat()) void connection.destroy();
	}

	/** Ends all connections, also those in use, and the waiting requests. */
	async destroy(): Promise<void> {
		for (const queued of [...this.#queued]) void queued.destroy();
		const connections = [...this.#connections];
		this.#idle.clear();
		await Promise.all(connections.map((connection) => connection.destroy()));
	}

	#keep(connection: Http1Connection, key: string, snapshot: Snapshot): void {
		const idle = this.#idleOf(snapshot, key);
		// After a burst, the connection that the server would close first is closed first.
		if (idle.length >= maxIdle) void idle[0]?.destroy();
		idle.push(connection);
		connection.slot?.rest(() => void connection.destroy());
	}

	#idleOf(snapshot: Snapshot, key: string): Http1Connection[] {
		let byKey = this.#idle.get(snapshot);
		if (byKey === undefined) {
			byKey = new Map();
			this.#idle.set(snapshot, byKey);
		}
		let idle = byKey.get(key);
		if (idle === undefined) {
			idle = [];
			byKey.set(key, idle);
		}
		return idle;
	}

	#forget(connection: Http1Connection, key: string, snapshot: Snapshot): void {
		const byKey = this.#idle.get(snapshot);
		const idle = byKey?.get(key);
		if (byKey === undefined || idle === undefined) return;
		const index = idle.indexOf(connection);
		if (index >= 0) idle.splice(index, 1);
		if (idle.length === 0) byKey.delete(key);
		if (byKey.size === 0) this.#idle.delete(snapshot);
	}
}

const lookupIds = new WeakMap<object, number>();
let lookups = 0;

/** Tells apart the ways to reach a host. */
function netKey(net: Route['net']): string {
	if (net === undefined) return '';
	const {lookup, family, localAddress, localPort, path} = net;
	if (lookup !== undefined && !lookupIds.has(lookup)) {
		lookups += 1;
		lookupIds.set(lookup, lookups);
	}
	const id = lookup && lookupIds.get(lookup);
	return JSON.stringify([id, family, localAddress, localPort, path]);
}
