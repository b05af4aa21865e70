import {createPrivateKey, webcrypto} from 'node:crypto';
import type {TestPki} from '../../src/testing/index.ts';
import {loadX509} from '../../src/testing/x509.ts';

/** A revocation list of a CA, with one certificate that nobody has; PEM. */
export async function makeCrl({ca, key}: TestPki): Promise<string> {
	const x509 = await loadX509();
	const list = await x509.X509CrlGenerator.create({
		issuer: new x509.X509Certificate(ca).subject,
		entries: [{serialNumber: '01', revocationDate: new Date()}],
		signingKey: await webcrypto.subtle.importKey(
			'pkcs8',
			createPrivateKey(key).export({type: 'pkcs8', format: 'der'}),
			{name: 'ECDSA', namedCurve: 'P-256'},
			false,
			['sign'],
		),
		signingAlgorithm: {name: 'ECDSA', hash: 'SHA-256'},
	});
	return `-----BEGIN X509 CRL-----\n${Buffer.from(list.rawData)
		.toString('base64')
		.replaceAll(/.{1,64}/g, '$&\n')}-----END X509 CRL-----\n`;
}
