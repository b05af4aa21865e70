import {X509Certificate} from 'node:crypto';
import {getCACertificates} from 'node:tls';
import {MtlsConfigError} from '../errors.ts';
import type {MtlsOptions, Source} from '../options.ts';
import {describeBlocks, describeDamage, isCertificate, type PemBlock, readPem} from './pem.ts';

type CaSet = 'default' | 'system' | 'bundled';

/**
 * The certificates that `ca` names, as PEM.
 *
 * Node accepts garbage in `ca` without a word and then trusts nobody; here each source must hold
 * a certificate.
 *
 * @returns `undefined` when `ca` is not given: Node's default trust, `NODE_EXTRA_CA_CERTS` included.
 * @throws {MtlsConfigError} for `mtls.ca`, naming the source.
 */
export function loadTrust(ca: MtlsOptions['ca']): string[] | undefined {
	if (ca === undefined) return undefined;
	const sources: readonly Source[] = Array.isArray(ca) ? ca : [ca as Source];
	if (sources.length === 0) {
		throw new MtlsConfigError(
			'ERR_MTLS_NO_CERTIFICATE',
			'mtls.ca',
			'an empty list would trust nobody; leave `ca` out for what Node trusts by default',
		);
	}
	return sources.flatMap((source, index) =>
		isCaSet(source)
			? getCACertificates(source)
			: readCertificates(source, Array.isArray(ca) ? index + 1 : undefined),
	);
}

function isCaSet(source: Source): source is CaSet {
	return source === 'default' || source === 'system' || source === 'bundled';
}

function readCertificates(source: Source, entry: number | undefined): string[] {
	const {blocks, from} = readPem(source, 'mtls.ca', entry);
	const certificates = blocks.filter(isCertificate);
	if (certificates.length === 0) {
		throw new MtlsConfigError(
			'ERR_MTLS_NO_CERTIFICATE',
			'mtls.ca',
			`expected a CERTIFICATE in ${from}, found ${describeBlocks(blocks)}`,
		);
	}
	for (const block of certificates) assertParses(block, from);
	return certificates.map(({text}) => text);
}

function assertParses(block: PemBlock, from: string): void {
	try {
		new X509Certificate(block.text);
	} catch (cause) {
		throw new MtlsConfigError(
			'ERR_MTLS_NO_CERTIFICATE',
			'mtls.ca',
			`a CERTIFICATE in ${from} cannot be parsed${describeDamage(block)}`,
			cause,
		);
	}
}
