import {Readable} from 'node:stream';
import {
	AxiosError,
	type AxiosResponse,
	CanceledError,
	type InternalAxiosRequestConfig,
} from 'axios';
import {chainFacts, connectionOf} from '../net/connection.ts';
import type {ConnectionFacts} from '../options.ts';
import type {Hop} from './hop.ts';

/** A redirect's body is read to its end up to this size, so that its connection can serve the next hop. */
const drainLimitBytes = 64 * 1024;

/**
 * Ends a call as axios does: the response where `validateStatus` accepts it, else an AxiosError.
 */
export function settle(
	response: AxiosResponse,
	config: InternalAxiosRequestConfig,
	hop: Hop,
): AxiosResponse {
	response.config = config;
	// Where apps read the final URL, as follow-redirects has taught them.
	if (response.request?.res) response.request.res.responseUrl = hop.url.href;
	const tls = connectionFacts(response.request?.socket);
	if (tls !== undefined) response.tls = tls;

	const {status} = response;
	const {validateStatus} = config;
	if (!status || !validateStatus || validateStatus(status)) return response;
	throw new AxiosError(
		`Request failed with status code ${status}`,
		status >= 400 && status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE,
		config,
		response.request,
		response,
	);
}

/** Lets go of a response that nobody will read, and of a request that it has overtaken. */
export function discard({data, headers, request}: AxiosResponse): void {
	// To end it would call half a body whole; to leave it open would spoil the connection.
	if (request?.writableFinished === false) request.destroy();
	if (!(data instanceof Readable)) return;
	data.on('error', () => {});
	const length = Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
	if (length <= drainLimitBytes) data.resume();
	else data.destroy();
}

/** @throws {CanceledError} when the request's signal or cancel token says so. */
export function throwIfCancelled(config: InternalAxiosRequestConfig): void {
	config.cancelToken?.throwIfRequested();
	if (config.signal?.aborted) throw new CanceledError(undefined, config);
}

function connectionFacts(socket: object | undefined): ConnectionFacts | undefined {
	const connection = connectionOf(socket);
	if (connection === undefined) return undefined;
	const [peer] = chainFacts(connection);
	if (peer === undefined) return undefined;
	const {protocol = '', cipher, clientCertificateRequested = false, resumed, identity} = connection;
	return {protocol, cipher, authorized: true, clientCertificateRequested, resumed, peer, identity};
}
