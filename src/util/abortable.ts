/** Calls `listener` when `signal` is aborted, at once if it already is. @returns a function to stop it. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
	if (signal.aborted) listener();
	else signal.addEventListener('abort', listener);
	return () => signal.removeEventListener('abort', listener);
}

/**
 * Waits for `work`, unless something else rejects first.
 *
 * @param listen - Called with `reject`; returns a function that stops listening.
 */
export function interruptible<T>(
	work: Promise<T>,
	listen: (reject: (reason: unknown) => void) => () => void,
): Promise<T> {
	let stop = () => {};
	return new Promise<T>((resolve, reject) => {
		stop = listen(reject);
		work.then(resolve, reject);
	}).finally(() => stop());
}

/** Waits for `work` until `signal` is aborted, and then rejects with its reason. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
	return interruptible(work, (reject) => onAbort(signal, () => reject(signal.reason)));
}
