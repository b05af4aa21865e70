import {connect as connectTcp, type Socket} from 'node:net';
import type {Snapshot} from '../tls/snapshot.ts';
import {onAbort} from '../util/abortable.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {authorityOf, bareHost, portOfUrl} from '../util/url.ts';
import {connect, connectToProxy} from './connect.ts';
import {type ConnectTimeouts, ConnectTimer} from './connect-timeout.ts';
import {type ConnectionLimit, routeKey, type SlotRequest} from './connection-limit.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import type {Peer} from './handshake.ts';
import {PooledConnection, type RequestConnection} from './pooled-connection.ts';
import type {HttpProxy} from './proxy/proxy-config.ts';
import {QueuedConnection} from './queued-connection.ts';
import {tcpOptions} from './socket-options.ts';

/** Where a request goes, and as whom; two requests share connections when all of it agrees. */
export interface PoolRoute {
	/** `https://host:port` or `http://host:port`. */
	readonly origin: string;
	readonly snapshot: Snapshot;
	readonly presentCertificate: boolean;
	/** For http the proxy itself is asked: its connections serve any number of origins. */
	readonly proxy: HttpProxy | undefined;
	/** Of the one request that a connection is made for. */
	readonly timeouts?: ConnectTimeouts | undefined;
}

/** Idle connections kept per route; as many as Node's agent keeps. */
const maxIdle = 256;

/** Verified connections, kept alive by route. */
export class Pools {
	readonly #idle = new Map<Snapshot, Map<string, PooledConnection[]>>();
	readonly #lines = new Set<PooledConnection>();
	readonly #retired = new WeakSet<Snapshot>();
	readonly #queued = new Set<QueuedConnection>();
	readonly #limit: ConnectionLimit | undefined;

	/** @param limit - Of which these are some of the connections. */
	constructor(limit: ConnectionLimit | undefined) {
		this.#limit = limit;
	}

	/**
	 * A line for one request: the one that was idle for the shortest time, a new one, or what stands for
	 * one where there are as many as there may be.
	 *
	 * @param fresh - A new one, whichever are idle.
	 */
	take(route: PoolRoute, fresh: boolean): RequestConnection {
		const key = keyOf(route);
		const limit = this.#limit;
		// Those who wait come first.
		if (limit?.contended) return this.#queue(limit, route, key, fresh);
		const line = fresh ? undefined : this.#takeIdle(route.snapshot, key);
		if (line !== undefined) return line;
		if (limit === undefined) return this.#open(route, key);
		const place = limit.take(countedAs(route));
		return place ? this.#open(route, key, place) : this.#queue(limit, route, key, fresh);
	}

	#takeIdle(snapshot: Snapshot, key: string): PooledConnection | undefined {
		const idle = this.#idle.get(snapshot)?.get(key);
		for (;;) {
			const line = idle?.pop();
			if (line === undefined) return undefined;
			// undici closes the socket just after an answer that says so, and tells it later.
			if (!line.usable) continue;
			if (line.isOverdue) void line.destroy();
			else {
				line.slot?.use();
				return line;
			}
		}
	}

	#queue(limit: ConnectionLimit, route: PoolRoute, key: string, fresh: boolean): QueuedConnection {
		const {host, port} = placeOf(route.origin);
		const claim: SlotRequest = {
			route: countedAs(route),
			host: authorityOf(host, port),
			connectMs: withoutPrototype(route.timeouts ?? {}).connectMs,
			again: fresh,
		};
		const queued = new QueuedConnection(claim.host, {
			wait: (events) => limit.wait({...claim, ...events}),
			takeIdle: () => (fresh ? undefined : this.#takeIdle(route.snapshot, key)),
			open: (place) => this.#open(route, key, place),
			onEnd: (line) => this.#queued.delete(line),
		});
		this.#queued.add(queued);
		return queued;
	}

	#open(route: PoolRoute, key: string, place?: ConnectionSlot): PooledConnection {
		const connect = (signal: AbortSignal) =>
			place
				? place.hold(() => this.#connect(waited(route, place), signal))
				: this.#connect(route, signal);
		const line = new PooledConnection(
			route.origin,
			connect,
			{
				onFree: () => {
					if (this.#retired.has(route.snapshot)) void line.destroy();
					else this.#keep(line, key, route.snapshot);
				},
				onEnd: () => {
					this.#lines.delete(line);
					this.#forget(line, key, route.snapshot);
					place?.releaseUnused();
				},
			},
			place,
		);
		this.#lines.add(line);
		return line;
	}

	/** Connections by what they do, and requests that wait for one: each that is being made has one, too. */
	get counts(): {active: number; idle: number; queued: number} {
		let idle = 0;
		for (const lines of this.#idle.values()) for (const {length} of lines.values()) idle += length;
		let making = 0;
		for (const {socket} of this.#lines) if (socket === undefined) making += 1;
		return {active: this.#lines.size - idle - making, idle, queued: making + this.#queued.size};
	}

	/** Ends the idle connections of `snapshot`, and each other one when its request is over. */
	retire(snapshot: Snapshot): void {
		this.#retired.add(snapshot);
		const idle = this.#idle.get(snapshot);
		this.#idle.delete(snapshot);
		for (const line of Array.from(idle?.values() ?? []).flat()) void line.destroy();
	}

	/** Ends all connections, those in use included, and the requests that wait for one. */
	async destroy(): Promise<void> {
		for (const queued of [...this.#queued]) void queued.destroy();
		const lines = [...this.#lines];
		this.#idle.clear();
		await Promise.all(lines.map((line) => line.destroy()));
	}

	#keep(line: PooledConnection, key: string, snapshot: Snapshot): void {
		const idle = this.#idleOf(snapshot, key);
		// After a burst those go first that the server will close first.
		if (idle.length >= maxIdle) void idle[0]?.destroy();
		idle.push(line);
		line.slot?.rest(() => void line.destroy());
	}

	#idleOf(snapshot: Snapshot, key: string): PooledConnection[] {
		let byKey = this.#idle.get(snapshot);
		if (byKey === undefined) {
			byKey = new Map();
			this.#idle.set(snapshot, byKey);
		}
		let lines = byKey.get(key);
		if (lines === undefined) {
			lines = [];
			byKey.set(key, lines);
		}
		return lines;
	}

	#forget(line: PooledConnection, key: string, snapshot: Snapshot): void {
		const byKey = this.#idle.get(snapshot);
		const lines = byKey?.get(key);
		if (byKey === undefined || lines === undefined) return;
		const index = lines.indexOf(line);
		if (index >= 0) lines.splice(index, 1);
		if (lines.length === 0) byKey.delete(key);
		if (byKey.size === 0) this.#idle.delete(snapshot);
	}

	#connect(route: PoolRoute, signal: AbortSignal): Promise<Socket> {
		const {snapshot, presentCertificate, proxy, timeouts} = route;
		const {secure, ...place} = placeOf(route.origin);
		const end = {...place, signal, timeouts};
		if (secure) return connect(snapshot, {...end, presentCertificate, proxy});
		return proxy === undefined ? connectPlain(end) : connectToProxy(snapshot, {...end, proxy});
	}
}

// The plain case needs no new string.
function keyOf({origin, presentCertificate, proxy}: PoolRoute): string {
	if (presentCertificate && proxy === undefined) return origin;
	if (proxy !== undefined && origin.startsWith('http:')) return `http|${proxy.poolKey}`;
	return `${origin}|${presentCertificate}|${proxy?.poolKey ?? 'direct'}`;
}

/** What the connections to an origin are counted as: those through different proxies together. */
function countedAs(route: PoolRoute): string {
	const {origin, snapshot, proxy} = route;
	const forwards = proxy !== undefined && origin.startsWith('http:');
	return routeKey(snapshot.identityKey, forwards ? proxy : route);
}

/** With what is left of the time to connect. */
function waited(route: PoolRoute, {waitedMs}: ConnectionSlot): PoolRoute {
	return {...route, timeouts: {...route.timeouts, waitedMs}};
}

/** Where an origin is, as sockets take it. */
export function placeOf(origin: string): {secure: boolean; host: string; port: number} {
	const url = new URL(origin);
	return {secure: url.protocol === 'https:', host: bareHost(url.hostname), port: portOfUrl(url)};
}

interface PlainTarget {
	readonly host: string;
	readonly port: number;
	readonly signal: AbortSignal;
	readonly timeouts?: ConnectTimeouts | undefined;
	readonly net?: Peer['net'];
}

/** Makes a TCP connection. */
export function connectPlain(target: PlainTarget): Promise<Socket> {
	const {host, port, signal, timeouts, net} = withoutPrototype(target);
	return new Promise((resolve, reject) => {
		const socket = connectTcp(tcpOptions({...net, host, port, noDelay: true}));
		const watch = new ConnectTimer(authorityOf(host, port), timeouts, (error) =>
			socket.destroy(error),
		);
		const settle = onAbort(signal, () => socket.destroy(signal.reason as Error));
		socket.once('close', () => watch.stop());
		socket.once('connect', () => {
			watch.stop();
			settle();
			socket.off('error', reject);
			resolve(socket);
		});
		socket.once('error', reject);
	});
}
