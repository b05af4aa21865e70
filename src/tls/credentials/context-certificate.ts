import {MtlsConfigError} from '../../errors.ts';
import type {MtlsOptions} from '../../options.ts';
import {certificateFacts} from './certificate-facts.ts';
import {certificateBlocks, parseCertificate} from './certificates.ts';
import {checkClientCertificate} from './checks.ts';
import {type Identity, renewedBy} from './load-credentials.ts';
import {readPem} from './pem.ts';

/**
 * The identity of a `secureContext` that the app has made, whose key is not ours to read: the facts
 * of the certificate that it says to be in it.
 *
 * @throws {MtlsConfigError} when `cert` is missing or no certificate, or when a key is given besides.
 */
export function loadContextCertificate(
	options: MtlsOptions,
	now: Date,
): Pick<Identity, 'facts' | 'notices'> {
	const {cert, key, pfx, allowExpired} = options;
	if (key !== undefined || pfx !== undefined) {
		const other = pfx === undefined ? 'key' : 'pfx';
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			'mtls.secureContext',
			`it holds the key, so \`${other}\` cannot be given besides`,
		);
	}
	if (cert === undefined) {
		throw new MtlsConfigError(
			'ERR_MTLS_CERT_MISSING',
			'mtls.cert',
			'a secureContext without the certificate that it shows',
		);
	}
	const file = readPem(cert, 'mtls.cert');
	const [first] = certificateBlocks(file, 'mtls.cert');
	const leaf = parseCertificate(first, file.from, 'mtls.cert');
	const notices = checkClientCertificate(leaf, {
		now,
		allowed: allowExpired === true,
		option: 'mtls.cert',
		isRenewed: renewedBy(options) !== undefined,
	});
	return {facts: certificateFacts(leaf), notices};
}
