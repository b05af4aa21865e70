import {X509Certificate} from 'node:crypto';
import {MtlsConfigError} from '../../config-error.ts';
import type {Source} from '../../options/mtls.ts';
import {derKind} from '../pkcs12/der.ts';
import {readPkcs7} from '../pkcs12/pkcs7.ts';
import {isDamagedBase64} from './base64.ts';
import {type Content, readInput} from './read-input.ts';

const armourLine = /-----(BEGIN|END) ([A-Z0-9 #]+)-----/g;

/** One block of PEM (RFC 7468), with its BEGIN and END lines. */
export interface PemBlock {
	readonly label: string;
	readonly text: string;
}

/** The blocks that an option holds, and where they were read. */
export interface PemFile {
	readonly blocks: readonly PemBlock[];
	/** For messages: `file 'client.key'`, `the given text`. Never content. */
	readonly from: string;
	/** Where it was read. */
	readonly path: string | undefined;
}

/**
 * Reads an option that takes PEM text, its bytes, or a path. Bytes and files may be DER too, which is
 * returned as the block that it would be in PEM.
 *
 * @param entry - The position of `source` in its list, from 1: for messages.
 * @throws {MtlsConfigError} naming `option`, when there is no such file, nothing of this kind in it,
 * or a block that is cut short.
 */
export function readPem(source: Source, option: string, entry?: number): PemFile {
	return parsePem(readInput(source, option), option, entry);
}

/** The same for content that was already read. */
export function parsePem(content: Content, option: string, entry?: number): PemFile {
	const from = entry === undefined ? content.from : `${content.from} (entry ${entry} of the list)`;
	const found = (what: string) =>
		new MtlsConfigError('ERR_MTLS_NOT_PEM', option, `expected PEM in ${from}, found ${what}`);

	const {blocks, cut} = blocksOf(content);
	if (cut !== undefined) throw found(`a ${cut} block that is cut short`);
	if (blocks.length === 0) throw found(describeContent(content, option));
	return {blocks: blocks.flatMap(unpackPkcs7), from, path: content.path};
}

/** The labels of PKCS#7 (RFC 7468 §8), as OpenSSL and others write it. */
const pkcs7Labels: ReadonlySet<string> = new Set(['PKCS7', 'PKCS #7 SIGNED DATA', 'CMS']);

/** The blocks that the content of a `.p7b` file would be in PEM; the block itself when there is none in it. */
function unpackPkcs7(block: PemBlock): PemBlock[] {
	if (!pkcs7Labels.has(block.label)) return [block];
	const {certificates = [], crls = []} = readPkcs7(derOf(block)) ?? {};
	const found = [
		...certificates.map((der) => pemBlock('CERTIFICATE', der)),
		...crls.map((der) => pemBlock('X509 CRL', der)),
	];
	return found.length === 0 ? [block] : found;
}

/** The bytes that a block encodes. */
export function derOf({text}: PemBlock): Buffer {
	return Buffer.from(text.replaceAll(/-----[^\n-]*-----/g, ''), 'base64');
}

/** Whether a block holds a certificate; the longer label is an old one that OpenSSL still reads. */
export function isCertificate({label}: PemBlock): boolean {
	return label === 'CERTIFICATE' || label === 'X509 CERTIFICATE';
}

// Formats that people are given instead of the one they need, and how to convert them.
const advice: Readonly<Record<string, string>> = {
	PKCS12: ' (a .p12 or .pfx file, which goes in `mtls.pfx`)',
	PKCS7: ' without a certificate that can be read',
	'OPENSSH PRIVATE KEY': ' (`ssh-keygen -p -m PEM` rewrites it)',
};

/** The labels of the blocks, for messages of the form `expected …, found …`. */
export function describeBlocks(blocks: readonly PemBlock[]): string {
	const labels = Array.from(new Set(blocks.map(({label}) => label)));
	return labels.map((label) => `${label}${advice[label] ?? ''}`).join(', ');
}

/** A likely reason why OpenSSL cannot read a block: PEM that was squeezed into one line. */
export function describeDamage({text}: PemBlock): string {
	if (text.includes('\\n')) return ': its line ends are written as \\n';
	if (!text.trim().includes('\n')) return ': its line ends are missing';
	return '';
}

/** Encodes DER bytes as a PEM block. */
function pemBlock(label: string, bytes: Uint8Array): PemBlock {
	const lines = Buffer.from(bytes)
		.toString('base64')
		.replace(/.{64}(?!$)/g, '$&\n');
	return {label, text: `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`};
}

/** Every block; `cut` is the label of the first that has no end, or no beginning. */
function blocksOf({bytes}: Content): {blocks: PemBlock[]; cut?: string} {
	const der = bytes[0] === 0x30 ? derKind(bytes) : undefined;
	if (typeof der === 'object' && der.label !== undefined) {
		return {blocks: [pemBlock(der.label, der.bytes)]};
	}

	const text = bytes.toString('latin1');
	const blocks: PemBlock[] = [];
	let open: {label: string; index: number} | undefined;
	for (const {0: armour, 1: word, 2: label = '', index} of text.matchAll(armourLine)) {
		if (word === 'BEGIN' && open === undefined) {
			open = {label, index};
		} else if (word === 'END' && open?.label === label) {
			blocks.push({label, text: `${straighten(text.slice(open.index, index))}${armour}\n`});
			open = undefined;
		} else {
			return {blocks, cut: open?.label ?? label};
		}
	}
	return open === undefined ? {blocks} : {blocks, cut: open.label};
}

// A block from YAML is indented, and one from an e-mail has blank lines: OpenSSL then does not find its
// end. After RFC 1421 headers a blank line is needed: it ends them.
function straighten(block: string): string {
	const lines = block.split('\n').map((line) => line.trim());
	if (lines.length === 1) return block;
	const end = lines.findLastIndex((line) => line !== '') + 1;
	const kept = lines
		.slice(0, end)
		.filter((line, index) => line !== '' || lines[index - 1]?.includes(':'));
	return `${kept.join('\n')}\n`;
}

/** Names the usual mistakes. Security: without a byte of the content, which may be a key. */
export function describeContent({bytes, isBrokenByUtf8}: Content, option: string): string {
	if (isBrokenByUtf8) {
		return "binary data that was read as text ('utf8'), which destroys it (give its path, or what `readFileSync` returns without an encoding)";
	}
	const text = bytes.toString('latin1');
	if (text.trim() === '') return 'nothing';
	const der = derKind(bytes);
	if (der === 'damaged') return 'DER (binary) data that is cut short or damaged';
	if (der !== undefined) return `DER (binary) data${der.label ? ` of a ${der.label}` : ''}`;
	if (/^(\xfe\xed\xfe\xed|\xce\xce\xce\xce)/.test(text)) return describeJavaKeystore(option);
	if (isDamagedBase64(bytes)) return 'base64 that is cut short or damaged';
	if (text.includes('\0')) return 'UTF-16 text or other binary data';
	if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return 'an HTML page';
	if (/^(ssh-|ecdsa-|sk-)/.test(text)) return 'an OpenSSH public key';
	return `${text.length} bytes without a -----BEGIN line`;
}

function describeJavaKeystore(option: string): string {
	return /\.ca$/.test(option)
		? 'a Java keystore (`keytool -exportcert -rfc` writes a certificate of it as PEM; `keytool -importkeystore -deststoretype pkcs12` makes a PKCS#12 file of it, which goes here too)'
		: 'a Java keystore (`keytool -importkeystore -deststoretype pkcs12` makes a PKCS#12 file of it, for `mtls.pfx`)';
}

/**
 * The certificates in a file.
 *
 * @throws {MtlsConfigError} for `option`, when there is none.
 */
export function certificateBlocks(
	{blocks, from}: PemFile,
	option: string,
): [PemBlock, ...PemBlock[]] {
	const [first, ...rest] = blocks.filter(isCertificate);
	if (first !== undefined) return [first, ...rest];
	throw new MtlsConfigError(
		'ERR_MTLS_NO_CERTIFICATE',
		option,
		`expected a CERTIFICATE in ${from}, found ${describeBlocks(blocks)}`,
	);
}

/** @throws {MtlsConfigError} for `option`, when OpenSSL cannot read it. */
export function parseCertificate(block: PemBlock, from: string, option: string): X509Certificate {
	try {
		return new X509Certificate(block.text);
	} catch (cause) {
		throw new MtlsConfigError(
			'ERR_MTLS_NO_CERTIFICATE',
			option,
			`a CERTIFICATE in ${from} cannot be parsed${describeDamage(block)}`,
			cause,
		);
	}
}
