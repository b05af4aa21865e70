import {type CookieJar, cookieHeader, readCookies} from '../../src/http/cookies.ts';
import type {CookiePolicy} from '../../src/jar/policy.ts';

/** The `Cookie` header of a request to `to`. */
export async function cookieHeaderTo(
	to: URL | string,
	jar: CookieJar,
	policy: CookiePolicy,
	own?: string,
): Promise<string | undefined> {
	return cookieHeader(await readCookies(jar, new URL(to), policy), own);
}
