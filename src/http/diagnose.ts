import {AxiosError, type InternalAxiosRequestConfig} from 'axios';
import {type FailureKind, MtlsError} from '../errors.ts';
import {type Connection, chainFacts, connectionEndedBy, connectionOf} from '../net/connection.ts';
import {TunnelError} from '../net/tunnel.ts';
import {redactUrl} from '../redact.ts';
import {classify, type Verdict} from '../tls/classify.ts';
import {explain, type Facts} from '../tls/explain.ts';
import type {Hop} from './hop.ts';

/**
 * The typed error for what an exchange threw, when the connection is to blame; otherwise the very
 * error, such as a timeout, a refused port or a hang-up of a server that had accepted us.
 */
export function diagnose(error: unknown, hop: Hop, config: InternalAxiosRequestConfig): unknown {
	if (!(error instanceof AxiosError) || error.response || error.code === 'ERR_CANCELED')
		return error;
	const found = connectionOfFailure(error);
	if (found === undefined) return error;

	const {connection, cause} = found;
	const verdict = judge(connection, cause);
	if (verdict === undefined) return error;
	return mtlsError(verdict, factsOf(connection, cause, verdict, hop), {
		code: codeOf(cause) ?? error.code ?? kindCode(verdict.kind),
		config,
		request: error.request,
		cause,
	});
}

/** The error of a redirect that would leave TLS. */
export function insecureRedirect(
	hop: Hop,
	target: URL,
	config: InternalAxiosRequestConfig,
): MtlsError {
	const verdict: Verdict = {kind: 'insecure-redirect', side: 'server', certain: true};
	const facts: Facts = {
		...verdict,
		phase: 'response',
		host: hop.url.hostname,
		port: Number(hop.url.port) || 443,
		servername: hop.url.hostname,
		url: redactUrl(target.href),
		chain: [],
		identity: null,
	};
	return mtlsError(verdict, facts, {code: kindCode(verdict.kind), config});
}

function mtlsError(
	{kind}: Verdict,
	facts: Facts,
	init: {code: string; config: InternalAxiosRequestConfig; request?: unknown; cause?: unknown},
): MtlsError {
	const {summary, reasons, hint} = explain(facts);
	return new MtlsError(`${summary} [${kind}]`, {...init, failure: {...facts, reasons, hint}});
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

function judge(connection: Connection, cause: unknown): Verdict | undefined {
	if (cause instanceof TunnelError) return {kind: cause.kind, side: 'proxy', certain: true};
	return classify({
		code: codeOf(cause),
		message: cause instanceof Error ? cause.message : String(cause),
		phase: connection.phase,
		chain: chainFacts(connection),
		clientCertificateRequested: connection.clientCertificateRequested,
		identityOffered: connection.identity !== null,
	});
}

function factsOf(connection: Connection, cause: unknown, verdict: Verdict, hop: Hop): Facts {
	const chain = chainFacts(connection);
	const {protocol, clientCertificateRequested, proxy} = connection;
	const status = cause instanceof TunnelError ? cause.status : undefined;
	return {
		...verdict,
		phase: connection.phase ?? 'handshake',
		host: connection.host,
		port: connection.port,
		servername: connection.servername,
		url: redactUrl(hop.url.href),
		...(protocol !== undefined && {protocol}),
		...(clientCertificateRequested !== undefined && {clientCertificateRequested}),
		...(chain[0] !== undefined && {peer: chain[0]}),
		chain,
		identity: connection.identity,
		...(proxy !== undefined && {
			proxy: {host: proxy.host, port: proxy.port, ...(status !== undefined && {status})},
		}),
	};
}

function codeOf(error: unknown): string | undefined {
	const code = (error as NodeJS.ErrnoException | undefined)?.code;
	return typeof code === 'string' ? code : undefined;
}

// For a failure that Node has no code for.
function kindCode(kind: FailureKind): string {
	return `ERR_MTLS_${kind.toUpperCase().replaceAll('-', '_')}`;
}
