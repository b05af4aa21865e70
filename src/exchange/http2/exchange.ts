import {
	type ClientRequest,
	type RequestOptions,
	validateHeaderName,
	validateHeaderValue,
} from 'node:http';
import type {OutgoingHttpHeaders} from 'node:http2';
import {AxiosError} from 'axios';
import type {Http2Pool} from '../../connection/http2-pool.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import {axiosExchange, type Transport} from '../axios.ts';
import type {Exchange, ExchangeInput} from '../exchange.ts';
import {sessionOptions, tlsHttp2Option} from '../http2-options.ts';
import {attachProgress} from '../resend.ts';
import {Http2Request} from './request.ts';

/**
 * The exchange of `httpVersion: 2`: axios's own adapter, with a transport of ours that sends over the
 * sessions.
 */
export function http2Exchange(sessions: Http2Pool): Exchange {
	return async (input) => {
		assertDirect(input);
		// The app brings TLS of its own, which it may where `mtls` was not given: axios's to make.
		if (tlsHttp2Option(input.config) !== undefined) return axiosExchange(input);
		try {
			return await axiosExchange(input, (signal) => http2Transport(sessions, input, signal));
		} catch (error) {
			const request: unknown = error instanceof AxiosError ? error.request : undefined;
			const progress = request instanceof Http2Request ? request.progress : undefined;
			throw progress ? attachProgress(error as AxiosError, progress) : error;
		}
	};
}

function assertDirect({config, hop, proxy}: ExchangeInput): void {
	const {origin} = hop.url;
	if (proxy !== undefined) {
		throw unsupported(
			`httpVersion: 2 cannot go through a proxy, and ${proxy} stands before ${origin}; give \`proxy: false\` to go direct`,
			config,
		);
	}
	if (config.socketPath) {
		throw unsupported(`httpVersion: 2 needs a host, and cannot go to a socketPath`, config);
	}
}

// The code that axios has for it.
function unsupported(message: string, config: ExchangeInput['config']): AxiosError {
	return new AxiosError(message, AxiosError.ERR_NOT_SUPPORT, config);
}

/** Of HTTP/1.1 connections, and an error in HTTP/2 (RFC 9113 §8.2.2). */
const connectionHeaders = new Set([
	'connection',
	'http2-settings',
	'keep-alive',
	'proxy-connection',
	'transfer-encoding',
	'upgrade',
]);

/** Makes one hop's request over HTTP/2. @param signal - Gives it up. */
function http2Transport(
	sessions: Http2Pool,
	{hop, config, snapshot, fresh, timeouts: {connectMs, handshakeMs}}: ExchangeInput,
	signal: AbortSignal,
): Transport {
	return {
		request(options, respond) {
			const headers = headOf(options, hop.url);
			const {family, lookup} = options;
			const session = sessions.take({
				origin: hop.url.origin,
				snapshot,
				presentCertificate: hop.presentCertificate,
				net: {...(family !== undefined && {family}), ...(lookup !== undefined && {lookup})},
				options: sessionOptions(config),
				again: fresh,
				timeouts: {
					...(connectMs !== undefined && {connectMs}),
					...(handshakeMs !== undefined && {handshakeMs}),
				},
			});
			const request = new Http2Request(session, hop.url, headers, signal);
			// What it lacks of a ClientRequest nobody asks for.
			return (request as unknown as ClientRequest).once('response', respond);
		},
	};
}

/** @throws {TypeError} of Node, for a path or a header that HTTP cannot carry. */
function headOf({method, path, headers, auth}: RequestOptions, url: URL): OutgoingHttpHeaders {
	assertPath(path);
	const {host, ...fields} = fieldsOf(headers as OutgoingHttpHeaders);
	return withoutPrototype({
		':scheme': url.protocol.slice(0, -1),
		':method': method,
		':path': path ?? '/',
		// RFC 9113 §8.3.1: in the place of Host.
		':authority': host === undefined ? url.host : String(host),
		...fields,
		...(auth && {authorization: `Basic ${Buffer.from(auth, 'utf8').toString('base64')}`}),
	});
}

function fieldsOf(headers: OutgoingHttpHeaders): OutgoingHttpHeaders {
	const fields: OutgoingHttpHeaders = {};
	for (const [name, value] of Object.entries(headers)) {
		const lower = name.toLowerCase();
		if (value === undefined || connectionHeaders.has(lower)) continue;
		if (lower === 'te' && String(value).trim().toLowerCase() !== 'trailers') continue;
		validateHeaderName(name);
		for (const item of [value].flat()) validateHeaderValue(name, String(item));
		fields[lower] = value;
	}
	return withoutPrototype(fields);
}

// Node looks at the path of HTTP/1.1 alone; but a server may pass it on in that.
function assertPath(path: string | null | undefined): void {
	if (!/[^\x21-\xff]/.test(path ?? '')) return;
	const error = new TypeError('Request path contains unescaped characters');
	throw Object.assign(error, {code: 'ERR_UNESCAPED_CHARACTERS'});
}
