import {type AxiosError, isCancel} from 'axios';
import type {AnyAxiosInstance, Logger} from '../options.ts';
import {failureFields, failureLevel, failureMessage} from './log-events.ts';

// Each failure is told once, however many instances and interceptors it passes.
const told = new WeakSet<object>();

/**
 * Tells `logger` each failed request of `instance` once, as `(fields, message)`; then the failure
 * goes on as it was. A request that the app cancelled is no failure. No secret is in what is told.
 *
 * @param logger - `console` by default.
 * @returns takes the interceptor off again.
 */
export function logFailures(instance: AnyAxiosInstance, logger: Logger = console): () => void {
	const id = instance.interceptors.response.use(null, (error: unknown) => {
		tell(logger, error);
		throw error;
	});
	return () => instance.interceptors.response.eject(id);
}

function tell(logger: Logger, error: unknown): void {
	if (!(error instanceof Error) || isCancel(error)) return;
	// An error that wraps one is the same failure in the words of the app.
	const cause = error.cause instanceof Error ? error.cause : error;
	const known = told.has(error) || told.has(cause);
	// A login that fails has an error for each request that waited, and one cause.
	told.add(error).add(cause);
	if (known) return;
	const failed = error as AxiosError;
	try {
		logger[failureLevel(failed)](failureFields(failed), failureMessage(failed));
	} catch {
		// What went wrong is what the app must hear of, not that it could not be logged.
	}
}
