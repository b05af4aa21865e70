import {createPrivateKey, type KeyObject, X509Certificate} from 'node:crypto';
import {MtlsConfigError} from '../../config-error.ts';
import type {Source} from '../../options/mtls.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import type {Keystore} from '../credentials/keystore.ts';
import {describeBlocks, describeContent} from '../credentials/pem.ts';
import type {PassphraseProvider} from '../credentials/private-key.ts';
import {type Content, readInput} from '../credentials/read-input.ts';
import {DerError, derKind, readDer} from './der.ts';
import {DerivationBudget, DerivationTooLong, UnsupportedProtection} from './kdf.ts';
import {type Bags, decryptsAny, type Pfx, parsePfx, readBags} from './safe-bags.ts';

/** The content of a PKCS#12 file. */
export interface Pkcs12 extends Keystore {
	readonly from: string;
	readonly path: string | undefined;
}

// Node accepts a PFX only as a whole, for a context: OpenSSL then trusts the CA in it, refuses RC2, and
// returns neither key nor certificates. So it is read here, and its content is used like that of PEM files.

/**
 * Reads `pfx`: PKCS#12 (RFC 7292) with any of the ciphers that are in use, and the MAC of RFC 9579.
 *
 * @throws {MtlsConfigError} for `mtls.pfx`, or for `mtls.passphrase` when that does not open it.
 */
export function readPkcs12(source: Source, getPassphrase: PassphraseProvider): Pkcs12 {
	return parsePkcs12(readInput(source, 'mtls.pfx', 'PKCS#12'), getPassphrase);
}

/** The same for content that was already read. */
export function parsePkcs12(content: Content, getPassphrase: PassphraseProvider): Pkcs12 {
	const {from, path} = content;
	const bytes = pkcs12Bytes(content);
	try {
		const pfx = parsePfx(readDer(bytes));
		const {keys, certificates} = open(pfx, getPassphrase, from);
		return {
			keys: keys.map(({der, name}) => ({key: parseKey(der, from), name})),
			certificates: certificates.map(({der, name}) => ({
				certificate: parseCertificate(der, from),
				name,
			})),
			from,
			path,
		};
	} catch (error) {
		if (error instanceof DerError) throw notPkcs12(`the PKCS#12 in ${from} is damaged`, error);
		if (error instanceof DerivationTooLong) {
			throw new MtlsConfigError(
				'ERR_MTLS_UNSUPPORTED_KEY',
				'mtls.pfx',
				`the PKCS#12 in ${from} asks for ${error.message}`,
				error,
			);
		}
		if (error instanceof UnsupportedProtection) {
			throw new MtlsConfigError(
				'ERR_MTLS_UNSUPPORTED_KEY',
				'mtls.pfx',
				`the PKCS#12 in ${from} is protected in a way that is not known here: ${error.message}`,
				error,
			);
		}
		throw error;
	}
}

function notPkcs12(message: string, cause?: unknown): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_NOT_PKCS12', 'mtls.pfx', message, cause);
}

function pkcs12Bytes(content: Content): Buffer {
	const kind = content.isText ? undefined : derKind(content.bytes);
	if (typeof kind === 'object' && kind.label === 'PKCS12') return kind.bytes;

	const text = content.bytes.toString('latin1');
	const labels = Array.from(text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g), ([, label = '']) => ({
		label,
		text: '',
	}));
	const found =
		labels.length === 0
			? describeContent(content)
			: `PEM (${describeBlocks(labels)}), which goes in \`cert\` and \`key\``;
	throw notPkcs12(`expected PKCS#12 in ${content.from}, found ${found}`);
}

function open(pfx: Pfx, getPassphrase: PassphraseProvider, from: string): Bags {
	const {macFits} = pfx;
	const budget = new DerivationBudget();
	if (macFits === undefined) {
		// Without a MAC a passphrase is needed only if a bag is encrypted.
		const plain = readBags(pfx.parts, {secret: undefined, budget}, false);
		if (plain !== undefined) return plain;
	}
	const given = getPassphrase();
	// Files without a passphrase are encrypted with an empty one, or with none.
	for (const secret of given ? [given] : [undefined, '']) {
		const attempt = {secret, budget};
		if (macFits?.(attempt) === false) continue;
		const bags = readBags(pfx.parts, attempt);
		if (bags !== undefined) return bags;
	}
	if (given && macFits !== undefined && decryptsAny(pfx.parts, {secret: given, budget})) {
		throw notPkcs12(`the PKCS#12 in ${from} is damaged: the passphrase fits, and the MAC does not`);
	}
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_PASSPHRASE',
		'mtls.passphrase',
		given === undefined
			? `the PKCS#12 in ${from} is encrypted and no passphrase was given`
			: `the passphrase does not open the PKCS#12 in ${from}`,
	);
}

function parseKey(der: Buffer, from: string): KeyObject {
	try {
		return createPrivateKey(
			withoutPrototype({key: der, format: 'der' as const, type: 'pkcs8' as const}),
		);
	} catch (cause) {
		throw new MtlsConfigError(
			'ERR_MTLS_UNSUPPORTED_KEY',
			'mtls.pfx',
			`the key in ${from} is of a kind that OpenSSL does not read`,
			cause,
		);
	}
}

function parseCertificate(der: Buffer, from: string): X509Certificate {
	try {
		return new X509Certificate(der);
	} catch (cause) {
		throw new MtlsConfigError(
			'ERR_MTLS_NO_CERTIFICATE',
			'mtls.pfx',
			`a certificate in ${from} cannot be parsed`,
			cause,
		);
	}
}
