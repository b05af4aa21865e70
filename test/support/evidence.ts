/*
 * What is known of a failure, as the decision table gets it: nothing but what a test says.
 */
import type {CertificateFacts, FailureKind} from '../../src/facts.ts';
import type {Evidence, ProxyEvidence, TrustFacts} from '../../src/failures/facts.ts';
import type {OwnCertificate} from '../../src/failures/our-certificate.ts';

export function certificateOf(
	subject: string,
	issuer: string,
	more: Partial<CertificateFacts> = {},
): CertificateFacts {
	return {
		subject,
		issuer,
		altNames: [],
		validFrom: '2024-01-01T00:00:00.000Z',
		validTo: '2099-01-01T00:00:00.000Z',
		fingerprint256: `fingerprint of ${subject}`,
		pin: 'sha256//x',
		caIssuers: [],
		...more,
	};
}

/** Ours, with nothing wrong about it. */
export function ownCertificateOf(more: Partial<OwnCertificate> = {}): OwnCertificate {
	return {
		subject: 'CN=client',
		issuer: 'CN=Partner Root',
		validFrom: '2024-01-01T00:00:00.000Z',
		validTo: '2099-01-01T00:00:00.000Z',
		purposes: undefined,
		keyUsage: undefined,
		weakDigest: undefined,
		keyType: 'rsa',
		keyBits: 2048,
		curve: undefined,
		caIssuers: [],
		...more,
	};
}

export function trustOf(more: Partial<TrustFacts> = {}): TrustFacts {
	return {
		given: true,
		count: 1,
		names: ['CN=Own Root'],
		holdsLeaf: false,
		holdsTop: false,
		holdsNamesake: false,
		holdsRelative: false,
		inPfx: false,
		inGlobalAgent: false,
		isPublic: false,
		held: new Set(),
		...more,
	};
}

export function evidenceOf(more: Partial<Evidence> = {}): Evidence {
	return {
		source: 'connection',
		peer: 'server',
		code: undefined,
		message: '',
		phase: 'handshake',
		host: 'api.bank.example',
		port: 443,
		servername: 'api.bank.example',
		url: 'https://api.bank.example/',
		now: new Date('2026-01-02T03:04:05Z'),
		alpn: 'http/1.1',
		protocol: undefined,
		clientCertificateRequested: undefined,
		signatureAlgorithms: [],
		resumed: false,
		proxied: false,
		chain: [],
		details: () => [],
		unrelated: () => [],
		identity: null,
		ours: () => [],
		oursEndAtRoot: () => true,
		hasIdentity: false,
		options: {
			minVersion: 'TLSv1.2',
			maxVersion: undefined,
			minVersionSet: false,
			ciphers: undefined,
			ecdhCurve: undefined,
			sigalgs: undefined,
			servername: undefined,
			unset: [],
			caOption: undefined,
			unmatchedOrigins: undefined,
		},
		trust: () => trustOf(),
		withheld: undefined,
		redirectedFrom: undefined,
		proxy: undefined,
		response: undefined,
		...more,
	};
}

/** A server's. */
export const server = certificateOf('CN=api.bank.example', 'CN=Bank Issuing CA', {
	altNames: ['DNS:api.bank.example'],
	caIssuers: ['http://ca.test/issuing.crt'],
});
const ours = certificateOf('CN=client', 'CN=Partner CA', {fingerprint256: 'AA:BB'});
/** Evidence of a client certificate that was offered. */
export const offered = {identity: ours, hasIdentity: true, ours: () => [ownCertificateOf()]};
export const asked = {
	clientCertificateRequested: true,
	protocol: 'TLSv1.3',
	phase: 'response',
} as const;

/** What OpenSSL says of an alert. */
export const alertMessage = (number: number) =>
	`error:0A000410:SSL routines::x:SSL alert number ${number}`;

const proxy = (kind: FailureKind, more: Partial<ProxyEvidence> = {}) => ({
	source: 'proxy' as const,
	phase: 'tunnel' as const,
	proxy: {
		...{host: 'proxy.test', port: 3128, protocol: 'http', hasCredentials: false},
		...{variable: undefined, loginPlace: 'auth' as const},
		kind,
		...more,
	},
});

/** How each kind comes about. */
export const samples: Readonly<Record<FailureKind, Partial<Evidence>>> = {
	expired: {code: 'CERT_HAS_EXPIRED', phase: 'verify'},
	'not-yet-valid': {code: 'CERT_NOT_YET_VALID', phase: 'verify'},
	'wrong-name': {code: 'ERR_TLS_CERT_ALTNAME_INVALID', phase: 'verify'},
	'self-signed': {code: 'DEPTH_ZERO_SELF_SIGNED_CERT', phase: 'verify'},
	'untrusted-issuer': {code: 'SELF_SIGNED_CERT_IN_CHAIN', phase: 'verify', chain: []},
	'missing-intermediate': {
		code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
		phase: 'verify',
		chain: [server],
	},
	revoked: {code: 'CERT_REVOKED', phase: 'verify'},
	'revocation-unknown': {code: 'UNABLE_TO_GET_CRL', phase: 'verify'},
	'wrong-purpose': {code: 'INVALID_PURPOSE', phase: 'verify'},
	'too-weak': {code: 'UNSPECIFIED', message: 'EE certificate key too weak', phase: 'verify'},
	'invalid-certificate': {code: 'PATH_LENGTH_EXCEEDED', phase: 'verify'},
	'pin-mismatch': {code: 'ERR_MTLS_PIN_MISMATCH', phase: 'verify'},
	'spiffe-mismatch': {code: 'ERR_MTLS_SPIFFE_MISMATCH', phase: 'verify'},
	'client-auth-not-requested': {code: 'ERR_MTLS_CLIENT_AUTH_NOT_REQUESTED', phase: 'verify'},
	'insecure-redirect': {source: 'redirect'},
	'client-certificate-required': {...asked, message: alertMessage(116), identity: null},
	'client-certificate-refused': {...asked, ...offered, message: alertMessage(48)},
	'protocol-mismatch': {message: alertMessage(70)},
	'cipher-mismatch': {message: alertMessage(40)},
	'legacy-renegotiation': {code: 'ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED'},
	'not-tls': {code: 'ERR_SSL_WRONG_VERSION_NUMBER', chain: []},
	reset: {code: 'ECONNRESET'},
	'proxy-unreachable': proxy('proxy-unreachable'),
	'proxy-auth-required': proxy('proxy-auth-required'),
	'proxy-refused': proxy('proxy-refused', {status: 403}),
	'proxy-timeout': proxy('proxy-timeout'),
	'proxy-bad-reply': proxy('proxy-bad-reply', {spoke: 'other'}),
};
