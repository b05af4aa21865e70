import {types} from 'node:util';
import type {MtlsFailure} from '../facts.ts';
import {type Classification, classify} from '../failures/classify.ts';
import {type Explanation, explain, type Facts} from '../failures/explain.ts';
import {explainSocks} from '../failures/socks-refusal.ts';
import {type Connection, chainFacts} from './connection.ts';
import {ProxyError} from './proxy/proxy-error.ts';

/** Why a connection failed, in words and as fields. */
export interface FailureReport {
	/** One sentence. */
	readonly summary: string;
	/** Node's code where there is one, else `ERR_MTLS_…`. */
	readonly code: string;
	readonly failure: MtlsFailure;
}

/** The redirect that led to the connection, where it explains the failure. */
interface Redirect {
	/** The origin that redirected to one with another identity, which it is not allowed to use. */
	readonly redirectedFrom?: string | undefined;
	/** A redirect led to an origin to which the client certificate may not be sent. */
	readonly certificateWithheld?: boolean;
}

/**
 * Says why `connection` failed with `cause`.
 *
 * @param url - The request's URL, without credentials.
 * @returns `undefined` when the connection is not to blame.
 */
export function reportFailure(
	connection: Connection,
	cause: unknown,
	url: string,
	redirect: Redirect = {},
): FailureReport | undefined {
	const atProxy = classifyProxyTls(connection, cause);
	const classification = atProxy?.classification ?? classifyFailure(connection, cause);
	if (classification === undefined) return undefined;
	return describeFailure(connection, classification, url, {
		...redirect,
		code: codeOf(cause),
		...(cause instanceof ProxyError && {proxyStatus: cause.status, socksReply: cause.reply}),
		explanation: atProxy?.explanation ?? explainSocksFailure(connection, cause),
	});
}

/** What is known of a failure besides the connection. */
interface FailureContext extends Redirect {
	readonly code?: string | undefined;
	readonly proxyStatus?: number | undefined;
	readonly socksReply?: number | undefined;
	/** The status of the response that is the failure. */
	readonly responseStatus?: number;
	/** Replaces the general explanation of such a failure. */
	readonly explanation?: Explanation | undefined;
}

/**
 * Puts a classified failure of `connection` in words.
 *
 * @param url - The request's URL, without credentials.
 */
export function describeFailure(
	connection: Connection,
	{weakness, layer, ...classification}: Classification,
	url: string,
	context: FailureContext,
): FailureReport {
	const {code, proxyStatus, socksReply, redirectedFrom, certificateWithheld, responseStatus} =
		context;
	const {proxy, alpn} = connection;
	const facts = {
		...factsOf(connection, classification, url),
		...(redirectedFrom !== undefined && {redirectedFrom}),
		...(proxy !== undefined && {
			proxy: {
				host: proxy.host,
				port: proxy.port,
				...(proxyStatus !== undefined && {status: proxyStatus}),
				...(socksReply !== undefined && {reply: socksReply}),
			},
		}),
	};
	const {summary, reasons, hint} =
		context.explanation ??
		explain({
			...facts,
			...(weakness && {weakness}),
			...(layer && {refusedHttp: alpn ?? 'http/1.1'}),
			...(certificateWithheld && {certificateWithheld}),
			...(responseStatus !== undefined && {responseStatus}),
			...(proxy && {proxyLogin: proxy.hasCredentials}),
		});
	return {
		summary,
		code: code ?? codeFor(classification.kind),
		failure: {...facts, reasons, hint},
	};
}

/** The code of a failure for which Node has no code. */
export function codeFor(kind: MtlsFailure['kind']): string {
	return `ERR_MTLS_${kind.toUpperCase().replaceAll('-', '_')}`;
}

function factsOf(
	connection: Connection,
	classification: Omit<Classification, 'weakness' | 'layer'>,
	url: string,
): Omit<MtlsFailure, 'reasons' | 'hint'> {
	const {host, port, servername, protocol, clientCertificateRequested, identity} = connection;
	const chain = chainFacts(connection);
	return {
		...classification,
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

function classifyFailure(connection: Connection, cause: unknown): Classification | undefined {
	if (cause instanceof ProxyError) return {kind: cause.kind, side: 'proxy', certain: true};
	return classify({
		code: codeOf(cause),
		message: types.isNativeError(cause) ? cause.message : String(cause),
		phase: connection.phase,
		chain: chainFacts(connection),
		clientCertificateRequested: connection.clientCertificateRequested,
		resumed: connection.resumed,
		identityOffered: connection.identity !== null,
	});
}

/**
 * Classifies failed TLS with an `https://` proxy: its certificate was refused, or it refused the client's.
 *
 * @returns `undefined` when the proxy failed for another reason, or did not fail.
 */
function classifyProxyTls(
	{proxyConnection, phase, proxy}: Connection,
	cause: unknown,
): {classification: Classification; explanation: Explanation} | undefined {
	if (proxyConnection === undefined || proxy === undefined || phase !== 'tunnel') return undefined;
	const unreached = cause instanceof ProxyError && cause.kind === 'proxy-unreachable';
	if (cause instanceof ProxyError && !unreached && !cause.unanswered) return undefined;

	const error = proxyConnection.firstError ?? (cause instanceof ProxyError ? cause.cause : cause);
	const classified = classifyFailure(proxyConnection, error ?? hangUp);
	// After the handshake, only a refusal by the proxy of the client certificate is a TLS failure.
	if (classified === undefined || !(unreached || classified.side === 'client')) return undefined;
	const {weakness, layer: _, ...classification} = classified;
	const facts: Facts = {
		...factsOf(proxyConnection, classification, String(proxy)),
		...(weakness && {weakness}),
	};
	const {summary, reasons, hint} = explain(facts, 'proxy');
	return {
		classification: {
			...classification,
			kind: classified.side === 'client' ? 'proxy-auth-required' : 'proxy-unreachable',
			side: 'proxy',
		},
		explanation: {
			summary: `no TLS with the proxy ${proxy}: ${summary}`,
			reasons: [summary, ...reasons],
			hint,
		},
	};
}

/** The explanation of a failure of a SOCKS proxy; `undefined` for one that any proxy can have. */
function explainSocksFailure({proxy}: Connection, cause: unknown): Explanation | undefined {
	if (!proxy?.isSocks || !(cause instanceof ProxyError)) return undefined;
	const {kind, reply, message} = cause;
	const found = explainSocks({kind, reply, login: proxy.hasCredentials});
	return found && {summary: message, ...found};
}

const hangUp = Object.assign(new Error('the proxy hung up'), {code: 'ECONNRESET'});

function codeOf(error: unknown): string | undefined {
	const code = (error as NodeJS.ErrnoException | undefined)?.code;
	return typeof code === 'string' ? code : undefined;
}
