import type {webcrypto} from 'node:crypto';
import {X509Certificate} from 'node:crypto';
import type {Issuer} from './certificate.ts';
import type {CrlOptions} from './crl-options.ts';
import {loadX509} from './x509.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Signs a revocation list, RFC 5280 section 5. */
export async function signCrl(
	{certificate, keys}: Pick<Issuer, 'certificate' | 'keys'>,
	{revoked = [], expired = false}: CrlOptions,
	now: Date,
): Promise<string> {
	const {X509CrlGenerator, AuthorityKeyIdentifierExtension} = await loadX509();
	const crl = await X509CrlGenerator.create({
		issuer: certificate.subjectName,
		thisUpdate: new Date(now.getTime() - 2 * DAY_MS),
		nextUpdate: new Date(now.getTime() + (expired ? -DAY_MS : DAY_MS)),
		entries: revoked.map((pem) => ({
			serialNumber: new X509Certificate(pem).serialNumber,
			revocationDate: new Date(now.getTime() - 2 * DAY_MS),
		})),
		extensions: [await AuthorityKeyIdentifierExtension.create(keys.publicKey)],
		signingAlgorithm: signingAlgorithm(keys.privateKey),
		signingKey: keys.privateKey,
	});
	// The library's own label, `CRL`, is not that of RFC 7468 section 6, and OpenSSL does not read it.
	return `${crl.toString('pem').replaceAll(' CRL-----', ' X509 CRL-----')}\n`;
}

function signingAlgorithm({algorithm}: webcrypto.CryptoKey) {
	return {...algorithm, hash: 'SHA-256'};
}
