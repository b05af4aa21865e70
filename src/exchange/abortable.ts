/*
 * Ends a request before its response, with axios's errors.
 */
import {type AxiosError, CanceledError, type InternalAxiosRequestConfig, isCancel} from 'axios';
import {TimeoutError} from '../connection/connect-timeout.ts';
import {interruptible, onAbort} from '../util/abortable.ts';
import {closedError, timeoutError} from './axios-errors.ts';

/** The sources that can end a wait. */
export interface AbortSources {
	readonly config: InternalAxiosRequestConfig;
	/** What is left of `timeout`; `undefined` without one. */
	readonly remainingMs: number | undefined;
	/** Aborted when the client is closed. */
	readonly closed: AbortSignal;
}

/**
 * Waits for something other than the server (a jar, the client certificate, a login, a callback of the
 * app): `timeout`, `signal`, `cancelToken` and closing the client end this wait too.
 *
 * @param what - For the message of the timeout: what it waits for.
 */
export function abortable<T>(
	work: Promise<T>,
	{config, remainingMs, closed}: AbortSources,
	what: string,
): Promise<T> {
	return interruptible(work, (reject) => {
		const timer =
			remainingMs === undefined
				? undefined
				: setTimeout(() => reject(timeoutError(config, undefined, `: ${what}`)), remainingMs);
		const stopCancel = onCancel(config, undefined, reject, () => `: ${what}`);
		const stopClosed = onAbort(closed, () => reject(closedError(config)));
		return () => {
			clearTimeout(timer);
			stopCancel();
			stopClosed();
		};
	});
}

const nothing = () => {};

/**
 * Calls `listener` when the request's signal or cancel token cancels it.
 *
 * @param progress - For the message of `timeouts.requestMs`, which cancels the request by its signal.
 * @returns stops listening.
 */
export function onCancel(
	config: InternalAxiosRequestConfig,
	request: unknown,
	listener: (error: AxiosError) => void,
	progress: () => string,
): () => void {
	const {signal, cancelToken} = config;
	if (!signal && !cancelToken) return nothing;
	// A token passes its CanceledError, in a CommonJS app of another class; a signal passes an event.
	const cancel = (reason?: unknown) => {
		tellProgress(config, progress);
		listener(isCancel(reason) ? reason : new CanceledError(undefined, config, request));
	};
	if (signal?.aborted) cancel();
	signal?.addEventListener?.('abort', cancel);
	cancelToken?.subscribe(cancel);
	return () => {
		signal?.removeEventListener?.('abort', cancel);
		cancelToken?.unsubscribe(cancel);
	};
}

/** Adds to the error of `timeouts.requestMs`, where that has cancelled the request, how far it had come. */
export function tellProgress({signal}: InternalAxiosRequestConfig, progress: () => string): void {
	const reason: unknown = (signal as AbortSignal | undefined)?.reason;
	if (reason instanceof TimeoutError) reason.addProgress(progress());
}
