import {CanceledError, type InternalAxiosRequestConfig, isCancel} from 'axios';
import {closedError, timeoutError} from './axios-errors.ts';

/** What ends the waiting. */
export interface AbortSources {
	readonly config: InternalAxiosRequestConfig;
	/** What is left of `timeout`; `undefined` without one. */
	readonly remainingMs: number | undefined;
	/** Aborted when the client ends. */
	readonly closed: AbortSignal;
}

/**
 * Waits for what is no server (a jar, our identity, a login, the app's own verdict) as long as the
 * request may take: what never answers is ended by `timeout`, `signal` and `cancelToken` as a server
 * is, and by the end of the client.
 */
export function abortable<T>(
	work: Promise<T>,
	{config, remainingMs, closed}: AbortSources,
): Promise<T> {
	const {signal, cancelToken} = config;
	let timer: NodeJS.Timeout | undefined;
	let onCancel: (reason?: unknown) => void;
	let onClosed: () => void;
	return new Promise<T>((resolve, reject) => {
		onCancel = (reason) => reject(isCancel(reason) ? reason : new CanceledError(undefined, config));
		onClosed = () => reject(closedError(config));
		if (remainingMs !== undefined) {
			timer = setTimeout(() => reject(timeoutError(config)), remainingMs);
		}
		// What has happened already is not told again.
		if (signal?.aborted) onCancel();
		if (closed.aborted) onClosed();
		signal?.addEventListener?.('abort', onCancel);
		cancelToken?.subscribe(onCancel);
		closed.addEventListener('abort', onClosed);
		work.then(resolve, reject);
	}).finally(() => {
		clearTimeout(timer);
		signal?.removeEventListener?.('abort', onCancel);
		cancelToken?.unsubscribe(onCancel);
		closed.removeEventListener('abort', onClosed);
	});
}
