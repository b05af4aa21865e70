import type {CertificateFacts, FailureKind, FailurePhase, FailureSide} from '../facts.ts';
import {alertOf} from './tls-alerts.ts';

/** What the wire left behind when a connection failed. */
export interface Evidence {
	/** Code and text of the socket's first error, or of the client's where the socket had none. */
	readonly code: string | undefined;
	readonly message: string;
	/** `undefined`: there was no TCP connection. */
	readonly phase: FailurePhase | undefined;
	/** What the server presented, leaf first. */
	readonly chain: readonly CertificateFacts[];
	readonly clientCertificateRequested: boolean | undefined;
	/** A TLS session was resumed: no certificate was shown. */
	readonly resumed: boolean;
	/** We had a certificate to offer on this connection. */
	readonly identityOffered: boolean;
}

/** What the evidence says. */
export interface Classification {
	readonly kind: FailureKind;
	readonly side: FailureSide;
	readonly certain: boolean;
	readonly alert?: string;
	readonly weakness?: Weakness;
	/** The versions that do not fit are those of HTTP, not of TLS. */
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

/** The chain ended before a CA that we trust: which of two reasons, only the chain tells. */
const incomplete = new Set([
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Our own OpenSSL's words for what it will not speak, by a part of code or text. */
const local: readonly (readonly [RegExp, FailureKind])[] = [
	[/UNSAFE_LEGACY_RENEGOTIATION/, 'legacy-renegotiation'],
	[/UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|WRONG_SSL_VERSION/, 'protocol-mismatch'],
	[/NO_SHARED_CIPHER|NO_CIPHERS_AVAILABLE|WRONG_CIPHER_RETURNED/, 'cipher-mismatch'],
];

/** The security level of OpenSSL; Node names such a verdict `UNSPECIFIED`, and only the text tells. */
const tooWeak = /KEY_TOO_(SMALL|WEAK)|(MD|ALGORITHM)_TOO_WEAK/;

/** What comes of plain text that is read as a TLS record. */
const notTls = /WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE/;

/** Alerts by which a server refuses a certificate that it has been shown (RFC 8446 §6.2). */
const refusals = new Set([
	'bad_certificate',
	'unsupported_certificate',
	'certificate_revoked',
	'certificate_expired',
	'certificate_unknown',
	'unknown_ca',
	'access_denied',
	'decrypt_error',
]);

/** Alerts of a server that gave up for a reason of its own, or does not serve the name asked for. */
const givesUp = new Set(['access_denied', 'unrecognized_name', 'internal_error', 'user_canceled']);

/** The server did not take up our offer of HTTP/2 (ALPN). */
const noHttp2 = 'ERR_MTLS_NO_HTTP2';

/** A connection that ended without a word. */
const hangUps = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/**
 * Says what a failed connection means.
 *
 * @returns `undefined` when TLS had no part in it: no TCP connection, or a hang-up of a server that
 * had accepted us, and did not ask for a certificate or resumed a session.
 */
export function classify(evidence: Evidence): Classification | undefined {
	const {code = '', phase} = evidence;
	if (phase === undefined) return undefined;

	const kind = verification[code];
	if (kind !== undefined) return refusedByUs(kind);
	if (incomplete.has(code)) return judgeIncompleteChain(evidence.chain);

	if (code === noHttp2 || wantsHttp1(evidence.message)) return otherHttp;

	const alert = alertOf(evidence.message);
	if (alert !== undefined) {
		const verdict = judgeAlert(alert, evidence);
		return verdict && {...verdict, alert};
	}
	if (hangUps.has(code)) return judgeHangUp(evidence);

	const text = `${code} ${evidence.message}`.toUpperCase().replaceAll(' ', '_');
	if (tooWeak.test(text)) return {...refusedByUs('too-weak'), weakness: weaknessOf(text)};
	if (phase === 'verify') return refusedByUs('invalid-certificate');
	// What failed once the handshake was over, or is no error of TLS (a timeout), is not ours to judge.
	if (phase !== 'handshake' || !/EPROTO|SSL/.test(code)) return undefined;
	if (evidence.chain.length === 0 && notTls.test(text)) {
		return {kind: 'not-tls', side: 'both', certain: true};
	}
	const match = local.find(([pattern]) => pattern.test(text));
	if (match !== undefined) return {kind: match[1], side: 'both', certain: true};
	return {kind: 'protocol-mismatch', side: 'both', certain: false};
}

/** Whether the server says of one request that it wants it over HTTP/1.1 (RFC 9113 §7). */
export function wantsHttp1(message: string): boolean {
	return /\bNGHTTP2_HTTP_1_1_REQUIRED\b/.test(message);
}

const otherHttp: Classification = {
	kind: 'protocol-mismatch',
	side: 'both',
	certain: true,
	layer: 'http',
};

function refusedByUs(kind: FailureKind, certain = true): Classification {
	return {kind, side: 'server', certain};
}

function weaknessOf(text: string): Weakness {
	if (/DH_KEY/.test(text)) return 'diffie-hellman';
	return /(MD|ALGORITHM)_TOO_WEAK/.test(text) ? 'digest' : 'key';
}

function judgeIncompleteChain(chain: readonly CertificateFacts[]): Classification {
	const [leaf] = chain;
	// With an intermediate in hand it is that one's issuer which we do not know.
	if (chain.length !== 1 || leaf === undefined) return refusedByUs('untrusted-issuer');

	// A leaf on its own: either its CA is unknown, or the server forgot the intermediate. A CA
	// tells where its own certificate can be fetched when it is not one that clients have.
	const issuedByIntermediate =
		leaf.caIssuers.length > 0 || /\b(intermediate|issuing|sub-?ca)\b/i.test(leaf.issuer);
	return refusedByUs(issuedByIntermediate ? 'missing-intermediate' : 'untrusted-issuer', false);
}

function judgeAlert(alert: string, evidence: Evidence): Classification | undefined {
	const {clientCertificateRequested, identityOffered, phase} = evidence;
	if (alert === 'protocol_version') {
		return {kind: 'protocol-mismatch', side: 'both', certain: true};
	}
	if (alert === 'no_application_protocol') return otherHttp;
	if (alert === 'insufficient_security') {
		return {kind: 'cipher-mismatch', side: 'both', certain: true};
	}
	if (alert === 'certificate_required' || alert === 'no_certificate') {
		return refusedUs(evidence, true);
	}
	// Without a certificate of ours these mean that there should have been one. A server that did not
	// ask cannot have refused it; unless it let us in and asked once it had seen the path, by the
	// renegotiation of TLS 1.2, where a handshake_failure can also be about the ciphers of that path.
	const askedLate = phase === 'response' && clientCertificateRequested === false;
	if (refusals.has(alert) && (clientCertificateRequested !== false || askedLate)) {
		return refusedUs(evidence, identityOffered && clientCertificateRequested !== undefined);
	}
	if (askedLate && alert === 'handshake_failure') return refusedUs(evidence, false);
	// After its CertificateRequest, the certificate is what the server had left to object to: with
	// TLS 1.2 a handshake_failure is how OpenSSL says that it wants one.
	if (clientCertificateRequested) {
		return refusedUs(evidence, alert === 'handshake_failure' && !identityOffered);
	}
	if (phase !== 'handshake') return undefined;
	if (alert === 'handshake_failure') return {kind: 'cipher-mismatch', side: 'both', certain: true};
	const kind = givesUp.has(alert) ? 'reset' : 'protocol-mismatch';
	return {kind, side: 'both', certain: false};
}

function refusedUs({identityOffered}: Evidence, certain: boolean): Classification {
	return {
		kind: identityOffered ? 'client-certificate-refused' : 'client-certificate-required',
		side: 'client',
		certain,
	};
}

function judgeHangUp(evidence: Evidence): Classification | undefined {
	// The server took the session for a certificate, and has seen none since.
	if (evidence.resumed && evidence.phase === 'response') return undefined;
	if (evidence.clientCertificateRequested) return refusedUs(evidence, false);
	if (evidence.phase === 'handshake' || evidence.phase === 'verify') {
		return {kind: 'reset', side: 'both', certain: false};
	}
	return undefined;
}
