import type {X509Certificate} from 'node:crypto';
import {MtlsConfigError} from '../../config-error.ts';
import type {CertificateFacts} from '../../facts.ts';
import type {MtlsOptions, Source} from '../../options/mtls.ts';
import {escapeControls} from '../../util/escape-controls.ts';
import {readPkcs12} from '../pkcs12/pkcs12.ts';
import {certificateFacts} from './certificate-facts.ts';
import {chainOf} from './chain.ts';
import {
	type CertificateFault,
	type CertificateWarning,
	checkExpiry,
	checkKeyPermissions,
	findFaults,
} from './checks.ts';
import {
	assertAllowed,
	chooseIdentity,
	exportIdentity,
	findIdentities,
	type Keystore,
	type StoredIdentity,
} from './keystore.ts';
import {type PassphraseProvider, passphraseProvider} from './passphrase.ts';
import {certificateBlocks, describeBlocks, parseCertificate, readPem} from './pem.ts';
import {assertUsable, describeKey, isPrivateKey, isUsable, parseKeys} from './private-key.ts';

/** A certificate and its key, checked to belong together. */
export interface Identity {
	readonly facts: CertificateFacts;
	/** The certificates to send, PEM: the leaf, then each one's issuer as far as given. */
	readonly cert: string;
	/** PKCS#8 PEM, decrypted. Not kept after the secure context is made. */
	readonly key: string;
	/** The self-signed CAs of a PKCS#12 file. */
	readonly pfxCas: readonly X509Certificate[];
	/** The option that the certificate was read from. */
	readonly certOption: string;
	readonly warnings: readonly CertificateWarning[];
}

/** The contents of the files of an identity. */
interface Material extends Keystore {
	/** For messages: `file 'client.p12'`. */
	readonly where: string;
	/** The same of the certificates, which may be in another file. */
	readonly certFrom: string;
	/** The options to name when something is wrong with the certificate, or the key. */
	readonly certOption: string;
	readonly keyOption: string;
	/** The files that hold a private key, by option. */
	readonly keyPaths: ReadonlyMap<string, string | undefined>;
}

/**
 * Loads `cert`, `key`, `pfx` and `passphrase`. Of several identities it takes the one that can be used, or
 * the one that `alias` names.
 *
 * Node itself accepts a certificate without its key, and sends an expired one without a warning; both
 * are errors here.
 *
 * @param getPassphrase - Shared with the other files of these options.
 * @returns `undefined` when none of `cert`, `key` and `pfx` is given.
 * @throws {MtlsConfigError} for the option that is wrong.
 */
export function loadCredentials(
	options: MtlsOptions,
	now: Date,
	getPassphrase = passphraseProvider(options),
): Identity | undefined {
	const material = readMaterial(options, getPassphrase);
	if (material === undefined) {
		assertNoAlias(options);
		return undefined;
	}
	const {certificates, certOption, certFrom, where} = material;
	const identities = findIdentities(material, now);
	if (identities.length === 0) throw mismatch(material);
	const choice = {alias: options.alias, allowed: allowedFaults(options)};
	const {key, leaf, faults} = chooseIdentity(identities, choice, {
		where,
		certFrom,
		option: certOption,
	});
	const chain = chainOf(
		leaf,
		certificates.map(({certificate}) => certificate),
	);
	return {
		facts: certificateFacts(leaf),
		...exportIdentity(key, chain),
		pfxCas: certOption === 'mtls.pfx' ? selfSignedCas(certificates) : [],
		certOption,
		warnings: [
			...certificateWarnings({leaf, faults}, options, now),
			...permissionWarnings(material),
		],
	};
}

function selfSignedCas(certificates: Keystore['certificates']): X509Certificate[] {
	return certificates
		.map(({certificate}) => certificate)
		.filter((certificate) => certificate.ca && certificate.checkIssued(certificate));
}

function assertNoAlias({alias, identity}: MtlsOptions): void {
	// What a loader brings is not there yet.
	if (alias === undefined || identity !== undefined) return;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'mtls.alias',
		'it chooses an identity of `mtls.pfx`, and there is none',
	);
}

function mismatch({keys, certificates, keyOption}: Material): MtlsConfigError {
	const kinds = keys.map(({key}) => describeKey(key)).join(', ');
	const subject = certificates[0]?.certificate.subject?.split('\n').join(', ') ?? '';
	return new MtlsConfigError(
		'ERR_MTLS_KEY_MISMATCH',
		keyOption,
		`the key (${kinds}) does not fit the certificate '${escapeControls(subject)}'`,
	);
}

function allowedFaults(options: MtlsOptions): CertificateFault['allowedBy'][] {
	return (['allowExpired', 'allowAnyPurpose'] as const).filter((name) => options[name] === true);
}

function certificateWarnings(
	{leaf, faults}: Pick<StoredIdentity, 'leaf' | 'faults'>,
	options: MtlsOptions,
	now: Date,
): CertificateWarning[] {
	const isRenewed = renewedBy(options) !== undefined;
	return [...faults.map(({warning}) => warning), ...checkExpiry(leaf, now, isRenewed)];
}

/** The option that renews the certificate, where there is one. */
export function renewedBy({identity, reload}: MtlsOptions): string | undefined {
	if (identity !== undefined) return 'mtls.identity';
	return reload ? 'mtls.reload' : undefined;
}

function readMaterial(
	{cert, key, pfx}: MtlsOptions,
	getPassphrase: PassphraseProvider,
): Material | undefined {
	if (pfx !== undefined) {
		if (cert === undefined && key === undefined) return readPfx(pfx, getPassphrase);
		const other = cert === undefined ? '`mtls.key`' : '`mtls.cert`';
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			'mtls.pfx',
			`it brings certificate and key, so ${other} cannot be given besides`,
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
	const usable = keys.filter(({key}) => isUsable(key));
	if (usable.length === 0) {
		for (const {key} of keys) assertUsable(key, 'mtls.pfx', from);
	}
	return {
		keys: usable,
		certificates,
		where: `the PKCS#12 in ${from}`,
		certFrom: `the PKCS#12 in ${from}`,
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
	const certificates = certificateBlocks(certFile, 'mtls.cert').map((block) => ({
		certificate: parseCertificate(block, certFile.from, 'mtls.cert'),
		name: undefined,
	}));
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
		keys: parseKeys(keyFile, getPassphrase).map((parsed) => ({key: parsed, name: undefined})),
		certificates,
		where: keyFile.from,
		certFrom: certFile.from,
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
	const faults = findFaults(leaf, now);
	const source = {certFrom: file.from, option: 'mtls.cert'};
	assertAllowed({leaf, faults}, allowedFaults(options), source);
	return {
		facts: certificateFacts(leaf),
		warnings: certificateWarnings({leaf, faults}, options, now),
	};
}
