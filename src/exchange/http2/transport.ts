import {
	type ClientRequest,
	type RequestOptions,
	validateHeaderName,
	validateHeaderValue,
} from 'node:http';
import type {OutgoingHttpHeaders} from 'node:http2';
import type {Http2Pool} from '../../connection/http2-pool.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import type {Transport} from '../axios.ts';
import type {ExchangeInput} from '../exchange.ts';
import {sessionOptions} from '../http2-options.ts';
import {Http2Request} from './request.ts';

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
export function http2Transport(
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
