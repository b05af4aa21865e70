import type {X509Certificate} from 'node:crypto';
import type {CertificateDetails} from '../../failures/facts.ts';
import type {OwnCertificate} from '../../failures/our-certificate.ts';
import {certificateFacts} from '../credentials/certificate-facts.ts';
import {childrenOf, DerError, type DerValue, objectId, readDer, sequence} from '../pkcs12/der.ts';
import type {FindIssuer} from './peer-chain.ts';

/** What a certificate may be used for. */
export function certificateDetails(certificate: X509Certificate): CertificateDetails {
	return {
		subject: certificateFacts(certificate).subject,
		isCa: certificate.ca,
		// Node's name for extendedKeyUsage.
		purposes: certificate.keyUsage,
		keyUsage: keyUsageOf(certificate),
		weakDigest: weakDigestOf(certificate),
		rsaBits: rsaBitsOf(certificate),
	};
}

function rsaBitsOf(certificate: X509Certificate): number | undefined {
	try {
		const {asymmetricKeyType, asymmetricKeyDetails} = certificate.publicKey;
		return asymmetricKeyType === 'rsa' ? asymmetricKeyDetails?.modulusLength : undefined;
	} catch {
		// The key is damaged, or of a type that OpenSSL does not know.
		return undefined;
	}
}

/** What can be wrong with a certificate in the eyes of a server. */
export function ownCertificate(certificate: X509Certificate): OwnCertificate {
	const {subject, issuer, validFrom, validTo, caIssuers} = certificateFacts(certificate);
	return {
		...{subject, issuer, validFrom, validTo, caIssuers},
		purposes: certificate.keyUsage,
		keyUsage: keyUsageOf(certificate),
		weakDigest: weakDigestOf(certificate),
		...keyOf(certificate),
	};
}

/**
 * Whether the issuer of the last certificate of a chain is a root that is trusted: it need not be sent.
 *
 * @param chain - Leaf first.
 */
export function endsAtRoot(chain: readonly X509Certificate[], trustedIssuer: FindIssuer): boolean {
	const last = chain.at(-1);
	const issuer = last && trustedIssuer(last);
	return issuer?.checkIssued(issuer) ?? false;
}

function keyOf(
	certificate: X509Certificate,
): Pick<OwnCertificate, 'keyType' | 'keyBits' | 'curve'> {
	try {
		const {asymmetricKeyType, asymmetricKeyDetails} = certificate.publicKey;
		return {
			keyType: asymmetricKeyType,
			keyBits: asymmetricKeyDetails?.modulusLength,
			curve: asymmetricKeyDetails?.namedCurve,
		};
	} catch {
		// The key is damaged, or of a type that OpenSSL does not know.
		return {keyType: undefined, keyBits: undefined, curve: undefined};
	}
}

/** The bits of a KeyUsage, first to last (RFC 5280 §4.2.1.3). */
const keyUsageBits = [
	'digitalSignature',
	'nonRepudiation',
	'keyEncipherment',
	'dataEncipherment',
	'keyAgreement',
	'keyCertSign',
	'cRLSign',
	'encipherOnly',
	'decipherOnly',
];

const keyUsageOid = '2.5.29.15';

function keyUsageOf(certificate: X509Certificate): string[] | undefined {
	return reading(() => {
		const [tbs] = sequence(readDer(certificate.raw));
		// [3] EXPLICIT Extensions, the last field.
		const extensions = sequence(tbs).find(({tag}) => tag === 0xa3);
		const found = extensions && sequence(childrenOf(extensions)[0]).find(isKeyUsage);
		const value = found && sequence(found).at(-1);
		if (value === undefined) return undefined;
		// A BIT STRING: the count of unused bits, then the bits.
		const bytes = readDer(value.content).content.subarray(1);
		return keyUsageBits.filter((_, bit) => ((bytes[bit >> 3] ?? 0) << (bit & 7)) & 0x80);
	});
}

function isKeyUsage(extension: DerValue): boolean {
	return objectId(sequence(extension)[0]) === keyUsageOid;
}

/** The hashes that servers refuse, by the OID of the signature (RFC 3279 §2.2, RFC 5758 §3.1). */
const weakDigests: Readonly<Record<string, string>> = {
	'1.2.840.113549.1.1.4': 'MD5',
	'1.2.840.113549.1.1.5': 'SHA-1',
	'1.2.840.10040.4.3': 'SHA-1',
	'1.2.840.10045.4.1': 'SHA-1',
};

function weakDigestOf(certificate: X509Certificate): string | undefined {
	return reading(() => {
		const [, algorithm] = sequence(readDer(certificate.raw));
		return weakDigests[objectId(sequence(algorithm)[0])];
	});
}

/** A certificate that OpenSSL has read can still have what this reader does not know. */
function reading<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch (error) {
		if (!(error instanceof DerError)) throw error;
		return undefined;
	}
}
