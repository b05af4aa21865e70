import {readFileSync, statSync} from 'node:fs';
import {types} from 'node:util';
import {MtlsConfigError} from '../../config-error.ts';
import type {Source} from '../../options/mtls.ts';
import {describeType} from '../../util/check-options.ts';

/** The raw content of an option. */
export interface Content {
	readonly bytes: Buffer;
	/** Whether the option was a string that is the content itself, not a path. */
	readonly isText: boolean;
	/** For messages: `file 'client.key'`, `the given text`. Never content. */
	readonly from: string;
	/** Where it was read. */
	readonly path: string | undefined;
}

/** The format that an option takes, for messages. */
export type Form = 'PEM' | 'PKCS#12';

/**
 * Reads an option that takes PEM text, bytes, or a path.
 *
 * @throws {MtlsConfigError} naming `option`, when there is nothing to read.
 */
export function readInput(source: Source, option: string, form: Form = 'PEM'): Content {
	if (types.isUint8Array(source)) {
		return {bytes: Buffer.from(source), isText: false, from: 'the given bytes', path: undefined};
	}
	const wanted = form === 'PEM' ? 'PEM text, bytes or a path' : 'bytes or a path';
	if (typeof source !== 'string') {
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			option,
			`expected ${wanted}, found ${describeType(source)}`,
		);
	}
	if (source.trim() === '') {
		throw new MtlsConfigError(codeOf(form), option, `expected ${wanted}, found an empty string`);
	}
	if (!isPath(source)) {
		return {
			bytes: Buffer.from(source, 'latin1'),
			isText: true,
			from: 'the given text',
			path: undefined,
		};
	}
	return {
		bytes: readFile(source, option, form, wanted),
		isText: false,
		from: `file '${source}'`,
		path: source,
	};
}

/** Whether a source is a path: no path has a control character, and no file is called `-----BEGIN`. */
export function isPath(source: unknown): source is string {
	return typeof source === 'string' && !/\p{Cc}|-----BEGIN/u.test(source);
}

/** Whether a source is the path of a directory. */
export function isDirectory(source: Source): source is string {
	if (!isPath(source)) return false;
	try {
		return statSync(source, {throwIfNoEntry: false})?.isDirectory() ?? false;
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
					: `${path.length} characters that are no path; of base64, give \`Buffer.from(text, 'base64')\``;
			throw new MtlsConfigError(
				codeOf(form),
				option,
				`expected ${form === 'PEM' ? 'PEM text or a path' : wanted}, found ${found}`,
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

// Security: a key without its BEGIN and END lines looks like a path, and the message would print it. DER in
// base64 begins with M. Long text of base64 or hex digits also counts, unless it is an absolute path.
function looksLikeSecret(path: string): boolean {
	const text = path.replaceAll(' ', '');
	return (
		path.length > 1024 ||
		/PRIVATE(%20|\+)KEY/i.test(text) ||
		/^M[\w+/-]{43,}={0,2}$/.test(text) ||
		/^[\w+-][\w+/-]{63,}={0,2}$/.test(text)
	);
}
