import type {CertificateFacts, FailureKind, FailurePhase, FailureSide} from '../facts.ts';
import {alertOf} from './tls-alerts.ts';

/** What is known of a failed connection. */
export interface Evidence {
	/** Code and text of the socket's first error, or of the HTTP client's where the socket had none. */
	readonly code: string | undefined;
	readonly message: string;
	/** `undefined`: there was no TCP connection. */
	readonly phase: FailurePhase | undefined;
	/** What the server presented, leaf first. */
	readonly chain: readonly CertificateFacts[];
	readonly clientCertificateRequested: boolean | undefined;
	/** A TLS session was resumed: no certificate was sent. */
	readonly resumed: boolean;
	/** There was a client certificate to offer on this connection. */
	readonly identityOffered: boolean;
}

/** What the evidence means. */
export interface Classification {
	readonly kind: FailureKind;
	readonly side: FailureSide;
	readonly certain: boolean;
	readonly alert?: string;
	readonly weakness?: Weakness;
	/** The HTTP versions do not fit, rather than the TLS versions. */
	readonly layer?: 'http';
}

/** What the security level of OpenSSL objects to. */
export type Weakness = 'key' | 'digest' | 'diffie-hellman';

/** Codes of OpenSSL's verification (`X509_V_ERR_…`, all that Node has a name for) and of Node's name check. */
const verification: Readonly<Record<string, FailureKind>> = {
	CERT_HAS_EXPIRED: 'expired',
	CERT_NOT_YET_VALID: 'not-yet-valid',
	ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
	ERR_MTLS_PIN_MISMATCH: 'pin-mismatch',
	ERR_MTLS_SPIFFE_MISMATCH: 'spiffe-mismatch',
	ERR_MTLS_CLIENT_AUTH_NOT_REQUESTED: 'client-auth-not-requested',
	HOSTNAME_MISMATCH: 'wrong-name',
	DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
	SELF_SIGNED_CERT_IN_CHAIN: 'untrusted-issuer',
	CERT_UNTRUSTED: 'untrusted-issuer',
	CERT_REJECTED: 'untrusted-issuer',
	CERT_REVOKED: 'revoked',
	UNABLE_TO_GET_CRL: 'revocation-unknown',
	CRL_NOT_YET_VALID: 'revocation-unknown',
	CRL_HAS_EXPIRED: 'revocation-unknown',
	CRL_SIGNATURE_FAILURE: 'revocation-unknown',
	UNABLE_TO_DECRYPT_CRL_SIGNATURE: 'revocation-unknown',
	ERROR_IN_CRL_LAST_UPDATE_FIELD: 'revocation-unknown',
	ERROR_IN_CRL_NEXT_UPDATE_FIELD: 'revocation-unknown',
	INVALID_PURPOSE: 'wrong-purpose',
	INVALID_CA: 'invalid-certificate',
	PATH_LENGTH_EXCEEDED: 'invalid-certificate',
	CERT_CHAIN_TOO_LONG: 'invalid-certificate',
	CERT_SIGNATURE_FAILURE: 'invalid-certificate',
	UNABLE_TO_DECRYPT_CERT_SIGNATURE: 'invalid-certificate',
	UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'invalid-certificate',
	ERROR_IN_CERT_NOT_BEFORE_FIELD: 'invalid-certificate',
	ERROR_IN_CERT_NOT_AFTER_FIELD: 'invalid-certificate',
	OUT_OF_MEM: 'invalid-certificate',
};

/** The chain ends before a trusted CA; see {@link classifyIncompleteChain} for the two reasons. */
const incomplete = new Set([
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What the client's own OpenSSL refuses, by a part of its code or text. */
const localRefusals: readonly (readonly [RegExp, FailureKind])[] = [
	[/UNSAFE_LEGACY_RENEGOTIATION/, 'legacy-renegotiation'],
	[/UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|WRONG_SSL_VERSION/, 'protocol-mismatch'],
	[/NO_SHARED_CIPHER|NO_CIPHERS_AVAILABLE|WRONG_CIPHER_RETURNED/, 'cipher-mismatch'],
];

/** Refused by the security level of OpenSSL: Node's code is `UNSPECIFIED`, only the text says it. */
const tooWeak = /KEY_TOO_(SMALL|WEAK)|(MD|ALGORITHM)_TOO_WEAK/;

/** The errors of OpenSSL when it reads plain text as a TLS record. */
const notTls = /WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE/;

/** The server did not choose HTTP/2, the only protocol that ALPN offered. */
const noHttp2 = 'ERR_MTLS_NO_HTTP2';

/** A connection that ended without an alert. */
const hangUps = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/**
 * Says what a failed connection means.
 *
 * @returns `undefined` when TLS is not the cause: there was no TCP connection, or the server hung up after
 * the handshake, and had asked for no certificate or had resumed a session.
 */
export function classify(evidence: Evidence): Classification | undefined {
	const {code = '', phase} = evidence;
	if (phase === undefined) return undefined;

	const kind = verification[code];
	if (kind !== undefined) return serverRefused(kind);
	if (incomplete.has(code)) return classifyIncompleteChain(evidence.chain);

	if (code === noHttp2 || wantsHttp1(evidence.message)) return wrongHttpVersion;

	const alert = alertOf(evidence.message);
	if (alert !== undefined) {
		const classification = classifyAlert(alert, evidence);
		return classification && {...classification, alert};
	}
	if (hangUps.has(code)) return classifyHangUp(evidence);

	const text = `${code} ${evidence.message}`.toUpperCase().replaceAll(' ', '_');
	if (tooWeak.test(text)) return {...serverRefused('too-weak'), weakness: weaknessOf(text)};
	if (phase === 'verify') return serverRefused('invalid-certificate');
	// After the handshake, or with an error that is not of TLS (a timeout), TLS is not to blame.
	if (phase !== 'handshake' || !/EPROTO|SSL/.test(code)) return undefined;
	if (evidence.chain.length === 0 && notTls.test(text)) {
		return {kind: 'not-tls', side: 'both', certain: true};
	}
	const match = localRefusals.find(([pattern]) => pattern.test(text));
	if (match !== undefined) return {kind: match[1], side: 'both', certain: true};
	return {kind: 'protocol-mismatch', side: 'both', certain: false};
}

/** Whether the server wants this one request over HTTP/1.1 (RFC 9113 §7). */
export function wantsHttp1(message: string): boolean {
	return /\bNGHTTP2_HTTP_1_1_REQUIRED\b/.test(message);
}

const wrongHttpVersion: Classification = {
	kind: 'protocol-mismatch',
	side: 'both',
	certain: true,
	layer: 'http',
};

function serverRefused(kind: FailureKind, certain = true): Classification {
	return {kind, side: 'server', certain};
}

function weaknessOf(text: string): Weakness {
	if (/DH_KEY/.test(text)) return 'diffie-hellman';
	return /(MD|ALGORITHM)_TOO_WEAK/.test(text) ? 'digest' : 'key';
}

function classifyIncompleteChain(chain: readonly CertificateFacts[]): Classification {
	const [leaf] = chain;
	// The server sent an intermediate, so the issuer of that one is not trusted.
	if (chain.length !== 1 || leaf === undefined) return serverRefused('untrusted-issuer');

	// Only a leaf: either its CA is unknown, or the server forgot the intermediate. A CA whose
	// certificate clients do not have names the URL where it can be fetched.
	const issuedByIntermediate =
		leaf.caIssuers.length > 0 || /\b(intermediate|issuing|sub-?ca)\b/i.test(leaf.issuer);
	return serverRefused(issuedByIntermediate ? 'missing-intermediate' : 'untrusted-issuer', false);
}

/** Alerts about a client certificate that the server has seen (RFC 8446 §6.2). */
const certificateAlerts = [
	'bad_certificate',
	'unsupported_certificate',
	'certificate_revoked',
	'certificate_expired',
	'certificate_unknown',
	'unknown_ca',
	'access_denied',
	'decrypt_error',
];

/**
 * Whether the server asked for a client certificate. `maybe later`: not in the handshake, but perhaps by
 * TLS 1.2 renegotiation once it had seen the path.
 */
type Asked = 'yes' | 'no' | 'maybe later' | 'unknown';

function whenAsked({clientCertificateRequested, phase}: Evidence): Asked {
	if (clientCertificateRequested === undefined) return 'unknown';
	if (clientCertificateRequested) return 'yes';
	return phase === 'response' ? 'maybe later' : 'no';
}

interface AlertRule {
	/** Absent: any alert. */
	readonly alerts?: readonly string[];
	/** Absent: whether the server asked or not. */
	readonly asked?: readonly Asked[];
	/** Absent: any phase. */
	readonly phase?: FailurePhase;
	/** `client-certificate`: refused where one was offered, else required. */
	readonly means: 'client-certificate' | 'http-version' | FailureKind;
	readonly certain: 'always' | 'never' | 'if offered' | 'if not offered';
}

/**
 * What an alert of the server means: the first rule that fits. After the handshake, an alert that fits
 * none has nothing to do with certificates.
 */
// biome-ignore format: a table, one row per case
const alertRules: readonly AlertRule[] = [
	{alerts: ['protocol_version'], means: 'protocol-mismatch', certain: 'always'},
	{alerts: ['no_application_protocol'], means: 'http-version', certain: 'always'},
	{alerts: ['insufficient_security'], means: 'cipher-mismatch', certain: 'always'},
	{alerts: ['certificate_required', 'no_certificate'], means: 'client-certificate', certain: 'always'},
	// A server that did not ask cannot have refused a certificate.
	{alerts: certificateAlerts, asked: ['yes', 'maybe later'], means: 'client-certificate', certain: 'if offered'},
	{alerts: certificateAlerts, asked: ['unknown'], means: 'client-certificate', certain: 'never'},
	// With TLS 1.2 it is how OpenSSL says that it wants a certificate; in a renegotiation it can also be
	// about the ciphers of that path.
	{alerts: ['handshake_failure'], asked: ['yes'], means: 'client-certificate', certain: 'if not offered'},
	{alerts: ['handshake_failure'], asked: ['maybe later'], means: 'client-certificate', certain: 'never'},
	// After its CertificateRequest, the likely cause of any other alert is the client certificate.
	{asked: ['yes'], means: 'client-certificate', certain: 'never'},
	{alerts: ['handshake_failure'], phase: 'handshake', means: 'cipher-mismatch', certain: 'always'},
	// The server gave up for a reason of its own, or does not serve the name that was asked for.
	{alerts: ['access_denied', 'unrecognized_name', 'internal_error', 'user_canceled'], phase: 'handshake', means: 'reset', certain: 'never'},
	{phase: 'handshake', means: 'protocol-mismatch', certain: 'never'},
];

function classifyAlert(alert: string, evidence: Evidence): Classification | undefined {
	const asked = whenAsked(evidence);
	const rule = alertRules.find(
		(each) =>
			(each.alerts?.includes(alert) ?? true) &&
			(each.asked?.includes(asked) ?? true) &&
			(each.phase ?? evidence.phase) === evidence.phase,
	);
	if (rule === undefined) return undefined;
	if (rule.means === 'http-version') return wrongHttpVersion;
	const {identityOffered} = evidence;
	const certain =
		rule.certain === 'always' ||
		(rule.certain !== 'never' && (rule.certain === 'if offered') === identityOffered);
	return rule.means === 'client-certificate'
		? clientRefused(evidence, certain)
		: {kind: rule.means, side: 'both', certain};
}

function clientRefused({identityOffered}: Evidence, certain: boolean): Classification {
	return {
		kind: identityOffered ? 'client-certificate-refused' : 'client-certificate-required',
		side: 'client',
		certain,
	};
}

function classifyHangUp(evidence: Evidence): Classification | undefined {
	// On a resumed session the server has asked for no certificate.
	if (evidence.resumed && evidence.phase === 'response') return undefined;
	if (evidence.clientCertificateRequested) return clientRefused(evidence, false);
	if (evidence.phase === 'handshake' || evidence.phase === 'verify') {
		return {kind: 'reset', side: 'both', certain: false};
	}
	return undefined;
}
