import {X509Certificate} from 'node:crypto';
import {MtlsConfigError} from '../../config-error.ts';
import {describeBlocks, describeDamage, isCertificate, type PemBlock, type PemFile} from './pem.ts';

/**
 * The certificates of what `option` names.
 *
 * @throws {MtlsConfigError} for `option`, when there is none.
 */
export function certificateBlocks(
	{blocks, from}: PemFile,
	option: string,
): [PemBlock, ...PemBlock[]] {
	const [first, ...rest] = blocks.filter(isCertificate);
	if (first !== undefined) return [first, ...rest];
	throw new MtlsConfigError(
		'ERR_MTLS_NO_CERTIFICATE',
		option,
		`expected a CERTIFICATE in ${from}, found ${describeBlocks(blocks)}`,
	);
}

/** @throws {MtlsConfigError} for `option`, when OpenSSL cannot read it. */
export function parseCertificate(block: PemBlock, from: string, option: string): X509Certificate {
	try {
		return new X509Certificate(block.text);
	} catch (cause) {
		throw new MtlsConfigError(
			'ERR_MTLS_NO_CERTIFICATE',
			option,
			`a CERTIFICATE in ${from} cannot be parsed${describeDamage(block)}`,
			cause,
		);
	}
}
