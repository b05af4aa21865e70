import {AxiosHeaders, type InternalAxiosRequestConfig} from 'axios';
import type {Hop} from '../../src/exchange/hop.ts';
import {firstHop} from '../../src/request/prepare-call.ts';

export type HopConfig = Omit<Partial<InternalAxiosRequestConfig>, 'headers'> & {
	headers?: Record<string, string | string[]>;
};

/** A config as axios hands it to an adapter. */
export function configOf({headers, ...config}: HopConfig = {}): InternalAxiosRequestConfig {
	return {method: 'get', url: 'https://a.test/', ...config, headers: new AxiosHeaders(headers)};
}

/** The request that an app makes with `config`. */
export function hopOf(config: HopConfig = {}): Hop {
	const hop = firstHop(configOf(config));
	if (hop === undefined) throw new Error(`no hop: ${config.url}`);
	return hop;
}
