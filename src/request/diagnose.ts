import {AxiosError, type AxiosResponse, type InternalAxiosRequestConfig} from 'axios';
import {type Connection, connectionOf, connectionOfError} from '../connection/connection.ts';
import {
	codeFor,
	describeFailure,
	type FailureReport,
	reportFailure,
} from '../connection/connection-failure.ts';
import type {HttpProxy} from '../connection/proxy/proxy-config.ts';
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
 * The typed error for what an exchange threw, when the connection is to blame; otherwise the very
 * error, such as a timeout, a refused port or a hang-up of a server that had accepted us.
 */
export function diagnose(error: unknown, hop: Hop, config: InternalAxiosRequestConfig): unknown {
	if (!(error instanceof AxiosError)) return error;
	if (error.response || error.code === 'ERR_CANCELED') return error;
	const found = connectionOfFailure(error);
	if (found === undefined) return error;
	const {connection, cause} = found;
	const judged = reportFailure(connection, cause, redactUrl(hop.url.href), redirectOf(hop));
	return judged === undefined ? error : mtlsError(judged, {config, request: error.request, cause});
}

/**
 * The typed error for an answer by which a server refuses our certificate, or the lack of one, in
 * HTTP: `error` with its response, code and status, and what it means. Any other error as it is.
 */
export function diagnoseResponse(
	error: AxiosError,
	response: AxiosResponse,
	hop: Hop,
	config: InternalAxiosRequestConfig,
): AxiosError {
	const connection = connectionOf(response.request?.socket);
	// Through a proxy in the clear no certificate was asked for.
	if (connection === undefined || connection.phase === 'tunnel') return error;
	const {status, headers, data} = response;
	const kind = classifyRefusal({status, server: headers.server, data});
	const verdict: Classification | undefined =
		kind === undefined
			? refusalWithoutCertificate(status, hop, connection)
			: {kind, side: 'client', certain: true};
	// Only a certificate that was offered can be refused.
	if (
		verdict === undefined ||
		(verdict.kind === 'client-certificate-refused' && !connection.identity)
	) {
		return error;
	}
	const judged = describeFailure(connection, verdict, redactUrl(hop.url.href), {
		code: error.code,
		...redirectOf(hop),
		...(!verdict.certain && {responseStatus: status}),
	});
	return mtlsError(judged, {config, request: response.request, response});
}

function redirectOf({guestOf, presentCertificate}: Hop) {
	return {redirectedFrom: guestOf, certificateWithheld: !presentCertificate};
}

const refusals: ReadonlySet<number> = new Set([400, 401, 403]);

/** A server that knows its clients by their certificates has refused what came to it in nobody's name. */
function refusalWithoutCertificate(
	status: number,
	hop: Hop,
	connection: Connection,
): Classification | undefined {
	if (hop.guestOf === undefined || connection.clientCertificateRequested !== true) return undefined;
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

/** The error of a 407, by which a proxy refuses to pass plain http on (RFC 9110 §15.5.8). */
export function proxyAuthRequired(
	{host, port, hasCredentials}: HttpProxy,
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

/** What is known of a failure that an answer has brought. */
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
	if (ended) return {connection: ended, cause: error.cause};

	const {request} = error;
	const connection = connectionOf(request?.socket);
	// Only a failure of the wire can be one of the connection: a timeout has no cause.
	if (connection === undefined || request?.res || error.cause === undefined) return undefined;
	const cause = connection.firstError ?? error.cause;
	// On a socket that has served before the handshake is not to blame; unless the server makes another
	// one, which TLS 1.2 allows, because this path alone needs a certificate, or would if we spoke HTTP/1.1.
	const said = cause instanceof Error ? cause.message : '';
	const renegotiated =
		connection.clientCertificateRequested === false && alertOf(said) !== undefined;
	return request?.reusedSocket === false || renegotiated || wantsHttp1(said)
		? {connection, cause}
		: undefined;
}
