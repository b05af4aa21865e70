import {describe, expect, test} from 'vitest';
import type {CertificateFacts} from '../../src/facts.ts';
import {decide} from '../../src/failures/decide.ts';
import type {Evidence, Weakness} from '../../src/failures/facts.ts';
import type {FailureKind} from '../../src/index.ts';
import {certificateOf, evidenceOf} from '../support/evidence.ts';

const leaf = certificateOf('CN=localhost', 'CN=Bank Root');

interface Verdict {
	readonly kind: FailureKind;
	readonly side: string;
	readonly certain: boolean;
	readonly alert?: string;
}

/** The verdict alone; the causes have tests of their own. */
function judge(evidence: Partial<Evidence>): Verdict | undefined {
	const decision = decide(evidenceOf(evidence));
	if (decision === undefined) return undefined;
	const {kind, side, certain, alert: name} = decision;
	return {kind, side, certain, ...(name !== undefined && {alert: name})};
}

const ours = {...leaf, subject: 'CN=client', issuer: 'CN=Partner Root'};
const identityOffered = {identity: ours, hasIdentity: true};

const alert = (number: number) => ({
	code: 'ERR_SSL_SOME_ALERT',
	message: `error:0A000410:SSL routines:ssl3_read_bytes:an alert:x.c:1:SSL alert number ${number}\n`,
});

describe('verification', () => {
	// "X509 certificate error codes" of https://nodejs.org/api/tls.html, and the two of Node itself.
	const codes: readonly (readonly [string, FailureKind])[] = [
		['UNABLE_TO_GET_ISSUER_CERT', 'untrusted-issuer'],
		['UNABLE_TO_GET_CRL', 'revocation-unknown'],
		['UNABLE_TO_DECRYPT_CERT_SIGNATURE', 'invalid-certificate'],
		['UNABLE_TO_DECRYPT_CRL_SIGNATURE', 'revocation-unknown'],
		['UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY', 'invalid-certificate'],
		['CERT_SIGNATURE_FAILURE', 'invalid-certificate'],
		['CRL_SIGNATURE_FAILURE', 'revocation-unknown'],
		['CERT_NOT_YET_VALID', 'not-yet-valid'],
		['CERT_HAS_EXPIRED', 'expired'],
		['CRL_NOT_YET_VALID', 'revocation-unknown'],
		['CRL_HAS_EXPIRED', 'revocation-unknown'],
		['ERROR_IN_CERT_NOT_BEFORE_FIELD', 'invalid-certificate'],
		['ERROR_IN_CERT_NOT_AFTER_FIELD', 'invalid-certificate'],
		['ERROR_IN_CRL_LAST_UPDATE_FIELD', 'revocation-unknown'],
		['ERROR_IN_CRL_NEXT_UPDATE_FIELD', 'revocation-unknown'],
		['OUT_OF_MEM', 'invalid-certificate'],
		['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed'],
		['SELF_SIGNED_CERT_IN_CHAIN', 'untrusted-issuer'],
		['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'untrusted-issuer'],
		['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'untrusted-issuer'],
		['CERT_CHAIN_TOO_LONG', 'invalid-certificate'],
		['CERT_REVOKED', 'revoked'],
		['INVALID_CA', 'invalid-certificate'],
		['PATH_LENGTH_EXCEEDED', 'invalid-certificate'],
		['INVALID_PURPOSE', 'wrong-purpose'],
		['CERT_UNTRUSTED', 'untrusted-issuer'],
		['CERT_REJECTED', 'untrusted-issuer'],
		['HOSTNAME_MISMATCH', 'wrong-name'],
		['ERR_TLS_CERT_ALTNAME_INVALID', 'wrong-name'],
		['UNSPECIFIED', 'invalid-certificate'],
	];

	test.each(codes)('the code %s is %s of the server, for certain', (code, kind) => {
		// Two certificates: that one alone leaves a doubt is a question of its own.
		expect(judge({code, phase: 'verify', chain: [leaf, leaf]})).toEqual({
			kind,
			side: 'server',
			certain: true,
		});
	});

	// What Node has no code for is UNSPECIFIED, and the text is that of OpenSSL.
	test.each<[string, string, Weakness]>([
		['UNSPECIFIED', 'EE certificate key too weak', 'key'],
		['UNSPECIFIED', 'CA certificate key too weak', 'key'],
		['UNSPECIFIED', 'CA signature digest algorithm too weak', 'digest'],
		['ERR_SSL_EE_KEY_TOO_SMALL', 'error:0A00018F:SSL routines::ee key too small', 'key'],
		['ERR_SSL_CA_MD_TOO_WEAK', 'error:0A00018E:SSL routines::ca md too weak', 'digest'],
		['EPROTO', 'error:0A00018A:SSL routines:x:dh key too small', 'diffie-hellman'],
	])("the code %s with '%s' is too-weak: %s", (code, message, weakness) => {
		for (const phase of ['handshake', 'verify'] as const) {
			expect(judge({code, message, phase})).toEqual({
				kind: 'too-weak',
				side: 'server',
				certain: true,
			});
			expect(decide(evidenceOf({code, message, phase}))?.causes).toEqual([`weak-${weakness}`]);
		}
	});

	const incomplete = [
		'UNABLE_TO_GET_ISSUER_CERT',
		'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
		'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	];
	const fetchable = {...leaf, issuer: 'CN=Bank CA', caIssuers: ['http://ca.test/inner.crt']};

	test.each<[string, FailureKind, boolean, CertificateFacts[]]>([
		['a leaf alone', 'untrusted-issuer', false, [leaf]],
		['a leaf alone whose issuer can be fetched', 'missing-intermediate', false, [fetchable]],
		[
			'a leaf alone whose issuer calls itself an intermediate',
			'missing-intermediate',
			false,
			[{...leaf, issuer: 'CN=Bank Intermediate CA'}],
		],
		[
			'a leaf alone whose issuer calls itself an issuing CA',
			'missing-intermediate',
			false,
			[{...leaf, issuer: 'CN=Bank Issuing CA 2'}],
		],
		['a leaf with an intermediate', 'untrusted-issuer', true, [fetchable, leaf]],
		['nothing', 'untrusted-issuer', true, []],
	])('a chain with %s that ends nowhere is %s (certain: %s)', (_, kind, certain, chain) => {
		for (const code of incomplete) {
			expect(judge({code, phase: 'verify', chain})).toEqual({kind, side: 'server', certain});
		}
	});
});

const otherHttp = {kind: 'protocol-mismatch', side: 'both', certain: true};

test.each([
	['an offer of HTTP/2 that is not taken up', 'ERR_MTLS_NO_HTTP2', '', 'verify'],
	[
		'a request that is wanted over HTTP/1.1',
		'ERR_HTTP2_STREAM_ERROR',
		'Stream closed with error code NGHTTP2_HTTP_1_1_REQUIRED',
		'response',
	],
] as const)('the code %s is about the version of HTTP', (_, code, message, phase) => {
	expect(judge({code, message, phase})).toEqual(otherHttp);
});

test('any other error of HTTP/2 is left to axios', () => {
	const message = 'Stream closed with error code NGHTTP2_INTERNAL_ERROR';
	const evidence = {code: 'ERR_HTTP2_STREAM_ERROR', message, phase: 'response'} as const;
	expect(judge({...evidence, clientCertificateRequested: true})).toBeUndefined();
});

describe('alerts', () => {
	type Row = [string, number, boolean | undefined, boolean, FailureKind, boolean];
	// name, number, asked for a certificate, we had one, kind, certain
	const rows: Row[] = [
		['certificate_required', 116, true, false, 'client-certificate-required', true],
		['certificate_required', 116, true, true, 'client-certificate-refused', true],
		['no_certificate', 41, true, false, 'client-certificate-required', true],
		['handshake_failure', 40, true, false, 'client-certificate-required', true],
		['handshake_failure', 40, true, true, 'client-certificate-refused', false],
		['handshake_failure', 40, undefined, true, 'cipher-mismatch', false],
		['handshake_failure', 40, false, true, 'cipher-mismatch', false],
		['insufficient_security', 71, undefined, true, 'cipher-mismatch', true],
		['protocol_version', 70, undefined, true, 'protocol-mismatch', true],
		['bad_certificate', 42, true, true, 'client-certificate-refused', true],
		['unsupported_certificate', 43, true, true, 'client-certificate-refused', true],
		['certificate_revoked', 44, true, true, 'client-certificate-refused', true],
		['certificate_expired', 45, true, true, 'client-certificate-refused', true],
		['certificate_unknown', 46, true, true, 'client-certificate-refused', true],
		['unknown_ca', 48, true, true, 'client-certificate-refused', true],
		['unknown_ca', 48, undefined, true, 'client-certificate-refused', false],
		['access_denied', 49, true, true, 'client-certificate-refused', true],
		['access_denied', 49, false, true, 'reset', false],
		['decrypt_error', 51, true, true, 'client-certificate-refused', true],
		['decrypt_error', 51, false, true, 'protocol-mismatch', false],
		['bad_certificate', 42, true, false, 'client-certificate-required', false],
		['internal_error', 80, true, true, 'client-certificate-refused', false],
		['internal_error', 80, undefined, true, 'reset', false],
		['unrecognized_name', 112, undefined, true, 'reset', true],
		['illegal_parameter', 47, undefined, true, 'protocol-mismatch', false],
	];

	test.each(rows)(
		'the alert %s (%i), certificate requested: %s, offered: %s, is %s (certain: %s)',
		(name, number, clientCertificateRequested, offered, kind, certain) => {
			const side = kind.startsWith('client-') ? 'client' : 'both';
			expect(
				judge({...alert(number), clientCertificateRequested, ...(offered && identityOffered)}),
			).toEqual({
				kind,
				side,
				certain,
				alert: name,
			});
		},
	);

	test('no_application_protocol is about the version of HTTP', () => {
		const verdict = {...otherHttp, alert: 'no_application_protocol'};
		expect(judge({...alert(120), ...identityOffered})).toEqual(verdict);
	});

	test('an alert about certificates after a handshake that did not ask for one is of a renegotiation', () => {
		const late = {phase: 'response', clientCertificateRequested: false} as const;
		const refused = {kind: 'client-certificate-refused', side: 'client'};
		const required = {kind: 'client-certificate-required', side: 'client', certain: false};
		for (const number of [42, 43, 44, 45, 46, 48, 49, 51]) {
			const evidence = {...alert(number), ...late};
			expect(judge({...evidence, ...identityOffered})).toMatchObject({
				...refused,
				certain: true,
			});
			expect(judge(evidence)).toMatchObject(required);
		}
		expect(judge({...alert(40), ...late})).toMatchObject(required);
		expect(judge({...alert(40), ...late, ...identityOffered})).toMatchObject({
			...refused,
			certain: false,
		});
	});

	test('an alert after the handshake that is not about certificates is left to axios', () => {
		for (const number of [10, 20, 47, 80]) {
			const evidence = {...alert(number), phase: 'response', ...identityOffered} as const;
			expect(judge({...evidence, clientCertificateRequested: false})).toBeUndefined();
		}
	});

	test('the number counts, whatever code Node gives it', () => {
		for (const code of ['EPROTO', 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', undefined]) {
			const evidence = {...alert(48), code, phase: 'response'} as const;
			expect(
				judge({...evidence, clientCertificateRequested: true, ...identityOffered}),
			).toMatchObject({kind: 'client-certificate-refused', certain: true, alert: 'unknown_ca'});
		}
	});
});

describe('hang-ups', () => {
	type Row = [Evidence['phase'], boolean | undefined, boolean, Verdict | undefined];
	const reset: Verdict = {kind: 'reset', side: 'both', certain: false};
	const refused: Verdict = {
		kind: 'client-certificate-refused',
		side: 'client',
		certain: false,
	};
	const required: Verdict = {
		kind: 'client-certificate-required',
		side: 'client',
		certain: false,
	};

	test.each<Row>([
		[undefined, undefined, true, undefined],
		['handshake', undefined, true, reset],
		['handshake', false, true, reset],
		['handshake', true, true, refused],
		['handshake', true, false, required],
		['verify', false, true, reset],
		['verify', true, true, refused],
		['response', false, true, undefined],
		['response', undefined, true, undefined],
		['response', true, true, refused],
		['response', true, false, required],
	])(
		'a hang-up in phase %s, certificate requested: %s, offered: %s, is classified',
		(phase, requested, offered, verdict) => {
			for (const code of ['ECONNRESET', 'EPIPE', 'ECONNABORTED']) {
				expect(
					judge({
						code,
						phase,
						clientCertificateRequested: requested,
						...(offered && identityOffered),
					}),
				).toEqual(verdict);
			}
		},
	);
});

test('a hang-up after a session was resumed says nothing of a certificate that was not shown', () => {
	const evidence = {code: 'ECONNRESET', clientCertificateRequested: true, ...identityOffered};
	expect(judge({...evidence, phase: 'response', resumed: true})).toBeUndefined();
	expect(judge({...evidence, phase: 'response', resumed: false})).toBeDefined();
	expect(judge({...evidence, phase: 'handshake', resumed: true})).toBeDefined();
});

describe('what OpenSSL says on this side', () => {
	test.each<[string, string, FailureKind, boolean]>([
		['ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', 'not-tls', true],
		['EPROTO', 'SSL routines:tls_validate_record_header:wrong version number', 'not-tls', true],
		['ERR_SSL_HTTP_REQUEST', 'http request', 'not-tls', true],
		['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'packet length too long', 'not-tls', true],
		['EPROTO', 'SSL routines::unsupported protocol', 'protocol-mismatch', true],
		['ERR_SSL_NO_PROTOCOLS_AVAILABLE', '', 'protocol-mismatch', true],
		['ERR_SSL_WRONG_CIPHER_RETURNED', '', 'cipher-mismatch', true],
		['ERR_SSL_NO_CIPHERS_AVAILABLE', '', 'cipher-mismatch', true],
		['ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED', '', 'legacy-renegotiation', true],
		['ERR_SSL_UNEXPECTED_MESSAGE', 'unexpected message', 'protocol-mismatch', false],
	])("the OpenSSL error %s '%s' is %s (certain: %s)", (code, message, kind, certain) => {
		expect(judge({code, message})).toEqual({kind, side: 'both', certain});
		expect(judge({code, message, phase: 'response'})).toBeUndefined();
	});

	test('a server that has shown a certificate does speak TLS', () => {
		expect(judge({code: 'ERR_SSL_WRONG_VERSION_NUMBER', chain: [leaf]})).toMatchObject({
			kind: 'protocol-mismatch',
			certain: false,
		});
	});
});

test.each(['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT', 'EHOSTUNREACH', undefined])(
	'the code %s is not about TLS, however far the connection had come',
	(code) => {
		for (const phase of [undefined, 'handshake', 'response'] as const) {
			expect(judge({code, phase})).toBeUndefined();
		}
	},
);
