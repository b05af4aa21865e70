import type {AxiosRequestConfig, InternalAxiosRequestConfig} from 'axios';
import {MtlsConfigError} from '../errors.ts';
import {tlsHttp2Option} from '../exchange/http2-options.ts';
import {withoutPrototype} from '../util/check-options.ts';

const agentOptions = ['httpsAgent', 'httpAgent'] as const;

/**
 * The config without the agents that axios-cookiejar-support makes for each request of an instance
 * it has wrapped: their work, the cookies, is done by the adapter.
 */
export function withoutCookieAgents(
	config: InternalAxiosRequestConfig,
): InternalAxiosRequestConfig {
	const made = agentOptions.filter((name) => isCookieAgent(config[name]));
	if (made.length === 0) return config;
	const rest = withoutPrototype(config);
	for (const name of made) delete rest[name];
	return rest;
}

/**
 * An agent makes the TLS connection, and so do some of the options for HTTP/2: with one of the app's
 * own those of `mtls` would hold for nothing.
 *
 * @throws {MtlsConfigError} naming the option that was given.
 */
export function assertNoConflictingAgent(
	config: Pick<AxiosRequestConfig, 'httpsAgent' | 'httpAgent' | 'http2Options'>,
): void {
	const http2Option = config.http2Options && tlsHttp2Option(config);
	const given =
		agentOptions.find((name) => config[name]) ?? (http2Option && `http2Options.${http2Option}`);
	if (given === undefined) return;
	throw new MtlsConfigError(
		'ERR_MTLS_AGENT_CONFLICT',
		given,
		'cannot be given together with `mtls`, which makes the connections itself',
	);
}

// Words of ours alone: who gives them to a request believes that they hold.
const ofClients = ['mtls', 'pins', 'spiffeId', 'requireClientAuth'] as const;

/**
 * Looks for options of a client, which a request cannot bring.
 *
 * @throws {MtlsConfigError} naming the first one.
 */
export function assertNoClientOptions(config: object): void {
	const given = ofClients.find((name) => Reflect.get(config, name) !== undefined);
	if (given === undefined) return;
	throw new MtlsConfigError(
		'ERR_MTLS_UNKNOWN_OPTION',
		given,
		'belongs to a client, not to a request: make one with create({mtls: …}), or give a list of `mtls` with their origins',
	);
}

// By the name of its mark: axios-cookiejar-support exports neither the mark nor the class.
function isCookieAgent(agent: unknown): boolean {
	return (
		typeof agent === 'object' &&
		agent !== null &&
		Object.getOwnPropertySymbols(agent).some(
			({description}) => description === 'AGENT_CREATED_BY_AXIOS_COOKIEJAR_SUPPORT',
		)
	);
}
