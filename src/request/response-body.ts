import {Readable} from 'node:stream';
import type {AxiosError, AxiosResponse, InternalAxiosRequestConfig} from 'axios';
import {closedError} from '../exchange/axios-errors.ts';
import {hideSecrets} from '../logging/redact.ts';
import type {InFlightRequests} from './in-flight.ts';

/** The body of an answer that the app has yet to read. */
export function streamedBody(response: AxiosResponse | undefined): Readable | undefined {
	const body: unknown = response?.data;
	return body instanceof Readable && !body.closed ? body : undefined;
}

/** Lets go of the body of an answer that the app will not see: it would hold its connection. */
export function dropBody(response: AxiosResponse): void {
	streamedBody(response)
		?.on('error', () => {})
		.destroy();
}

/** Ends a body, and tells whoever reads it why. */
export function endBody(body: Readable, error: AxiosError): void {
	// Of an app that does not listen, nobody is left to be told.
	body.once('error', () => {}).destroy(hideSecrets(error));
}

/**
 * A body that is streamed is in flight until it is closed: the end of the client waits for it, and ends
 * it. One that was not accepted is not waited for, because nobody may be reading it.
 */
export function holdBody(
	response: AxiosResponse | undefined,
	config: InternalAxiosRequestConfig,
	lifetime: InFlightRequests,
	accepted: boolean,
): void {
	const body = streamedBody(response);
	if (body === undefined) return;
	const end = () => endBody(body, closedError(config));
	if (accepted) lifetime.begin();
	lifetime.signal.addEventListener('abort', end);
	body.once('close', () => {
		lifetime.signal.removeEventListener('abort', end);
		if (accepted) lifetime.done();
	});
}
