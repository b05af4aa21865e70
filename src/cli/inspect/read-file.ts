import {MtlsConfigError} from '../../index.ts';
import type {Keystore} from '../../tls/credentials/keystore.ts';
import type {PassphraseProvider} from '../../tls/credentials/passphrase.ts';
import {
	describeBlocks,
	isCertificate,
	parseCertificate,
	parsePem,
} from '../../tls/credentials/pem.ts';
import {
	assertUsable,
	isPrivateKey,
	isUsable,
	parseKeys,
} from '../../tls/credentials/private-key.ts';
import {type Content, readInput} from '../../tls/credentials/read-input.ts';
import {derKind} from '../../tls/pkcs12/der.ts';
import {parsePkcs12, pkcs12Of} from '../../tls/pkcs12/pkcs12.ts';
import {UsageError} from '../shared/exit-codes.ts';
import {messageOf} from '../shared/report-error.ts';

/** What a file holds. */
export interface Contents extends Keystore {
	readonly format: 'PEM' | 'DER' | 'PKCS#12';
	/** The labels of the blocks of PEM, or words for the parts of other formats, in order. */
	readonly labels: readonly string[];
}

/**
 * Reads a certificate, a key, a bundle or a PKCS#12 file as the library reads its options.
 *
 * @param what - For messages: `inspect client.crt`, `--key`.
 * @throws {UsageError} with the message of the library. Security: none quotes the file.
 */
export function readContents(path: string, passphrase: string | undefined, what: string): Contents {
	try {
		const content = readInput(path, what);
		if (pkcs12Of(content) !== undefined) return readPkcs12(content, () => passphrase);
		const isDer = derKind(content.bytes) !== undefined;
		return readPem(content, () => passphrase, what, isDer ? 'DER' : 'PEM');
	} catch (error) {
		if (!(error instanceof MtlsConfigError)) throw error;
		const hint =
			error.option === 'mtls.passphrase'
				? '--passphrase-file FILE, or AXIOS_MTLS_PASSPHRASE'
				: undefined;
		throw new UsageError(what, messageOf(error), hint, error);
	}
}

function readPem(
	content: Content,
	getPassphrase: PassphraseProvider,
	what: string,
	format: 'PEM' | 'DER',
): Contents {
	const file = parsePem(content, what);
	const {blocks, from} = file;
	if (!blocks.some((block) => isCertificate(block) || isPrivateKey(block))) {
		const found = describeBlocks(blocks);
		throw new UsageError(what, `expected a certificate or a private key, found ${found}`);
	}
	const labels = blocks.map((block) =>
		format === 'PEM' ? block.label : isCertificate(block) ? 'certificate' : 'private key',
	);
	return {
		format,
		labels,
		certificates: blocks
			.filter(isCertificate)
			.map((block) => ({certificate: parseCertificate(block, from, what), name: undefined})),
		keys: parseKeys(file, getPassphrase).map((key) => ({key, name: undefined})),
	};
}

function readPkcs12(content: Content, getPassphrase: PassphraseProvider): Contents {
	const {keys, certificates} = parsePkcs12(content, getPassphrase);
	if (!keys.some(({key}) => isUsable(key))) {
		for (const {key} of keys) assertUsable(key, 'mtls.pfx', content.from);
	}
	const labels = [...certificates.map(() => 'certificate'), ...keys.map(() => 'private key')];
	return {format: 'PKCS#12', labels, certificates, keys};
}
