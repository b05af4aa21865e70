import {createPrivateKey, type KeyObject, X509Certificate} from 'node:crypto';
import {MtlsConfigError} from '../../config-error.ts';
import type {Source} from '../../options/mtls.ts';
import {withoutPrototype} from '../../util/check-options.ts';
import type {Keystore} from '../credentials/keystore.ts';
import {notOpened, type PassphraseProvider} from '../credentials/passphrase.ts';
import {derOf, describeBlocks, describeContent} from '../credentials/pem.ts';
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

/**
 * The same for content that was already read.
 *
 * @param option - `mtls.ca` where it is a truststore.
 */
export function parsePkcs12(
	content: Content,
	getPassphrase: PassphraseProvider,
	option: Pkcs12Option = 'mtls.pfx',
): Pkcs12 {
	const {from, path} = content;
	const bytes = pkcs12Of(content);
	if (bytes === undefined) throw notPkcs12(describeOther(content), option);
	try {
		const pfx = parsePfx(readDer(bytes));
		const {keys, certificates} = open(pfx, getPassphrase, from, option);
		return {
			keys: keys.map(({der, name}) => ({key: parseKey(der, from, option), name})),
			certificates: certificates.map(({der, name}) => ({
				certificate: parseCertificate(der, from, option),
				name,
			})),
			from,
			path,
		};
	} catch (error) {
		if (error instanceof DerError)
			throw notPkcs12(`the PKCS#12 in ${from} is damaged`, option, error);
		if (error instanceof DerivationTooLong) {
			throw new MtlsConfigError(
				'ERR_MTLS_UNSUPPORTED_KEY',
				option,
				`the PKCS#12 in ${from} asks for ${error.message}`,
				error,
			);
		}
		if (error instanceof UnsupportedProtection) {
			throw new MtlsConfigError(
				'ERR_MTLS_UNSUPPORTED_KEY',
				option,
				`the PKCS#12 in ${from} is protected in a way that is not known here: ${error.message}`,
				error,
			);
		}
		throw error;
	}
}

function notPkcs12(message: string, option: Pkcs12Option, cause?: unknown): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_NOT_PKCS12', option, message, cause);
}

/** The options that take PKCS#12. */
type Pkcs12Option = 'mtls.pfx' | 'mtls.ca';

/** The PKCS#12 of some content, also between lines of PEM, as GnuTLS writes it; `undefined` if it is none. */
export function pkcs12Of({bytes}: Content): Buffer | undefined {
	const der = derKind(bytes);
	if (der !== undefined) {
		return typeof der === 'object' && der.label === 'PKCS12' ? der.bytes : undefined;
	}
	const [text] =
		/-----BEGIN PKCS12-----.*?-----END PKCS12-----/s.exec(bytes.toString('latin1')) ?? [];
	if (text === undefined) return undefined;
	const armoured = derKind(derOf({label: 'PKCS12', text}));
	return typeof armoured === 'object' && armoured.label === 'PKCS12' ? armoured.bytes : undefined;
}

function describeOther(content: Content): string {
	const text = content.bytes.toString('latin1');
	const labels = Array.from(text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g), ([, label = '']) => ({
		label,
		text: '',
	}));
	const isOther = labels.some(({label}) => label !== 'PKCS12');
	if (labels.length > 0 && !isOther) return `the PKCS12 in ${content.from} is damaged`;
	const found = isOther
		? `PEM (${describeBlocks(labels)}), which goes in \`mtls.cert\` and \`mtls.key\``
		: describeContent(content, 'mtls.pfx');
	return `expected PKCS#12 in ${content.from}, found ${found}`;
}

function open(
	pfx: Pfx,
	getPassphrase: PassphraseProvider,
	from: string,
	option: Pkcs12Option,
): Bags {
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
		throw notPkcs12(
			`the PKCS#12 in ${from} is damaged: the passphrase fits, and the MAC does not`,
			option,
		);
	}
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_PASSPHRASE',
		option === 'mtls.ca' ? option : 'mtls.passphrase',
		notOpened(`the PKCS#12 in ${from}`, given) + (option === 'mtls.ca' ? truststoreAdvice : ''),
	);
}

// There is one passphrase for key and truststore.
const truststoreAdvice =
	'; that of a Java truststore is often changeit, and `keytool -exportcert -rfc` or `openssl pkcs12 -nokeys` writes the certificates as PEM, which needs none';

function parseKey(der: Buffer, from: string, option: Pkcs12Option): KeyObject {
	try {
		return createPrivateKey(
			withoutPrototype({key: der, format: 'der' as const, type: 'pkcs8' as const}),
		);
	} catch (cause) {
		throw new MtlsConfigError(
			'ERR_MTLS_UNSUPPORTED_KEY',
			option,
			`the key in ${from} is of a kind that OpenSSL does not read`,
			cause,
		);
	}
}

function parseCertificate(der: Buffer, from: string, option: Pkcs12Option): X509Certificate {
	try {
		return new X509Certificate(der);
	} catch (cause) {
		throw new MtlsConfigError(
			'ERR_MTLS_NO_CERTIFICATE',
			option,
			`a certificate in ${from} cannot be parsed`,
			cause,
		);
	}
}
