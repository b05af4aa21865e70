import type {Duplex} from 'node:stream';

/** A connection that carries many requests at a time, so that it need never be idle. */
export interface SharedConnection {
	/** Requests on it. */
	readonly activeStreams: number;
	/** Takes no more requests, and ends after the last of them. */
	retire(): void;
}

/** Tells the limit what becomes of a place. */
interface PlaceEvents {
	/** It may be of use to those who wait. */
	onChange(): void;
	onRelease(): void;
}

/** What a connection holds from the attempt to make it until its socket is closed. */
export class ConnectionSlot {
	/** How long its first request has waited for it. */
	readonly waitedMs: number;
	/** `'ending'` and `'draining'`: to make room for another. */
	#state: 'new' | 'busy' | 'idle' | 'ending' | 'draining' | 'released' = 'new';
	#idleSince = 0;
	#end = () => {};
	#shared: SharedConnection | undefined;
	readonly #events: PlaceEvents;

	constructor(waitedMs: number, events: PlaceEvents) {
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

	/** How many requests are to be waited for before it can end; `undefined` where nobody can tell. */
	get users(): number | undefined {
		return this.#state === 'busy' ? this.#shared?.activeStreams : undefined;
	}

	/** Makes the connection that has the place. */
	async hold<S extends Duplex>(make: () => Promise<S>): Promise<S> {
		this.#state = 'busy';
		try {
			const socket = await make();
			if (socket.closed) this.release();
			else socket.once('close', () => this.release());
			return socket;
		} catch (error) {
			this.release();
			throw error;
		}
	}

	/** The connection may be joined by other requests. */
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

	/** Ends the shared connection when its requests are answered. */
	drain(): void {
		this.#state = 'draining';
		this.#shared?.retire();
	}

	release(): void {
		if (this.#state === 'released') return;
		this.#state = 'released';
		this.#events.onRelease();
	}

	/** Releases it where no connection was begun. */
	releaseUnused(): void {
		if (this.#state === 'new') this.release();
	}
}
