import {createPrivateKey, createPublicKey, type KeyObject, webcrypto} from 'node:crypto';
import {loadX509} from '../../src/testing/x509.ts';

/** Who signs: an EC P-256 key in PKCS#8 PEM and a name, that of `cert` where there is one. */
export interface Signer {
	readonly key: string;
	readonly cert?: string;
	readonly commonName?: string;
}

/** Signs as `commonName`, without a certificate that says so. */
export function signer(key: KeyObject, commonName: string): Signer {
	return {key: key.export({type: 'pkcs8', format: 'pem'}).toString(), commonName};
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** A client certificate for any public key, of the kinds too that WebCrypto does not know; PEM. */
export async function issueFor(
	issuer: Signer,
	publicKey: KeyObject,
	{
		commonName = 'client',
		purposes = ['1.3.6.1.5.5.7.3.2'] as readonly string[],
		isAuthority = false,
		/** Until when, from now. */
		days = 90,
	} = {},
): Promise<string> {
	const x509 = await loadX509();
	const signingKey = await webcrypto.subtle.importKey(
		'pkcs8',
		createPrivateKey(issuer.key).export({type: 'pkcs8', format: 'der'}),
		{name: 'ECDSA', namedCurve: 'P-256'},
		false,
		['sign'],
	);
	const certificate = await x509.X509CertificateGenerator.create({
		subject: `CN=${commonName}`,
		issuer:
			issuer.cert === undefined
				? `CN=${issuer.commonName}`
				: new x509.X509Certificate(issuer.cert).subject,
		notBefore: new Date(Date.now() - 30 * DAY_MS),
		notAfter: new Date(Date.now() + days * DAY_MS),
		publicKey: publicKey.export({type: 'spki', format: 'der'}),
		signingKey,
		signingAlgorithm: {name: 'ECDSA', hash: 'SHA-256'},
		extensions: [
			new x509.BasicConstraintsExtension(isAuthority, undefined, true),
			...(purposes.length > 0 ? [new x509.ExtendedKeyUsageExtension([...purposes])] : []),
		],
	});
	return `${certificate.toString('pem')}\n`;
}

/** The public half of a private key in PEM. */
export function publicKeyOf(key: string): KeyObject {
	return createPublicKey(key);
}
