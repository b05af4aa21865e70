import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {getCACertificates} from 'node:tls';
import {MtlsConfigError} from '../../config-error.ts';
import type {MtlsOptions, Source} from '../../options.ts';
import {
	certificateBlocks,
	isCertificate,
	type PemBlock,
	parseCertificate,
	readPem,
} from '../credentials/pem.ts';
import {isDirectory} from '../credentials/read-input.ts';

type CaSet = 'default' | 'system' | 'bundled';

/**
 * The certificates that `ca` names, as PEM, each once.
 *
 * Node accepts garbage in `ca` without a word and then trusts nobody; here each source must hold
 * a certificate.
 *
 * @returns `undefined` when `ca` is not given: Node's default trust, `NODE_EXTRA_CA_CERTS` included.
 * @throws {MtlsConfigError} for `mtls.ca`, naming the source.
 */
export function loadCa(ca: MtlsOptions['ca']): string[] | undefined {
	if (ca === undefined) return undefined;
	const sources: readonly Source[] = Array.isArray(ca) ? ca : [ca as Source];
	if (sources.length === 0) {
		throw noCertificate(
			'an empty list would trust nobody; leave `ca` out for what Node trusts by default',
		);
	}
	const found = sources.flatMap((source, index) =>
		load(source, Array.isArray(ca) ? index + 1 : undefined),
	);
	return withoutDuplicates(found);
}

// The same certificate may come with other line ends, or under its older label.
function withoutDuplicates(certificates: readonly string[]): string[] {
	const seen = new Set<string>();
	return certificates.filter((pem) => {
		const body = pem.replaceAll(/-----.*-----|\s/g, '');
		return !seen.has(body) && seen.add(body);
	});
}

function load(source: Source, entry: number | undefined): string[] {
	if (isCaSet(source)) return loadSet(source);
	if (isDirectory(source)) return readDirectory(source, entry);
	const file = readPem(source, 'mtls.ca', entry);
	return textsOf(certificateBlocks(file, 'mtls.ca'), file.from);
}

/** Whether a source is a word for a set of CAs, which is no file. */
export function isCaSet(source: unknown): source is CaSet {
	return source === 'default' || source === 'system' || source === 'bundled';
}

function loadSet(name: CaSet): string[] {
	const certificates = getCACertificates(name);
	if (certificates.length > 0) return certificates;
	throw noCertificate(`the word '${name}' stands for no certificate on this system`);
}

// As `openssl rehash` and the systems' own folders name them; a link by its hash is one more name.
const certificateName = /\.(pem|crt|cer|der)$|^[\da-f]{8}\.\d+$/i;

/**
 * The certificates of a directory, by name, without those below it.
 *
 * A damaged one is an error, since nobody would notice that it is missing; a file of another kind,
 * such as a key or a CRL, is passed over.
 */
function readDirectory(path: string, entry: number | undefined): string[] {
	const certificates = namesIn(path)
		.filter((name) => certificateName.test(name))
		.map((name) => join(path, name))
		.filter((file) => !isDirectory(file))
		.map((file) => readPem(file, 'mtls.ca', entry))
		.flatMap(({blocks, from}) => textsOf(blocks.filter(isCertificate), from));
	if (certificates.length > 0) return certificates;
	const where = entry === undefined ? '' : ` (entry ${entry} of the list)`;
	throw noCertificate(`expected certificates in directory '${path}'${where}, found none`);
}

function namesIn(path: string): string[] {
	try {
		return readdirSync(path).sort();
	} catch (cause) {
		const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
		throw new MtlsConfigError(
			'ERR_MTLS_UNREADABLE_FILE',
			'mtls.ca',
			`cannot read directory '${path}': ${code}`,
			cause,
		);
	}
}

function textsOf(certificates: readonly PemBlock[], from: string): string[] {
	for (const block of certificates) parseCertificate(block, from, 'mtls.ca');
	return certificates.map(({text}) => text);
}

function noCertificate(message: string): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_NO_CERTIFICATE', 'mtls.ca', message);
}
