import type {CertificateFacts} from '../certificate.ts';
import type {FailureKind, FailurePhase, FailureSide} from '../errors.ts';
import {alertOf} from './alert.ts';

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
	/** We had a certificate to offer on this connection. */
	readonly identityOffered: boolean;
}

/** What the evidence says. */
export interface Verdict {
	readonly kind: FailureKind;
	readonly side: FailureSide;
	readonly certain: boolean;
	readonly alert?: string;
}

/** Codes of OpenSSL's verification (`X509_V_ERR_…`) and of Node's name check. */
const verification: Readonly<Record<string, FailureKind>> = {
	CERT_HAS_EXPIRED: 'expired',
	CERT_NOT_YET_VALID: 'not-yet-valid',
	ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
	HOSTNAME_MISMATCH: 'wrong-name',
	DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
	SELF_SIGNED_CERT_IN_CHAIN: 'untrusted-issuer',
	CERT_UNTRUSTED: 'untrusted-issuer',
	CERT_REVOKED: 'revoked',
	UNABLE_TO_GET_CRL: 'revocation-unknown',
	INVALID_PURPOSE: 'wrong-purpose',
};

/** The chain ended before a CA that we trust: which of two reasons, only the chain tells. */
const incomplete = new Set([
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Our own OpenSSL's words for what it will not speak, by their part of the code. */
const local: readonly (readonly [RegExp, FailureKind])[] = [
	[/UNSAFE_LEGACY_RENEGOTIATION/, 'legacy-renegotiation'],
	[/KEY_TOO_SMALL|MD_TOO_WEAK/, 'too-weak'],
	[/WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE/, 'not-tls'],
	[/UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|WRONG_SSL_VERSION/, 'protocol-mismatch'],
	[/NO_SHARED_CIPHER|NO_CIPHERS_AVAILABLE|WRONG_CIPHER_RETURNED/, 'cipher-mismatch'],
];

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

/** A connection that ended without a word. */
const hangUps = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/**
 * Says what a failed connection means.
 *
 * @returns `undefined` when TLS had no part in it: no TCP connection, or a hang-up of a server that
 * had accepted us and did not ask for a certificate.
 */
export function classify(evidence: Evidence): Verdict | undefined {
	const {code = '', phase} = evidence;
	if (phase === undefined) return undefined;

	const kind = verification[code];
	if (kind !== undefined) return refusedByUs(kind);
	if (incomplete.has(code)) return judgeIncompleteChain(evidence.chain);

	const alert = alertOf(evidence.message);
	if (alert !== undefined) return {...judgeAlert(alert, evidence), alert};
	if (hangUps.has(code)) return judgeHangUp(evidence);

	const text = `${code} ${evidence.message}`.toUpperCase().replaceAll(' ', '_');
	const match = local.find(([pattern]) => pattern.test(text));
	if (match !== undefined) return {kind: match[1], side: 'both', certain: true};

	if (phase === 'verify') return refusedByUs('invalid-certificate');
	if (phase === 'handshake') return {kind: 'protocol-mismatch', side: 'both', certain: false};
	return undefined;
}

function refusedByUs(kind: FailureKind, certain = true): Verdict {
	return {kind, side: 'server', certain};
}

function judgeIncompleteChain(chain: readonly CertificateFacts[]): Verdict {
	const [leaf] = chain;
	// With an intermediate in hand it is that one's issuer which we do not know.
	if (chain.length !== 1 || leaf === undefined) return refusedByUs('untrusted-issuer');

	// A leaf on its own: either its CA is unknown, or the server forgot the intermediate. A CA
	// tells where its own certificate can be fetched when it is not one that clients have.
	const issuedByIntermediate =
		leaf.caIssuers.length > 0 || /\b(intermediate|issuing|sub-?ca)\b/i.test(leaf.issuer);
	return refusedByUs(issuedByIntermediate ? 'missing-intermediate' : 'untrusted-issuer', false);
}

function judgeAlert(alert: string, evidence: Evidence): Verdict {
	if (alert === 'protocol_version') {
		return {kind: 'protocol-mismatch', side: 'both', certain: true};
	}
	if (alert === 'insufficient_security') {
		return {kind: 'cipher-mismatch', side: 'both', certain: true};
	}
	if (alert === 'certificate_required' || alert === 'no_certificate') {
		return refusedUs(evidence, true);
	}
	if (refusals.has(alert)) {
		// Without a certificate of ours these mean that there should have been one.
		return refusedUs(evidence, evidence.identityOffered);
	}
	if (alert === 'handshake_failure') {
		// Before its CertificateRequest the server found no common cipher; after it, the certificate is
		// what it had left to object to: with TLS 1.2 this is how OpenSSL says that it wants one.
		return evidence.clientCertificateRequested
			? refusedUs(evidence, !evidence.identityOffered)
			: {kind: 'cipher-mismatch', side: 'both', certain: true};
	}
	return {kind: 'protocol-mismatch', side: 'both', certain: false};
}

function refusedUs({identityOffered}: Evidence, certain: boolean): Verdict {
	return {
		kind: identityOffered ? 'client-certificate-refused' : 'client-certificate-required',
		side: 'client',
		certain,
	};
}

function judgeHangUp(evidence: Evidence): Verdict | undefined {
	if (evidence.clientCertificateRequested) return refusedUs(evidence, false);
	if (evidence.phase === 'handshake' || evidence.phase === 'verify') {
		return {kind: 'reset', side: 'both', certain: false};
	}
	return undefined;
}
