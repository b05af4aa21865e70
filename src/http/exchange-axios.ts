import http, {type ClientRequest, type IncomingMessage, type RequestOptions} from 'node:http';
import https from 'node:https';
import axios, {AxiosHeaders, type InternalAxiosRequestConfig} from 'axios';
import {routed} from '../net/agent.ts';
import type {Exchange, ExchangeInput} from './exchange.ts';

type Respond = (response: IncomingMessage) => void;
interface Transport {
	request(options: RequestOptions, respond: Respond): ClientRequest;
}

const adapter = axios.getAdapter('http');

/** The exchange that knows every axios option: axios's own `http` adapter, asked for one hop. */
export const axiosExchange: Exchange = (input) => {
	const config = hopConfig(input);
	if (input.agent !== undefined) config.httpsAgent = input.agent;
	config.transport = transportFor(input);
	return adapter(config);
};

function hopConfig({hop, config, cookie, proxy, remainingMs}: ExchangeInput) {
	// The jar's cookies belong to this hop, not to the config that the app sees again.
	const headers = cookie === undefined ? hop.headers : new AxiosHeaders(hop.headers);
	if (cookie !== undefined) headers.set('Cookie', cookie);

	const result: InternalAxiosRequestConfig = {
		...config,
		headers,
		method: hop.method,
		data: hop.body?.open(),
		maxRedirects: 0,
		// Every status is an answer here; the adapter judges the last one.
		validateStatus: null,
		// A tunnel is made below the agent; a plain-http target is axios's to forward.
		proxy: hop.url.protocol === 'http:' && proxy ? proxy.toAxios() : false,
	};
	if (hop.auth) result.auth = hop.auth;
	else delete result.auth;
	if (hop.index > 0) {
		result.url = hop.url.href;
		delete result.baseURL;
		delete result.params;
	}
	if (remainingMs !== undefined) {
		result.timeout = remainingMs;
		result.timeoutErrorMessage =
			config.timeoutErrorMessage ?? `timeout of ${config.timeout}ms exceeded`;
	}
	return result;
}

/**
 * Where axios makes its request. Ours stands in the way for two things: to tell the agent how this
 * hop travels, and to hold the deadline while there is no socket yet, which axios does for its own
 * transports only.
 */
function transportFor({hop, agent, config, proxy, remainingMs}: ExchangeInput): Transport {
	const secure = hop.url.protocol === 'https:';
	const base: Transport = (config.transport as Transport | undefined) ?? (secure ? https : http);
	return {
		request(options, respond) {
			const over = new AbortController();
			const request = base.request(
				agent && secure
					? routed(options, {showing: hop.showing, proxy, signal: over.signal})
					: options,
				respond,
			);
			request.once('close', () => over.abort(new Error('the request is over')));
			if (remainingMs !== undefined) {
				const timer = setTimeout(() => request.emit('timeout'), remainingMs);
				const disarm = () => clearTimeout(timer);
				request.once('response', disarm).once('close', disarm);
			}
			return request;
		},
	};
}
