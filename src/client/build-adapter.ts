import axios, {type AxiosAdapter} from 'axios';
import {axiosExchange} from '../exchange/axios/axios-exchange.ts';
import {undiciSupportsConfig, undiciSupportsHop} from '../exchange/axios/needs-axios.ts';
import {connectionExchange} from '../exchange/connection-exchange.ts';
import type {Exchange} from '../exchange/exchange.ts';
import {http2Exchange} from '../exchange/http2-exchange.ts';
import {wantsHttp2} from '../exchange/http2-options.ts';
import {makeAdapter} from '../request/adapter.ts';
import {assertNoClientOptions} from '../request/conflicting-agents.ts';
import type {ClientState} from './client-state.ts';

/** The axios adapter of a client: undici for the plain case, axios's own adapter for any other. */
export function buildAdapter(state: ClientState): AxiosAdapter {
	const {connections} = state;
	const plain: Exchange = (input) =>
		undiciSupportsHop(input)
			? connectionExchange((route) => connections.pool.take(route), input)
			: axiosExchange(input);
	const http2: Exchange = (input) => http2Exchange(connections.http2, input, true);
	const plainHttp2: Exchange = (input) =>
		http2Exchange(connections.http2, input, !undiciSupportsHop(input));
	const {selector} = connections.identities;
	return makeAdapter({
		...state,
		chooseExchange: (config) => {
			if (undiciSupportsConfig(config)) return wantsHttp2(config) ? plainHttp2 : plain;
			assertNoClientOptions(config);
			return wantsHttp2(config) ? http2 : axiosExchange;
		},
		fallback: axios.getAdapter('http'),
		redirectAccess: (target, redirector) => selector.redirectAccess(target, redirector),
	});
}
