import {derKind} from '../pkcs12/der.ts';

/** More than any credential has: it is not decoded only to look at it. */
const maxLength = 16 * 1024 * 1024;

/** The least that a key in DER takes. */
const minLength = 40;

/**
 * Decodes base64 of PEM or DER, as in a `-data` field of Kubernetes or an environment variable: with or
 * without line ends, in either alphabet (RFC 4648 §4, §5), and twice encoded, as by a tool that did not
 * know that it was already.
 *
 * @returns `undefined` unless the result is PEM, or is DER from its first byte to its last.
 */
export function decodeBase64(bytes: Buffer): Buffer | undefined {
	const once = decode(bytes);
	if (once === undefined) return undefined;
	return isCredential(once) ? once : pick(decode(once));
}

function pick(bytes: Buffer | undefined): Buffer | undefined {
	return bytes !== undefined && isCredential(bytes) ? bytes : undefined;
}

function decode(bytes: Buffer): Buffer | undefined {
	if (bytes.length < minLength || bytes.length > maxLength) return undefined;
	// A byte order mark is no digit.
	const text = bytes
		.toString('latin1')
		.replace(/^\xef\xbb\xbf/, '')
		.replaceAll(/\s+/g, '');
	return /^[\w+/-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

function isCredential(bytes: Buffer): boolean {
	const kind = derKind(bytes);
	if (typeof kind === 'object')
		return kind.label !== undefined && kind.bytes.length === bytes.length;
	return kind === undefined && bytes.includes('-----BEGIN ');
}

/** Whether bytes begin as the base64 of PEM or DER: then a part of it is missing. */
export function isDamagedBase64(bytes: Buffer): boolean {
	const decoded = decode(bytes);
	if (decoded === undefined) return false;
	return decoded.toString('latin1').startsWith('-----BEGIN') || derKind(decoded) === 'damaged';
}
