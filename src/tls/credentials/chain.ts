import type {KeyObject, X509Certificate} from 'node:crypto';

/** Whether a certificate has the public key of a private one. */
export function fitsKey(certificate: X509Certificate, key: KeyObject): boolean {
	try {
		return certificate.checkPrivateKey(key);
	} catch {
		// OpenSSL cannot read the public key, so it is not that of the private key.
		return false;
	}
}

/**
 * The certificates to send: the leaf, then each one's issuer (RFC 5246 §7.4.2), then other issuers of
 * them, such as a cross-signed CA under another root (RFC 8446 §4.4.2 allows it).
 *
 * A certificate that has nothing to do with the leaf is dropped: a strict TLS 1.2 server refuses a
 * list with one in it, and the server need not learn what else is in the file.
 */
export function chainOf(
	leaf: X509Certificate,
	certificates: readonly X509Certificate[],
): X509Certificate[] {
	const rest = new Map(certificates.map((each) => [each.fingerprint256, each]));
	const chain: X509Certificate[] = [];
	for (let next: X509Certificate | undefined = leaf; next !== undefined; ) {
		chain.push(next);
		rest.delete(next.fingerprint256);
		next = issuerOf(next, Array.from(rest.values()));
	}
	// The loop also visits what it appends, so that their issuers follow.
	for (const link of chain) {
		for (const each of rest.values()) {
			if (!link.checkIssued(each)) continue;
			rest.delete(each.fingerprint256);
			chain.push(each);
		}
	}
	return chain;
}

/**
 * Finds the issuer of a certificate among `candidates`.
 *
 * If several have the right name (a CA with a new key), it is the one whose key verifies the signature; if
 * none can be checked, as with an old hash, it is the first.
 */
export function issuerOf(
	certificate: X509Certificate,
	candidates: readonly X509Certificate[],
): X509Certificate | undefined {
	const named = candidates.filter((each) => certificate.checkIssued(each));
	if (named.length <= 1) return named[0];
	return named.find((each) => isSignedBy(certificate, each)) ?? named[0];
}

/** Whether the signature of a certificate is that of `issuer`'s key. */
export function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
	try {
		return certificate.verify(issuer.publicKey);
	} catch {
		// A key that OpenSSL does not know.
		return false;
	}
}
