import {
	type ClientRequest,
	type RequestOptions,
	validateHeaderName,
	validateHeaderValue,
} from 'node:http';
import type {OutgoingHttpHeaders} from 'node:http2';
import type {AxiosResponse} from 'axios';
import type {Http2Pool} from '../../connection/http2-pool.ts';
import {Http2Stream} from '../../connection/http2-stream.ts';
import type {Route} from '../../connection/route.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import {axiosExchange} from '../axios/axios-exchange.ts';
import type {Transport} from '../axios/axios-transport.ts';
import {connectionExchange} from '../connection-exchange.ts';
import {type ExchangeInput, routeOf} from '../exchange.ts';
import {sessionOptions, tlsHttp2Option} from '../http2-options.ts';
import {adoptHeaders} from '../outgoing/config-headers.ts';
import {withTunnelAuthorization} from '../outgoing/proxy-request.ts';
import {Http2Request, type Http2Response} from './request.ts';

/** The exchange of `httpVersion: 2`: axios's own adapter, which sends over the connections of `pool`. */
export async function http2Exchange(pool: Http2Pool, given: ExchangeInput): Promise<AxiosResponse> {
	// Without `mtls` the app may configure TLS itself: then axios connects.
	if (tlsHttp2Option(given.config) !== undefined) return axiosExchange(given);
	const input = withTunnelAuthorization(given);
	try {
		return await axiosExchange(input, (signal) => http2Transport(pool, input, signal));
	} finally {
		const {headers} = given.hop;
		if (input !== given) adoptHeaders(headers, input.hop.headers, ['proxy-authorization']);
	}
}

/** The same, over the streams of `pool` themselves. */
export async function directHttp2Exchange(
	pool: Http2Pool,
	input: ExchangeInput,
): Promise<AxiosResponse> {
	if (tlsHttp2Option(input.config) !== undefined) return axiosExchange(input);
	const options = sessionOptions(input.config);
	return connectionExchange((route) => new Http2Stream(pool.take(route, options)), input);
}

/** Sends one hop's request over HTTP/2, until `signal` is aborted. */
function http2Transport(pool: Http2Pool, input: ExchangeInput, signal: AbortSignal): Transport {
	const {hop, config} = input;
	return {
		request(options, respond) {
			const headers = headOf(options, hop.url);
			const connection = pool.take(routeWith(options, routeOf(input)), sessionOptions(config));
			const request = new Http2Request(connection, hop.url, headers, signal);
			// axios uses no member of a ClientRequest that it lacks.
			return (request as unknown as ClientRequest).once('response', respond);
		},
		waitsFor: (request) => http2Request(request).waitsFor,
		abort: (response) => (response as unknown as Http2Response).abort(),
		lossOf: (request) => http2Request(request).loss,
	};
}

/** @param options - As axios gives them: with another `lookup`, and with a `socketPath` that it allows. */
function routeWith({family, lookup, socketPath}: RequestOptions, route: Route): Route {
	if (family === undefined && lookup === undefined && !socketPath) return route;
	const net = {
		...(family !== undefined && {family}),
		...(lookup !== undefined && {lookup}),
		...(socketPath && {path: socketPath}),
	};
	return {...route, net, proxy: socketPath ? undefined : route.proxy};
}

function http2Request(request: ClientRequest): Http2Request {
	return request as unknown as Http2Request;
}

/** Headers of HTTP/1.1 connections, which are an error in HTTP/2 (RFC 9113 §8.2.2). */
const connectionHeaders = new Set([
	'connection',
	'http2-settings',
	'keep-alive',
	'proxy-connection',
	'transfer-encoding',
	'upgrade',
]);

/** @throws {TypeError} Node's own, for a path or a header that HTTP cannot carry. */
function headOf({method, path, headers, auth}: RequestOptions, url: URL): OutgoingHttpHeaders {
	assertPath(path);
	const {host, ...fields} = fieldsOf(headers as OutgoingHttpHeaders);
	return withoutPrototype({
		':scheme': url.protocol.slice(0, -1),
		':method': method,
		':path': path ?? '/',
		// RFC 9113 §8.3.1: instead of Host.
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

// Node checks the path for HTTP/1.1 only, but a server may forward the request over HTTP/1.1.
function assertPath(path: string | null | undefined): void {
	if (!/[^\x21-\xff]/.test(path ?? '')) return;
	const error = new TypeError('Request path contains unescaped characters');
	throw Object.assign(error, {code: 'ERR_UNESCAPED_CHARACTERS'});
}
