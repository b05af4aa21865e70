import {isDeepStrictEqual} from 'node:util';
import type {Snapshot} from '../tls/snapshot.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {connect} from './connect.ts';
import {type ConnectionLimit, slotRequest} from './connection-limit.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import {Http2Connection, type Http2Options} from './http2-connection.ts';
import {afterWaiting, poolKey, type Route} from './route.ts';

interface Entry {
	readonly route: Route;
	readonly options: Http2Options;
	readonly connection: Http2Connection;
}

/** HTTP/2 connections by route. */
export class Http2Pool {
	readonly #entries = new Map<Snapshot, Map<string, Entry[]>>();
	/** Also those that take no more requests, until they are closed. */
	readonly #open = new Set<Http2Connection>();
	readonly #retired = new WeakSet<Snapshot>();
	readonly #limit: ConnectionLimit | undefined;

	/** @param limit - On the connections of all pools together. */
	constructor(limit: ConnectionLimit | undefined) {
		this.#limit = limit;
	}

	/** The connection for a request over `h2`: one that is open or being made, or a new one. */
	take(route: Route, options: Http2Options): Http2Connection {
		const entries = this.#entries.get(route.snapshot)?.get(poolKey(route)) ?? [];
		for (const entry of entries) {
			const {connection} = entry;
			if (connection.isOverdue) void connection.destroy();
			else if (
				fits(entry, route, options) &&
				(!connection.connecting || haveSameTimeouts(entry.route, route))
			) {
				return connection;
			}
		}
		return this.#begin(route, options);
	}

	get counts(): {active: number; idle: number; queued: number} {
		const counts = {active: 0, idle: 0, queued: 0};
		for (const {connecting, activeStreams, usable} of this.#open) {
			if (connecting) counts.queued += activeStreams;
			else if (activeStreams > 0) counts.active += 1;
			// A connection that is being closed takes no other request.
			else if (usable) counts.idle += 1;
		}
		return counts;
	}

	/** Ends the connections of `snapshot` after their requests. */
	retire(snapshot: Snapshot): void {
		this.#retired.add(snapshot);
		const entries = [...(this.#entries.get(snapshot)?.values() ?? [])].flat();
		for (const {connection} of entries) connection.retire();
	}

	/** Ends all connections, with the requests on them. */
	async destroy(): Promise<void> {
		await Promise.all([...this.#open].map((connection) => connection.destroy()));
	}

	#begin(route: Route, options: Http2Options): Http2Connection {
		const limit = this.#limit;
		const request = limit && slotRequest(route, route.snapshot.identityKey);
		let slot: ConnectionSlot | undefined;
		const connectTo = async (signal: AbortSignal) => {
			const own = {...route, alpn: 'h2', signal} as const;
			if (limit === undefined || request === undefined) return connect(own);
			slot = await limit.slotFor(request, signal, () => this.#yield(connection, route, options));
			connection.waitsFor = undefined;
			return slot?.hold(async (waitedMs) => {
				// Its requests may have been given up.
				signal.throwIfAborted();
				return connect(afterWaiting(own, waitedMs));
			});
		};
		const connection: Http2Connection = new Http2Connection(route, options, connectTo, {
			onEnd: () => this.#forget(connection, route),
			onClose: () => this.#open.delete(connection),
			onOpen: () => slot?.share(connection),
			onIdle: () => slot?.rest(() => void connection.destroy()),
			onAcquire: () => slot?.use(),
		});
		connection.waitsFor = request?.host;
		this.#open.add(connection);
		// It serves only this request, which began before the rotation.
		if (this.#retired.has(route.snapshot)) connection.retire();
		else this.#entriesOf(route).push({route, options, connection});
		return connection;
	}

	/** Gives the requests of a connection that waits for its slot to one that is open. */
	#yield(connection: Http2Connection, route: Route, options: Http2Options): boolean {
		const entries = this.#entries.get(route.snapshot)?.get(poolKey(route));
		const found = entries?.find(
			(entry) => fits(entry, route, options) && !entry.connection.connecting,
		);
		if (found === undefined) return false;
		connection.yieldTo(found.connection);
		return true;
	}

	#entriesOf(route: Route): Entry[] {
		const {snapshot} = route;
		const key = poolKey(route);
		const byKey = this.#entries.get(snapshot) ?? new Map<string, Entry[]>();
		this.#entries.set(snapshot, byKey);
		const entries = byKey.get(key) ?? [];
		byKey.set(key, entries);
		return entries;
	}

	#forget(connection: Http2Connection, route: Route): void {
		const {snapshot} = route;
		const key = poolKey(route);
		const byKey = this.#entries.get(snapshot);
		const left = byKey?.get(key)?.filter((entry) => entry.connection !== connection) ?? [];
		if (left.length > 0) byKey?.set(key, left);
		else byKey?.delete(key);
		if (byKey?.size === 0) this.#entries.delete(snapshot);
	}
}

/** Whether a request may use a connection, once it is open. */
function fits({connection, route, options}: Entry, {net}: Route, wanted: Http2Options): boolean {
	return connection.usable && areEqual(route.net, net) && areEqual(options, wanted);
}

// The comparison takes 2 % of a small request, and nearly all have no such options.
function areEqual(one: object | undefined, other: object | undefined): boolean {
	return one === other || isDeepStrictEqual(one, other);
}

function haveSameTimeouts(one: Route, other: Route): boolean {
	const {connectMs, handshakeMs} = withoutPrototype(one.timeouts ?? {});
	const wanted = withoutPrototype(other.timeouts ?? {});
	return connectMs === wanted.connectMs && handshakeMs === wanted.handshakeMs;
}
