import type {MtlsFailure} from '../facts.ts';
import {type Classification, classify} from '../failures/classify.ts';
import {type Explanation, explain, type Facts} from '../failures/explain.ts';
import {explainHttpVersion} from '../failures/explain-http-version.ts';
import {explainAtProxy} from '../failures/explain-proxy.ts';
import {type Connection, chainFacts} from './connection.ts';
import {ProxyError} from './proxy/proxy-error.ts';

/** A failed connection, judged and put in words. */
export interface FailureReport {
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
 * @param redirectedFrom - The origin whose redirect led there, where we are nobody for it.
 * @returns `undefined` when the connection is not to blame.
 */
export function reportFailure(
	connection: Connection,
	cause: unknown,
	url: string,
	redirectedFrom?: string,
): FailureReport | undefined {
	const atProxy = classifyProxyTls(connection, cause);
	const verdict = atProxy?.verdict ?? judge(connection, cause);
	if (verdict === undefined) return undefined;
	return describeFailure(connection, verdict, url, {
		code: codeOf(cause),
		proxyStatus: cause instanceof ProxyError ? cause.status : undefined,
		redirectedFrom,
		explanation: atProxy?.explanation,
	});
}

/** What is known of a failure besides the connection. */
interface Besides {
	readonly code?: string | undefined;
	readonly proxyStatus?: number | undefined;
	/** The origin whose redirect led there, where we are nobody for it. */
	readonly redirectedFrom?: string | undefined;
	/** Of the answer that is the failure. */
	readonly answeredBy?: number;
	/** In place of what is said of such a failure in general. */
	readonly explanation?: Explanation | undefined;
}

/**
 * Puts a verdict on `connection` in words.
 *
 * @param url - Of the request, without credentials.
 */
export function describeFailure(
	connection: Connection,
	{weakness, layer, ...verdict}: Classification,
	url: string,
	{code, proxyStatus, redirectedFrom, answeredBy, explanation}: Besides,
): FailureReport {
	const {proxy} = connection;
	const facts = {
		...factsOf(connection, verdict, url),
		...(redirectedFrom !== undefined && {redirectedFrom}),
		...(proxy !== undefined && {
			proxy: {
				host: proxy.host,
				port: proxy.port,
				...(proxyStatus !== undefined && {status: proxyStatus}),
			},
		}),
	};
	const {summary, reasons, hint} =
		explanation ??
		(layer && explainHttpVersion(facts, connection.alpn)) ??
		explain({
			...facts,
			...(weakness && {weakness}),
			...(answeredBy !== undefined && {answeredBy}),
			...(proxy && {proxyLogin: proxy.hasCredentials}),
		});
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

function factsOf(
	connection: Connection,
	verdict: Omit<Classification, 'weakness' | 'layer'>,
	url: string,
): Omit<MtlsFailure, 'reasons' | 'hint'> {
	const {host, port, servername, protocol, clientCertificateRequested, identity} = connection;
	const chain = chainFacts(connection);
	return {
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
		identity,
	};
}

function judge(connection: Connection, cause: unknown): Classification | undefined {
	if (cause instanceof ProxyError) return {kind: cause.kind, side: 'proxy', certain: true};
	return classify({
		code: codeOf(cause),
		message: cause instanceof Error ? cause.message : String(cause),
		phase: connection.phase,
		chain: chainFacts(connection),
		clientCertificateRequested: connection.clientCertificateRequested,
		resumed: connection.resumed,
		identityOffered: connection.identity !== null,
	});
}

/** What TLS has to do with it when an `https://` proxy gives no way: it was refused, or refuses us. */
function classifyProxyTls(
	{leg, phase, proxy}: Connection,
	cause: unknown,
): {verdict: Classification; explanation: Explanation} | undefined {
	if (leg === undefined || proxy === undefined || phase !== 'tunnel') return undefined;
	const unreached = cause instanceof ProxyError && cause.kind === 'proxy-unreachable';
	if (cause instanceof ProxyError && !unreached && !cause.unanswered) return undefined;

	const wire = leg.firstError ?? (cause instanceof ProxyError ? cause.cause : cause);
	const inner = judge(leg, wire ?? hangUp);
	// After the handshake it is the proxy's turn to object, and all else is no matter of TLS.
	if (inner === undefined || !(unreached || inner.side === 'client')) return undefined;
	const {weakness, layer: _, ...verdict} = inner;
	const facts: Facts = {...factsOf(leg, verdict, String(proxy)), ...(weakness && {weakness})};
	const explanation = explainAtProxy(facts);
	return {
		verdict: {
			...verdict,
			kind: inner.side === 'client' ? 'proxy-auth-required' : 'proxy-unreachable',
			side: 'proxy',
		},
		explanation: {
			...explanation,
			summary: `no TLS with the proxy ${proxy}: ${explanation.summary}`,
		},
	};
}

const hangUp = Object.assign(new Error('the proxy hung up'), {code: 'ECONNRESET'});

function codeOf(error: unknown): string | undefined {
	const code = (error as NodeJS.ErrnoException | undefined)?.code;
	return typeof code === 'string' ? code : undefined;
}
