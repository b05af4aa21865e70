import {type Cookie, CookieJar, cookieCompare, domainMatch, pathMatch} from 'tough-cookie';
import {isExpired} from './expiry.ts';
import {jarUrl, writtenPath} from './jar-url.ts';

/** The part of a cookie policy that reading needs. */
interface SendPolicy {
	maySend(cookie: Cookie, url: URL): boolean;
	/** The single-label domain whose cookies a host gets too. */
	internalDomainOf(host: string): string | undefined;
}

/** Whether tough-cookie cannot find the cookies that it has stored for a host. Runs for each request. */
export function needsOwnLookup(hostname: string): boolean {
	// tough-cookie throws for these names.
	const isSpecialUse = hostname === 'test' || hostname === 'local' || hostname === 'example';
	// tough-cookie stores under a name with the dot at its end, and looks under one without.
	const isFullyQualified = hostname.endsWith('.');
	return isSpecialUse || isFullyQualified;
}

/** A view of another jar, with only the cookies that a policy allows to be sent. */
export class PolicyJar extends CookieJar {
	readonly #jar: CookieJar;
	readonly #policy: SendPolicy;

	constructor(jar: CookieJar, policy: SendPolicy) {
		super(jar.store);
		this.#jar = jar;
		this.#policy = policy;
	}

	/** @param url - Made by {@link jarUrl}. */
	override async getCookies(
		url: string | URL,
		options?: Parameters<CookieJar['getCookies']>[1],
	): Promise<Cookie[]> {
		const allPaths = typeof options === 'object' && options.allPaths === true;
		const target = new URL(url);
		const cookies = await this.#read(target, allPaths);
		const shared = await this.#readInternalDomain(target, allPaths);
		return [...cookies, ...shared]
			.filter((cookie) => this.#policy.maySend(cookie, target))
			.sort(cookieCompare);
	}

	async #read(url: URL, allPaths: boolean): Promise<Cookie[]> {
		const path = writtenPath(url);
		if (!needsOwnLookup(url.hostname)) {
			return this.#jar.getCookies(jarUrl(this.#jar, url, path), {allPaths});
		}
		const all = await this.#jar.store.getAllCookies();
		return all.filter(
			(cookie) =>
				matchesHost(cookie, url.hostname) &&
				(allPaths || pathMatch(path, cookie.path ?? '/')) &&
				!isExpired(cookie, Date.now()),
		);
	}

	// tough-cookie looks no higher than the registrable domain, which `wiki.intranet` is itself.
	async #readInternalDomain(url: URL, allPaths: boolean): Promise<Cookie[]> {
		const domain = this.#policy.internalDomainOf(url.hostname);
		if (domain === undefined) return [];
		const parent = new URL(url);
		parent.hostname = domain;
		const cookies = await this.#read(parent, allPaths);
		return cookies.filter(({hostOnly}) => !hostOnly);
	}
}

function matchesHost({domain, hostOnly}: Cookie, host: string): boolean {
	return domain === host || (!hostOnly && domain !== null && domainMatch(host, domain) === true);
}
