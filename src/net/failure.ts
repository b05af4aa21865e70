import type {MtlsFailure} from '../errors.ts';
import {classify, type Verdict} from '../tls/classify.ts';
import {explain} from '../tls/explain.ts';
import {type Connection, chainFacts} from './connection.ts';
import {TunnelError} from './tunnel.ts';

/** A failed connection, judged and put in words. */
export interface JudgedFailure {
	/** One sentence. */
	readonly summary: string;
	/** Node's own code where there is one, else one of ours. */
	readonly code: string;
	readonly failure: MtlsFailure;
}

/**
 * Judges why `connection` failed with `cause`.
 *
 * @param url - Of the request, without credentials.
 * @returns `undefined` when the connection is not to blame.
 */
export function judgeFailure(
	connection: Connection,
	cause: unknown,
	url: string,
): JudgedFailure | undefined {
	const verdict = judge(connection, cause, chainFacts(connection));
	if (verdict === undefined) return undefined;
	const proxyStatus = cause instanceof TunnelError ? cause.status : undefined;
	return tellFailure(connection, verdict, url, {code: codeOf(cause), proxyStatus});
}

/**
 * Puts a verdict on `connection` in words.
 *
 * @param url - Of the request, without credentials.
 */
export function tellFailure(
	connection: Connection,
	{weakness, ...verdict}: Verdict,
	url: string,
	{code, proxyStatus}: {code?: string | undefined; proxyStatus?: number | undefined},
): JudgedFailure {
	const {host, port, servername, protocol, clientCertificateRequested, proxy} = connection;
	const chain = chainFacts(connection);
	const facts = {
		...verdict,
		phase: connection.phase ?? 'handshake',
		host,
		port,
		servername,
		url,
		...(protocol !== undefined && {protocol}),
		...(clientCertificateRequested !== undefined && {clientCertificateRequested}),
		...(chain[0] !== undefined && {peer: chain[0]}),
		chain,
		identity: connection.identity,
		...(proxy !== undefined && {
			proxy: {
				host: proxy.host,
				port: proxy.port,
				...(proxyStatus !== undefined && {status: proxyStatus}),
			},
		}),
	};
	const {summary, reasons, hint} = explain({...facts, ...(weakness && {weakness})});
	return {
		summary,
		code: code ?? codeFor(verdict.kind),
		failure: {...facts, reasons, hint},
	};
}

/** The code of a failure that Node has none for. */
export function codeFor(kind: MtlsFailure['kind']): string {
	return `ERR_MTLS_${kind.toUpperCase().replaceAll('-', '_')}`;
}

function judge(
	connection: Connection,
	cause: unknown,
	chain: MtlsFailure['chain'],
): Verdict | undefined {
	if (cause instanceof TunnelError) return {kind: cause.kind, side: 'proxy', certain: true};
	return classify({
		code: codeOf(cause),
		message: cause instanceof Error ? cause.message : String(cause),
		phase: connection.phase,
		chain,
		clientCertificateRequested: connection.clientCertificateRequested,
		identityOffered: connection.identity !== null,
	});
}

function codeOf(error: unknown): string | undefined {
	const code = (error as NodeJS.ErrnoException | undefined)?.code;
	return typeof code === 'string' ? code : undefined;
}
