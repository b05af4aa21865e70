import {AxiosError, type InternalAxiosRequestConfig} from 'axios';
import {MtlsError} from '../errors.ts';
import {publish} from '../events.ts';
import {type Connection, connectionEndedBy, connectionOf} from '../net/connection.ts';
import {codeFor, type JudgedFailure, judgeFailure} from '../net/failure.ts';
import {redactUrl} from '../redact.ts';
import {explain} from '../tls/explain.ts';
import type {Hop} from './hop.ts';

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
	const judged = judgeFailure(connection, cause, redactUrl(hop.url.href));
	return judged === undefined ? error : mtlsError(judged, {config, request: error.request, cause});
}

/** The error of a redirect that would leave TLS. */
export function insecureRedirect(
	hop: Hop,
	target: URL,
	config: InternalAxiosRequestConfig,
): MtlsError {
	const host = hop.url.hostname.replace(/^\[(.*)\]$/, '$1');
	const facts = {
		kind: 'insecure-redirect',
		phase: 'response',
		side: 'server',
		certain: true,
		host,
		port: Number(hop.url.port) || 443,
		servername: host,
		url: redactUrl(target.href),
		chain: [],
		identity: null,
	} as const;
	const {summary, reasons, hint} = explain(facts);
	const failure = {...facts, reasons, hint};
	return mtlsError({summary, code: codeFor(facts.kind), failure}, {config});
}

function mtlsError(
	{summary, code, failure}: JudgedFailure,
	init: {config: InternalAxiosRequestConfig; request?: unknown; cause?: unknown},
): MtlsError {
	publish('axios-mtls:failure', () => ({...failure, code, message: summary, enforced: true}));
	return new MtlsError(summary, {...init, code, failure});
}

function connectionOfFailure(
	error: AxiosError,
): {connection: Connection; cause: unknown} | undefined {
	const ended = connectionEndedBy(error.cause);
	if (ended) return {connection: ended, cause: error.cause};

	const {request} = error;
	const connection = connectionOf(request?.socket);
	// On a socket that has served before, or after the first byte of an answer, the handshake is not
	// to blame. Only a failure of the wire can be: a timeout has no cause.
	const fresh = request?.reusedSocket === false && !request.res;
	if (connection === undefined || !fresh || error.cause === undefined) return undefined;
	return {connection, cause: connection.firstError ?? error.cause};
}
