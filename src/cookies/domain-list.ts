import type {MtlsConfigError} from '../config-error.ts';
import {badOption} from '../util/check-options.ts';
import {redactUrl} from '../util/redact-url.ts';
import {bareHost, urlHost} from '../util/url.ts';

/**
 * Domains with the meaning of Python's
 * [DefaultCookiePolicy](https://docs.python.org/3/library/http.cookiejar.html#defaultcookiepolicy-objects):
 * `.bank.example` matches all subdomains and cookies with `Domain=bank.example`, but not the host-only
 * cookies of `bank.example`, which `bank.example` matches.
 */
export class DomainList {
	readonly #domains: readonly string[];

	/** @throws {MtlsConfigError} for `option`, when one of them is not a domain. */
	constructor(domains: readonly string[], option: string) {
		if (!Array.isArray(domains)) throw notDomains(option, domains);
		this.#domains = domains.map((domain) => parseDomain(domain, option));
	}

	/** @param domain - Of a cookie; with a leading dot where subdomains get the cookie too. */
	has(domain: string): boolean {
		const name = withoutFinalDot(domain);
		return this.#domains.some(
			(listed) => name === listed || (listed.startsWith('.') && name.endsWith(listed)),
		);
	}
}

/** A name or an address as in URLs: lower case, punycode. One leading dot is kept. */
export function parseDomain(domain: unknown, option: string): string {
	const [, dot = '', name = ''] = /^(\.?)([^.].*)$/.exec(String(domain)) ?? [];
	const url = URL.parse(`https://${urlHost(name)}/`);
	// A domain with a port, a path or a wildcard would match nothing, without an error.
	const isHost = url !== null && `https://${url.hostname}/` === url.href && !/[/?#@\\*]/.test(name);
	if (typeof domain !== 'string' || !isHost) throw notDomains(option, domain);
	const host = bareHost(url.hostname);
	// An address has no subdomains.
	if (dot && (host.includes(':') || /\.\d+$/.test(host))) throw notDomains(option, domain);
	return dot + withoutFinalDot(host);
}

// Security: `bank.example.` is the same host, and must not get past a list.
function withoutFinalDot(name: string): string {
	return name.replace(/\.$/, '');
}

function notDomains(option: string, value: unknown): MtlsConfigError {
	const expected = "domains such as 'bank.example' and '.bank.example'";
	const found = typeof value === 'string' ? `'${redactUrl(value)}'` : typeof value;
	return badOption(option, expected, found);
}
