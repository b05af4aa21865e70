import {type Cookie, CookieJar, cookieCompare, domainMatch, pathMatch} from 'tough-cookie';
import {isExpired} from './expiry.ts';
import {jarUrl, writtenPath} from './jar-url.ts';
import type {CookiePolicy} from './policy.ts';

/**
 * The beginning of an https URL of which tough-cookie looks the cookies up: for `example`, `local`
 * and `test` it throws, and for a name with a dot at its end it looks in other places than where it
 * has put them.
 */
export const usesStandardLookup = /^https:\/\/(?!(?:example|local|test)[:/]|[^/]*\.(?::\d+)?\/)/;

function isOdd({hostname}: URL): boolean {
	return !usesStandardLookup.test(`https://${hostname}/`);
}

/** Another jar as a policy lets it be read: for the URLs of which not all may be sent. */
export class PolicyJar extends CookieJar {
	readonly #jar: CookieJar;
	readonly #policy: CookiePolicy;

	constructor(jar: CookieJar, policy: CookiePolicy) {
		super(jar.store);
		this.#jar = jar;
		this.#policy = policy;
	}

	/** @param url - Of {@link jarUrl}. */
	override async getCookies(
		url: string | URL,
		options?: Parameters<CookieJar['getCookies']>[1],
	): Promise<Cookie[]> {
		const allPaths = typeof options === 'object' && options.allPaths === true;
		const target = new URL(url);
		const cookies = await this.#read(target, allPaths);
		const shared = await this.#shared(target, allPaths);
		return [...cookies, ...shared]
			.filter((cookie) => this.#policy.maySend(cookie, target))
			.sort(cookieCompare);
	}

	async #read(url: URL, allPaths: boolean): Promise<Cookie[]> {
		const path = writtenPath(url);
		if (!isOdd(url)) return this.#jar.getCookies(jarUrl(this.#jar, url, path), {allPaths});
		const all = await this.#jar.store.getAllCookies();
		return all.filter(
			(cookie) =>
				isFor(cookie, url.hostname) &&
				(allPaths || pathMatch(path, cookie.path ?? '/')) &&
				!isExpired(cookie, Date.now()),
		);
	}

	// tough-cookie looks no higher than the registrable domain, which `wiki.intranet` is itself.
	async #shared(url: URL, allPaths: boolean): Promise<Cookie[]> {
		const domain = this.#policy.internalDomainOf(url.hostname);
		if (domain === undefined) return [];
		const above = new URL(url);
		above.hostname = domain;
		const cookies = await this.#read(above, allPaths);
		return cookies.filter(({hostOnly}) => !hostOnly);
	}
}

function isFor({domain, hostOnly}: Cookie, host: string): boolean {
	return domain === host || (!hostOnly && domain !== null && domainMatch(host, domain) === true);
}
