import type {Socket} from 'node:net';
import type {WaitingRequest} from './connection-limit.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import type {PooledConnection, RequestConnection, ResponseHandler} from './pooled-connection.ts';
import type {StatusLine} from './response-heads.ts';

/** How the pool serves a request that waits. */
export interface ConnectionQueue {
	/** @returns what ends the waiting. */
	wait(claim: Pick<WaitingRequest, 'reuse' | 'begin' | 'expire'>): () => void;
	takeIdle(): PooledConnection | undefined;
	open(place: ConnectionSlot): PooledConnection;
	/** It waits no more. */
	onEnd(line: QueuedConnection): void;
}

/** Stands for the connection of a request that has to wait for one. */
export class QueuedConnection implements RequestConnection {
	readonly #host: string;
	#line: PooledConnection | undefined;
	#handler: ResponseHandler | undefined;
	#leave = () => {};
	readonly #queue: ConnectionQueue;

	constructor(host: string, queue: ConnectionQueue) {
		this.#host = host;
		this.#queue = queue;
	}

	get waitsFor(): string | undefined {
		return this.#line === undefined ? this.#host : undefined;
	}

	get socket(): Socket | undefined {
		return this.#line?.socket;
	}

	get used(): boolean {
		return this.#line?.used ?? false;
	}

	get sent(): boolean {
		return this.#line?.sent ?? false;
	}

	get statusLine(): StatusLine | undefined {
		return this.#line?.statusLine;
	}

	/** Sends a request in its turn, which may be failed without having been sent. */
	dispatch(options: Parameters<PooledConnection['dispatch']>[0], handler: ResponseHandler): void {
		this.#handler = handler;
		const go = (line: PooledConnection) => {
			this.#settle();
			this.#line = line;
			line.dispatch(options, handler);
		};
		this.#leave = this.#queue.wait({
			reuse: () => {
				const line = this.#queue.takeIdle();
				if (line !== undefined) go(line);
				return line !== undefined;
			},
			begin: (place) => go(this.#queue.open(place)),
			expire: (error) => this.#fail(error),
		});
	}

	markUsed(): boolean {
		return this.#line?.markUsed() ?? false;
	}

	release(keepAlive: string | undefined): void {
		this.#line?.release(keepAlive);
	}

	releaseOnceSent(keepAlive: string | undefined): void {
		this.#line?.releaseOnceSent(keepAlive);
	}

	async destroy(reason?: Error): Promise<void> {
		if (this.#line !== undefined) return this.#line.destroy(reason);
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
