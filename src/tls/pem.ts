import {readFileSync} from 'node:fs';
import {MtlsConfigError} from '../errors.ts';
import type {Source} from '../options.ts';

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
 * @throws {MtlsConfigError} naming `option`, when there is no such file or no PEM block in it.
 */
export function readPem(source: Source, option: string): PemFile {
	const {text, from} = readText(source, option);
	const blocks = parseBlocks(text);
	if (blocks.length === 0) {
		throw new MtlsConfigError(
			'ERR_MTLS_NOT_PEM',
			option,
			`expected PEM in ${from}, found ${describe(text)}`,
		);
	}
	return {blocks, from};
}

/** The labels of the blocks, for the message that says what was found instead. */
export function describeBlocks(blocks: readonly PemBlock[]): string {
	return Array.from(new Set(blocks.map(({label}) => label))).join(', ');
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
	if (source.includes('-----BEGIN ') || source.includes('\n')) {
		return {text: source, from: 'the given text'};
	}
	return {text: readFile(source, option), from: `file '${source}'`};
}

function readFile(path: string, option: string): string {
	try {
		return readFileSync(path, 'latin1');
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
		// Security: a key without its armour looks like a path, and the message would print it.
		if (/^[A-Za-z0-9+/]{64,}={0,2}$/.test(path) || path.length > 1024) {
			throw new MtlsConfigError(
				'ERR_MTLS_NOT_PEM',
				option,
				`expected PEM text or a path, found ${path.length} characters without a -----BEGIN line`,
			);
		}
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

function parseBlocks(text: string): PemBlock[] {
	const pattern = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;
	return Array.from(text.matchAll(pattern), ([block, label = '']) => ({label, text: `${block}\n`}));
}

// Tells the usual mistakes apart without repeating a byte of what may be a key.
function describe(text: string): string {
	if (text.trim() === '') return 'nothing';
	if (/-----BEGIN [A-Z0-9 ]+-----/.test(text)) return 'a PEM block that is cut short';
	if (text.charCodeAt(0) === 0x30 && text.charCodeAt(1) >= 0x80) return 'DER (binary) data';
	if (/^\s*<(!doctype|html)/i.test(text)) return 'an HTML page';
	if (/^(ssh-|ecdsa-)/.test(text)) return 'an OpenSSH public key';
	return `${text.length} bytes without a -----BEGIN line`;
}
