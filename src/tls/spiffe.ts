import {X509Certificate} from 'node:crypto';
import {MtlsConfigError} from '../errors.ts';

/** The server's certificate carries another SPIFFE ID than the one that was expected. */
export class SpiffeMismatchError extends Error {
	readonly code = 'ERR_MTLS_SPIFFE_MISMATCH';

	constructor(expected: string, seen: readonly string[]) {
		super(`expected ${expected}, found ${seen.join(', ') || 'no SPIFFE ID'}`);
		this.name = 'SpiffeMismatchError';
	}
}

/**
 * Reads `mtls.spiffeId`: a whole ID (`spiffe://example.org/billing`), or a trust domain
 * (`spiffe://example.org`), which stands for every ID in it.
 *
 * @throws {MtlsConfigError} for `mtls.spiffeId` when it is neither.
 */
export function loadSpiffeId(id: string | undefined): string | undefined {
	if (id === undefined) return undefined;
	// SPIFFE-ID §2: a trust domain of lower-case letters, digits, dot, dash and underscore; a path
	// without empty segments, dots, query or fragment.
	const pattern = /^spiffe:\/\/[a-z0-9._-]{1,255}(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)*$/;
	if (typeof id === 'string' && id.length <= 2048 && pattern.test(id)) return id;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'mtls.spiffeId',
		`expected spiffe://trust-domain or spiffe://trust-domain/path, found '${id}'`,
	);
}

/** Checks the URI name of an X.509-SVID (its §2: exactly one, the leaf's). */
export function checkSpiffeId(expected: string, leaf: Buffer): SpiffeMismatchError | undefined {
	const names = new X509Certificate(leaf).subjectAltName ?? '';
	const uris = Array.from(names.matchAll(/(?:^|, )URI:([^,"]+)/g), ([, uri]) => uri ?? '');
	const [id] = uris;
	if (uris.length === 1 && id !== undefined && id.startsWith('spiffe://')) {
		const wholeDomain = !expected.slice('spiffe://'.length).includes('/');
		if (id === expected || (wholeDomain && id.startsWith(`${expected}/`))) return undefined;
	}
	return new SpiffeMismatchError(expected, uris);
}
