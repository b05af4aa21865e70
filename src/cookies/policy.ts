/*
 * The law of cookies, in one place: what a jar may keep and what a request may carry, whoever made
 * the jar. It is RFC 6265bis (draft-ietf-httpbis-rfc6265bis) and the lists of the app.
 *
 * SameSite has no say. It is for pages, which may make a browser ask what its user did not; here it
 * is the app that asks, so that each request is same-site, also when a redirect of another site led
 * to it (§5.2: the request has no client, and the way it took is not looked at). Otherwise a single
 * sign-on would lose its session on the way back.
 */
import {isIP} from 'node:net';
import {Cookie, type CookieJar, canonicalDomain, domainMatch, getPublicSuffix} from 'tough-cookie';
import {MtlsConfigError} from '../config-error.ts';
import type {CookieOptions, CookieRefusal} from '../options.ts';
import {BoundedMap} from '../util/bounded-map.ts';
import {describeType, readOptions} from '../util/check-options.ts';
import {limitAttributes, withoutDomain} from './attributes.ts';
import {DomainList, parseDomain} from './domain-list.ts';
import {PolicyJar, usesStandardLookup} from './policy-jar.ts';

/** What is to be done with one `Set-Cookie` line. */
export interface SetCookieDecision {
	readonly name: string;
	/** The line as the jar is to read it; or */
	readonly line?: string;
	/** why it is not to see it. */
	readonly reason?: CookieRefusal['reason'];
}

const known = ['allowedDomains', 'blockedDomains', 'internalDomains'] as const;

/** What a client's options make of the law. */
export class CookiePolicy {
	readonly #allowed: DomainList | undefined;
	readonly #blocked: DomainList | undefined;
	readonly #internal: ReadonlySet<string>;
	// Per host: to look through the lists for each request would not be free.
	readonly #known = new BoundedMap<string, boolean>({maxEntries: 1_000, maxBytes: 256 * 1024});
	readonly #policyJars = new WeakMap<CookieJar, PolicyJar>();

	/** @throws {MtlsConfigError} when an option cannot be used. */
	constructor(given: CookieOptions = {}) {
		const options = readOptions<CookieOptions>(given, {known, option: 'cookies'});
		const {allowedDomains, blockedDomains, internalDomains = []} = options;
		this.#allowed = listOf(allowedDomains, 'cookies.allowedDomains');
		this.#blocked = listOf(blockedDomains, 'cookies.blockedDomains');
		this.#internal = parseInternal(internalDomains);
	}

	/** Whether a jar for it must let the domains through that this policy knows better. */
	get hasInternal(): boolean {
		return this.#internal.size > 0;
	}

	/** Judges a `Set-Cookie` line of a response of `url` (RFC 6265bis §5.7). */
	check(given: string, url: URL, now: number): SetCookieDecision {
		const line = limitAttributes(given, now);
		// Security: as the most lenient jar would read it, so that none keeps what was not judged.
		const cookie = Cookie.parse(line, {loose: true});
		if (cookie === undefined || !isSendable(given)) return {name: '', reason: 'malformed'};

		const name = cookie.key;
		if (name.length + cookie.value.length > maxPairBytes) return {name, reason: 'too-large'};
		const host = hostOf(url);
		const domain = domainOf(cookie);
		const isAlone = domain === host && (isIP(host) !== 0 || this.#isPublicSuffix(host));
		if (domain !== undefined && !isAlone) {
			if (!domainMatch(host, domain)) return {name, reason: 'foreign-domain'};
			if (this.#isPublicSuffix(domain)) return {name, reason: 'public-suffix'};
		}
		const isHostOnly = domain === undefined || isAlone;
		const reason =
			this.#listed(isHostOnly ? host : `.${domain}`) ?? unsafe(cookie, isHostOnly, url);
		if (reason !== undefined) return {name, reason};
		return {name, line: isAlone ? withoutDomain(line) : line};
	}

	/** The jar as a request to `url` may read it: itself where all that it says may be sent. */
	filter(jar: CookieJar, url: URL): CookieJar {
		if (this.#sendsAll(url)) return jar;
		const lawful = this.#policyJars.get(jar) ?? new PolicyJar(jar, this);
		this.#policyJars.set(jar, lawful);
		return lawful;
	}

	/** Whether all that a jar says for `url` may be sent: then nobody has to look through it. */
	#sendsAll(url: URL): boolean {
		// One look at the URL for all: each of its parts costs as much.
		if (!usesStandardLookup.test(url.href)) return false;
		if (!this.#allowed && !this.#blocked && this.#internal.size === 0) return true;
		const {hostname} = url;
		const known = this.#known.get(hostname);
		if (known !== undefined) return known;

		const host = hostOf(url);
		const sendsAll =
			this.internalDomainOf(host) === undefined &&
			domainsOf(host).every((domain) => this.#listed(domain) === undefined);
		this.#known.set(hostname, sendsAll, 100 + 2 * hostname.length);
		return sendsAll;
	}

	/** Whether a cookie that a jar says for `url` may be sent there (RFC 6265bis §5.8.3). */
	maySend({domain, hostOnly, secure}: Cookie, url: URL): boolean {
		if (secure && url.protocol !== 'https:') return false;
		const isBelow = !hostOnly && domain !== null && isIP(domain) === 0;
		return this.#listed(isBelow ? `.${domain}` : (domain ?? hostOf(url))) === undefined;
	}

	/** The single-label domain that `host` shares cookies with, unless it is that itself. */
	internalDomainOf(host: string): string | undefined {
		const label = host.slice(host.lastIndexOf('.') + 1);
		return label !== host && this.#internal.has(label) ? label : undefined;
	}

	#listed(domain: string): 'domain-blocked' | 'domain-not-allowed' | undefined {
		if (this.#blocked?.has(domain)) return 'domain-blocked';
		return this.#allowed?.has(domain) === false ? 'domain-not-allowed' : undefined;
	}

	#isPublicSuffix(domain: string): boolean {
		if (isIP(domain) || this.#internal.has(domain)) return false;
		const options = {allowSpecialUseDomain: true, ignoreError: true};
		return getPublicSuffix(domain, options) === undefined;
	}
}

/** Of a cookie's name and value together (RFC 6265bis §5.7, step 4). */
const maxPairBytes = 4_096;

/** A URL's host as cookies have it: without the brackets of an IPv6 address. */
function hostOf({hostname}: URL): string {
	return canonicalDomain(hostname) ?? hostname;
}

/** Whether HTTP can carry it: no control characters but the tab (§5.6, step 1), and bytes alone. */
export function isSendable(text: string): boolean {
	return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}

/** What `Domain` says; empty where that is no name in ASCII (§5.7), which no host matches. */
function domainOf(cookie: Cookie): string | undefined {
	if (cookie.domain === null) return undefined;
	// A second dot is one of the name's (§5.6.3); tough-cookie takes all away, and finds the cookie no more.
	if (/[^\0-\x7f]|^\./.test(cookie.domain)) return '';
	try {
		return cookie.cdomain() ?? '';
	} catch {
		// Punycode that is none.
		return '';
	}
}

/** The domains whose cookies a jar may say for `host`. */
function domainsOf(host: string): string[] {
	if (isIP(host)) return [host];
	const labels = host.split('.');
	const below = labels.map((_, index) => `.${labels.slice(index).join('.')}`);
	// Nobody keeps a cookie for all of a top-level domain; what is internal is asked for before.
	return [host, ...below.filter((domain, index) => index === 0 || domain.includes('.', 1))];
}

function unsafe(
	{key, value, secure, path}: Cookie,
	isHostOnly: boolean,
	url: URL,
): CookieRefusal['reason'] | undefined {
	if (secure && url.protocol !== 'https:') return 'secure-over-http';
	// In any case, and in a value without a name: servers exist that read them so (§5.4, §5.7).
	const prefix = /^__(secure|host)-/i.exec(key || value)?.[1]?.toLowerCase();
	if (prefix === undefined) return undefined;
	const keepsIt = key !== '' && secure && (prefix === 'secure' || (isHostOnly && path === '/'));
	return keepsIt ? undefined : 'prefix';
}

function listOf(domains: readonly string[] | undefined, option: string): DomainList | undefined {
	return domains === undefined ? undefined : new DomainList(domains, option);
}

function parseInternal(names: readonly string[]): ReadonlySet<string> {
	const option = 'cookies.internalDomains';
	const isList = Array.isArray(names) && names.every((name) => !String(name).includes('.'));
	if (isList) return new Set(names.map((name) => parseDomain(name, option)));
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		option,
		`expected names without a dot such as 'intranet', found ${Array.isArray(names) ? 'a dot' : describeType(names)}`,
	);
}
