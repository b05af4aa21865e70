import {X509Certificate} from 'node:crypto';
import https from 'node:https';
import {types} from 'node:util';
import type {MtlsFailure} from '../facts.ts';
import {type Decision, decide, keepOptionNames} from '../failures/decide.ts';
import type {Evidence, ProxyEvidence, ResponseEvidence, Withheld} from '../failures/facts.ts';
import {certificateDetails, endsAtRoot, ownCertificate} from '../tls/peer/certificate-details.ts';
import {unrelatedTo} from '../tls/peer/peer-chain.ts';
import type {GivenOptions} from '../tls/snapshot.ts';
import {loadCa, trustFacts} from '../tls/trust/ca.ts';
import {type Connection, chainFacts} from './connection.ts';
import {ProxyError} from './proxy/proxy-error.ts';
import type {ProxyServer} from './proxy/resolve-proxy.ts';

/** Why a connection failed, in words and as fields. */
export interface FailureReport {
	/** One sentence. */
	readonly summary: string;
	/** Node's code where there is one, else `ERR_MTLS_…`. */
	readonly code: string;
	readonly failure: MtlsFailure;
}

/** What is known of a failure besides the connection. */
export interface FailureContext {
	/** The origin that redirected to one with another identity, which it is not allowed to use. */
	readonly redirectedFrom?: string | undefined;
	/** The redirect because of which the client certificate was not offered. */
	readonly withheld?: Withheld | undefined;
	/** The response that is the failure. */
	readonly response?: ResponseEvidence;
	/** The connection is used all the same: `verify: 'report'`. */
	readonly isUsed?: true;
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
	context: FailureContext = {},
): FailureReport | undefined {
	const decision =
		decideProxyTls(connection, cause) ?? decide(evidenceOf(connection, cause, url, context));
	if (decision === undefined) return undefined;
	const proxyError = cause instanceof ProxyError ? cause : undefined;
	return {
		summary: decision.summary,
		code: codeOf(cause) ?? codeFor(decision.kind),
		failure: failureOf(connection, decision, url, context, proxyError),
	};
}

/** The code of a failure for which Node has no code. */
export function codeFor(kind: MtlsFailure['kind']): string {
	return `ERR_MTLS_${kind.toUpperCase().replaceAll('-', '_')}`;
}

function failureOf(
	connection: Connection,
	{kind, side, certain, alert, reasons, causes, hint, clientCertificate}: Decision,
	url: string,
	{redirectedFrom, isUsed}: FailureContext,
	proxyError: ProxyError | undefined,
): MtlsFailure {
	const {host, port, servername, protocol, clientCertificateRequested, identity, proxy} =
		connection;
	const signatureAlgorithms = requestedBy(connection);
	const chain = chainFacts(connection);
	// Before TLS 1.3 it is sent before the server is verified, and in a connection that is used always.
	const wasSettled =
		side === 'server' && connection.phase === 'verify' && (isUsed || protocol !== 'TLSv1.3');
	const failure: MtlsFailure = {
		kind,
		side,
		certain,
		...(alert !== undefined && {alert}),
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
		...(redirectedFrom !== undefined && {redirectedFrom}),
		...((side === 'client' || wasSettled) &&
			clientCertificate !== undefined && {clientCertificate}),
		...(side === 'client' && signatureAlgorithms.length > 0 && {requested: {signatureAlgorithms}}),
		...(proxy !== undefined && {
			proxy: {
				host: proxy.host,
				port: proxy.port,
				protocol: proxy.protocol,
				hasCredentials: proxy.hasCredentials,
				...(proxyError?.status !== undefined && {status: proxyError.status}),
				...(proxyError?.reply !== undefined && {reply: proxyError.reply}),
			},
		}),
		reasons,
		causes,
		hint,
	};
	keepOptionNames(failure, optionNames(connection));
	return failure;
}

/** Of the options that the connection was made with: `pfx`, `proxy.ca`. */
function optionNames({snapshot, proxy}: Connection): string[] {
	const ofProxy = proxy?.protocol === 'https' ? snapshot.proxy.given.named : [];
	return [...snapshot.given.named, ...ofProxy.map((name) => `proxy.${name}`)];
}

/** OpenSSL has one name for the two kinds of RSA-PSS. */
function requestedBy({signatureAlgorithms}: Connection): string[] {
	return Array.from(new Set(signatureAlgorithms.map(schemeName)));
}

/** Node prints the hash of a scheme that has none of its own as `UNDEF`: `id-ml-dsa-65+UNDEF`. */
function schemeName(name: string): string {
	return name.replace(/\+UNDEF$/, '').replace(/^id-ml-dsa-(?=\d+$)/, 'mldsa');
}

/** Gathers what is known; what takes time is read when a row of the table asks for it. */
function evidenceOf(
	connection: Connection,
	cause: unknown,
	url: string,
	{redirectedFrom, withheld, response}: FailureContext,
	peer: Evidence['peer'] = 'server',
): Evidence {
	const {snapshot, chain, proxy, servername, identity} = connection;
	const {host, port, phase, alpn, protocol, resumed} = connection;
	const {clientCertificateRequested} = connection;
	const signatureAlgorithms = requestedBy(connection);
	const options = peer === 'server' ? snapshot : snapshot.proxy;
	const {given, trustedIssuer} = options;
	let ours: X509Certificate[] | undefined;
	const sent = () => {
		ours ??= certificatesIn(given);
		return ours;
	};
	return {
		source:
			response === undefined ? (cause instanceof ProxyError ? 'proxy' : 'connection') : 'response',
		peer,
		code: codeOf(cause),
		message: types.isNativeError(cause) ? cause.message : String(cause ?? ''),
		...{phase, host, port, servername, url, alpn, protocol, resumed},
		...{
			clientCertificateRequested,
			signatureAlgorithms,
			identity,
			redirectedFrom,
			withheld,
			response,
		},
		now: new Date(),
		proxied: proxy !== undefined,
		chain: chainFacts(connection),
		details: () => chain.map(certificateDetails),
		unrelated: () => unrelatedTo(chain).map((each) => certificateDetails(each).subject),
		ours: () => sent().map(ownCertificate),
		oursEndAtRoot: () => endsAtRoot(sent(), trustedIssuer),
		hasIdentity: options.identity !== null,
		options: {
			minVersion: given.minVersion ?? 'TLSv1.2',
			maxVersion: given.maxVersion,
			minVersionSet: given.minVersion !== undefined,
			ciphers: given.ciphers,
			ecdhCurve: given.ecdhCurve,
			sigalgs: given.sigalgs,
			servername: options.servername,
			unset: given.unset,
			caOption: given.caOption,
			unmatchedOrigins: given.unmatchedOrigins,
		},
		trust: () =>
			trustFacts(chain, {
				ca: given.ca,
				pfxCas: given.pfxCas,
				// Nobody expects it to be used for a proxy.
				globalAgentCa: peer === 'server' ? globalAgentCa() : undefined,
			}),
		proxy: proxy && proxyEvidence(proxy, cause),
	};
}

/** The CAs that the app has set on Node's global agent; `undefined` without any. */
function globalAgentCa(): string[] | undefined {
	const {options} = https.globalAgent;
	// As own property: what was merged into `Object.prototype` is not the app's.
	const ca: unknown = Object.hasOwn(options, 'ca') ? options.ca : undefined;
	try {
		// For Node a string is PEM, never a path.
		return ca ? loadCa([ca].flat().map((each) => Buffer.from(each as string))) : undefined;
	} catch {
		return undefined;
	}
}

function certificatesIn({certificates}: GivenOptions): X509Certificate[] {
	const blocks = certificates.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
	return (blocks ?? []).map((pem) => new X509Certificate(pem));
}

function proxyEvidence(
	{host, port, protocol, hasCredentials, variable, loginPlace}: ProxyServer,
	cause: unknown,
): ProxyEvidence {
	const known = {host, port, protocol, hasCredentials, variable, loginPlace};
	if (!(cause instanceof ProxyError)) return known;
	const {kind, message, status, reply, squidError, spoke} = cause;
	const networkCode = codeOf(cause.cause);
	return {...known, kind, message, status, reply, squidError, spoke, networkCode};
}

/**
 * Explains failed TLS with an `https://` proxy: its certificate was refused, or it refused the client's.
 *
 * @returns `undefined` when the proxy failed for another reason, or did not fail.
 */
function decideProxyTls(
	{proxyConnection, phase, proxy}: Connection,
	cause: unknown,
): Decision | undefined {
	if (proxyConnection === undefined || proxy === undefined || phase !== 'tunnel') return undefined;
	const unreached = cause instanceof ProxyError && cause.kind === 'proxy-unreachable';
	if (cause instanceof ProxyError && !unreached && cause.spoke !== 'nothing') return undefined;

	const error =
		proxyConnection.firstError ?? (cause instanceof ProxyError ? cause.cause : cause) ?? hangUp;
	const decided = decide(evidenceOf(proxyConnection, error, String(proxy), {}, 'proxy'));
	// After the handshake, only a refusal by the proxy of the client certificate is a TLS failure.
	if (decided === undefined || !(unreached || decided.side === 'client')) return undefined;
	return {
		...decided,
		kind: decided.side === 'client' ? 'proxy-auth-required' : 'proxy-unreachable',
		side: 'proxy',
		summary: `no TLS with the proxy ${proxy}: ${decided.summary}`,
		reasons: [decided.summary, ...decided.reasons],
		causes: [decided.kind, ...decided.causes],
	};
}

const hangUp = Object.assign(new Error('the proxy hung up'), {code: 'ECONNRESET'});

function codeOf(error: unknown): string | undefined {
	const code = (error as NodeJS.ErrnoException | undefined)?.code;
	return typeof code === 'string' ? code : undefined;
}
