/* How the text after a flag becomes the value of an option. */
import {constants} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {closest} from '../../util/check-options.ts';
import {UsageError} from './exit-codes.ts';
import {fileErrorCode} from './files.ts';

const versions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** A TLS version as `node:tls` writes it, or its number alone, as for curl. */
export function readVersion(text: string, flag: string): string {
	const version = /^1\.[0-3]$/.test(text) ? `TLSv${text}`.replace('v1.0', 'v1') : text;
	if (versions.includes(version)) return version;
	const near = closest(text, versions);
	throw new UsageError(
		flag,
		`'${text}' is not a TLS version`,
		near === undefined ? `known are ${versions.join(', ')}` : `did you mean ${near}?`,
	);
}

/** The first line of a file without its line end, which an editor adds. */
export function readPassphrase(path: string, flag: string): string {
	try {
		return readFileSync(path, 'utf8').split(/\r?\n/)[0] ?? '';
	} catch (error) {
		throw new UsageError(flag, `cannot read '${path}': ${fileErrorCode(error)}`);
	}
}

// Security: the text may hold a password, so no message repeats it.
export function readProxy(text: string, flag: string): string {
	if (URL.canParse(text.includes('://') ? text : `http://${text}`)) return text;
	throw new UsageError(
		flag,
		'not a URL',
		'expected http://[user:password@]host:port, with @ # / ? in a password as %40 %23 %2F %3F',
	);
}

/** Bits of OpenSSL: their sum, or the names of `crypto.constants`. */
export function readSecureOptions(text: string, flag: string): number {
	if (/^\d{1,10}$/.test(text)) return Number(text);
	const known = new Map(Object.entries(constants).filter(([name]) => name.startsWith('SSL_OP_')));
	return text.split(/[,|]/).reduce((bits, part) => {
		const name = part.trim();
		const value = known.get(name);
		if (value !== undefined) return Number(BigInt(bits) | BigInt(value));
		const near = closest(name, [...known.keys()]);
		throw new UsageError(
			flag,
			`'${name}' is neither a number nor a name of OpenSSL's options`,
			near === undefined ? 'such as SSL_OP_LEGACY_SERVER_CONNECT' : `did you mean ${near}?`,
		);
	}, 0);
}
