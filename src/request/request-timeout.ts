import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig, isCancel} from 'axios';
import {TimeoutError} from '../connection/connect-timeout.ts';
import {withoutPrototype} from '../util/check-options.ts';
import {authorityOfUrl} from '../util/url.ts';
import {endBody, streamedBody} from './response-body.ts';

/** What is not to take longer than `requestMs`. */
export interface BoundedCall {
	readonly config: InternalAxiosRequestConfig;
	readonly requestMs: number;
	/** Where the app wants to go. */
	readonly url: URL;
	/** The call, with a config whose signal ends it. */
	run(config: InternalAxiosRequestConfig): Promise<AxiosResponse>;
}

/**
 * Runs a call under a deadline for the whole of it, the reading of a streamed body included.
 *
 * It ends the call as the app's own signal would, in each phase, and says the reason in its place.
 */
export async function withinTimeout(call: BoundedCall): Promise<AxiosResponse> {
	const {config, requestMs, url} = call;
	const late = new TimeoutError('request', authorityOfUrl(url), requestMs);
	const over = new AbortController();
	let expire = () => over.abort();
	let expired = false;
	const timer = setTimeout(() => {
		expired = true;
		expire();
	}, requestMs);

	const {signal} = config;
	const onAbort = () => over.abort();
	if (signal?.aborted) onAbort();
	else signal?.addEventListener?.('abort', onAbort);
	const done = () => {
		clearTimeout(timer);
		signal?.removeEventListener?.('abort', onAbort);
	};

	/** A body that the app has yet to read is a part of the call. */
	const hold = (response: AxiosResponse | undefined): boolean => {
		const body = streamedBody(response);
		body?.once('close', done);
		if (body) expire = () => endBody(body, AxiosError.from(late, undefined, config));
		return body !== undefined;
	};
	try {
		const response = await call.run(withoutPrototype({...config, signal: over.signal}));
		if (!hold(response)) done();
		return response;
	} catch (error) {
		if (!(error instanceof AxiosError) || !hold(error.response)) done();
		if (!expired || !isCancel(error)) throw error;
		throw AxiosError.from(late, undefined, config, (error as AxiosError).request);
	}
}
