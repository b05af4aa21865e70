import {createPrivateKey, type KeyObject, X509Certificate} from 'node:crypto';
import {type CertificateFacts, certificateFacts} from '../certificate.ts';
import {MtlsConfigError} from '../errors.ts';
import type {MtlsOptions} from '../options.ts';
import {
	describeBlocks,
	describeDamage,
	isCertificate,
	type PemBlock,
	type PemFile,
	readPem,
} from './pem.ts';

/** A certificate and its key, checked to belong together. */
export interface Identity {
	readonly facts: CertificateFacts;
	/** Leaf first, then each one's issuer as far as they were given: what goes on the wire. */
	readonly cert: string;
	/** PKCS#8 PEM, decrypted. Lives until the secure context is made, no longer. */
	readonly key: string;
}

/**
 * Loads `cert`, `key` and `passphrase`.
 *
 * Node itself accepts a certificate without its key, and sends an expired one without a word; both
 * are refused here.
 *
 * @returns `undefined` when neither `cert` nor `key` is given.
 * @throws {MtlsConfigError} with the option to repair.
 */
export function loadIdentity(options: MtlsOptions, now: Date): Identity | undefined {
	if (options.cert === undefined) {
		if (options.key === undefined) return undefined;
		throw new MtlsConfigError('ERR_MTLS_CERT_MISSING', 'mtls.cert', 'a key without a certificate');
	}
	const certFile = readPem(options.cert, 'mtls.cert');
	const certificates = parseCertificates(certFile);
	const key = loadKey(options, certFile);

	const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key));
	if (leaf === undefined) {
		const subject = certificates[0]?.subject.split('\n').join(', ') ?? '';
		throw new MtlsConfigError(
			'ERR_MTLS_KEY_MISMATCH',
			'mtls.key',
			`the key (${describeKey(key)}) does not fit the certificate '${subject}'`,
		);
	}
	if (!options.allowExpired) assertValidAt(leaf, now);

	return {
		facts: certificateFacts(leaf),
		cert: inOrder(leaf, certificates).map(String).join(''),
		key: key.export({type: 'pkcs8', format: 'pem'}).toString(),
	};
}

// Each certificate certifies the one before it (RFC 5246 §7.4.2; RFC 8446 §4.4.2 wishes for it).
// What belongs to no link goes last: a server may know what to do with it.
function inOrder(
	leaf: X509Certificate,
	certificates: readonly X509Certificate[],
): X509Certificate[] {
	const chain: X509Certificate[] = [];
	const rest = new Map(certificates.map((each) => [each.fingerprint256, each]));
	let next: X509Certificate | undefined = leaf;
	while (next !== undefined) {
		const last: X509Certificate = next;
		chain.push(last);
		rest.delete(last.fingerprint256);
		next = Array.from(rest.values()).find((each) => last.checkIssued(each));
	}
	return [...chain, ...rest.values()];
}

function parseCertificates(file: PemFile): X509Certificate[] {
	const blocks = file.blocks.filter(isCertificate);
	if (blocks.length === 0) {
		throw new MtlsConfigError(
			'ERR_MTLS_NO_CERTIFICATE',
			'mtls.cert',
			`expected a CERTIFICATE in ${file.from}, found ${describeBlocks(file.blocks)}`,
		);
	}
	return blocks.map((block) => {
		try {
			return new X509Certificate(block.text);
		} catch (cause) {
			throw new MtlsConfigError(
				'ERR_MTLS_NO_CERTIFICATE',
				'mtls.cert',
				`a CERTIFICATE in ${file.from} cannot be parsed${describeDamage(block)}`,
				cause,
			);
		}
	});
}

function loadKey({key, passphrase}: MtlsOptions, certFile: PemFile): KeyObject {
	const file = key === undefined ? certFile : readPem(key, 'mtls.key');
	const block = file.blocks.find(({label}) => label.endsWith('PRIVATE KEY'));
	if (block === undefined) {
		throw key === undefined
			? new MtlsConfigError(
					'ERR_MTLS_KEY_MISSING',
					'mtls.key',
					`a certificate (${certFile.from}) without its key`,
				)
			: new MtlsConfigError(
					'ERR_MTLS_NOT_PEM',
					'mtls.key',
					`expected a PRIVATE KEY in ${file.from}, found ${describeBlocks(file.blocks)}`,
				);
	}
	return decryptKey(block, passphrase, file.from);
}

function decryptKey(block: PemBlock, passphrase: string | undefined, from: string): KeyObject {
	const encrypted = isEncrypted(block);
	if (encrypted && passphrase === undefined) {
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_PASSPHRASE',
			'mtls.passphrase',
			`the key in ${from} is encrypted and no passphrase was given`,
		);
	}
	try {
		return createPrivateKey({
			key: block.text,
			...(encrypted && passphrase !== undefined && {passphrase}),
		});
	} catch (cause) {
		throw encrypted
			? new MtlsConfigError(
					'ERR_MTLS_BAD_PASSPHRASE',
					'mtls.passphrase',
					`the passphrase does not open the key in ${from}`,
					cause,
				)
			: new MtlsConfigError(
					'ERR_MTLS_NOT_PEM',
					'mtls.key',
					`the ${block.label} in ${from} cannot be parsed${describeDamage(block)}`,
					cause,
				);
	}
}

// PKCS#8 says it in the label, the older OpenSSL style in an RFC 1421 header.
function isEncrypted({label, text}: PemBlock): boolean {
	return label === 'ENCRYPTED PRIVATE KEY' || text.includes('Proc-Type: 4,ENCRYPTED');
}

function assertValidAt(leaf: X509Certificate, now: Date): void {
	const until = leaf.validToDate;
	if (until < now) {
		throw new MtlsConfigError(
			'ERR_MTLS_IDENTITY_EXPIRED',
			'mtls.cert',
			`our certificate expired on ${until.toISOString()}; \`allowExpired: true\` loads it all the same`,
		);
	}
	const from = leaf.validFromDate;
	if (from > now) {
		throw new MtlsConfigError(
			'ERR_MTLS_IDENTITY_NOT_YET_VALID',
			'mtls.cert',
			`our certificate is not valid before ${from.toISOString()}; \`allowExpired: true\` loads it all the same`,
		);
	}
}

function describeKey(key: KeyObject): string {
	const {modulusLength, namedCurve} = key.asymmetricKeyDetails ?? {};
	return [key.asymmetricKeyType, namedCurve ?? (modulusLength && `${modulusLength} bits`)]
		.filter(Boolean)
		.join(' ');
}
