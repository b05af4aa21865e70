/*
 * How many connections there may be, and who is next where there are as many.
 *
 * Node's agent counts the sockets that stand, so that a burst makes any number of them, and it knows
 * none of undici's or of HTTP/2. Here a connection counts from the attempt to make it until its socket
 * is closed, whoever makes it.
 */
import {AsyncResource} from 'node:async_hooks';
import {MtlsConfigError} from '../config-error.ts';
import type {ConnectionBounds} from '../options.ts';
import {interruptible, onAbort} from '../util/abortable.ts';
import {numberOrType} from '../util/check-options.ts';
import {TimeoutError} from './connect-timeout.ts';
import {ConnectionSlot} from './connection-slot.ts';
import {HttpProxy} from './proxy/proxy-config.ts';

/** What waits for a connection: a request, or an HTTP/2 session. */
export interface WaitingRequest {
	/** Names the connections that are counted together. */
	readonly route: string;
	/** Who is to be connected to, with its port. */
	readonly host: string;
	/** How long it may wait; for ever with 0 or without it. */
	readonly connectMs: number | undefined;
	/** The connection that it was given was stale: it goes before those that have had none yet. */
	readonly again: boolean;
	/** Takes a connection of its kind that is idle. @returns whether there was one. */
	reuse(): boolean;
	/** Makes a connection, which has `place`. */
	begin(place: ConnectionSlot): void;
	/** It has waited for too long. */
	expire(error: TimeoutError): void;
}

/** The same without what becomes of it. */
export type SlotRequest = Omit<WaitingRequest, 'reuse' | 'begin' | 'expire'>;

interface Waiter {
	readonly claim: WaitingRequest;
	readonly since: number;
	readonly turn: number;
	readonly timer: NodeJS.Timeout | undefined;
	/** What it is served in: a trace would else count it to the request that made room. */
	readonly context: AsyncResource;
}

/** The connections that are counted together, and who waits for them. */
class Route {
	readonly places = new Set<ConnectionSlot>();
	readonly #again = new Set<Waiter>();
	readonly #others = new Set<Waiter>();

	get first(): Waiter | undefined {
		for (const waiter of this.#again) return waiter;
		for (const waiter of this.#others) return waiter;
		return undefined;
	}

	get isUnused(): boolean {
		return this.places.size + this.#again.size + this.#others.size === 0;
	}

	add(waiter: Waiter): void {
		(waiter.claim.again ? this.#again : this.#others).add(waiter);
	}

	/** @returns whether it was waiting. */
	delete(waiter: Waiter): boolean {
		return this.#again.delete(waiter) || this.#others.delete(waiter);
	}
}

/** More than there will ever be turns: who waits again comes before all that wait for the first time. */
const aheadOfAll = 2 ** 50;

/** The connections of one client, of whatever kind, and the queue for them: first in, first out. */
export class ConnectionLimit {
	readonly #maxPerRoute: number;
	readonly #maxTotal: number;
	readonly #routes = new Map<string, Route>();
	readonly #places = new Set<ConnectionSlot>();
	#waiting = 0;
	#turn = 0;
	#scheduled = false;

	constructor({maxSockets, maxTotalSockets}: ConnectionBounds) {
		this.#maxPerRoute = maxSockets ?? Number.POSITIVE_INFINITY;
		this.#maxTotal = maxTotalSockets ?? Number.POSITIVE_INFINITY;
	}

	/** Whether anybody waits. Then nobody takes an idle connection but in turn. */
	get contended(): boolean {
		return this.#waiting > 0;
	}

	/** A place at once, where there is one and nobody waits. */
	take(key: string): ConnectionSlot | undefined {
		if (this.contended || !this.#hasRoom(this.#routes.get(key))) return undefined;
		return this.#occupy(key, 0);
	}

	/** Waits for an idle connection or a place. @returns what ends the waiting. */
	wait(claim: WaitingRequest): () => void {
		const {route, host, connectMs, again} = claim;
		const expire = () => {
			this.#remove(waiter);
			claim.expire(new TimeoutError('place', host, Number(connectMs)));
		};
		this.#turn += 1;
		const waiter: Waiter = {
			claim,
			since: performance.now(),
			turn: again ? this.#turn - aheadOfAll : this.#turn,
			timer: connectMs ? setTimeout(expire, connectMs) : undefined,
			context: new AsyncResource('axios-mtls.ConnectionLimit'),
		};
		this.#routeOf(route).add(waiter);
		this.#waiting += 1;
		this.#schedule();
		return () => this.#remove(waiter);
	}

	/**
	 * Waits for a place. Rejects with the reason of `signal`, or when it has waited for too long.
	 *
	 * @param reuse - Does without one, where it can: then there is none.
	 */
	placeFor(
		request: SlotRequest,
		signal: AbortSignal,
		reuse: () => boolean = () => false,
	): Promise<ConnectionSlot | undefined> {
		const place = this.take(request.route);
		if (place !== undefined) return Promise.resolve(place);
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
		const key = waiter.claim.route;
		const route = this.#routes.get(key);
		if (!route?.delete(waiter)) return;
		this.#waiting -= 1;
		clearTimeout(waiter.timer);
		waiter.context.emitDestroy();
		if (route.isUnused) this.#routes.delete(key);
		// What it stood before may go on.
		this.#schedule();
	}

	#hasRoom(route: Route | undefined): boolean {
		return this.#places.size < this.#maxTotal && (route?.places.size ?? 0) < this.#maxPerRoute;
	}

	#occupy(key: string, waitedMs: number): ConnectionSlot {
		const {places} = this.#routeOf(key);
		const place = new ConnectionSlot(waitedMs, {
			onChange: () => this.#schedule(),
			onRelease: () => {
				places.delete(place);
				this.#places.delete(place);
				if (this.#routes.get(key)?.isUnused) this.#routes.delete(key);
				this.#schedule();
			},
		});
		places.add(place);
		this.#places.add(place);
		return place;
	}

	#routeOf(key: string): Route {
		let route = this.#routes.get(key);
		if (route === undefined) {
			route = new Route();
			this.#routes.set(key, route);
		}
		return route;
	}

	// A turn later: undici and Node tell that a connection is idle just before they close it, where the
	// answer was the last one on it.
	#schedule(): void {
		if (this.#waiting === 0 || this.#scheduled) return;
		this.#scheduled = true;
		queueMicrotask(() => {
			this.#scheduled = false;
			while (this.#serveNext());
		});
	}

	/** Serves the first that can be served. @returns whether there was one. */
	#serveNext(): boolean {
		/** Those before it for whom there is no place in all. */
		let ahead = 0;
		for (const {waiter, route} of this.#firsts()) {
			const {claim, context} = waiter;
			if (context.runInAsyncScope(() => claim.reuse())) {
				this.#remove(waiter);
				return true;
			}
			const full = route.places.size >= this.#maxPerRoute;
			if (!full && ahead === 0 && this.#places.size < this.#maxTotal) {
				this.#remove(waiter);
				const place = this.#occupy(claim.route, performance.now() - waiter.since);
				context.runInAsyncScope(() => claim.begin(place));
				return true;
			}
			if (full) makeRoom(route.places, 1);
			else {
				ahead += 1;
				makeRoom(this.#places, ahead);
			}
		}
		return false;
	}

	/** Of each route the first that waits, in the order of their turns. */
	#firsts(): {waiter: Waiter; route: Route}[] {
		const firsts = [];
		for (const route of this.#routes.values()) {
			const waiter = route.first;
			if (waiter !== undefined) firsts.push({waiter, route});
		}
		return firsts.sort((one, other) => one.waiter.turn - other.waiter.turn);
	}
}

/**
 * Names the connections that are counted together: to one origin with one identity, which is shown there
 * or not, by whatever way; or to a proxy that is asked for any origin in the clear.
 */
export function routeKey(
	identityKey: string,
	to: {readonly origin: string; readonly presentCertificate: boolean} | HttpProxy,
): string {
	return to instanceof HttpProxy
		? `${identityKey}|${to.poolKey}`
		: `${identityKey}|${to.presentCertificate}|${to.origin}`;
}

/**
 * Sees to it that `wanted` of `places` are about to be free: ends the connection that is idle for longest.
 * Where none is, a shared one is to take no more requests; else those that come would keep it for ever.
 */
function makeRoom(places: ReadonlySet<ConnectionSlot>, wanted: number): void {
	let ending = 0;
	let draining = 0;
	let idle: ConnectionSlot | undefined;
	let shared: ConnectionSlot | undefined;
	for (const place of places) {
		if (place.state === 'ending') ending += 1;
		else if (place.state === 'draining') draining += 1;
		else if (place.state === 'idle') {
			if (idle === undefined || place.idleSince < idle.idleSince) idle = place;
		} else if (place.users !== undefined) {
			if (shared?.users === undefined || place.users < shared.users) shared = place;
		}
	}
	if (ending >= wanted) return;
	if (idle !== undefined) idle.end();
	else if (ending + draining < wanted) shared?.drain();
}

/**
 * The limit that `bounds` ask for; `undefined` for none.
 *
 * @throws {MtlsConfigError} for a bound that is no whole number of 1 or more.
 */
export function connectionLimit(bounds: ConnectionBounds): ConnectionLimit | undefined {
	const given = (['maxSockets', 'maxTotalSockets'] as const).filter((option) => {
		const bound: unknown = bounds[option];
		if (bound === undefined || bound === Number.POSITIVE_INFINITY) return false;
		if (Number.isInteger(bound) && Number(bound) >= 1) return true;
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			option,
			`expected a whole number of 1 or more, or Infinity, found ${numberOrType(bound)}`,
		);
	});
	return given.length === 0 ? undefined : new ConnectionLimit(bounds);
}
