import {X509Certificate} from 'node:crypto';
import {getCACertificates} from 'node:tls';
import {issuerOf} from '../credentials/chain.ts';
import type {FindIssuer} from '../peer/peer-chain.ts';
import {childrenOf, DerError, type DerValue, readDer, sequence, tags} from '../pkcs12/der.ts';

/**
 * Finds issuers among the certificates that a context trusts: a server need not send its root
 * (RFC 8446 §4.4.2), and Node does not tell which one OpenSSL has found.
 *
 * @param ca - PEM; without it what Node trusts by default.
 */
export function trustedIssuers(ca: readonly string[] | undefined): FindIssuer {
	let trusted: TrustedCertificates | undefined;
	return (certificate) => {
		trusted ??= ca === undefined ? trustedByDefault() : new TrustedCertificates(ca);
		return trusted.issuerOf(certificate);
	};
}

const byDefault = new WeakMap<readonly string[], TrustedCertificates>();

// Node hands out the same list until somebody sets another.
function trustedByDefault(): TrustedCertificates {
	const ca = getCACertificates('default');
	const known = byDefault.get(ca) ?? new TrustedCertificates(ca);
	byDefault.set(ca, known);
	return known;
}

/** Certificates by subject; each is parsed when it is first found, as Node's whole list takes 15 ms. */
class TrustedCertificates {
	readonly #bySubject = new Map<string, Buffer[]>();
	readonly #parsed = new Map<string, readonly X509Certificate[]>();

	constructor(ca: readonly string[]) {
		for (const pem of ca) {
			const der = Buffer.from(pem.replaceAll(/-----[^-]+-----/g, ''), 'base64');
			const {subject} = namesOf(der);
			const same = this.#bySubject.get(subject);
			if (same === undefined) this.#bySubject.set(subject, [der]);
			else same.push(der);
		}
	}

	issuerOf(certificate: X509Certificate): X509Certificate | undefined {
		return issuerOf(certificate, this.#named(namesOf(certificate.raw).issuer));
	}

	#named(name: string): readonly X509Certificate[] {
		const der = this.#bySubject.get(name);
		if (der === undefined) return [];
		const known = this.#parsed.get(name);
		if (known !== undefined) return known;
		// A CA that was renewed keeps its name, and often its key: the one that lasts.
		const certificates = der
			.map((each) => new X509Certificate(each))
			.sort((a, b) => b.validToDate.getTime() - a.validToDate.getTime());
		this.#parsed.set(name, certificates);
		return certificates;
	}
}

/** The names in a certificate; those of what is none are empty. */
function namesOf(der: Buffer): {issuer: string; subject: string} {
	try {
		const [certificate] = sequence(readDer(der));
		const fields = sequence(certificate);
		// [version], serialNumber, signature, issuer, validity, subject, … (RFC 5280 §4.1)
		const at = fields[0]?.tag === tags.explicit0 ? 3 : 2;
		return {issuer: comparable(fields[at]), subject: comparable(fields[at + 2])};
	} catch (error) {
		if (!(error instanceof DerError)) throw error;
		return {issuer: '', subject: ''};
	}
}

/** PrintableString, UTF8String, TeletexString, IA5String and VisibleString. */
const texts: ReadonlySet<number> = new Set([0x13, 0x0c, 0x14, 0x16, 0x1a]);

/**
 * A name in a form that is the same for names that RFC 5280 §7.1 calls equal: a CA may write its own
 * name with other types and capitals than those who name it.
 */
function comparable(name: DerValue | undefined): string {
	const parts = sequence(name).map((rdn) => childrenOf(rdn).flatMap(childrenOf));
	return parts
		.map((values) =>
			values
				.map(({tag, content, whole}) =>
					texts.has(tag)
						? content.toString().trim().replaceAll(/ +/g, ' ').toLowerCase()
						: whole.toString('latin1'),
				)
				.join('='),
		)
		.join('\n');
}
