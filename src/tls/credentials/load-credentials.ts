import type {KeyObject, X509Certificate} from 'node:crypto';
import {MtlsConfigError} from '../../config-error.ts';
import type {CertificateFacts} from '../../facts.ts';
import type {MtlsOptions, Source} from '../../options/mtls.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import {escapeControls} from '../../util/escape-controls.ts';
import {readPkcs12} from '../pkcs12/pkcs12.ts';
import {certificateFacts} from './certificate-facts.ts';
import {chainOf, findLeaf} from './chain.ts';
import {type CertificateWarning, checkClientCertificate, checkKeyPermissions} from './checks.ts';
import {certificateBlocks, describeBlocks, parseCertificate, readPem} from './pem.ts';
import {
	assertUsable,
	describeKey,
	isPrivateKey,
	type PassphraseProvider,
	parseKeys,
	passphraseProvider,
} from './private-key.ts';

/** A certificate and its key, checked to belong together. */
export interface Identity {
	readonly facts: CertificateFacts;
	/** The certificates to send, PEM: the leaf, then each one's issuer as far as given. */
	readonly cert: string;
	/** PKCS#8 PEM, decrypted. Not kept after the secure context is made. */
	readonly key: string;
	readonly warnings: readonly CertificateWarning[];
}

/** The contents of the files of an identity. */
interface Material {
	readonly keys: readonly KeyObject[];
	readonly certificates: readonly X509Certificate[];
	/** The options to name when something is wrong with the certificate, or the key. */
	readonly certOption: string;
	readonly keyOption: string;
	/** The files that hold a private key, by option. */
	readonly keyPaths: ReadonlyMap<string, string | undefined>;
}

/**
 * Loads `cert`, `key`, `pfx` and `passphrase`.
 *
 * Node itself accepts a certificate without its key, and sends an expired one without a warning; both
 * are errors here.
 *
 * @returns `undefined` when none of `cert`, `key` and `pfx` is given.
 * @throws {MtlsConfigError} for the option that is wrong.
 */
export function loadCredentials(options: MtlsOptions, now: Date): Identity | undefined {
	const material = readMaterial(options);
	if (material === undefined) return undefined;
	const {keys, certificates, certOption} = material;
	for (const key of keys) {
		const leaf = findLeaf(key, certificates, now);
		if (leaf === undefined) continue;
		const warnings = checkLeaf(leaf, options, now, certOption);
		return {
			facts: certificateFacts(leaf),
			cert: chainOf(leaf, certificates).map(String).join(''),
			key: key.export(withoutPrototype({type: 'pkcs8', format: 'pem'})).toString(),
			warnings: [...warnings, ...permissionWarnings(material)],
		};
	}
	const kinds = keys.map(describeKey).join(', ');
	const subject = certificates[0]?.subject?.split('\n').join(', ') ?? '';
	throw new MtlsConfigError(
		'ERR_MTLS_KEY_MISMATCH',
		material.keyOption,
		`the key (${kinds}) does not fit the certificate '${escapeControls(subject)}'`,
	);
}

function checkLeaf(leaf: X509Certificate, options: MtlsOptions, now: Date, option: string) {
	return checkClientCertificate(leaf, {
		now,
		allowed: options.allowExpired === true,
		option,
		isRenewed: renewedBy(options) !== undefined,
	});
}

/** The option that renews the certificate, where there is one. */
export function renewedBy({identity, reload}: MtlsOptions): string | undefined {
	if (identity !== undefined) return 'mtls.identity';
	return reload ? 'mtls.reload' : undefined;
}

function readMaterial(options: MtlsOptions): Material | undefined {
	const {cert, key, pfx} = options;
	const getPassphrase = passphraseProvider(options);
	if (pfx !== undefined) {
		if (cert === undefined && key === undefined) return readPfx(pfx, getPassphrase);
		const other = cert === undefined ? 'key' : 'cert';
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			'mtls.pfx',
			`it brings certificate and key, so \`${other}\` cannot be given besides`,
		);
	}
	if (cert !== undefined) return readFiles(cert, key, getPassphrase);
	if (key === undefined) return undefined;
	throw new MtlsConfigError('ERR_MTLS_CERT_MISSING', 'mtls.cert', 'a key without a certificate');
}

function readPfx(pfx: Source, getPassphrase: PassphraseProvider): Material {
	const {keys, certificates, from, path} = readPkcs12(pfx, getPassphrase);
	if (keys.length === 0) {
		throw new MtlsConfigError(
			'ERR_MTLS_KEY_MISSING',
			'mtls.pfx',
			`expected a private key in the PKCS#12 in ${from}, found ${certificates.length} certificates alone`,
		);
	}
	if (certificates.length === 0) {
		throw new MtlsConfigError(
			'ERR_MTLS_NO_CERTIFICATE',
			'mtls.pfx',
			`expected a certificate in the PKCS#12 in ${from}, found a key alone`,
		);
	}
	for (const key of keys) assertUsable(key, 'mtls.pfx', from);
	return {
		keys,
		certificates,
		certOption: 'mtls.pfx',
		keyOption: 'mtls.pfx',
		keyPaths: new Map([['mtls.pfx', path]]),
	};
}

function readFiles(
	cert: Source,
	key: Source | undefined,
	getPassphrase: PassphraseProvider,
): Material {
	const certFile = readPem(cert, 'mtls.cert');
	const certificates = certificateBlocks(certFile, 'mtls.cert').map((block) =>
		parseCertificate(block, certFile.from, 'mtls.cert'),
	);
	const keyFile = key === undefined ? certFile : readPem(key, 'mtls.key');
	if (!keyFile.blocks.some(isPrivateKey)) {
		throw key === undefined
			? new MtlsConfigError(
					'ERR_MTLS_KEY_MISSING',
					'mtls.key',
					`a certificate (${certFile.from}) without its key`,
				)
			: new MtlsConfigError(
					'ERR_MTLS_NOT_PEM',
					'mtls.key',
					`expected a PRIVATE KEY in ${keyFile.from}, found ${describeBlocks(keyFile.blocks)}`,
				);
	}
	return {
		keys: parseKeys(keyFile, getPassphrase),
		certificates,
		certOption: 'mtls.cert',
		keyOption: 'mtls.key',
		keyPaths: new Map([
			...(key === undefined ? [] : [['mtls.key', keyFile.path] as const]),
			...(certFile.blocks.some(isPrivateKey) ? [['mtls.cert', certFile.path] as const] : []),
		]),
	};
}

// One file in both options gets one warning.
function permissionWarnings({keyPaths}: Material): CertificateWarning[] {
	const seen = new Set<string | undefined>();
	return Array.from(keyPaths).flatMap(([option, path]) => {
		if (seen.has(path)) return [];
		seen.add(path);
		return checkKeyPermissions(option, path);
	});
}

/**
 * The identity of a `secureContext` that the app has made. Neither key nor certificate can be read from a
 * context, so the facts are those of `cert`, which the app must have put into it.
 *
 * @throws {MtlsConfigError} when `cert` is missing or not a certificate, or when a key is given too.
 */
export function loadContextCertificate(
	options: MtlsOptions,
	now: Date,
): Pick<Identity, 'facts' | 'warnings'> {
	const {cert, key, pfx} = options;
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
	return {facts: certificateFacts(leaf), warnings: checkLeaf(leaf, options, now, 'mtls.cert')};
}
