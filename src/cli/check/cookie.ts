import type {CheckedCookie} from './report.ts';

// Those that are known (RFC 6265 §4.1.1 and its successor): what else stands there may be anything.
const known = /^(domain|expires|httponly|max-age|partitioned|path|priority|samesite|secure)(=|$)/i;

/**
 * Name and attributes of a `Set-Cookie`.
 *
 * Security: the value is dropped here, before anything can tell it. A cookie without a `=` is a
 * value without a name.
 */
export function parseCookie(line: string): CheckedCookie {
	const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
	const end = pair.indexOf('=');
	return {
		name: end === -1 ? '' : pair.slice(0, end).trim(),
		attributes: attributes.filter((attribute) => known.test(attribute)),
	};
}
