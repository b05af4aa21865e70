/*
 * Which cookies a jar may store and a request may carry, whichever jar the app gives: RFC 6265bis
 * (draft-ietf-httpbis-rfc6265bis) and the lists of the app.
 *
 * SameSite is ignored. It protects against pages that make a browser send requests its user did not
 * want; here the app sends them, so each request is same-site, also after a redirect from another site
 * (§5.2: a request without a client is same-site whatever its redirects). Otherwise a single sign-on
 * would lose its session on the way back.
 */
import {isIP} from 'node:net';
import {
	Cookie,
	type CookieJar,
	canonicalDomain,
	domainMatch,
	getPublicSuffix,
	parseDate,
} from 'tough-cookie';
import type {CookieOptions, CookieRefusal} from '../options.ts';
import {BoundedMap} from '../util/bounded-map.ts';
import {badOption, describeType, readOptions} from '../util/check-options.ts';
import {DomainList, parseDomain} from './domain-list.ts';
import {maxLifetimeMs} from './expiry.ts';
import {needsOwnLookup, PolicyJar} from './policy-jar.ts';

/** Whether a cookie may be stored: it has a `line` if it may, else a `reason`. */
export interface SetCookieDecision {
	readonly name: string;
	/** Of a cookie that is rejected: its `Domain` attribute. */
	readonly domain?: string;
	/** The `Set-Cookie` line for the jar to parse. */
	readonly line?: string;
	/** Why the cookie is rejected. */
	readonly reason?: CookieRefusal['reason'];
}

const known = ['allowedDomains', 'blockedDomains', 'internalDomains'] as const;

/** The cookie policy of a client, by its `cookies` option. */
export class CookiePolicy {
	readonly #allowed: DomainList | undefined;
	readonly #blocked: DomainList | undefined;
	readonly #internal: ReadonlySet<string>;
	/** By hostname: the lists are not searched for each request. */
	readonly #sendsAllTo = new BoundedMap<string, boolean>({
		maxEntries: 1_000,
		maxBytes: 256 * 1024,
	});
	readonly #policyJars = new WeakMap<CookieJar, PolicyJar>();

	/** @throws {MtlsConfigError} when an option cannot be used. */
	constructor(given: CookieOptions = {}) {
		const options = readOptions<CookieOptions>(given, {known, option: 'cookies'});
		const {allowedDomains, blockedDomains, internalDomains = []} = options;
		this.#allowed = listOf(allowedDomains, 'cookies.allowedDomains');
		this.#blocked = listOf(blockedDomains, 'cookies.blockedDomains');
		this.#internal = parseInternal(internalDomains);
	}

	/** Whether a jar must leave the check of public suffixes to this policy, which knows internal domains. */
	get hasInternal(): boolean {
		return this.#internal.size > 0;
	}

	/** Whether the cookie of a `Set-Cookie` line from `url` may be stored (RFC 6265bis §5.7). */
	check(given: string, url: URL, now: number): SetCookieDecision {
		const line = limitAttributes(given, now);
		// Security: parsed as the most lenient jar would, so that no jar stores a cookie that was not checked.
		// `null` and not `undefined` in tough-cookie 4, as below.
		const cookie = Cookie.parse(line, {loose: true});
		if (!cookie || !isSendable(given)) return {name: '', reason: 'malformed'};

		const name = cookie.key;
		const reject = (reason: CookieRefusal['reason']): SetCookieDecision => {
			const attribute = cookie.domain;
			return attribute ? {name, domain: attribute, reason} : {name, reason};
		};
		if (name.length + cookie.value.length > maxPairBytes) return reject('too-large');
		const host = hostOf(url);
		const domain = domainOf(cookie);
		// A public suffix, or an address, may set a cookie for itself alone (§5.7, step 9).
		const ignoresDomain = domain === host && (isIP(host) !== 0 || this.#isPublicSuffix(host));
		if (domain !== undefined && !ignoresDomain) {
			if (!domainMatch(host, domain)) return reject('foreign-domain');
			if (this.#isPublicSuffix(domain)) return reject('public-suffix');
		}
		const isHostOnly = domain === undefined || ignoresDomain;
		const reason =
			this.#domainRejection(isHostOnly ? host : `.${domain}`) ??
			securityRejection(cookie, isHostOnly, url);
		if (reason !== undefined) return reject(reason);
		return {name, line: ignoresDomain ? withoutDomain(line) : line};
	}

	/** The jar itself if all its cookies for `url` may be sent, else a view of the cookies that may. */
	filter(jar: CookieJar, url: URL): CookieJar {
		if (this.#sendsAll(url)) return jar;
		const policyJar = this.#policyJars.get(jar) ?? new PolicyJar(jar, this);
		this.#policyJars.set(jar, policyJar);
		return policyJar;
	}

	#sendsAll(url: URL): boolean {
		if (url.protocol !== 'https:') return false;
		const {hostname} = url;
		if (needsOwnLookup(hostname)) return false;
		if (!this.#allowed && !this.#blocked && !this.hasInternal) return true;
		const known = this.#sendsAllTo.get(hostname);
		if (known !== undefined) return known;

		const host = hostOf(url);
		const sendsAll =
			this.internalDomainOf(host) === undefined &&
			domainsOf(host).every((domain) => this.#domainRejection(domain) === undefined);
		this.#sendsAllTo.set(hostname, sendsAll, 100 + 2 * hostname.length);
		return sendsAll;
	}

	/** Whether a cookie that the jar has for `url` may be sent there (RFC 6265bis §5.8.3). */
	maySend({domain, hostOnly, secure}: Cookie, url: URL): boolean {
		if (secure && url.protocol !== 'https:') return false;
		const withSubdomains = !hostOnly && domain !== null && isIP(domain) === 0;
		const scope = withSubdomains ? `.${domain}` : (domain ?? hostOf(url));
		return this.#domainRejection(scope) === undefined;
	}

	/** The single-label domain whose cookies `host` gets too, unless it is `host` itself. */
	internalDomainOf(host: string): string | undefined {
		const label = host.slice(host.lastIndexOf('.') + 1);
		return label !== host && this.#internal.has(label) ? label : undefined;
	}

	#domainRejection(domain: string): 'domain-blocked' | 'domain-not-allowed' | undefined {
		if (this.#blocked?.has(domain)) return 'domain-blocked';
		return this.#allowed?.has(domain) === false ? 'domain-not-allowed' : undefined;
	}

	#isPublicSuffix(domain: string): boolean {
		if (isIP(domain) || this.#internal.has(domain)) return false;
		const options = {allowSpecialUseDomain: true, ignoreError: true};
		return !getPublicSuffix(domain, options);
	}
}

/** The limit of the name and the value together (RFC 6265bis §5.7, step 4). */
const maxPairBytes = 4_096;

/** The host of a URL as cookies have it: an IPv6 address without brackets. */
function hostOf({hostname}: URL): string {
	return canonicalDomain(hostname) ?? hostname;
}

/** Whether HTTP can carry it: bytes, without control characters except the tab (§5.6, step 1). */
export function isSendable(text: string): boolean {
	return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}

/** The `Domain` attribute; empty, which matches no host, where it is not a name in ASCII (§5.7). */
function domainOf(cookie: Cookie): string | undefined {
	if (cookie.domain === null) return undefined;
	// Only one leading dot is ignored (§5.6.3). tough-cookie strips all, and then never finds the cookie.
	if (/[^\0-\x7f]|^\./.test(cookie.domain)) return '';
	try {
		return cookie.cdomain() ?? '';
	} catch {
		// Invalid punycode.
		return '';
	}
}

/** The domains whose cookies a jar may have for `host`. */
function domainsOf(host: string): string[] {
	if (isIP(host)) return [host];
	const labels = host.split('.');
	const suffixes = labels.map((_, index) => `.${labels.slice(index).join('.')}`);
	// No cookie is for a whole top-level domain; an internal one has its own lookup.
	return [host, ...suffixes.filter((domain, index) => index === 0 || domain.includes('.', 1))];
}

function securityRejection(
	{key, value, secure, path}: Cookie,
	isHostOnly: boolean,
	url: URL,
): CookieRefusal['reason'] | undefined {
	if (secure && url.protocol !== 'https:') return 'secure-over-http';
	// In upper or lower case, and in the value of a cookie without a name: some servers read those as a
	// prefix too (§5.4, §5.7).
	const prefix = /^__(secure|host)-/i.exec(key || value)?.[1]?.toLowerCase();
	if (prefix === undefined) return undefined;
	const hasHostScope = isHostOnly && path === '/';
	const isValid = key !== '' && secure && (prefix === 'secure' || hasHostScope);
	return isValid ? undefined : 'prefix';
}

/** Longer attributes are ignored (RFC 6265bis §5.6). */
const maxAttributeBytes = 1_024;

/**
 * A `Set-Cookie` line without the attributes that are too long, and with at most the longest lifetime
 * (RFC 6265bis §5.5, §5.6).
 *
 * @param line - One character for each byte.
 */
export function limitAttributes(line: string, now: number): string {
	return mapAttributes(line, ({text, name, value}) => {
		if (name.length > maxAttributeBytes || value.length > maxAttributeBytes) return undefined;
		if (name === 'max-age' && /^\d+$/.test(value) && Number(value) * 1_000 > maxLifetimeMs) {
			return ` Max-Age=${maxLifetimeMs / 1_000}`;
		}
		if (name === 'expires' && Number(parseDate(value)) > now + maxLifetimeMs) {
			return ` Expires=${new Date(now + maxLifetimeMs).toUTCString()}`;
		}
		return text;
	});
}

function withoutDomain(line: string): string {
	return mapAttributes(line, ({text, name}) => (name === 'domain' ? undefined : text));
}

interface Attribute {
	/** With the space around it. */
	readonly text: string;
	/** In lower case. */
	readonly name: string;
	/** Empty for an attribute without one. */
	readonly value: string;
}

function mapAttributes(line: string, change: (attribute: Attribute) => string | undefined): string {
	const [pair = '', ...attributes] = line.split(';');
	const changed = attributes.map((text) => {
		const end = text.includes('=') ? text.indexOf('=') : text.length;
		const name = text.slice(0, end).trim().toLowerCase();
		return change({text, name, value: text.slice(end + 1).trim()});
	});
	return [pair, ...changed.filter((text) => text !== undefined)].join(';');
}

function listOf(domains: readonly string[] | undefined, option: string): DomainList | undefined {
	return domains === undefined ? undefined : new DomainList(domains, option);
}

function parseInternal(names: readonly string[]): ReadonlySet<string> {
	const option = 'cookies.internalDomains';
	const isList = Array.isArray(names) && names.every((name) => !String(name).includes('.'));
	if (isList) return new Set(names.map((name) => parseDomain(name, option)));
	const found = Array.isArray(names) ? 'a dot' : describeType(names);
	throw badOption(option, "names without a dot such as 'intranet'", found);
}
