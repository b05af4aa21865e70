import type {AxiosResponse} from 'axios';
import type {Http2Pool} from '../connection/http2-pool.ts';
import {Http2Stream} from '../connection/http2-stream.ts';
import type {Route} from '../connection/route.ts';
import {axiosExchange} from './axios/axios-exchange.ts';
import {http2Transport} from './axios/http2-transport.ts';
import {connectionExchange} from './connection-exchange.ts';
import type {ExchangeInput} from './exchange.ts';
import {sessionOptions, tlsHttp2Option} from './http2-options.ts';

/**
 * The exchange of `httpVersion: 2`, over the connections of `pool`.
 *
 * @param byAxios - Whether axios's own adapter reads and writes the streams.
 */
export function http2Exchange(
	pool: Http2Pool,
	input: ExchangeInput,
	byAxios: boolean,
): Promise<AxiosResponse> {
	const {config} = input;
	// Without `mtls` the app may configure TLS itself: then axios connects.
	if (tlsHttp2Option(config) !== undefined) return axiosExchange(input);
	const options = sessionOptions(config);
	const open = (route: Route) => new Http2Stream(pool.take(route, options));
	return byAxios
		? axiosExchange(input, (signal) => http2Transport(open, input, signal))
		: connectionExchange(open, input);
}
