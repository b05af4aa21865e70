import {MtlsConfigError} from '../../config-error.ts';
import {redactUrl} from '../../util/redact-url.ts';

/** A set of https origins, written one by one or with `*` for the labels of a subdomain. */
export interface OriginSet {
	/** Its patterns as `new URL(…).origin` writes them: in lower case, without the port 443. */
	readonly patterns: ReadonlySet<string>;
	/**
	 * How specifically it names `origin` (as in `new URL(…).origin`): 0 for none, highest if exact. Two
	 * patterns that name it equally are the same: both are it, or ends of it that have the same length.
	 */
	specificity(origin: string): number;
}

/**
 * Reads a list of origins: `https://api.bank.example`, `https://*.bank.example:8443`.
 *
 * @throws {MtlsConfigError} for `option`, when one is not an https origin.
 */
export function parseOrigins(
	origins: readonly string[],
	option: 'mtls.origins' | 'mtls.allowRedirectsFrom' = 'mtls.origins',
): OriginSet {
	const patterns = new Set(origins.map((text) => parseOrigin(text, option)));
	const suffixes = [...patterns]
		.filter((pattern) => pattern.startsWith(anyLabel))
		.map((pattern) => pattern.slice(anyLabel.length - 1));
	return {
		patterns,
		specificity(origin) {
			// The origin of a URL may have a `*` too: `new URL('https://*.bank.example')` is one.
			if (patterns.has(origin) && !origin.startsWith(anyLabel)) return Number.POSITIVE_INFINITY;
			if (!origin.startsWith('https:')) return 0;
			// The suffix begins with its dot, so that `*.bank.example` does not stand for `evilbank.example`.
			const fitting = suffixes.filter((suffix) => origin.endsWith(suffix));
			return Math.max(0, ...fitting.map(({length}) => length));
		},
	};
}

const anyLabel = 'https://*.';

function parseOrigin(text: string, option: string): string {
	const origin = originOf(text);
	if (origin !== undefined) return origin;
	const withScheme = originOf(`https://${text}`);
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		option,
		`expected an origin such as ${withScheme ?? 'https://api.bank.example'}, found '${redactUrl(text)}'`,
	);
}

function originOf(text: string): string | undefined {
	const url = URL.parse(text);
	const isOrigin =
		url?.protocol === 'https:' &&
		url.href === `${url.origin}/` &&
		// `*.` alone would leave the suffix `.`, which any name with a trailing dot has.
		url.hostname !== '*.' &&
		!url.origin.replace(anyLabel, '').includes('*');
	return isOrigin ? url.origin : undefined;
}
