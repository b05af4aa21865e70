import {createSecureContext} from 'node:tls';
import {MtlsConfigError} from '../../config-error.ts';
import type {MtlsOptions, Source} from '../../options/mtls.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import {describeBlocks, describeDamage, type PemBlock, readPem} from '../credentials/pem.ts';

/**
 * The revocation lists that `crl` names, as PEM.
 *
 * @returns `undefined` when `crl` is not given.
 * @throws {MtlsConfigError} for `mtls.crl`, naming the source that holds none.
 */
export function loadCrl(crl: MtlsOptions['crl']): string[] | undefined {
	if (crl === undefined) return undefined;
	const sources: readonly Source[] = Array.isArray(crl) ? crl : [crl as Source];
	if (sources.length === 0) {
		throw noCrl('an empty list revokes nothing; leave `crl` out where there is none');
	}
	return sources.flatMap((source, index) =>
		readCrls(source, Array.isArray(crl) ? index + 1 : undefined),
	);
}

function readCrls(source: Source, entry: number | undefined): string[] {
	const {blocks, from} = readPem(source, 'mtls.crl', entry);
	const crls = blocks.filter(({label}) => label === 'X509 CRL');
	if (crls.length === 0) {
		throw noCrl(`expected an X509 CRL in ${from}, found ${describeBlocks(blocks)}`);
	}
	for (const block of crls) assertParses(block, from);
	return crls.map(({text}) => text);
}

function assertParses(block: PemBlock, from: string): void {
	try {
		// Node has no other reader of CRLs. With an empty `ca` it does not load its own CAs.
		createSecureContext(withoutPrototype({ca: [], crl: block.text}));
	} catch (cause) {
		throw noCrl(`an X509 CRL in ${from} cannot be parsed${describeDamage(block)}`, cause);
	}
}

function noCrl(message: string, cause?: unknown): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_NO_CRL', 'mtls.crl', message, cause);
}
