import type {Socket} from 'node:net';
import type {WaitingRequest} from './connection-limit.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import type {
	PooledConnection,
	RequestConnection,
	ResponseHandler,
	StatusLine,
} from './pooled-connection.ts';

/** What the pool does for a waiting request. */
export interface ConnectionQueue {
	/** @returns a function that ends the waiting. */
	wait(events: Pick<WaitingRequest, 'reuse' | 'begin' | 'expire'>): () => void;
	takeIdle(): PooledConnection | undefined;
	open(slot: ConnectionSlot): PooledConnection;
	/** It no longer waits. */
	onEnd(connection: QueuedConnection): void;
}

/** Stands in for the connection of a request that has to wait for one. */
export class QueuedConnection implements RequestConnection {
	readonly #host: string;
	#connection: PooledConnection | undefined;
	#handler: ResponseHandler | undefined;
	#leave = () => {};
	readonly #queue: ConnectionQueue;

	constructor(host: string, queue: ConnectionQueue) {
		this.#host = host;
		this.#queue = queue;
	}

	get waitsFor(): string | undefined {
		return this.#connection === undefined ? this.#host : undefined;
	}

	get socket(): Socket | undefined {
		return this.#connection?.socket;
	}

	get used(): boolean {
		return this.#connection?.used ?? false;
	}

	get sent(): boolean {
		return this.#connection?.sent ?? false;
	}

	get statusLine(): StatusLine | undefined {
		return this.#connection?.statusLine;
	}

	/** Sends a request when its turn comes. It may fail before that. */
	dispatch(options: Parameters<PooledConnection['dispatch']>[0], handler: ResponseHandler): void {
		this.#handler = handler;
		const dispatchOn = (connection: PooledConnection) => {
			this.#settle();
			this.#connection = connection;
			connection.dispatch(options, handler);
		};
		this.#leave = this.#queue.wait({
			reuse: () => {
				const idle = this.#queue.takeIdle();
				if (idle !== undefined) dispatchOn(idle);
				return idle !== undefined;
			},
			begin: (slot) => dispatchOn(this.#queue.open(slot)),
			expire: (error) => this.#fail(error),
		});
	}

	markUsed(): boolean {
		return this.#connection?.markUsed() ?? false;
	}

	release(keepAlive: string | undefined): void {
		this.#connection?.release(keepAlive);
	}

	releaseOnceSent(keepAlive: string | undefined): void {
		this.#connection?.releaseOnceSent(keepAlive);
	}

	async destroy(reason?: Error): Promise<void> {
		if (this.#connection !== undefined) return this.#connection.destroy(reason);
		this.#leave();
		this.#fail(reason ?? new Error('the connection was closed'));
	}

	#fail(error: Error): void {
		const handler = this.#settle();
		handler?.onResponseError(undefined, error);
	}

	#settle(): ResponseHandler | undefined {
		const handler = this.#handler;
		this.#handler = undefined;
		this.#queue.onEnd(this);
		return handler;
	}
}
