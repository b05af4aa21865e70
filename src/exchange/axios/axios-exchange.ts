import axios, {
	type AxiosError,
	AxiosHeaders,
	type InternalAxiosRequestConfig,
	isAxiosError,
	isCancel,
} from 'axios';
import {resolveProxy} from '../../connection/proxy/resolve-proxy.ts';
import {MtlsConfigError} from '../../errors.ts';
import {interruptible, onAbort} from '../../util/abortable.ts';
import {appendMessage} from '../../util/append-message.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import {authorityOfUrl} from '../../util/url.ts';
import {tellProgress} from '../abortable.ts';
import {closedError, timeoutMessage} from '../axios-errors.ts';
import type {Exchange, ExchangeInput} from '../exchange.ts';
import {hasOwnProxies} from '../global-agent.ts';
import {attachLoss} from '../may-retry.ts';
import {adoptHeaders, copyHeaders} from '../outgoing/config-headers.ts';
import {withTunnelAuthorization} from '../outgoing/proxy-request.ts';
import {describeProgress, progressOfRequest} from '../progress.ts';
import {type Attempt, hopTransport, type Transport, usesMtlsAgent} from './axios-transport.ts';

const adapter = axios.getAdapter('http');

/**
 * The exchange that supports every axios option: axios's own `http` adapter, called for one hop.
 *
 * @param makeTransport - Sends the request instead of `http` or `https`, until its signal is aborted.
 */
export function axiosExchange(
	given: ExchangeInput,
	makeTransport?: (signal: AbortSignal) => Transport,
): ReturnType<Exchange> {
	const input = withTunnelAuthorization(given);
	const byMtlsAgent = makeTransport === undefined && usesMtlsAgent(input);
	const config = hopConfig(input, byMtlsAgent || makeTransport !== undefined);
	if (input.agent !== undefined) config.httpsAgent = input.agent;
	const attempt: Attempt = {
		byMtlsAgent,
		controller: new AbortController(),
		data: config.data,
		request: undefined,
		lossOf: undefined,
	};
	const transport = makeTransport?.(attempt.controller.signal);
	// With version 2 axios would not use the transport.
	if (transport !== undefined) config.httpVersion = 1;
	config.transport = hopTransport(input, attempt, transport);
	const sent = adapter(config);
	return interruptible(sent, (reject) =>
		// Closing the client closes the MtlsAgent's connections; a request of another agent ends here.
		onAbort(input.closed, () => {
			attempt.request?.destroy();
			reject(closedError(input.config));
		}),
	)
		.catch((error) => {
			// A ClientRequest that waits for its socket emits no event when it ends.
			attempt.controller.abort(new Error('the request is over'));
			const {request} = attempt;
			const seen = request && attempt.lossOf?.(request);
			if (request !== undefined) {
				const host = authorityOfUrl(input.hop.url);
				const progress = () => describeProgress(progressOfRequest(request, host));
				if (isTimeout(error, input.config)) appendMessage(error, progress());
				else if (isCancel(error)) tellProgress(input.config, progress);
			}
			// axios 1.7 leaves it open when its timeout is over.
			request?.destroy();
			throw seen ? attachLoss(error, seen) : error;
		})
		.finally(() => {
			const {headers} = given.hop;
			if (config.headers === headers) return;
			const own = input.cookie === undefined ? [] : ['cookie'];
			adoptHeaders(headers, config.headers, [...own, 'proxy-authorization']);
		});
}

/** Whether it is axios's error of its `timeout`, with axios's own words. */
function isTimeout(error: unknown, config: ExchangeInput['config']): error is AxiosError {
	return isAxiosError(error) && error.message === timeoutMessage(config);
}

function hopConfig(input: ExchangeInput, ownsConnection: boolean) {
	const {hop, config, cookie} = input;
	// The jar's cookies belong to this hop, not to the config that the app gets back. This axios does not
	// recognise the headers of another copy of axios, and would write to a copy of them.
	const canShare = cookie === undefined && hop.headers instanceof AxiosHeaders;
	const headers = canShare ? hop.headers : copyHeaders(hop.headers);
	if (cookie !== undefined) headers.set('Cookie', cookie, true);

	const result: InternalAxiosRequestConfig = {
		...config,
		headers,
		method: hop.method,
		data: hop.body?.open(),
		maxRedirects: 0,
		// No status is an error here; `validateStatus` checks the last response.
		validateStatus: null,
	};
	const proxy = ownsConnection ? false : proxyForAxios(input);
	if (proxy === undefined) delete result.proxy;
	else result.proxy = proxy;
	if (hop.auth) result.auth = hop.auth;
	else delete result.auth;
	if (hop.index > 0) {
		result.url = hop.url.href;
		delete result.baseURL;
		delete result.params;
	}
	return withoutPrototype(result);
}

/**
 * The proxy of a request that the MtlsAgent does not send. With the app's own agent axios decides: over
 * TLS that agent connects as it likes, unless it is the global agent, which axios has to bypass.
 */
function proxyForAxios(input: ExchangeInput) {
	const {hop, proxy, config, globalAgent} = input;
	if (proxy === undefined) {
		// An agent may have an environment of its own, with other proxies.
		if (globalAgent === undefined || !hasOwnProxies(globalAgent)) return false;
		// Where Node's agents have none, axios reads the one of the process.
		if (resolveProxy(undefined, hop.url)?.isSocks) throw socksConflict(input);
		return undefined;
	}
	const secure = hop.url.protocol === 'https:';
	if (secure && globalAgent === undefined) return false;
	if (proxy.isSocks) {
		if (config.socketPath) return false;
		throw socksConflict(input);
	}
	if (!secure || !proxy.exceedsAxios) return proxy.toAxios();
	throw new MtlsConfigError(
		'ERR_MTLS_AGENT_CONFLICT',
		'proxy',
		'an https proxy, or headers for it, go with no other agent in the place of https.globalAgent; give `mtls`, or the agent as `httpsAgent`',
	);
}

/** Instead of the request in which axios would speak HTTP to a SOCKS proxy. */
function socksConflict({hop, config}: ExchangeInput): MtlsConfigError {
	const secure = hop.url.protocol === 'https:';
	const agent = !secure && config.httpAgent ? 'httpAgent' : undefined;
	const place = `the agent in the place of ${secure ? 'https' : 'http'}.globalAgent`;
	return new MtlsConfigError(
		'ERR_MTLS_AGENT_CONFLICT',
		agent ?? 'proxy',
		`${agent ? 'it' : place} cannot connect through a SOCKS proxy; remove it, or give \`proxy: false\` to let it connect as it does`,
	);
}
