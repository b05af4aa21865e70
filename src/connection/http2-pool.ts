import type {Socket} from 'node:net';
import {isDeepStrictEqual} from 'node:util';
import type {Snapshot} from '../tls/snapshot.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {authorityOf} from '../util/url.ts';
import {connect} from './connect.ts';
import type {ConnectTimeouts} from './connect-timeout.ts';
import {type ConnectionLimit, routeKey, type SlotRequest} from './connection-limit.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import type {Peer} from './handshake.ts';
import {Http2Connection, type Http2Options} from './http2-connection.ts';
import {connectPlain, placeOf} from './pool.ts';

/** Where a request goes, as whom and how; two requests share a session when all of it agrees. */
export interface Http2Route {
	/** `https://host:port` or `http://host:port`. */
	readonly origin: string;
	readonly snapshot: Snapshot;
	readonly presentCertificate: boolean;
	readonly net: NonNullable<Peer['net']>;
	readonly options: Http2Options;
	/** Of the attempt to make it: no matter once it stands. */
	readonly timeouts: ConnectTimeouts;
	/** The request was refused on another session. */
	readonly again: boolean;
}

interface Entry {
	readonly route: Http2Route;
	readonly session: Http2Connection;
}

/** HTTP/2 sessions on verified connections, by route. */
export class Http2Pool {
	readonly #entries = new Map<Snapshot, Map<string, Entry[]>>();
	/** Those that take no more requests too, until they are closed. */
	readonly #open = new Set<Http2Connection>();
	readonly #retired = new WeakSet<Snapshot>();
	readonly #limit: ConnectionLimit | undefined;

	/** @param limit - Of which these are some of the connections. */
	constructor(limit: ConnectionLimit | undefined) {
		this.#limit = limit;
	}

	/** The session for a request: one that stands or is being made, or a new one. */
	take(route: Http2Route): Http2Connection {
		const entries = this.#entries.get(route.snapshot)?.get(keyOf(route));
		for (const {session} of entries ?? []) if (session.isOverdue) void session.destroy();
		const found = entries?.find(
			(entry) =>
				fits(entry, route) &&
				(!entry.session.connecting || isDeepStrictEqual(entry.route.timeouts, route.timeouts)),
		);
		return found?.session ?? this.#begin(route);
	}

	/** Sessions by what they do, and requests that wait for one. */
	get counts(): {active: number; idle: number; queued: number} {
		const counts = {active: 0, idle: 0, queued: 0};
		for (const {connecting, activeStreams, usable} of this.#open) {
			if (connecting) counts.queued += activeStreams;
			else if (activeStreams > 0) counts.active += 1;
			// One that only has to say goodbye is kept for nobody.
			else if (usable) counts.idle += 1;
		}
		return counts;
	}

	/** Ends the sessions of `snapshot` as soon as their requests are answered. */
	retire(snapshot: Snapshot): void {
		this.#retired.add(snapshot);
		const entries = [...(this.#entries.get(snapshot)?.values() ?? [])].flat();
		for (const {session} of entries) session.retire();
	}

	/** Ends all sessions, with the requests on them. */
	async destroy(): Promise<void> {
		await Promise.all([...this.#open].map((session) => session.destroy()));
	}

	#begin(route: Http2Route): Http2Connection {
		const limit = this.#limit;
		let place: ConnectionSlot | undefined;
		const connectTo = async (signal: AbortSignal) => {
			if (limit === undefined) return open(route, signal);
			place = await limit.placeFor(claimOf(route), signal, () => this.#yield(session, route));
			session.waitsFor = undefined;
			return place && inPlace(place, route, signal);
		};
		const session: Http2Connection = new Http2Connection(route, connectTo, {
			onEnd: () => this.#forget(session, route),
			onClose: () => this.#open.delete(session),
			onOpen: () => place?.share(session),
			onIdle: () => place?.rest(() => void session.destroy()),
			onJoin: () => place?.use(),
		});
		if (limit) session.waitsFor = claimOf(route).host;
		this.#open.add(session);
		// For a request that began before the swap; no other is to join it.
		if (this.#retired.has(route.snapshot)) session.retire();
		else this.#entriesOf(route).push({route, session});
		return session;
	}

	/** Gives the requests of a session that waits for a connection to one that stands. */
	#yield(session: Http2Connection, route: Http2Route): boolean {
		const entries = this.#entries.get(route.snapshot)?.get(keyOf(route));
		const found = entries?.find((entry) => fits(entry, route) && !entry.session.connecting);
		if (found === undefined) return false;
		session.yieldTo(found.session);
		return true;
	}

	#entriesOf(route: Http2Route): Entry[] {
		const {snapshot} = route;
		const key = keyOf(route);
		const byKey = this.#entries.get(snapshot) ?? new Map<string, Entry[]>();
		this.#entries.set(snapshot, byKey);
		const entries = byKey.get(key) ?? [];
		byKey.set(key, entries);
		return entries;
	}

	#forget(session: Http2Connection, route: Http2Route): void {
		const {snapshot} = route;
		const key = keyOf(route);
		const byKey = this.#entries.get(snapshot);
		const left = byKey?.get(key)?.filter((entry) => entry.session !== session) ?? [];
		if (left.length > 0) byKey?.set(key, left);
		else byKey?.delete(key);
		if (byKey?.size === 0) this.#entries.delete(snapshot);
	}
}

/** Whether a request may join a session, once it stands. */
function fits({session, route: {net, options}}: Entry, route: Http2Route): boolean {
	return (
		session.usable && isDeepStrictEqual(net, route.net) && isDeepStrictEqual(options, route.options)
	);
}

function keyOf({origin, presentCertificate}: Http2Route): string {
	return `${origin}|${presentCertificate}`;
}

function claimOf({origin, snapshot, presentCertificate, timeouts, again}: Http2Route): SlotRequest {
	const {host, port} = placeOf(origin);
	return {
		route: routeKey(snapshot.identityKey, {origin, presentCertificate}),
		host: authorityOf(host, port),
		connectMs: withoutPrototype(timeouts).connectMs,
		again,
	};
}

/** Opens a connection that has a place. */
function inPlace(place: ConnectionSlot, route: Http2Route, signal: AbortSignal): Promise<Socket> {
	const timeouts = {...route.timeouts, waitedMs: place.waitedMs};
	return place.hold(async () => {
		// Nobody may wait for it any more.
		signal.throwIfAborted();
		return open({...route, timeouts}, signal);
	});
}

function open(route: Http2Route, signal: AbortSignal): Promise<Socket> {
	const {snapshot, presentCertificate, net, timeouts} = route;
	const {secure, ...place} = placeOf(route.origin);
	const end = {...place, net, signal, timeouts};
	if (!secure) return connectPlain(end);
	return connect(snapshot, {...end, presentCertificate, alpn: 'h2', proxy: undefined});
}
