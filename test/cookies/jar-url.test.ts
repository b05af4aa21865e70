import {createRequire} from 'node:module';
import {CookieJar} from 'tough-cookie';
import {describe, expect, test} from 'vitest';
import {makeJar} from '../../src/cookies/jar.ts';
import {jarUrl, writtenPath} from '../../src/cookies/jar-url.ts';
import {CookiePolicy} from '../../src/cookies/policy.ts';
import {storeCookies} from '../../src/cookies/set-cookie.ts';
import {cookieHeaderTo} from '../support/cookie-header.ts';

const twin: typeof import('tough-cookie') = createRequire(import.meta.url)('tough-cookie');

/** `%00` to `%ff`, in either case. */
const escapes = Array.from({length: 256}, (_, byte) => {
	const hex = byte.toString(16).padStart(2, '0');
	return [...new Set([`%${hex}`, `%${hex.toUpperCase()}`])];
}).flat();

function decoded(path: string): string {
	try {
		return decodeURIComponent(path);
	} catch {
		return String.fromCharCode(Number.parseInt(path.slice(3, 5), 16));
	}
}

const policies = [
	['any domain', {}],
	// The jar is then read by us.
	['a list of domains', {allowedDomains: ['.test', 'test']}],
] as const;

describe.each([
	['of ours', makeJar],
	['of the app', () => new CookieJar()],
	['of another copy of tough-cookie', () => new twin.CookieJar()],
])('in a jar %s', (_, make) => {
	describe.each(policies)('with cookies of %s', (_, cookies) => {
		const policy = new CookiePolicy(cookies);
		// tough-cookie cannot look up the second.
		test.each(['https://a.test', 'https://test', 'http://a.test'])(
			'each of the 412 encoded bytes under %s is compared as it is written',
			async (origin) => {
				expect(escapes).toHaveLength(412);
				const wrong: string[] = [];
				for (const encoded of escapes) {
					const folder = `/a${encoded}b`;
					const url = new URL(`${origin}${folder}/page`);
					const jar = make();
					const lines = [
						`named=1; Path=${folder}`,
						'default=2',
						`decoded=3; Path=/a${decoded(encoded)}b`,
					];
					await storeCookies(jar, url, lines, policy, () => {});
					const header = await cookieHeaderTo(url, jar, policy);
					if (header !== 'named=1; default=2') wrong.push(`${folder}: ${header}`);
					const paths = (await jar.store.getAllCookies()).map(({key, path}) => `${key} ${path}`);
					if (!paths.includes(`default ${folder}`)) wrong.push(String(paths));
				}
				expect(wrong).toEqual([]);
			},
		);
	});
});

test("a jar that is not tough-cookie's gets the path as it is", () => {
	const url = new URL('https://user@a.test:8443/x?q=1#y');
	expect(jarUrl({}, url, '/my%20app')).toBe('https://a.test:8443/my%20app');
	const ours = jarUrl(makeJar(), url, '/my%20app/100%');
	expect(ours).toBe('https://a.test:8443/my%2520app/100%25');
	expect(writtenPath(new URL(ours))).toBe('/my%20app/100%');
});
