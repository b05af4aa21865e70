import type {Socket} from 'node:net';
import {isDeepStrictEqual} from 'node:util';
import type {Showing, Snapshot} from '../tls/snapshot.ts';
import {connect} from './connect.ts';
import type {ConnectTimeouts} from './deadlines.ts';
import type {Peer} from './handshake.ts';
import {type Http2Options, Http2Session} from './http2-session.ts';
import {connectPlain, placeOf} from './pool.ts';

/** Where a request goes, as whom and how; two requests share a session when all of it agrees. */
export interface Http2Route {
	/** `https://host:port` or `http://host:port`. */
	readonly origin: string;
	readonly snapshot: Snapshot;
	readonly showing: Showing;
	readonly net: NonNullable<Peer['net']>;
	readonly options: Http2Options;
	/** Of the attempt to make it: no matter once it stands. */
	readonly timeouts: ConnectTimeouts;
}

interface Entry {
	readonly route: Http2Route;
	readonly session: Http2Session;
}

/** HTTP/2 sessions on verified connections, by route. */
export class Http2Sessions {
	readonly #entries = new Map<Snapshot, Map<string, Entry[]>>();
	/** Those that take no more requests too, until they are closed. */
	readonly #open = new Set<Http2Session>();
	readonly #retired = new WeakSet<Snapshot>();

	/** The session for a request: one that stands or is being made, or a new one. */
	take(route: Http2Route): Http2Session {
		const entries = this.#entries.get(route.snapshot)?.get(keyOf(route));
		for (const {session} of entries ?? []) if (session.isOverdue) void session.destroy();
		const found = entries?.find(
			({session, route: {net, options, timeouts}}) =>
				session.usable &&
				isDeepStrictEqual(net, route.net) &&
				isDeepStrictEqual(options, route.options) &&
				(!session.connecting || isDeepStrictEqual(timeouts, route.timeouts)),
		);
		return found?.session ?? this.#begin(route);
	}

	/** Sessions by what they do, and requests that wait for one. */
	get counts(): {active: number; idle: number; queued: number} {
		const counts = {active: 0, idle: 0, queued: 0};
		for (const {connecting, users, usable} of this.#open) {
			if (connecting) counts.queued += users;
			else if (users > 0) counts.active += 1;
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

	#begin(route: Http2Route): Http2Session {
		const session = new Http2Session(route, (signal) => open(route, signal), {
			onEnd: () => this.#forget(session, route),
			onClose: () => this.#open.delete(session),
		});
		this.#open.add(session);
		// For a request that began before the swap; no other is to join it.
		if (this.#retired.has(route.snapshot)) session.retire();
		else this.#entriesOf(route).push({route, session});
		return session;
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

	#forget(session: Http2Session, route: Http2Route): void {
		const {snapshot} = route;
		const key = keyOf(route);
		const byKey = this.#entries.get(snapshot);
		const left = byKey?.get(key)?.filter((entry) => entry.session !== session) ?? [];
		if (left.length > 0) byKey?.set(key, left);
		else byKey?.delete(key);
		if (byKey?.size === 0) this.#entries.delete(snapshot);
	}
}

function keyOf({origin, showing}: Http2Route): string {
	return `${origin}|${showing}`;
}

function open(route: Http2Route, signal: AbortSignal): Promise<Socket> {
	const {snapshot, showing, net, timeouts} = route;
	const {secure, ...place} = placeOf(route.origin);
	const end = {...place, net, signal, timeouts};
	if (!secure) return connectPlain(end);
	return connect(snapshot, {...end, showing, alpn: 'h2', proxy: undefined});
}
