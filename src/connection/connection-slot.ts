import type {Duplex} from 'node:stream';

/** A connection that carries many requests at a time, so it may never be idle. */
export interface SharedConnection {
	readonly activeStreams: number;
	/** Takes no more requests, and ends after the last of them. */
	retire(): void;
}

/** Called when the state of a slot changes. */
interface SlotEvents {
	/** A waiting request may now be able to continue. */
	onChange(): void;
	onRelease(): void;
}

/** One of the connections that the limit allows, from connecting until its socket is closed. */
export class ConnectionSlot {
	/** How long its first request has waited for it. */
	readonly waitedMs: number;
	/** `'ending'` and `'draining'` make room for another connection. */
	#state: 'new' | 'busy' | 'idle' | 'ending' | 'draining' | 'released' = 'new';
	#idleSince = 0;
	#end = () => {};
	#shared: SharedConnection | undefined;
	readonly #events: SlotEvents;

	constructor(waitedMs: number, events: SlotEvents) {
		this.waitedMs = waitedMs;
		this.#events = events;
	}

	get state(): string {
		return this.#state;
	}

	/** On the clock of `performance.now()`. */
	get idleSince(): number {
		return this.#idleSince;
	}

	/** Requests to wait for before a shared connection can end; `undefined` for any other. */
	get activeStreams(): number | undefined {
		return this.#state === 'busy' ? this.#shared?.activeStreams : undefined;
	}

	/** Makes the connection. @param make - Called with how long the request has waited. */
	async hold<S extends Duplex>(make: (waitedMs: number) => Promise<S>): Promise<S> {
		this.#state = 'busy';
		try {
			const socket = await make(this.waitedMs);
			if (socket.closed) this.release();
			else socket.once('close', () => this.release());
			return socket;
		} catch (error) {
			this.release();
			throw error;
		}
	}

	/** Other requests may join the connection. */
	share(connection: SharedConnection): void {
		this.#shared = connection;
		this.#events.onChange();
	}

	/** The connection is idle. @param end - Ends it at once. */
	rest(end: () => void): void {
		if (this.#state !== 'busy') return;
		this.#state = 'idle';
		this.#end = end;
		this.#idleSince = performance.now();
		this.#events.onChange();
	}

	/** The connection is in use again. */
	use(): void {
		if (this.#state === 'idle') this.#state = 'busy';
	}

	/** Ends the idle connection. */
	end(): void {
		this.#state = 'ending';
		this.#end();
	}

	/** Ends the shared connection after its requests. */
	drain(): void {
		this.#state = 'draining';
		this.#shared?.retire();
	}

	release(): void {
		if (this.#state === 'released') return;
		this.#state = 'released';
		this.#events.onRelease();
	}

	/** Releases it if no connection was begun. */
	releaseUnused(): void {
		if (this.#state === 'new') this.release();
	}
}
