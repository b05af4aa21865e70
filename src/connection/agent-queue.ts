import http, {type ClientRequest, type ClientRequestArgs} from 'node:http';
import type {Socket} from 'node:net';
import type {Duplex} from 'node:stream';
import type {ConnectionLimit, SlotRequest, WaitingRequest} from './connection-limit.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import {IdleSince, idleLimitMs} from './keep-alive.ts';

/** What Node's types leave out: where a request comes to its agent. */
const nodeAgent = http.Agent.prototype as unknown as {
	addRequest(this: http.Agent, request: ClientRequest, options: ClientRequestArgs): void;
};

interface Untold {
	onSocket(socket: null, error?: Error): void;
}

const placeKey: unique symbol = Symbol('axios-mtls.place');

/** Options of a request that may have a place for a new connection. */
interface PlacedOptions extends ClientRequestArgs {
	[placeKey]?: ConnectionSlot;
}

/** What a request waits for, where there is no connection for it. */
export interface AgentSlotRequest extends SlotRequest {
	/** Gives the request up. */
	readonly signal: AbortSignal | undefined;
}

const hosts = new WeakMap<ClientRequest, string>();

/** The host, with its port, to which `request` waits for a free connection. */
export function hostWaitedFor(request: ClientRequest): string | undefined {
	return hosts.get(request);
}

/**
 * Looks after the connections of a Node agent, and bounds them where there is a limit.
 *
 * Node's own `maxSockets` counts the sockets that stand, which comes too late where they are made
 * asynchronously. So a request comes to Node's part of the agent when there is a free connection for it,
 * or a place for a new one.
 */
export class AgentQueue {
	readonly #agent: http.Agent;
	readonly #limit: ConnectionLimit | undefined;
	readonly #waiting = new Map<ClientRequest, (error: Error) => void>();
	readonly #places = new WeakMap<Duplex, ConnectionSlot>();
	/** The free connections. */
	readonly #idle = new WeakMap<Duplex, IdleSince>();

	constructor(agent: http.Agent, limit: ConnectionLimit | undefined) {
		this.#agent = agent;
		this.#limit = limit;
		// After Node's own listener, which has put it among the free ones, or ended it.
		if (limit) agent.on('free', (socket: Socket) => this.#rest(socket));
	}

	/** How many requests wait. */
	get size(): number {
		return this.#waiting.size;
	}

	/** `socket` is about to be one of the free ones. */
	keep(socket: Duplex): void {
		this.#idle.set(socket, new IdleSince());
	}

	/** `socket` is free no more. */
	use(socket: Duplex): void {
		this.#idle.delete(socket);
		this.#places.get(socket)?.use();
	}

	/** Gives a request to Node's part of the agent, in its turn. */
	add(request: ClientRequest, options: ClientRequestArgs, claim: () => AgentSlotRequest): void {
		const name = this.#agent.getName(options);
		const hasFree = () => this.#hasFree(name);
		const start = (place?: ConnectionSlot) => {
			const placed: PlacedOptions = place ? {...options, [placeKey]: place} : options;
			nodeAgent.addRequest.call(this.#agent, request, placed);
			place?.releaseUnused();
		};
		const free = hasFree();
		const limit = this.#limit;
		if (limit === undefined || (free && !limit.contended)) {
			start();
			return;
		}
		const waits = claim();
		const place = limit.take(waits.route);
		if (place) {
			start(place);
			return;
		}
		this.#wait(limit, request, waits, {
			reuse() {
				if (!hasFree()) return false;
				start();
				return true;
			},
			begin: start,
		});
	}

	/** Makes a connection of the agent: at the place of its request, else at one that it waits for. */
	async make<S extends Duplex>(
		options: PlacedOptions,
		claim: () => AgentSlotRequest,
		signal: AbortSignal,
		connect: (waitedMs: number) => Promise<S>,
	): Promise<S> {
		if (this.#limit === undefined) return connect(0);
		const place = options[placeKey] ?? (await this.#limit.placeFor(claim(), signal));
		if (place === undefined) return connect(0);
		const socket = await place.hold(() => connect(place.waitedMs));
		this.#places.set(socket, place);
		return socket;
	}

	/** Ends the requests that wait. */
	destroy(error: Error): void {
		for (const fail of [...this.#waiting.values()]) fail(error);
	}

	/** Whether there is a free connection under `name`. Those that must not be used are taken off the list. */
	#hasFree(name: string): boolean {
		const free = this.#agent.freeSockets[name] ?? [];
		for (const socket of [...free]) {
			const overdue = this.#idle.get(socket)?.isOver(socket.timeout || idleLimitMs);
			if (!socket.destroyed && !overdue) continue;
			// Node looks whether the first of the list was destroyed, and takes the last.
			free.splice(free.indexOf(socket), 1);
			socket.destroy();
		}
		return free.length > 0;
	}

	#wait(
		limit: ConnectionLimit,
		request: ClientRequest,
		{signal, ...claim}: AgentSlotRequest,
		{reuse, begin}: Pick<WaitingRequest, 'reuse' | 'begin'>,
	): void {
		const isOwn = Object.hasOwn(request, 'destroy');
		const {destroy} = request;
		const settle = () => {
			leave();
			this.#waiting.delete(request);
			hosts.delete(request);
			signal?.removeEventListener('abort', onAbort);
			// Where nobody else has put another over it.
			if (request.destroy !== destroyWaiting) return;
			if (isOwn) request.destroy = destroy;
			else Reflect.deleteProperty(request, 'destroy');
		};
		const fail = (error?: Error) => {
			settle();
			// It tells `error` and `close`, as when a connection could not be made.
			(request as unknown as Untold).onSocket(null, error);
		};
		// Node tells a request that was given up when it has a socket for it.
		const destroyWaiting: ClientRequest['destroy'] = (error) => {
			destroy.call(request, error);
			if (this.#waiting.has(request)) fail(error);
			return request;
		};
		const onAbort = () => fail(signal?.reason as Error);
		const leave = limit.wait({
			...claim,
			reuse() {
				const reused = reuse();
				if (reused) settle();
				return reused;
			},
			begin(place) {
				settle();
				begin(place);
			},
			expire: fail,
		});
		this.#waiting.set(request, fail);
		hosts.set(request, claim.host);
		request.destroy = destroyWaiting;
		signal?.addEventListener('abort', onAbort);
		if (request.destroyed || signal?.aborted) fail();
	}

	#rest(socket: Socket): void {
		if (socket.destroyed || !this.#idle.has(socket)) return;
		this.#places.get(socket)?.rest(() => socket.destroy());
	}
}
