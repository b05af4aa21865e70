/*
 * The `timeouts` of a client or a request, and the timer of `requestMs`, which bounds the whole call.
 */
import {
	AxiosError,
	type AxiosResponse,
	type InternalAxiosRequestConfig,
	isAxiosError,
	isCancel,
} from 'axios';
import {TimeoutError} from '../connection/connect-timeout.ts';
import type {Timeouts} from '../options.ts';
import {badOption, numeric, readOptions, withoutPrototype} from '../util/check-options.ts';
import {MAX_TIMER_MS} from '../util/clock.ts';
import {authorityOfUrl} from '../util/url.ts';
import {endBody, streamedBody} from './in-flight.ts';

const delay = numeric(
	`whole milliseconds from 0 to ${MAX_TIMER_MS}`,
	(ms) => Number.isInteger(ms) && ms >= 0 && ms <= MAX_TIMER_MS,
);

const known = {connectMs: delay, handshakeMs: delay, firstByteMs: delay, requestMs: delay};

const none: Timeouts = Object.create(null);

/**
 * The timeouts of a client or a request: `own`, and those of `base` that it does not give.
 *
 * @throws {MtlsConfigError} for the first one that is unknown or not a number of milliseconds.
 */
export function resolveTimeouts(own: unknown, base: Timeouts = none): Timeouts {
	if (own === undefined) return base;
	if (typeof own === 'number') throw badOption('timeouts', 'an object', String(own));
	return withoutPrototype({...base, ...readOptions<Timeouts>(own, {known, option: 'timeouts'})});
}

/** A call that may take `requestMs`. */
export interface BoundedCall {
	readonly config: InternalAxiosRequestConfig;
	readonly requestMs: number;
	/** The URL that the app asked for. */
	readonly url: URL;
	/** Runs the call with a config whose signal ends it. */
	run(config: InternalAxiosRequestConfig): Promise<AxiosResponse>;
}

/**
 * Runs a call with a timeout for the whole of it, the reading of a streamed body included.
 *
 * The timeout ends the call in any phase, as the app's own signal would, with a {@link TimeoutError}.
 */
export async function withinTimeout(call: BoundedCall): Promise<AxiosResponse> {
	const {config, requestMs, url} = call;
	const timeoutError = new TimeoutError('request', authorityOfUrl(url), requestMs);
	const controller = new AbortController();
	// The reason is for the span of the request: axios ignores it.
	let expire = () => controller.abort(timeoutError);
	let expired = false;
	const timer = setTimeout(() => {
		expired = true;
		expire();
	}, requestMs);

	const {signal} = config;
	const onAbort = () => controller.abort();
	if (signal?.aborted) onAbort();
	else signal?.addEventListener?.('abort', onAbort);
	const done = () => {
		clearTimeout(timer);
		signal?.removeEventListener?.('abort', onAbort);
	};

	/** A body that the app has yet to read is a part of the call. */
	const boundBody = (response: AxiosResponse | undefined): boolean => {
		const body = streamedBody(response);
		body?.once('close', done);
		if (body) {
			expire = () => {
				const {status} = response as AxiosResponse;
				timeoutError.addProgress(
					`: the head of the response (${status}) has arrived, and its body is not complete`,
				);
				endBody(body, AxiosError.from(timeoutError, undefined, config));
			};
		}
		return body !== undefined;
	};
	try {
		const response = await call.run(withoutPrototype({...config, signal: controller.signal}));
		if (!boundBody(response)) done();
		return response;
	} catch (error) {
		if (!isAxiosError(error) || !boundBody(error.response)) done();
		if (!expired || !isCancel(error)) throw error;
		throw AxiosError.from(timeoutError, undefined, config, (error as AxiosError).request);
	}
}
