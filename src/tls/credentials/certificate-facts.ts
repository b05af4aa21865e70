import {createHash, type KeyObject, X509Certificate} from 'node:crypto';
import type {CertificateFacts} from '../../facts.ts';

/** Reads the facts of one certificate, PEM or DER. @throws what `X509Certificate` throws. */
export function certificateFacts(source: X509Certificate | string | Buffer): CertificateFacts {
	const certificate = source instanceof X509Certificate ? source : new X509Certificate(source);
	return {
		subject: oneLine(certificate.subject),
		issuer: oneLine(certificate.issuer),
		altNames: splitAltNames(certificate.subjectAltName),
		validFrom: isoDate(certificate.validFromDate, certificate.validFrom),
		validTo: isoDate(certificate.validToDate, certificate.validTo),
		fingerprint256: certificate.fingerprint256,
		pin: publicKeyPin(certificate),
		caIssuers: caIssuers(certificate.infoAccess),
	};
}

// The facts are read for a failed connection too: an odd date must not throw in place of its error.
function isoDate(date: Date, text: string): string {
	return Number.isNaN(date.getTime()) ? text : date.toISOString();
}

/** The pin of a certificate's key; empty where OpenSSL does not know its algorithm. */
export function publicKeyPin(certificate: X509Certificate): string {
	try {
		return pinOf(certificate.publicKey);
	} catch {
		return '';
	}
}

/**
 * The pin of a public key, as curl's `--pinnedpubkey` takes it. RFC 7469 §2.4 hashes the
 * SubjectPublicKeyInfo, so a renewed certificate with the same key keeps its pin.
 */
export function pinOf(publicKey: KeyObject): string {
	const spki = publicKey.export({type: 'spki', format: 'der'});
	return `sha256//${createHash('sha256').update(spki).digest('base64')}`;
}

// Node returns `undefined` for an empty name, against its types.
function oneLine(name: string | undefined): string {
	return (name ?? '').split('\n').join(', ');
}

// Node quotes an entry that holds a comma, so that the list can be split safely.
function splitAltNames(names: string | undefined): string[] {
	return names?.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g)?.map((name) => name.trim()) ?? [];
}

function caIssuers(infoAccess: string | undefined): string[] {
	const uris = infoAccess?.matchAll(/^CA Issuers - URI:(.+)$/gm) ?? [];
	return Array.from(uris, ([, uri]) => uri ?? '');
}
