import {types} from 'node:util';
import {
	type AxiosError,
	type AxiosResponse,
	type InternalAxiosRequestConfig,
	isAxiosError,
} from 'axios';
import {type Connection, connectionOf, connectionOfError} from '../connection/connection.ts';
import {
	codeFor,
	type FailureContext,
	type FailureReport,
	reportFailure,
} from '../connection/connection-failure.ts';
import type {ProxyServer} from '../connection/proxy/resolve-proxy.ts';
import {MtlsError, type MtlsErrorInit} from '../errors.ts';
import type {Hop} from '../exchange/hop.ts';
import {type Decision, decide} from '../failures/decide.ts';
import type {Evidence, ProxyEvidence} from '../failures/facts.ts';
import {classifyRefusal} from '../failures/http-refusal.ts';
import {alertOf} from '../failures/tls-alerts.ts';
import {publish} from '../logging/diagnostics-channel.ts';
import {redactUrl} from '../util/redact-url.ts';
import {bareHost, portOfUrl} from '../util/url.ts';

/**
 * The MtlsError for an exchange that failed because of TLS or the proxy. Any other error is returned as
 * it is: a timeout, a refused port, or a server that hung up after a good handshake.
 */
export function diagnose(error: unknown, hop: Hop, config: InternalAxiosRequestConfig): unknown {
	const found = reportOf(error, hop);
	if (found === undefined) return error;
	const {report, request, cause} = found;
	return mtlsError(report, {config, request, cause});
}

/** What {@link diagnose} would say of an error; `undefined` where it would return the error. */
export function failureReport(error: unknown, hop: Hop): FailureReport | undefined {
	return reportOf(error, hop)?.report;
}

function reportOf(error: unknown, hop: Hop) {
	if (!isAxiosError(error)) return undefined;
	const {request, response, code} = error;
	if (response || code === 'ERR_CANCELED') return undefined;
	const found = connectionOfFailure(error);
	if (found === undefined) return undefined;
	const {connection, cause} = found;
	const report = reportFailure(connection, cause, redactUrl(hop.url.href), redirectOf(hop));
	return report && {report, request, cause};
}

/**
 * The MtlsError for a response by which a server refuses the client certificate, or the lack of one, in
 * HTTP: it keeps the response, the code and the status of `error`. Any other error is returned as it is.
 */
export function diagnoseResponse(
	error: AxiosError,
	response: AxiosResponse,
	hop: Hop,
	config: InternalAxiosRequestConfig,
): AxiosError {
	const connection = connectionOf(response.request?.socket);
	// A connection to a proxy, for plain http: no certificate was requested.
	if (connection === undefined || connection.phase === 'tunnel') return error;
	const {status, headers, data} = response;
	const page = classifyRefusal({status, server: headers.server, data});
	const context = {...redirectOf(hop), response: {status, page}};
	const report = reportFailure(connection, error, redactUrl(hop.url.href), context);
	return report === undefined
		? error
		: mtlsError(report, {config, request: response.request, response});
}

function redirectOf({anonymizedBy, withheldAfter, url}: Hop): FailureContext {
	return {
		redirectedFrom: anonymizedBy,
		withheld: withheldAfter === undefined ? undefined : {from: withheldAfter, to: url.origin},
	};
}

/** The error of a redirect that would leave TLS. */
export function insecureRedirect(
	hop: Hop,
	target: URL,
	config: InternalAxiosRequestConfig,
): MtlsError {
	const evidence = {...evidenceOf(hop), source: 'redirect', url: redactUrl(target.href)} as const;
	return failedResponse(evidence, codeFor('insecure-redirect'), {config});
}

/** The error of a 407, by which a proxy refuses to forward plain http (RFC 9110 §15.5.8). */
export function proxyAuthRequired(
	{host, port, protocol, hasCredentials, variable, loginPlace}: ProxyServer,
	hop: Hop,
	config: InternalAxiosRequestConfig,
	{status, request}: AxiosResponse,
): MtlsError {
	const kind = 'proxy-auth-required';
	const known = {host, port, protocol, hasCredentials, variable, loginPlace};
	const proxy: ProxyEvidence = {...known, kind, status};
	const evidence = {...evidenceOf(hop), source: 'proxy', proxy} as const;
	return failedResponse(evidence, 'ERR_PROXY_AUTH_REQUIRED', {config, request});
}

/** What is known of a response that is the failure, where no TLS connection is to blame. */
function evidenceOf({url}: Hop): Evidence {
	const host = bareHost(url.hostname);
	return {
		source: 'response',
		peer: 'server',
		code: undefined,
		message: '',
		phase: 'response',
		host,
		port: portOfUrl(url),
		servername: host,
		url: redactUrl(url.href),
		now: new Date(),
		alpn: undefined,
		protocol: undefined,
		clientCertificateRequested: undefined,
		signatureAlgorithms: [],
		resumed: false,
		proxied: false,
		chain: [],
		details: () => [],
		unrelated: () => [],
		identity: null,
		ours: () => [],
		oursEndAtRoot: () => false,
		hasIdentity: false,
		options: {
			minVersion: '',
			maxVersion: undefined,
			minVersionSet: false,
			ciphers: undefined,
			ecdhCurve: undefined,
			sigalgs: undefined,
			servername: undefined,
			unset: [],
			caOption: undefined,
			unmatchedOrigins: undefined,
		},
		trust: () => {
			throw new Error('a response has no chain');
		},
		withheld: undefined,
		redirectedFrom: undefined,
		proxy: undefined,
		response: undefined,
	};
}

function failedResponse(
	evidence: Evidence,
	code: string,
	init: {config: InternalAxiosRequestConfig; request?: unknown},
): MtlsError {
	const {kind, side, certain, summary, reasons, causes, hint} = decide(evidence) as Decision;
	const {host, port, servername, url, proxy} = evidence;
	const failure = {
		...{kind, side, certain, host, port, servername, url},
		phase: 'response',
		chain: [],
		identity: null,
		...(proxy && {
			proxy: {
				host: proxy.host,
				port: proxy.port,
				protocol: proxy.protocol,
				hasCredentials: proxy.hasCredentials,
				...(proxy.status !== undefined && {status: proxy.status}),
			},
		}),
		...{reasons, causes, hint},
	} as const;
	return mtlsError({summary, code, failure}, init);
}

function mtlsError(
	{summary, code, failure}: FailureReport,
	init: Pick<MtlsErrorInit, 'request' | 'response' | 'cause'> & {
		config: InternalAxiosRequestConfig;
	},
): MtlsError {
	publish('axios-mtls:failure', () => ({...failure, code, message: summary, enforced: true}));
	return new MtlsError(summary, {...init, code, failure});
}

function connectionOfFailure(
	error: AxiosError,
): {connection: Connection; cause: unknown} | undefined {
	const ended = connectionOfError(error.cause);
	if (ended) return ended;

	const {request} = error;
	const connection = connectionOf(request?.socket);
	// Only a network error has a cause; a timeout has none.
	if (connection === undefined || request?.res || error.cause === undefined) return undefined;
	const cause = connection.firstError ?? error.cause;
	// On a reused socket the handshake is not the reason, unless the server renegotiates, as TLS 1.2
	// allows, for a path that needs a certificate, or would renegotiate if this were HTTP/1.1.
	const message = types.isNativeError(cause) ? cause.message : '';
	const renegotiated =
		connection.clientCertificateRequested === false && alertOf(message) !== undefined;
	return request?.reusedSocket === false ||
		renegotiated ||
		/\bNGHTTP2_HTTP_1_1_REQUIRED\b/.test(message)
		? {connection, cause}
		: undefined;
}
