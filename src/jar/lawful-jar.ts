import {type Cookie, CookieJar, cookieCompare, pathMatch} from 'tough-cookie';
import type {CookiePolicy} from './policy.ts';

/** Hosts for which tough-cookie looks nothing up, but throws. */
export const oddHosts: readonly string[] = ['example', 'local', 'test'];

/** Another jar as a policy lets it be read: for the URLs of which not all may be sent. */
export class LawfulJar extends CookieJar {
	readonly #jar: CookieJar;
	readonly #policy: CookiePolicy;

	constructor(jar: CookieJar, policy: CookiePolicy) {
		super(jar.store);
		this.#jar = jar;
		this.#policy = policy;
	}

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
		if (!oddHosts.includes(url.hostname)) return this.#jar.getCookies(url.href, {allPaths});
		const all = await this.#jar.store.getAllCookies();
		return all.filter(
			(cookie) =>
				cookie.domain === url.hostname &&
				(allPaths || pathMatch(url.pathname, cookie.path ?? '/')) &&
				cookie.TTL() > 0,
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
