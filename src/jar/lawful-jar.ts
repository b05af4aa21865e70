import {type Cookie, CookieJar, cookieCompare} from 'tough-cookie';
import type {CookiePolicy} from './policy.ts';

/** Another jar as a policy lets it be read: for the URLs of which not all may be sent. */
export class LawfulJar extends CookieJar {
	readonly #jar: CookieJar;
	readonly #policy: CookiePolicy;

	constructor(jar: CookieJar, policy: CookiePolicy) {
		super(jar.store);
		this.#jar = jar;
		this.#policy = policy;
	}

	override async getCookies(url: string | URL): Promise<Cookie[]> {
		const target = new URL(url);
		const cookies = await this.#jar.getCookies(target.href);
		const shared = await this.#shared(target);
		return [...cookies, ...shared]
			.filter((cookie) => this.#policy.maySend(cookie, target))
			.sort(cookieCompare);
	}

	// tough-cookie looks no higher than the registrable domain, which `wiki.intranet` is itself.
	async #shared(url: URL): Promise<Cookie[]> {
		const domain = this.#policy.internalDomainOf(url.hostname);
		if (domain === undefined) return [];
		const above = new URL(url);
		above.hostname = domain;
		const cookies = await this.#jar.getCookies(above.href);
		return cookies.filter(({hostOnly}) => !hostOnly);
	}
}
