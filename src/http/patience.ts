import {CanceledError, type InternalAxiosRequestConfig} from 'axios';
import {timeoutError} from './lean-errors.ts';

/**
 * Waits for a jar as long as the request may take: a store that never answers is ended by
 * `timeout`, `signal` and `cancelToken` as a server is.
 *
 * @param remainingMs - What is left of `timeout`; `undefined` without one.
 */
export function withPatience<T>(
	work: Promise<T>,
	config: InternalAxiosRequestConfig,
	remainingMs: number | undefined,
): Promise<T> {
	const {signal, cancelToken} = config;
	if (remainingMs === undefined && !signal && !cancelToken) return work;
	return new Promise((resolve, reject) => {
		const onCancel = (reason?: unknown) =>
			reject(reason instanceof CanceledError ? reason : new CanceledError(undefined, config));
		const timer =
			remainingMs === undefined
				? undefined
				: setTimeout(() => reject(timeoutError(config)), remainingMs);
		signal?.addEventListener?.('abort', onCancel);
		cancelToken?.subscribe(onCancel);
		work.then(resolve, reject).finally(() => {
			clearTimeout(timer);
			signal?.removeEventListener?.('abort', onCancel);
			cancelToken?.unsubscribe(onCancel);
		});
	});
}
