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

	/** Nor may one go on. */
	get ended(): boolean {
		return this.#state === 'ended';
	}

	/** Aborted when no request may go on. */
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
	 * Counts a streamed body until it is closed, and ends it with the client. One that was not
	 * `accepted` is not waited for, because the app may never read it.
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

/** Drops the body of a response that the app will not see: unread it would hold its connection. */
export function dropBody(response: AxiosResponse): void {
	streamedBody(response)
		?.on('error', () => {})
		.destroy();
}

/** Ends a body with an error. An app that does not listen to its errors is not to crash. */
export function endBody(body: Readable, error: AxiosError): void {
	body.once('error', () => {}).destroy(hideSecrets(error));
}
