import type {X509Certificate} from 'node:crypto';
import {MtlsConfigError} from '../../config-error.ts';
import {redactUrl} from '../../util/redact-url.ts';
import {certificateFacts} from '../credentials/certificate-facts.ts';

/** The server's certificate has another SPIFFE ID than the expected one. */
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
	if (typeof id === 'string' && isSpiffeId(id)) return id;
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		'mtls.spiffeId',
		`expected spiffe://trust-domain or spiffe://trust-domain/path, found ${
			// Security: text that is not a URI may be a secret in the wrong place.
			/^[a-z]+:\/\//i.test(id) ? `'${redactUrl(id)}'` : 'something else'
		}`,
	);
}

/** Checks the URI name of an X.509-SVID (its §2: exactly one, the leaf's). */
export function checkSpiffeId(
	expected: string,
	leaf: X509Certificate | undefined,
): SpiffeMismatchError | undefined {
	if (leaf === undefined) return new SpiffeMismatchError(expected, []);
	// From the list that was split outside of Node's quotes: a DNS name may hold `, URI:spiffe://…`.
	const uris = certificateFacts(leaf)
		.altNames.filter((name) => name.startsWith('URI:'))
		.map((name) => name.slice('URI:'.length));
	const [id = ''] = uris;
	// X.509-SVID §5.2: a CA certificate signs for workloads, and identifies none.
	if (uris.length === 1 && !leaf.ca && isSpiffeId(id)) {
		const wholeDomain = !expected.slice('spiffe://'.length).includes('/');
		if (id === expected || (wholeDomain && id.startsWith(`${expected}/`))) return undefined;
	}
	return new SpiffeMismatchError(expected, uris);
}

/**
 * SPIFFE-ID §2: a trust domain of lower-case letters, digits, dot, dash and underscore; a path without
 * empty segments, dots, query or fragment.
 */
function isSpiffeId(text: string): boolean {
	const pattern = /^spiffe:\/\/[a-z0-9._-]{1,255}(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._-]+)*$/;
	return text.length <= 2048 && pattern.test(text);
}
