import {MtlsConfigError} from '../config-error.ts';
import {redactUrl} from '../util/redact-url.ts';
import {bareHost, urlHost} from '../util/url.ts';

/**
 * Domains in the words of Python's
 * [DefaultCookiePolicy](https://docs.python.org/3/library/http.cookiejar.html#defaultcookiepolicy-objects):
 * `.bank.example` means every name below it and the cookies of a `Domain=bank.example`, but not what
 * the host `bank.example` keeps for itself, which is `bank.example`.
 */
export class DomainList {
	readonly #domains: readonly string[];

	/** @throws {MtlsConfigError} naming `option` when one of them is no domain. */
	constructor(domains: readonly string[], option: string) {
		if (!Array.isArray(domains)) throw notDomains(option, domains);
		this.#domains = domains.map((domain) => parseDomain(domain, option));
	}

	/** Whether a cookie's domain is in the list; it begins with a dot where subdomains get it too. */
	has(domain: string): boolean {
		const name = withoutEnd(domain);
		return this.#domains.some(
			(listed) => name === listed || (listed.startsWith('.') && name.endsWith(listed)),
		);
	}
}

/** A name or an address as URLs have it: lower case, punycode; one leading dot stays. */
export function parseDomain(domain: unknown, option: string): string {
	const [, dot = '', name = ''] = /^(\.?)([^.].*)$/.exec(String(domain)) ?? [];
	const url = URL.parse(`https://${urlHost(name)}/`);
	// Only a host: with a port, a path or a wildcard it would match nothing, without a word.
	const isHost = url !== null && `https://${url.hostname}/` === url.href && !/[/?#@\\*]/.test(name);
	if (typeof domain !== 'string' || !isHost) throw notDomains(option, domain);
	const host = bareHost(url.hostname);
	// An address has nothing below it.
	if (dot && (host.includes(':') || /\.\d+$/.test(host))) throw notDomains(option, domain);
	return dot + withoutEnd(host);
}

// `bank.example.` is the same host, by which no cookie gets past a list.
function withoutEnd(name: string): string {
	return name.replace(/\.$/, '');
}

function notDomains(option: string, found: unknown): MtlsConfigError {
	return new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		option,
		`expected domains such as 'bank.example' and '.bank.example', found ${typeof found === 'string' ? `'${redactUrl(found)}'` : typeof found}`,
	);
}
