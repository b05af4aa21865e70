import {X509Certificate} from 'node:crypto';
import {getCACertificates} from 'node:tls';
import {MtlsConfigError} from '../errors.ts';
import type {MtlsOptions, Source} from '../options.ts';
import {describeBlocks, readPem} from './pem.ts';

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
	return sources.flatMap((source) =>
		isCaSet(source) ? getCACertificates(source) : readCertificates(source),
	);
}

function isCaSet(source: Source): source is CaSet {
	return source === 'default' || source === 'system' || source === 'bundled';
}

function readCertificates(source: Source): string[] {
	const {blocks, from} = readPem(source, 'mtls.ca');
	const certificates = blocks
		.filter(({label}) => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE')
		.map(({text}) => text);
	if (certificates.length === 0) {
		throw new MtlsConfigError(
			'ERR_MTLS_NO_CERTIFICATE',
			'mtls.ca',
			`expected a CERTIFICATE in ${from}, found ${describeBlocks(blocks)}`,
		);
	}
	for (const pem of certificates) assertParses(pem, from);
	return certificates;
}

function assertParses(pem: string, from: string): void {
	try {
		new X509Certificate(pem);
	} catch (cause) {
		throw new MtlsConfigError(
			'ERR_MTLS_NO_CERTIFICATE',
			'mtls.ca',
			`a CERTIFICATE block in ${from} cannot be parsed`,
			cause,
		);
	}
}
