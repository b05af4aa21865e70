/*
 * Connections of the lean exchange: one undici client each, with one request at a time.
 *
 * undici's own Pool would wait a turn of the event loop before it uses a connection again, and open
 * a second one meanwhile; and it does not tell which connection carries a request.
 */
import {connect as connectTcp, type Socket} from 'node:net';
import {Client, type Dispatcher} from 'undici';
import type {Snapshot} from '../tls/snapshot.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {authorityOf, bareHost, portOfUrl} from '../util/url.ts';
import {connect, connectToProxy} from './connect.ts';
import {type ConnectTimeouts, ConnectTimer} from './connect-timeout.ts';
import {type ConnectionLimit, routeKey, type SlotRequest} from './connection-limit.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import {unsentGraceMs} from './early-response.ts';
import type {Peer} from './handshake.ts';
import {hintMarginMs, IdleSince, idleLimitFor, idleLimitMs, maxIdleMs} from './idle-timeout.ts';
import type {HttpProxy} from './proxy/proxy-config.ts';
import {QueuedConnection} from './queued-connection.ts';
import {ResponseHeads, type StatusLine} from './response-heads.ts';
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
				line.place?.use();
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
		line.place?.rest(() => void line.destroy());
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

/** Tells the pool what becomes of a line. */
interface LineEvents {
	readonly onFree: () => void;
	readonly onEnd: () => void;
}

/** Told of one response, or of why there is none: of what was never sent too. */
export type ResponseHandler = Dispatcher.DispatchHandler & {
	onResponseError(controller: unknown, error: Error): void;
};

/** What carries one request. */
export interface RequestConnection
	extends Pick<
		PooledConnection,
		| 'socket'
		| 'used'
		| 'sent'
		| 'statusLine'
		| 'dispatch'
		| 'markUsed'
		| 'release'
		| 'releaseOnceSent'
		| 'destroy'
	> {
	/** The host, with its port, that a free connection to is waited for. */
	readonly waitsFor: string | undefined;
}

/** One connection, which lives until its socket closes. */
export class PooledConnection implements RequestConnection {
	/** `undefined` until it is connected; stays after it was closed, for its facts. */
	socket: Socket | undefined = undefined;
	/** It has a connection, or an attempt to make one. */
	readonly waitsFor = undefined;
	/** Among the connections that are counted, where they are. */
	readonly place: ConnectionSlot | undefined;
	#heads: ResponseHeads | undefined = undefined;
	#served = 0;
	#ended = false;
	#idle: IdleSince | undefined;
	#idleLimitMs = idleLimitMs;
	readonly #client: Client;
	readonly #attempt = new AbortController();
	readonly #events: LineEvents;

	constructor(
		origin: string,
		open: (signal: AbortSignal) => Promise<Socket>,
		events: LineEvents,
		place: ConnectionSlot | undefined,
	) {
		this.#events = events;
		this.place = place;
		const options: Client.Options = {
			// Never more than one request is given to it. But with 1 it would rest between two.
			pipelining: 2,
			// Deadlines are the request's own.
			headersTimeout: 0,
			bodyTimeout: 0,
			keepAliveTimeout: idleLimitMs,
			keepAliveTimeoutThreshold: hintMarginMs,
			keepAliveMaxTimeout: maxIdleMs,
			allowH2: false,
			connect: (_, callback) => {
				// undici would connect again by itself when the connection is lost before the request is out.
				if (this.#ended) return callback(new Error('the connection was closed'), null);
				open(this.#attempt.signal).then(
					(socket) => {
						this.socket = socket;
						this.#heads = new ResponseHeads(socket);
						callback(null, socket);
					},
					(error: Error) => callback(error, null),
				);
			},
		};
		this.#client = new Client(origin, withoutPrototype(options));
		this.#client.on('disconnect', () => this.#end());
		this.#client.on('connectionError', () => this.#end());
	}

	/** Sends a request; `release` or `destroy` follows when its answer is complete. */
	dispatch(options: Dispatcher.DispatchOptions, handler: ResponseHandler): void {
		this.#client.dispatch(options, handler);
	}

	get usable(): boolean {
		return !this.#ended && this.socket?.destroyed === false;
	}

	/** Whether it has been idle for longer than it is kept: its timer has yet to say so. */
	get isOverdue(): boolean {
		return this.#idle?.isOver(this.#idleLimitMs) ?? false;
	}

	/** Whether it has carried a request. */
	get used(): boolean {
		return this.#served > 0;
	}

	/** That of the latest response. */
	get statusLine(): StatusLine | undefined {
		return this.#heads;
	}

	/** Counts a request in. @returns whether the connection has carried one before. */
	markUsed(): boolean {
		this.#heads?.expect();
		this.#served += 1;
		return this.#served > 1;
	}

	/** Whether the system has taken all that was written; it says so a turn of the event loop later. */
	get sent(): boolean {
		return !this.socket?.writableLength;
	}

	/** The line is free for the next request. @param keepAlive - That header of the answer. */
	release(keepAlive: string | undefined): void {
		if (this.#ended) return;
		this.#idle = new IdleSince();
		this.#idleLimitMs = idleLimitFor(keepAlive);
		this.#events.onFree();
	}

	/** The response is complete, and the request is not out: free if it soon is. */
	releaseOnceSent(keepAlive: string | undefined): void {
		const release = () => {
			clearTimeout(timer);
			this.socket?.off('drain', release);
			if (this.sent) this.release(keepAlive);
			else void this.destroy();
		};
		const timer = setTimeout(release, unsentGraceMs).unref();
		this.socket?.once('drain', release);
	}

	/** Ends the connection, or the attempt to make it. */
	async destroy(reason?: Error): Promise<void> {
		this.#end();
		this.#attempt.abort(reason);
		await this.#client.destroy(reason ?? null);
	}

	#end(): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#events.onEnd();
		void this.#client.destroy();
	}
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
		const onAbort = () => socket.destroy(signal.reason as Error);
		signal.addEventListener('abort', onAbort);
		socket.once('close', () => watch.stop());
		socket.once('connect', () => {
			watch.stop();
			signal.removeEventListener('abort', onAbort);
			socket.off('error', reject);
			resolve(socket);
		});
		socket.once('error', reject);
	});
}
