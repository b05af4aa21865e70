import {readFileSync} from 'node:fs';
import {MtlsConfigError} from '../errors.ts';
import type {Source} from '../options.ts';

const armourLine = /-----(BEGIN|END) ([A-Z0-9 ]+)-----/g;

/** One `-----BEGIN label-----` block (RFC 7468), with its armour. */
export interface PemBlock {
	readonly label: string;
	readonly text: string;
}

/** What an option held, and where it came from. */
export interface PemFile {
	readonly blocks: readonly PemBlock[];
	/** For messages: `file 'client.key'`, `the given text`. Never content. */
	readonly from: string;
}

/**
 * Reads an option that takes PEM text, its bytes, or a path.
 *
 * @param entry - Which of a list `source` is, from 1: for messages.
 * @throws {MtlsConfigError} naming `option`, when there is no such file, no PEM block in it, or one
 * that is cut short.
 */
export function readPem(source: Source, option: string, entry?: number): PemFile {
	const {text, from: origin} = readText(source, option);
	const from = entry === undefined ? origin : `${origin} (entry ${entry} of the list)`;
	const {blocks, cut} = parseBlocks(text);
	if (cut !== undefined) throw notPem(option, from, `a ${cut} block that is cut short`);
	if (blocks.length === 0) throw notPem(option, from, describe(text));
	return {blocks, from};
}

/** Whether a block holds a certificate; the longer label is an old one that OpenSSL still reads. */
export function isCertificate({label}: PemBlock): boolean {
	return label === 'CERTIFICATE' || label === 'X509 CERTIFICATE';
}

/** The labels of the blocks, for the message that says what was found instead. */
export function describeBlocks(blocks: readonly PemBlock[]): string {
	return Array.from(new Set(blocks.map(({label}) => label))).join(', ');
}

/** Why a block may be beyond OpenSSL: what comes of a PEM that was squeezed into one line. */
export function describeDamage({text}: PemBlock): string {
	if (text.includes('\\n')) return ': its line ends are written as \\n';
	if (!text.trim().includes('\n')) return ': its line ends are missing';
	return '';
}

function notPem(option: string, from: string, found: string): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_NOT_PEM', option, `expected PEM in ${from}, found ${found}`);
}

function readText(source: Source, option: string): {text: string; from: string} {
	if (source instanceof Uint8Array) {
		return {text: Buffer.from(source).toString('latin1'), from: 'the given bytes'};
	}
	if (typeof source !== 'string') {
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			option,
			`expected PEM text, bytes or a path, found ${source === null ? 'null' : typeof source}`,
		);
	}
	if (source.trim() === '') {
		throw new MtlsConfigError(
			'ERR_MTLS_NOT_PEM',
			option,
			'expected PEM text, bytes or a path, found an empty string',
		);
	}
	// No path has a control character, and no file is called so.
	if (/\p{Cc}|-----BEGIN/u.test(source)) return {text: source, from: 'the given text'};
	return {text: readFile(source, option), from: `file '${source}'`};
}

function readFile(path: string, option: string): string {
	try {
		return readFileSync(path, 'latin1');
	} catch (error) {
		if (looksLikeKey(path)) {
			throw new MtlsConfigError(
				'ERR_MTLS_NOT_PEM',
				option,
				`expected PEM text or a path, found ${path.length} characters without a -----BEGIN line`,
			);
		}
		const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
		throw code === 'ENOENT'
			? new MtlsConfigError('ERR_MTLS_NO_SUCH_FILE', option, `no such file '${path}'`, error)
			: new MtlsConfigError(
					'ERR_MTLS_UNREADABLE_FILE',
					option,
					`cannot read file '${path}': ${code}`,
					error,
				);
	}
}

// Security: a key that lost its armour looks like a path, and the message would print it. DER begins
// with an M in base64; else anything long in the alphabet of base64 or hex that is no absolute path.
function looksLikeKey(path: string): boolean {
	const text = path.replaceAll(' ', '');
	return (
		path.length > 1024 ||
		/PRIVATE(%20|\+)KEY/i.test(text) ||
		/^M[\w+/-]{43,}={0,2}$/.test(text) ||
		/^[\w+-][\w+/-]{63,}={0,2}$/.test(text)
	);
}

/** Every block; `cut` is the label of the first that has no end, or no beginning. */
function parseBlocks(text: string): {blocks: PemBlock[]; cut?: string} {
	const blocks: PemBlock[] = [];
	let open: {label: string; index: number} | undefined;
	for (const {0: armour, 1: word, 2: label = '', index} of text.matchAll(armourLine)) {
		if (word === 'BEGIN' && open === undefined) {
			open = {label, index};
		} else if (word === 'END' && open?.label === label) {
			blocks.push({label, text: `${text.slice(open.index, index)}${armour}\n`});
			open = undefined;
		} else {
			return {blocks, cut: open?.label ?? label};
		}
	}
	return open === undefined ? {blocks} : {blocks, cut: open.label};
}

// Tells the usual mistakes apart without repeating a byte of what may be a key.
function describe(text: string): string {
	if (text.trim() === '') return 'nothing';
	if (isDer(text)) return 'DER (binary) data';
	if (text.includes('\0')) return 'UTF-16 text or other binary data';
	if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return 'an HTML page';
	if (/^(ssh-|ecdsa-|sk-)/.test(text)) return 'an OpenSSH public key';
	return `${text.length} bytes without a -----BEGIN line`;
}

// Keys and certificates are a SEQUENCE, and the length of it is in one byte or in more (X.690 §8.1.3).
function isDer(text: string): boolean {
	const length = text.charCodeAt(1);
	return text.startsWith('0') && (length > 0x80 || length + 2 === text.length);
}
