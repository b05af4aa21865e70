/*
 * Which requests are in flight, so that close() can wait for them. The streamed body of a response is
 * in flight until it is closed.
 */
import {Readable} from 'node:stream';
import type {AxiosError, AxiosResponse, InternalAxiosRequestConfig} from 'axios';
import {closedError} from '../exchange/axios-errors.ts';
import {hideSecrets} from '../logging/redact.ts';
import {onAbort} from '../util/abortable.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';

/** Counts the requests of a client. */
export class InFlightRequests {
	#state: 'open' | 'closing' | 'ended' = 'open';
	#count = 0;
	#whenIdle: (() => void)[] = [];
	readonly #end = new AbortController();

	/** No new request may start. */
	get closing(): boolean {
		return this.#state !== 'open';
	}

	/** No request may continue. */
	get ended(): boolean {
		return this.#state === 'ended';
	}

	/** Aborted when no request may continue. */
	get signal(): AbortSignal {
		return this.#end.signal;
	}

	begin(): void {
		this.#count += 1;
	}

	done(): void {
		this.#count -= 1;
		if (this.#count > 0) return;
		for (const resolve of this.#whenIdle.splice(0)) resolve();
	}

	/**
	 * Counts a streamed body until it is closed, and destroys it when the client has closed. `end()` does
	 * not wait for a body that was not `accepted`, because the app may never read it.
	 */
	holdBody(
		response: AxiosResponse | undefined,
		config: InternalAxiosRequestConfig,
		accepted: boolean,
	): void {
		const body = streamedBody(response);
		if (body === undefined) return;
		const end = () => endBody(body, closedError(config));
		if (accepted) this.begin();
		const stopListening = onAbort(this.signal, end);
		body.once('close', () => {
			stopListening();
			if (accepted) this.done();
		});
	}

	/** Refuses new requests, and waits for those in flight, `deadlineMs` at most. */
	async end(deadlineMs: number): Promise<void> {
		if (this.#state === 'open') this.#state = 'closing';
		if (this.#count > 0 && !this.ended) await this.#idleWithin(deadlineMs);
		this.#state = 'ended';
		this.#end.abort();
	}

	#idleWithin(deadlineMs: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, Math.min(deadlineMs, MAX_TIMER_MS));
			this.#whenIdle.push(() => {
				clearTimeout(timer);
				resolve();
			});
		});
	}
}

/** The body of a response that the app has yet to read. */
export function streamedBody(response: AxiosResponse | undefined): Readable | undefined {
	const body: unknown = response?.data;
	return body instanceof Readable && !body.closed ? body : undefined;
}

/** Drops the body of a response that the app does not get: an unread body would hold its connection. */
export function dropBody(response: AxiosResponse): void {
	streamedBody(response)
		?.on('error', () => {})
		.destroy();
}

/** Ends a body with an error. An app that does not listen for its errors must not crash. */
export function endBody(body: Readable, error: AxiosError): void {
	body.once('error', () => {}).destroy(hideSecrets(error));
}
