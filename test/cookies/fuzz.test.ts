/*
 * Headers that were mutated, with LONG a hundred thousand of each: each is taken, or refused in our words, and none
 * carries a cookie or a credential to where it does not belong.
 */
import {AxiosHeaders} from 'axios';
import fc from 'fast-check';
import {type Cookie, CookieJar, domainMatch, getPublicSuffix} from 'tough-cookie';
import {expect, test, vi} from 'vitest';
import {makeJar} from '../../src/cookies/jar.ts';
import {CookiePolicy} from '../../src/cookies/policy.ts';
import {storeCookies} from '../../src/cookies/set-cookie.ts';
import type {CookieRefusal} from '../../src/options.ts';
import {redirectPolicy} from '../../src/request/prepare-call.ts';
import {nextHop} from '../../src/request/redirect.ts';
import {cookieHeaderTo} from '../support/cookie-header.ts';
import {iterations} from '../support/iterations.ts';
import {configOf, hopOf} from '../support/make-hop.ts';
import {
	locations,
	mutatedHeaders,
	mutateText,
	pick,
	setCookies,
} from '../support/mutated-headers.ts';

const seed = 20_260_301;
vi.setConfig({testTimeout: 120_000});

const urls = [
	'https://a.test/app/page',
	'https://deep.sub.a.test/',
	'http://a.test/app/',
	'http://localhost/',
	'https://127.0.0.1/',
	'https://[::1]/',
	'https://me.github.io/',
	'https://a.com/',
	'https://wiki.intranet/x',
	'https://b\u00fccher.test/%zz/\u00fc',
].map((url) => new URL(url));

const policies = [
	new CookiePolicy(),
	new CookiePolicy({internalDomains: ['intranet']}),
	new CookiePolicy({allowedDomains: ['.a.test', 'a.test'], blockedDomains: ['.sub.a.test']}),
];

const jars: readonly (() => CookieJar)[] = [
	() => makeJar(),
	() => new CookieJar(),
	() =>
		new CookieJar(undefined, {
			rejectPublicSuffixes: false,
			prefixSecurity: 'unsafe-disabled',
			looseMode: true,
		}),
];

function assertLawful(
	{key, secure, domain, hostOnly, path}: Cookie,
	url: URL,
	isInternal: boolean,
) {
	const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
	const fault = () => new Error(`${url} has set ${key} for ${domain}`);
	if (!domainMatch(host, domain ?? '')) throw fault();
	if (secure && url.protocol === 'http:') throw fault();
	const suffix = getPublicSuffix(domain ?? '', {allowSpecialUseDomain: true, ignoreError: true});
	if (!hostOnly && suffix === undefined && !(isInternal && domain === 'intranet')) throw fault();
	if (/^__(secure|host)-/i.test(key) && !secure) throw fault();
	if (/^__host-/i.test(key) && !(hostOnly && path === '/')) throw fault();
}

test('a mutated Set-Cookie header is stored or refused, and sets no cookie where it must not', async () => {
	const reasons = new Map<string, number>();
	const count = (reason: string) => reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
	const tell = ({reason}: CookieRefusal) => count(reason);
	const property = fc.asyncProperty(
		fc.array(mutatedHeaders, {minLength: 10, maxLength: 10}),
		async (ten) => {
			const [{index, choice} = {index: 0, choice: 0}] = ten;
			const [url, policy, jar] = [
				pick(urls, choice),
				pick(policies, index),
				pick(jars, index >> 4)(),
			];
			await storeCookies(
				jar,
				url,
				ten.map((one) => mutateText(setCookies, one)),
				policy,
				tell,
			);
			const kept = await jar.getCookies(url.href.replace('http:', 'https:'), {
				allPaths: true,
				expire: false,
			});
			for (const cookie of kept) assertLawful(cookie, url, policy === policies[1]);
			count('kept');
			const header = await cookieHeaderTo(url, jar, policy);
			// Else no request would leave any more.
			if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(header ?? '')) throw new Error(`a header of ${header}`);
		},
	);
	await fc.assert(property, {
		seed,
		numRuns: iterations({usual: 2_000, short: 2_000, long: 10_000}),
	});
	expect([...reasons.keys()].sort()).toEqual([
		'domain-blocked',
		'domain-not-allowed',
		'foreign-domain',
		'kept',
		'malformed',
		'prefix',
		'public-suffix',
		'refused-by-jar',
		'secure-over-http',
		'too-large',
	]);
});

test('a mutated Location header is followed or refused, and carries no credentials to another origin', () => {
	const hop = hopOf({
		method: 'post',
		url: 'https://app.test/dir/page?q#f',
		headers: new AxiosHeaders({Authorization: 'Bearer s3cret', Cookie: 'a=s3cret', 'X-Mine': 'x'}),
		auth: {username: 'u', password: 's3cret'},
		data: 'body',
	});
	const origin = 'https://listed.test';
	const redirectAccess = (one: string) =>
		one === origin ? 'with-certificate' : 'without-certificate';
	const defaults = {allowInsecureRedirects: false, redirectAccess};
	const policy = redirectPolicy(configOf({url: hop.url.href}), hop, defaults as never);
	const kinds = new Map<string, number>();
	const property = fc.property(mutatedHeaders, (one) => {
		const location = mutateText(locations, one);
		const step = nextHop(
			hop,
			{status: pick([301, 302, 303, 307, 308], one.choice), location},
			policy,
		);
		kinds.set(step.kind, (kinds.get(step.kind) ?? 0) + 1);
		if (step.kind !== 'follow') return;
		const {url, headers, auth, presentCertificate} = step.hop;
		const fault = new Error(`${JSON.stringify(location)} leads to ${url}`);
		if (url.protocol !== 'https:' || url.username || url.password) throw fault;
		if (url.origin === hop.url.origin) return;
		if (headers.has('Authorization') || headers.has('Cookie') || auth) throw fault;
		if (presentCertificate) throw fault;
	});
	fc.assert(property, {seed, numRuns: iterations({usual: 20_000, long: 100_000})});
	expect([...kinds.keys()].sort()).toEqual(['bad-location', 'follow', 'insecure', 'stop']);
});
