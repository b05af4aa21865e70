/*
 * What is known of a failure, as the decision table gets it: nothing but what a test says.
 */
import type {CertificateFacts} from '../../src/facts.ts';
import type {Evidence, TrustFacts} from '../../src/failures/facts.ts';
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
		digest: undefined,
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
		holdsLeaf: false,
		holdsTop: false,
		holdsNamesake: false,
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
			servername: undefined,
		},
		trust: () => trustOf(),
		withheld: undefined,
		redirectedFrom: undefined,
		proxy: undefined,
		response: undefined,
		...more,
	};
}
