import type {X509Certificate} from 'node:crypto';
import type {CertificateFacts} from '../../facts.ts';
import {BoundedMap} from '../../util/bounded-map.ts';
import {certificateFacts} from '../credentials/certificate-facts.ts';

/** A certificate that a server has presented. Its facts are read when they are first asked for. */
export class PresentedCertificate {
	readonly #certificate: X509Certificate;
	#facts: CertificateFacts | undefined;
	#bytes: number | undefined;

	constructor(certificate: X509Certificate) {
		this.#certificate = certificate;
	}

	/** About what it holds in memory: OpenSSL's form is several times the DER, and the facts as much again. */
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
 * The one object for a certificate of servers that were verified: a server shows the same certificates
 * on each connection, and to read those of one anew is 13 % of what a full handshake costs us.
 *
 * Security: not for what was not verified. Anyone can show another large certificate each time.
 */
export function verifiedCertificate(certificate: X509Certificate): PresentedCertificate {
	const key = certificate.fingerprint256;
	const known = verified.get(key);
	if (known !== undefined) return known;
	const presented = new PresentedCertificate(certificate);
	verified.set(key, presented, presented.bytes);
	return presented;
}
