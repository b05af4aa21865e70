/*
 * Limits the number of connections, and decides which request is next when the limit is reached.
 *
 * Node's agent counts the sockets that are connected, so a burst opens any number of them, and it counts
 * no connection of undici or HTTP/2. Here a connection of any kind counts from the attempt to connect until
 * its socket is closed.
 */
import {AsyncResource} from 'node:async_hooks';
import type {ConnectionBounds} from '../options.ts';
import {interruptible, onAbort} from '../util/abortable.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {authorityOf} from '../util/url.ts';
import {TimeoutError} from './connect-timeout.ts';
import {ConnectionSlot} from './connection-slot.ts';
import {isForwarded, poolKey, type Route} from './route.ts';

/** A request, or an HTTP/2 connection, that needs a slot. */
export interface SlotRequest {
	/** Names the connections that are counted together. */
	readonly route: string;
	/** The `host:port` to connect to. */
	readonly host: string;
	/** How long it may wait; for ever with 0 or `undefined`. */
	readonly connectMs: number | undefined;
	/** Its first connection was lost, so it goes before those that have had none yet. */
	readonly fresh: boolean;
}

/** A request that waits for a slot. */
export interface WaitingRequest extends SlotRequest {
	/** Takes an idle connection of its kind. @returns whether there was one. */
	reuse(): boolean;
	/** Makes a connection in `slot`. */
	begin(slot: ConnectionSlot): void;
	/** It has waited for too long. */
	expire(error: TimeoutError): void;
}

/**
 * What a request along `route` has to wait for. Connections with one identity to one origin are counted
 * together, through any proxy; those without a certificate are counted apart. Connections to a proxy
 * that forwards plain http are counted by proxy.
 */
export function slotRequest(
	route: Omit<Route, 'snapshot'>,
	identityKey: string,
	host = route.host,
): SlotRequest {
	const to = isForwarded(route) ? route : {...route, host, proxy: undefined};
	return {
		route: `${identityKey}|${poolKey(to)}`,
		host: authorityOf(route.host, route.port),
		connectMs: withoutPrototype(route.timeouts ?? {}).connectMs,
		fresh: route.fresh ?? false,
	};
}

interface Waiter {
	readonly request: WaitingRequest;
	readonly since: number;
	readonly turn: number;
	readonly timer: NodeJS.Timeout | undefined;
	/** The request's async context; without it a trace would show the request that made room. */
	readonly context: AsyncResource;
}

/** `undefined` and `Infinity` for no limit. */
export type Bounds = {readonly [Bound in keyof ConnectionBounds]: number | undefined};

/** The connections that are counted together, and the requests that wait for one of them. */
class CountedRoute {
	readonly slots = new Set<ConnectionSlot>();
	readonly #fresh = new Set<Waiter>();
	readonly #others = new Set<Waiter>();

	get first(): Waiter | undefined {
		for (const waiter of this.#fresh) return waiter;
		for (const waiter of this.#others) return waiter;
		return undefined;
	}

	get isUnused(): boolean {
		return this.slots.size + this.#fresh.size + this.#others.size === 0;
	}

	add(waiter: Waiter): void {
		(waiter.request.fresh ? this.#fresh : this.#others).add(waiter);
	}

	/** @returns whether it was waiting. */
	delete(waiter: Waiter): boolean {
		return this.#fresh.delete(waiter) || this.#others.delete(waiter);
	}
}

/** More turns than there will ever be: subtracted, it puts a request that is sent again first. */
const aheadOfAll = 2 ** 50;

/** The connections of one client, of any kind, and the queue for them: first in, first out. */
export class ConnectionLimit {
	readonly #maxPerRoute: number;
	readonly #maxTotal: number;
	readonly #routes = new Map<string, CountedRoute>();
	readonly #slots = new Set<ConnectionSlot>();
	#waiting = 0;
	#turn = 0;
	#scheduled = false;

	constructor({maxSockets, maxTotalSockets}: Bounds) {
		this.#maxPerRoute = maxSockets ?? Number.POSITIVE_INFINITY;
		this.#maxTotal = maxTotalSockets ?? Number.POSITIVE_INFINITY;
	}

	/** Whether requests wait. Then even an idle connection is only taken in turn. */
	get contended(): boolean {
		return this.#waiting > 0;
	}

	/** A slot at once, if one is free and no request waits. */
	take(key: string): ConnectionSlot | undefined {
		if (this.contended || !this.#hasRoom(this.#routes.get(key))) return undefined;
		return this.#occupy(key, 0);
	}

	/** Waits for an idle connection or a slot. @returns a function that ends the waiting. */
	wait(request: WaitingRequest): () => void {
		const {route, host, connectMs, fresh} = request;
		const expire = () => {
			this.#remove(waiter);
			request.expire(new TimeoutError('slot', host, Number(connectMs)));
		};
		this.#turn += 1;
		const waiter: Waiter = {
			request,
			since: performance.now(),
			turn: fresh ? this.#turn - aheadOfAll : this.#turn,
			timer: connectMs ? setTimeout(expire, connectMs) : undefined,
			context: new AsyncResource('axios-mtls.ConnectionLimit'),
		};
		this.#routeOf(route).add(waiter);
		this.#waiting += 1;
		this.#schedule();
		return () => this.#remove(waiter);
	}

	/**
	 * Waits for a slot. Rejects with the reason of `signal`, or when it has waited for too long.
	 *
	 * @param reuse - Finds an idle connection instead, if it can: the result is then `undefined`.
	 */
	slotFor(
		request: SlotRequest,
		signal: AbortSignal,
		reuse: () => boolean = () => false,
	): Promise<ConnectionSlot | undefined> {
		const slot = this.take(request.route);
		if (slot !== undefined) return Promise.resolve(slot);
		const {promise, resolve, reject} = Promise.withResolvers<ConnectionSlot | undefined>();
		const leave = this.wait({
			...request,
			reuse() {
				const reused = reuse();
				if (reused) resolve(undefined);
				return reused;
			},
			begin: resolve,
			expire: reject,
		});
		return interruptible(promise, (giveUp) =>
			onAbort(signal, () => {
				leave();
				giveUp(signal.reason);
			}),
		);
	}

	#remove(waiter: Waiter): void {
		const key = waiter.request.route;
		const route = this.#routes.get(key);
		if (!route?.delete(waiter)) return;
		this.#waiting -= 1;
		clearTimeout(waiter.timer);
		waiter.context.emitDestroy();
		if (route.isUnused) this.#routes.delete(key);
		// The next one may be able to continue.
		this.#schedule();
	}

	#hasRoom(route: CountedRoute | undefined): boolean {
		return this.#slots.size < this.#maxTotal && (route?.slots.size ?? 0) < this.#maxPerRoute;
	}

	#occupy(key: string, waitedMs: number): ConnectionSlot {
		const {slots} = this.#routeOf(key);
		const slot = new ConnectionSlot(waitedMs, {
			onChange: () => this.#schedule(),
			onRelease: () => {
				slots.delete(slot);
				this.#slots.delete(slot);
				if (this.#routes.get(key)?.isUnused) this.#routes.delete(key);
				this.#schedule();
			},
		});
		slots.add(slot);
		this.#slots.add(slot);
		return slot;
	}

	#routeOf(key: string): CountedRoute {
		let route = this.#routes.get(key);
		if (route === undefined) {
			route = new CountedRoute();
			this.#routes.set(key, route);
		}
		return route;
	}

	// In a microtask: undici and Node call a connection idle just before they close it, when its response
	// was the last one.
	#schedule(): void {
		if (this.#waiting === 0 || this.#scheduled) return;
		this.#scheduled = true;
		queueMicrotask(() => {
			this.#scheduled = false;
			while (this.#serveNext());
		});
	}

	/** Serves the first request that can continue. @returns whether there was one. */
	#serveNext(): boolean {
		/** Earlier requests that wait because of the total limit, not of the limit per route. */
		let ahead = 0;
		for (const {waiter, route} of this.#firsts()) {
			const {request, context} = waiter;
			if (context.runInAsyncScope(() => request.reuse())) {
				this.#remove(waiter);
				return true;
			}
			const full = route.slots.size >= this.#maxPerRoute;
			if (!full && ahead === 0 && this.#slots.size < this.#maxTotal) {
				this.#remove(waiter);
				const slot = this.#occupy(request.route, performance.now() - waiter.since);
				context.runInAsyncScope(() => request.begin(slot));
				return true;
			}
			if (full) makeRoom(route.slots, 1);
			else {
				ahead += 1;
				makeRoom(this.#slots, ahead);
			}
		}
		return false;
	}

	/** The first waiting request of each route, in order. */
	#firsts(): {waiter: Waiter; route: CountedRoute}[] {
		const firsts = [];
		for (const route of this.#routes.values()) {
			const waiter = route.first;
			if (waiter !== undefined) firsts.push({waiter, route});
		}
		return firsts.sort((one, other) => one.waiter.turn - other.waiter.turn);
	}
}

/**
 * Makes sure that `wanted` slots are about to be free: ends the connection that has been idle for longest.
 * If none is idle, the shared one with the fewest requests takes no new ones, which would keep it open.
 */
function makeRoom(slots: ReadonlySet<ConnectionSlot>, wanted: number): void {
	let ending = 0;
	let draining = 0;
	let idle: ConnectionSlot | undefined;
	let shared: ConnectionSlot | undefined;
	for (const slot of slots) {
		const {state, activeStreams} = slot;
		if (state === 'ending') ending += 1;
		else if (state === 'draining') draining += 1;
		else if (state === 'idle') {
			if (idle === undefined || slot.idleSince < idle.idleSince) idle = slot;
		} else if (activeStreams !== undefined) {
			const least = shared?.activeStreams;
			if (least === undefined || activeStreams < least) shared = slot;
		}
	}
	if (ending >= wanted) return;
	if (idle !== undefined) idle.end();
	else if (ending + draining < wanted) shared?.drain();
}
