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
	describeFailure,
	type FailureReport,
	reportFailure,
} from '../connection/connection-failure.ts';
import type {ProxyServer} from '../connection/proxy/resolve-proxy.ts';
import {MtlsError, type MtlsErrorInit} from '../errors.ts';
import type {Hop} from '../exchange/hop.ts';
import {type Classification, wantsHttp1} from '../failures/classify.ts';
import {explain} from '../failures/explain.ts';
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
	const kind = classifyRefusal({status, server: headers.server, data});
	const classification: Classification | undefined =
		kind === undefined
			? refusalWithoutCertificate(status, hop, connection)
			: {kind, side: 'client', certain: true};
	// Only a certificate that was presented can be refused.
	if (
		classification === undefined ||
		(classification.kind === 'client-certificate-refused' && !connection.identity)
	) {
		return error;
	}
	const report = describeFailure(connection, classification, redactUrl(hop.url.href), {
		code: error.code,
		...redirectOf(hop),
		...(!classification.certain && {responseStatus: status}),
	});
	return mtlsError(report, {config, request: response.request, response});
}

function redirectOf({anonymizedBy, presentCertificate}: Hop) {
	return {redirectedFrom: anonymizedBy, certificateWithheld: !presentCertificate};
}

const refusals: ReadonlySet<number> = new Set([400, 401, 403]);

/** The refusal of an anonymous request by a server that requests client certificates. */
function refusalWithoutCertificate(
	status: number,
	hop: Hop,
	connection: Connection,
): Classification | undefined {
	if (hop.anonymizedBy === undefined || !connection.clientCertificateRequested) return undefined;
	if (!refusals.has(status)) return undefined;
	return {kind: 'client-certificate-required', side: 'client', certain: false};
}

/** The error of a redirect that would leave TLS. */
export function insecureRedirect(
	hop: Hop,
	target: URL,
	config: InternalAxiosRequestConfig,
): MtlsError {
	const kind = 'insecure-redirect';
	const facts = {...factsOf(hop), kind, side: 'server', url: redactUrl(target.href)} as const;
	const {summary, reasons, hint} = explain(facts);
	const failure = {...facts, reasons, hint};
	return mtlsError({summary, code: codeFor(kind), failure}, {config});
}

/** The error of a 407, by which a proxy refuses to forward plain http (RFC 9110 §15.5.8). */
export function proxyAuthRequired(
	{host, port, hasCredentials}: ProxyServer,
	hop: Hop,
	config: InternalAxiosRequestConfig,
	{status, request}: AxiosResponse,
): MtlsError {
	const facts = {
		...factsOf(hop),
		kind: 'proxy-auth-required',
		side: 'proxy',
		proxy: {host, port, status},
	} as const;
	const {summary, reasons, hint} = explain({...facts, proxyLogin: hasCredentials});
	const failure = {...facts, reasons, hint};
	return mtlsError({summary, code: 'ERR_PROXY_AUTH_REQUIRED', failure}, {config, request});
}

/** The facts of a failure that a response caused. */
function factsOf({url}: Hop) {
	const host = bareHost(url.hostname);
	return {
		phase: 'response',
		certain: true,
		host,
		port: portOfUrl(url),
		servername: host,
		url: redactUrl(url.href),
		chain: [],
		identity: null,
	} as const;
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
	return request?.reusedSocket === false || renegotiated || wantsHttp1(message)
		? {connection, cause}
		: undefined;
}
