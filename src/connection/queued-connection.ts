import type {Socket} from 'node:net';
import type {Connection} from './connection.ts';
import type {WaitingRequest} from './connection-limit.ts';
import type {ConnectionSlot} from './connection-slot.ts';
import type {Http1Connection} from './http1-connection.ts';
import type {
	CompleteResponse,
	RequestConnection,
	RequestLoss,
	ResponseHandler,
	WireRequest,
} from './request-connection.ts';

/** What the pool does for a waiting request. */
export interface ConnectionQueue {
	/** @returns a function that ends the waiting. */
	wait(events: Pick<WaitingRequest, 'reuse' | 'begin' | 'expire'>): () => void;
	takeIdle(): Http1Connection | undefined;
	open(slot: ConnectionSlot): Http1Connection;
	/** It no longer waits. */
	onEnd(connection: QueuedConnection): void;
}

/** Stands in for the connection of a request that has to wait for one. */
export class QueuedConnection implements RequestConnection {
	readonly #host: string;
	#connection: Http1Connection | undefined;
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

	get attempt(): Connection | undefined {
		return this.#connection?.attempt;
	}

	get socket(): Socket | undefined {
		return this.#connection?.socket;
	}

	get reused(): boolean {
		return this.#connection?.reused ?? false;
	}

	get reason(): string {
		return this.#connection?.reason ?? '';
	}

	get httpVersion(): string {
		return this.#connection?.httpVersion ?? '1.1';
	}

	get loss(): RequestLoss {
		return (
			this.#connection?.loss ?? {socket: undefined, reused: false, sent: false, answered: false}
		);
	}

	/** It may fail before its turn comes. */
	send(request: WireRequest, handler: ResponseHandler): void {
		this.#handler = handler;
		const dispatchOn = (connection: Http1Connection) => {
			this.#settle();
			this.#connection = connection;
			connection.send(request, handler);
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

	begin(): void {
		this.#connection?.begin();
	}

	complete(response: CompleteResponse, done: () => void): void {
		this.#connection?.complete(response, done);
	}

	suspect(): void {
		this.#connection?.suspect();
	}

	nodeError(error: Error): Error {
		return this.#connection?.nodeError(error) ?? error;
	}

	isBrokenOff(error: Error): boolean {
		return this.#connection?.isBrokenOff(error) ?? false;
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
