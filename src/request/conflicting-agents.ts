import type {AxiosRequestConfig, InternalAxiosRequestConfig} from 'axios';
import {MtlsConfigError} from '../errors.ts';
import {tlsHttp2Option} from '../exchange/http2-options.ts';
import {withoutPrototype} from '../util/check-options.ts';

const agentOptions = ['httpsAgent', 'httpAgent'] as const;

/**
 * The config without the agents that axios-cookiejar-support makes for each request of an instance
 * that it has wrapped. They only handle cookies, which the adapter does itself.
 */
export function withoutCookieAgents(
	config: InternalAxiosRequestConfig,
): InternalAxiosRequestConfig {
	const cookieAgents = agentOptions.filter((name) => isCookieAgent(config[name]));
	if (cookieAgents.length === 0) return config;
	const rest = withoutPrototype(config);
	for (const name of cookieAgents) delete rest[name];
	return rest;
}

/**
 * Refuses an agent, and `http2Options` that configure TLS: they would make the connection, and
 * the options of `mtls` would silently have no effect.
 *
 * @throws {MtlsConfigError} naming the option that was given.
 */
export function assertNoConflictingAgent(
	config: Pick<AxiosRequestConfig, 'httpsAgent' | 'httpAgent' | 'http2Options'>,
): void {
	const http2Option = config.http2Options && tlsHttp2Option(config);
	const agent = agentOptions.find((name) => config[name]);
	const given = agent ?? (http2Option && `http2Options.${http2Option}`);
	if (given === undefined) return;
	const remedy =
		agent === undefined
			? 'remove it; options of TLS belong in `mtls`'
			: 'remove it, and give its certificate and CAs in `mtls`';
	throw new MtlsConfigError(
		'ERR_MTLS_AGENT_CONFLICT',
		given,
		`cannot be given together with \`mtls\`, which makes the connections itself; ${remedy}`,
	);
}

// axios has no options of these names: an app that sets one on a request expects it to have an effect.
const clientOptions = ['mtls', 'pins', 'spiffeId', 'requireClientAuth'] as const;

/**
 * Refuses options of a client in the config of a request.
 *
 * @throws {MtlsConfigError} naming the first one.
 */
export function assertNoClientOptions(config: object): void {
	const given = clientOptions.find((name) => Reflect.get(config, name) !== undefined);
	if (given === undefined) return;
	throw new MtlsConfigError(
		'ERR_MTLS_UNKNOWN_OPTION',
		given,
		'belongs to a client, not to a request: create({mtls: …}) makes one that shares the defaults, and neither cookies nor login if `mtls` has credentials; or give a list of `mtls` with their origins',
	);
}

// Found by the description of a symbol: axios-cookiejar-support exports neither the symbol nor the class.
function isCookieAgent(agent: unknown): boolean {
	return (
		typeof agent === 'object' &&
		agent !== null &&
		Object.getOwnPropertySymbols(agent).some(
			({description}) => description === 'AGENT_CREATED_BY_AXIOS_COOKIEJAR_SUPPORT',
		)
	);
}
