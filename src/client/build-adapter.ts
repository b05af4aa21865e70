import axios, {type AxiosAdapter} from 'axios';
import {axiosExchange} from '../exchange/axios/axios-exchange.ts';
import {http1NeedsAxios, needsAxios} from '../exchange/axios/needs-axios.ts';
import {connectionExchange} from '../exchange/connection-exchange.ts';
import type {Exchange} from '../exchange/exchange.ts';
import {http2Exchange} from '../exchange/http2-exchange.ts';
import {wantsHttp2} from '../exchange/http2-options.ts';
import {makeAdapter} from '../request/adapter.ts';
import {assertNoClientOptions} from '../request/conflicting-agents.ts';
import type {ClientState} from './client-state.ts';

/** The axios adapter of a client: over its own connections, or by axios's own adapter. */
export function buildAdapter(state: ClientState): AxiosAdapter {
	const {connections} = state;
	const http1: Exchange = (input) =>
		http1NeedsAxios(input)
			? axiosExchange(input)
			: connectionExchange((route) => connections.pool.take(route), input);
	const http2: Exchange = (input) => http2Exchange(connections.http2, input, false);
	const axiosHttp2: Exchange = (input) => http2Exchange(connections.http2, input, true);
	const {selector} = connections.identities;
	return makeAdapter({
		...state,
		chooseExchange: (config) => {
			assertNoClientOptions(config);
			if (wantsHttp2(config)) return needsAxios(config) ? axiosHttp2 : http2;
			return needsAxios(config) ? axiosExchange : http1;
		},
		fallback: axios.getAdapter('http'),
		redirectAccess: (target, redirector) => selector.redirectAccess(target, redirector),
	});
}
