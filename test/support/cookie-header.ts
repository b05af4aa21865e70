import {cookieHeader, readCookies} from '../../src/cookies/cookie-header.ts';
import type {CookieJar} from '../../src/cookies/jar.ts';
import type {CookiePolicy} from '../../src/cookies/policy.ts';

/** The `Cookie` header of a request to `to`. */
export async function cookieHeaderTo(
	to: URL | string,
	jar: CookieJar,
	policy: CookiePolicy,
	own?: string,
): Promise<string | undefined> {
	return cookieHeader(await readCookies(jar, new URL(to), policy), own);
}
