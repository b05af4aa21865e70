import {type KeyObject, webcrypto, X509Certificate} from 'node:crypto';
import {loadX509} from '../../src/testing/x509.ts';
import {publicKeyPin} from '../../src/tls/credentials/certificate-facts.ts';

/**
 * A certificate that says to be `model` and holds another public key, signed by nobody that counts:
 * by its names and key identifiers it is the issuer of what `model` issued. PEM.
 */
export async function forgeCertificate(model: string, publicKey: KeyObject): Promise<string> {
	const x509 = await loadX509();
	const real = new x509.X509Certificate(model);
	const {privateKey} = await webcrypto.subtle.generateKey(
		{name: 'ECDSA', namedCurve: 'P-256'},
		false,
		['sign', 'verify'],
	);
	const forged = await x509.X509CertificateGenerator.create({
		subject: real.subject,
		issuer: real.issuer,
		notBefore: new Date(Date.now() - 2 * 86_400_000),
		// Expired: OpenSSL prefers a real one beside it, and Node, which looks at names, does not.
		notAfter: new Date(Date.now() - 86_400_000),
		publicKey: publicKey.export({type: 'spki', format: 'der'}),
		signingKey: privateKey,
		signingAlgorithm: {name: 'ECDSA', hash: 'SHA-256'},
		// Those of the model, with the identifier of its real key.
		extensions: real.extensions,
	});
	return `${forged.toString('pem')}\n`;
}

/** The first certificate of a PEM. */
export function parsed(pem: string): X509Certificate {
	return new X509Certificate(pem);
}

/** The pin of a certificate's key. */
export function pinOf(pem: string): string {
	return publicKeyPin(parsed(pem));
}
