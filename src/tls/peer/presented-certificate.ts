import type {X509Certificate} from 'node:crypto';
import type {CertificateFacts} from '../../facts.ts';
import {BoundedMap} from '../../util/bounded-map.ts';
import {certificateFacts} from '../credentials/certificate-facts.ts';

/** A certificate that a server has presented. Its facts are read when first needed. */
export class PresentedCertificate {
	readonly #certificate: X509Certificate;
	#facts: CertificateFacts | undefined;
	#bytes: number | undefined;

	constructor(certificate: X509Certificate) {
		this.#certificate = certificate;
	}

	/** Its approximate size in memory: OpenSSL's form is several times the DER, the facts as much again. */
	get bytes(): number {
		this.#bytes ??= 4_000 + 8 * this.#certificate.raw.length;
		return this.#bytes;
	}

	get facts(): CertificateFacts {
		this.#facts ??= Object.freeze(certificateFacts(this.#certificate));
		return this.#facts;
	}
}

const verified = new BoundedMap<string, PresentedCertificate>({
	maxEntries: 1_000,
	maxBytes: 16 * 1024 * 1024,
});

/**
 * The shared object for a certificate of a verified server, which presents the same on each connection:
 * to read it again is 13 % of what a full handshake costs the client.
 *
 * Security: only for verified servers. Anyone else can present another large certificate each time.
 */
export function verifiedCertificate(certificate: X509Certificate): PresentedCertificate {
	const key = certificate.fingerprint256;
	const known = verified.get(key);
	if (known !== undefined) return known;
	const presented = new PresentedCertificate(certificate);
	verified.set(key, presented, presented.bytes);
	return presented;
}
