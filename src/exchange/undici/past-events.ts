import {EventEmitter} from 'node:events';

type Listener = (...given: unknown[]) => void;

/**
 * The listeners of Node's request and response, for what stands in for them: all that they would be told
 * is past once an app gets hold of it. What is not asked for is not made.
 */
export class PastEvents {
	#made: EventEmitter | undefined;

	get #events(): EventEmitter {
		this.#made ??= new EventEmitter();
		return this.#made;
	}

	on(event: string | symbol, listener: Listener): this {
		this.#events.on(event, listener);
		return this;
	}

	addListener(event: string | symbol, listener: Listener): this {
		return this.on(event, listener);
	}

	once(event: string | symbol, listener: Listener): this {
		this.#events.once(event, listener);
		return this;
	}

	off(event: string | symbol, listener: Listener): this {
		this.#made?.off(event, listener);
		return this;
	}

	removeListener(event: string | symbol, listener: Listener): this {
		return this.off(event, listener);
	}

	removeAllListeners(event?: string | symbol): this {
		// To name no event is not to name `undefined`.
		if (event === undefined) this.#made?.removeAllListeners();
		else this.#made?.removeAllListeners(event);
		return this;
	}

	/** For an app that tells its own listeners. */
	emit(event: string | symbol, ...given: unknown[]): boolean {
		return this.#made?.emit(event, ...given) ?? false;
	}

	listenerCount(event: string | symbol): number {
		return this.#made?.listenerCount(event) ?? 0;
	}

	/** Nothing is left to be ended: the response has come, and the connection may serve another request. */
	destroy(): this {
		return this;
	}

	/** As Node's, once their part is done. */
	get destroyed(): boolean {
		return true;
	}
}
