import {readFileSync, statSync} from 'node:fs';
import {dirname, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {types} from 'node:util';
import {MtlsConfigError} from '../../config-error.ts';
import type {Source} from '../../options/mtls.ts';
import {describeType} from '../../util/check-options.ts';
import {decodeBase64} from './base64.ts';

/** The raw content of an option. */
export interface Content {
	/** DER, or PEM text; what was base64 is decoded. */
	readonly bytes: Buffer;
	/** For messages: `file 'client.key'`, `the given text`. Never content. */
	readonly from: string;
	/** Where it was read. */
	readonly path: string | undefined;
	/** Binary data was decoded as UTF-8, which cannot be undone. */
	readonly isBrokenByUtf8: boolean;
}

/** The format that an option takes, for messages. */
export type Form = 'PEM' | 'PKCS#12';

/**
 * Reads an option that takes content, or the path of a file. The content may be PEM or DER, either of them
 * in base64 too, as bytes or as text: they are told apart by their structure, here and for all options.
 *
 * @throws {MtlsConfigError} naming `option`, when there is nothing to read.
 */
export function readInput(source: Source, option: string, form: Form = 'PEM'): Content {
	if (types.isUint8Array(source)) {
		return contentOf(Buffer.from(source), 'the given bytes');
	}
	const wanted = form === 'PEM' ? 'PEM text, bytes or a path' : 'bytes or a path';
	const path = pathOf(source);
	if (path !== undefined) {
		const bytes = readFile(path, option, form, wanted);
		return contentOf(bytes, `file '${path}'`, path);
	}
	if (typeof source !== 'string') {
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			option,
			`expected ${wanted}, found ${describeSource(source)}`,
		);
	}
	if (source.trim() === '') {
		throw new MtlsConfigError(codeOf(form), option, `expected ${wanted}, found an empty string`);
	}
	// Each character of binary data is one byte where it was read as 'latin1' or 'binary'.
	return {
		...contentOf(Buffer.from(source, 'latin1'), 'the given text'),
		isBrokenByUtf8: source.startsWith('0') && source.includes('\ufffd'),
	};
}

function contentOf(bytes: Buffer, from: string, path?: string): Content {
	return {
		bytes: bytes.includes('-----BEGIN') ? bytes : (decodeBase64(bytes) ?? bytes),
		from,
		path,
		isBrokenByUtf8: bytes[0] === 0x30 && bytes.includes('\ufffd'),
	};
}

/** The path that a source is: of a `file:` URL, or text that is no content. */
export function pathOf(source: unknown): string | undefined {
	const url = urlOf(source);
	if (url !== undefined) {
		try {
			return fileURLToPath(url);
		} catch {
			// Of another machine, or of another protocol.
			return undefined;
		}
	}
	return isPath(source) ? source : undefined;
}

/** The URL of a source: a `URL`, also one of another realm, or text that begins with `file://`. */
function urlOf(source: unknown): string | undefined {
	if (typeof source === 'string') return /^file:\/\//i.test(source) ? source : undefined;
	const {href, protocol} = (source ?? {}) as Partial<URL>;
	return typeof href === 'string' && typeof protocol === 'string' ? href : undefined;
}

// No path has a control character, no file is called `-----BEGIN`, and none is called by what decodes to
// PEM or DER.
function isPath(source: unknown): source is string {
	return (
		typeof source === 'string' &&
		source.trim() !== '' &&
		!/\p{Cc}|-----BEGIN/u.test(source) &&
		decodeBase64(Buffer.from(source, 'latin1')) === undefined
	);
}

function describeSource(source: unknown): string {
	const url = urlOf(source);
	if (url === undefined) return describeType(source);
	return /^file:/i.test(url) ? 'a file: URL that names no file here' : 'a URL that is not file:';
}

/** Whether a source is the path of a directory. */
export function isDirectory(source: Source): boolean {
	const path = pathOf(source);
	if (path === undefined) return false;
	try {
		return statSync(path, {throwIfNoEntry: false})?.isDirectory() ?? false;
	} catch {
		// Reading the file will report what is wrong.
		return false;
	}
}

/** The code for content that is of another form than `form`. */
function codeOf(form: Form): 'ERR_MTLS_NOT_PEM' | 'ERR_MTLS_NOT_PKCS12' {
	return form === 'PEM' ? 'ERR_MTLS_NOT_PEM' : 'ERR_MTLS_NOT_PKCS12';
}

function readFile(path: string, option: string, form: Form, wanted: string): Buffer {
	try {
		return readFileSync(path);
	} catch (error) {
		if (looksLikeSecret(path)) {
			const found =
				form === 'PEM'
					? `${path.length} characters without a -----BEGIN line`
					: `${path.length} characters that are neither a path nor base64`;
			throw new MtlsConfigError(codeOf(form), option, `expected ${wanted}, found ${found}`);
		}
		const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
		throw code === 'ENOENT'
			? new MtlsConfigError(
					'ERR_MTLS_NO_SUCH_FILE',
					option,
					`no such file '${path}'${whereLooked(path)}`,
					error,
				)
			: new MtlsConfigError(
					'ERR_MTLS_UNREADABLE_FILE',
					option,
					`cannot read file '${path}': ${describeFileError(code)}`,
					error,
				);
	}
}

/** Where a file was looked for, unless the path says all of it. */
function whereLooked(path: string): string {
	const folder = dirname(resolve(path));
	if (!isDirectory(folder)) return `: there is no folder '${folder}'`;
	return resolve(path) === path ? '' : ` in the folder '${folder}'`;
}

const fileErrors: Readonly<Record<string, string>> = {
	EISDIR: 'it is a folder',
	EACCES: 'this process may not read it',
	EPERM: 'this process may not read it',
	ENOTDIR: 'a part of its path is a file, not a folder',
	ELOOP: 'its symbolic links lead in a circle',
	EMFILE: 'this process has too many files open',
	ENFILE: 'this system has too many files open',
	ENAMETOOLONG: 'its name is too long',
};

/** What an error of the file system means, with its code: `it is a folder (EISDIR)`. */
export function describeFileError(code: string): string {
	const words = fileErrors[code];
	return words === undefined ? code : `${words} (${code})`;
}

// Security: a key without its BEGIN and END lines looks like a path, and the message would print it. DER in
// base64 begins with M. Long text of base64 or hex digits also counts; where it begins with a slash, as an
// absolute path does, only if it has capitals, small letters and digits.
function looksLikeSecret(path: string): boolean {
	const text = path.replaceAll(' ', '');
	return (
		path.length > 1024 ||
		/PRIVATE(%20|\+)KEY/i.test(text) ||
		/^(M|LS0tLS)[\w+/-]{43,}={0,2}$/.test(text) ||
		(/^[\w+/-]{64,}={0,2}$/.test(text) &&
			(!text.startsWith('/') || [/[A-Z]/, /[a-z]/, /\d/].every((kind) => kind.test(text))))
	);
}
