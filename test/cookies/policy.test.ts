import {CookieJar} from 'tough-cookie';
import {describe, expect, test} from 'vitest';
import {makeJar} from '../../src/cookies/jar.ts';
import {CookiePolicy} from '../../src/cookies/policy.ts';
import {storeCookies} from '../../src/cookies/set-cookie.ts';
import {MtlsConfigError} from '../../src/errors.ts';
import type {CookieOptions, CookieRefusal} from '../../src/options.ts';
import {cookieHeaderTo} from '../support/cookie-header.ts';

const jars = [
	['of ours', () => makeJar()],
	['of the app', () => new CookieJar()],
	[
		'that minds nothing',
		() =>
			new CookieJar(undefined, {
				rejectPublicSuffixes: false,
				prefixSecurity: 'unsafe-disabled',
				looseMode: true,
			}),
	],
] as const;

interface Life {
	readonly jar?: CookieJar;
	readonly cookies?: CookieOptions;
}

/** What came of `lines` that `from` set: what was refused, and the header to `to`. */
async function outcome(
	lines: string[],
	from: string,
	to = from,
	{jar = makeJar(), cookies}: Life = {},
) {
	const policy = new CookiePolicy(cookies);
	const refused: CookieRefusal[] = [];
	await storeCookies(jar, new URL(from), lines, policy, (refusal) => refused.push(refusal));
	return {refused, header: await cookieHeaderTo(to, jar, policy)};
}

describe.each(jars)('a jar %s', (_, make) => {
	test.each([
		['https://a.test/', 'a=1; Domain=com', 'foreign-domain'],
		['https://a.com/', 'a=1; Domain=com', 'public-suffix'],
		['https://a.com/', 'a=1; Domain=.com', 'public-suffix'],
		['https://a.co.uk/', 'a=1; Domain=CO.UK', 'public-suffix'],
		['https://me.github.io/', 'a=1; Domain=github.io', 'public-suffix'],
		['https://wiki.intranet/', 'a=1; Domain=intranet', 'public-suffix'],
		['https://a.test/', 'a=1; Domain=b.test', 'foreign-domain'],
		['https://a.test/', 'a=1; Domain=sub.a.test', 'foreign-domain'],
		['https://ba.test/', 'a=1; Domain=a.test', 'foreign-domain'],
		['https://127.0.0.1/', 'a=1; Domain=0.0.1', 'foreign-domain'],
		['https://a.test/', 'a=1; Domain=xn--\u0080', 'foreign-domain'],
		['https://a.test/', 'a=1; Domain=a b', 'foreign-domain'],
		['https://a.test/', 'a=1; Domain=..a.test', 'foreign-domain'],
		['https://b\u00fccher.test/', 'a=1; Domain=b\u00fccher.test', 'foreign-domain'],
		['https://a.test./', 'a=1; Domain=a.test', 'foreign-domain'],
		['https://a.com./', 'a=1; Domain=com.', 'public-suffix'],
		['http://a.test/', 'a=1; Secure', 'secure-over-http'],
		['http://localhost/', 'a=1; Secure', 'secure-over-http'],
		['http://127.0.0.1/', 'a=1; secure', 'secure-over-http'],
		['http://a.test/', '__Secure-a=1', 'prefix'],
		['https://a.test/', '__Secure-a=1', 'prefix'],
		['https://a.test/', '__SECURE-a=1', 'prefix'],
		['https://a.test/', '__Host-a=1; Secure', 'prefix'],
		['https://a.test/', '__Host-a=1; Path=/', 'prefix'],
		['https://a.test/', '__Host-a=1; Secure; Path=/app', 'prefix'],
		['https://a.test/', '__host-a=1; Secure; Path=/; Domain=a.test', 'prefix'],
		['https://a.test/', '=__Host-a=1', 'prefix'],
		['https://a.test/', '__Secure-', 'prefix'],
		['https://a.test/', 'a=1\u0007', 'malformed'],
		['https://a.test/', 'a=1\u007f', 'malformed'],
		['https://a.test/', '\u007fa=1', 'malformed'],
		['https://a.test/', 'a=1; Path=/\u0001', 'malformed'],
		['https://a.test/', '', 'malformed'],
	] as const)('the policy refuses from %s the line %s (%s)', async (from, line, reason) => {
		const {refused, header} = await outcome(['before=1', line, 'after=2'], from, from, {
			jar: make(),
		});
		expect(refused).toMatchObject([{host: new URL(from).hostname, reason}]);
		expect(JSON.stringify(refused)).not.toContain('a=1');
		expect(header).toBe('before=1; after=2');
	});

	test.each([
		['https://a.test/', '__Secure-a=1; Secure'],
		['https://a.test/', '__secure-a=1; Secure; Domain=a.test'],
		['https://a.test/', '__Host-a=1; Secure; Path=/'],
		['https://a.test/', '__Hosta=1'],
		['https://a.test/', 'a=__Host-'],
		['https://a.test/', 'a=1;\tPath=/\t'],
		['https://a.test/', 'a=\u00e9'],
		['https://a.test/', 'a=1; SameSite=None'],
		['https://a.test/', 'a=1; SameSite=Strict'],
		['http://a.test/', 'a=1; SameSite=Lax'],
		['https://sub.a.test/', 'a=1; Domain=a.test'],
		['https://sub.a.test/', 'a=1; Domain=.A.TEST'],
		['https://a.co.uk/', 'a=1; Domain=a.co.uk'],
		['http://localhost/', 'a=1'],
		['https://localhost/', 'a=1; Domain=localhost; Secure'],
		['https://bücher.test/', 'a=1; Domain=xn--bcher-kva.test'],
		// Names that ask no search list, as in a cluster.
		['https://a.test./', 'a=1'],
		['https://sub.a.test.:8443/', 'a=1; Domain=a.test.'],
		['http://bank.svc.cluster.local./', 'a=1'],
	])('the policy keeps from %s the line %s', async (from, line) => {
		const pair = line.split(';', 1)[0];
		expect(await outcome([line], from, from, {jar: make()})).toEqual({refused: [], header: pair});
	});

	// RFC 6265bis 5.7, step 9.
	test.each([
		['https://intranet/', 'Domain=intranet', 'https://wiki.intranet/'],
		['https://github.io/', 'domain = github.io', 'https://me.github.io/'],
		['https://127.0.0.1/', 'Domain=127.0.0.1', 'https://1.127.0.0.1.test/'],
		['https://[::1]/', 'Domain=::1', 'https://a.test/'],
	])(
		'a cookie of %s with %s is kept for that host alone, not for %s',
		async (from, domain, below) => {
			const jar = make();
			const line = `a=1; ${domain}; Path=/`;
			expect(await outcome([line], from, from, {jar})).toEqual({refused: [], header: 'a=1'});
			expect((await jar.getCookies(from)).map(({hostOnly}) => hostOnly)).toEqual([true]);
			expect((await outcome([], from, below, {jar})).header).toBeUndefined();
		},
	);

	describe('leaves secure cookies alone', () => {
		const secure = ['a=safe; Secure; Path=/login', 'b=any; Path=/'];
		test.each([
			['a=evil; Path=/login', 'hides-secure'],
			['a=evil; Path=/login/en', 'hides-secure'],
			['a=evil; Path=/login; Domain=a.test', 'hides-secure'],
			['a=evil', 'hides-secure'],
			['a=evil; Path=/', undefined],
			['a=evil; Path=/other', undefined],
			['A=evil; Path=/login', undefined],
			['b=evil; Path=/login', undefined],
		])('a Secure cookie is not replaced when http sets %s: %s', async (line, reason) => {
			const jar = make();
			await outcome(secure, 'https://a.test/', undefined, {jar});
			const {refused} = await outcome([line], 'http://a.test/login/', undefined, {jar});
			expect(refused.map((refusal) => refusal.reason)).toEqual(reason ? [reason] : []);
		});

		// Seen: `Domain=a.test` over http was said to https://b.a.test beside the Secure cookie of the
		// same name. Why: it was held against the cookies of the sender alone, who does not see that one.
		test.each(['b.a.test', 'a.test', 'c.b.a.test', 'x.a.test'])(
			'a Secure cookie of %s is not hidden when http sets one for all below a.test',
			async (host) => {
				const jar = make();
				const lines = ['a=safe; Secure; Path=/', 'b=any; Path=/'];
				await outcome(lines, `https://${host}/`, undefined, {jar});
				const {refused} = await outcome(
					['a=evil; Domain=a.test', 'b=evil; Domain=a.test', 'c=evil; Domain=a.test'],
					'http://x.a.test/',
					undefined,
					{jar},
				);
				expect(refused).toMatchObject([{name: 'a', reason: 'hides-secure'}]);
				const said = (await outcome([], `https://${host}/`, undefined, {jar})).header;
				expect(said).toMatch(/^(?=.*a=safe)(?=.*c=evil)(?!.*a=evil)/);
			},
		);

		test('a cookie for a domain is not stored over http while the store fails to list its cookies', async () => {
			const jar = make();
			await outcome(['a=safe; Secure; Path=/'], 'https://b.a.test/', undefined, {jar});
			const {store} = jar;
			const fail = () => Promise.reject(new Error('the store is away'));
			const getAllCookies = store.getAllCookies.bind(store);
			store.getAllCookies = fail as typeof store.getAllCookies;
			await expect(
				outcome(['a=evil; Domain=a.test'], 'http://x.a.test/', undefined, {jar}),
			).rejects.toMatchObject({name: 'AxiosError', code: 'ERR_MTLS_JAR_FAILED'});
			store.getAllCookies = getAllCookies as typeof store.getAllCookies;
			expect((await getAllCookies()).map(({value}) => value)).toEqual(['safe']);
		});

		test('a Secure cookie of another site, or one that has expired, does not protect its name', async () => {
			const jar = make();
			await outcome(['a=safe; Secure; Path=/'], 'https://b.test/', undefined, {jar});
			await outcome(['a=safe; Secure; Path=/'], 'https://b.a.test/', undefined, {jar});
			for (const cookie of await jar.getCookies('https://b.a.test/')) cookie.expires = new Date(0);
			const set = await outcome(['a=new; Domain=a.test'], 'http://x.a.test/', undefined, {jar});
			expect(set).toEqual({refused: [], header: 'a=new'});
		});

		test('a Secure cookie is protected as far as a store knows that cannot list its cookies', async () => {
			const jar = make();
			jar.store.getAllCookies = () => Promise.reject(new Error('not implemented'));
			await outcome(['a=safe; Secure; Path=/'], 'https://x.a.test/', undefined, {jar});
			const lines = ['a=evil; Domain=a.test', 'b=any; Domain=a.test'];
			const {refused, header} = await outcome(lines, 'http://x.a.test/', undefined, {jar});
			expect(refused).toMatchObject([{name: 'a', reason: 'hides-secure'}]);
			expect(header).toBe('b=any');
		});

		test('a Secure cookie is replaced over https', async () => {
			const jar = make();
			await outcome(secure, 'https://a.test/', undefined, {jar});
			const set = await outcome(['a=new; Path=/login'], 'https://a.test/', 'http://a.test/login', {
				jar,
			});
			expect(set).toEqual({refused: [], header: 'a=new; b=any'});
		});
	});
});

test('a cookie that only a loose jar keeps is malformed for another', async () => {
	expect((await outcome(['s3cret'], 'https://a.test/')).refused).toEqual([
		{name: '', host: 'a.test', reason: 'malformed'},
	]);
	const jar = new CookieJar(undefined, {looseMode: true});
	expect((await outcome(['any'], 'https://a.test/', undefined, {jar})).refused).toEqual([]);
});

describe('the domains of the app', () => {
	const host = 'a=1';
	const wide = 'b=2; Domain=bank.example';
	const both = ['https://www.bank.example/', [host, wide]] as const;

	test.each<[CookieOptions, readonly [string, readonly string[]], string | undefined]>([
		[{allowedDomains: ['.bank.example']}, both, 'a=1; b=2'],
		[{allowedDomains: ['www.bank.example']}, both, 'a=1'],
		[{allowedDomains: ['bank.example']}, both, undefined],
		[{allowedDomains: ['BANK.example', '.Bank.Example']}, both, 'a=1; b=2'],
		[{allowedDomains: []}, both, undefined],
		[{blockedDomains: []}, both, 'a=1; b=2'],
		[{blockedDomains: ['.bank.example']}, ['https://www.bank.example./', [host]], undefined],
		[{blockedDomains: ['www.bank.example.']}, both, 'b=2'],
		[{blockedDomains: ['.bank.example']}, both, undefined],
		[{blockedDomains: ['bank.example']}, both, 'a=1; b=2'],
		[{blockedDomains: ['www.bank.example']}, both, 'b=2'],
		[{blockedDomains: ['.www.bank.example']}, both, 'a=1; b=2'],
		[{blockedDomains: ['.example']}, both, undefined],
		[{blockedDomains: ['ank.example']}, both, 'a=1; b=2'],
		[{allowedDomains: ['.bank.example'], blockedDomains: ['www.bank.example']}, both, 'b=2'],
		[{allowedDomains: ['.bank.example']}, ['https://bank.example/', [host]], undefined],
		[{allowedDomains: ['127.0.0.1']}, ['https://127.0.0.1/', [host]], 'a=1'],
		[
			{blockedDomains: ['127.0.0.1']},
			['https://127.0.0.1/', [`${host}; Domain=127.0.0.1`]],
			undefined,
		],
		[{blockedDomains: ['::1']}, ['https://[::1]/', [host]], undefined],
		[{allowedDomains: ['bücher.example']}, ['https://bücher.example/', [host]], 'a=1'],
	])('the domain lists %j keep of %j the cookies %s', async (cookies, [from, lines], expected) => {
		const {refused, header} = await outcome([...lines], from, from, {cookies});
		expect(header).toBe(expected);
		expect(refused).toHaveLength(lines.length - (expected?.split('; ').length ?? 0));
		for (const {reason} of refused) {
			expect(reason).toBe(
				cookies.allowedDomains && !cookies.blockedDomains ? 'domain-not-allowed' : 'domain-blocked',
			);
		}

		// And what was in the jar before is not sent.
		const jar = new CookieJar();
		await outcome([...lines], from, from, {jar});
		expect((await outcome([], from, from, {jar, cookies})).header).toBe(expected);
	});

	test('the cookies of a jar are filtered only where not all of them may be sent', () => {
		const jar = makeJar();
		const asked = (cookies: CookieOptions, url: string) =>
			new CookiePolicy(cookies).filter(jar, new URL(url)) !== jar;
		expect(asked({}, 'https://a.test/')).toBe(false);
		expect(asked({}, 'http://a.test/')).toBe(true);
		for (const url of ['https://a.test./', 'https://a.test.:8443/']) {
			expect(asked({}, url)).toBe(true);
		}
		for (const url of ['https://a.test:8443/', 'https://a.test/./b.:1/']) {
			expect(asked({}, url)).toBe(false);
		}
		expect(asked({blockedDomains: ['.ads.test']}, 'https://a.test/')).toBe(false);
		expect(asked({blockedDomains: ['.ads.test']}, 'https://x.ads.test/')).toBe(true);
		expect(asked({blockedDomains: ['.b.a.test']}, 'https://c.b.a.test/')).toBe(true);
		expect(asked({allowedDomains: ['.a.test']}, 'https://x.a.test/')).toBe(false);
		expect(asked({allowedDomains: ['x.a.test']}, 'https://x.a.test/')).toBe(true);
		expect(asked({internalDomains: ['intranet']}, 'https://x.intranet/')).toBe(true);
		expect(asked({internalDomains: ['intranet']}, 'https://intranet/')).toBe(false);
	});
});

describe('an internal domain', () => {
	const cookies = {internalDomains: ['intranet']};
	const line = 'a=1; Domain=intranet; Path=/';
	const make = () => makeJar({hasInternal: true});

	test.each([
		['https://intranet/', 'https://wiki.intranet/', 'a=1'],
		['https://wiki.intranet/', 'https://files.intranet/', 'a=1'],
		['https://wiki.intranet/', 'https://a.b.intranet/x?y', 'a=1'],
		['https://wiki.intranet/', 'https://intranet/', 'a=1'],
		['http://wiki.intranet/', 'http://files.intranet/', 'a=1'],
		['https://wiki.intranet/', 'https://wikiintranet/', undefined],
		['https://wiki.intranet/', 'https://intranet.test/', undefined],
	])('an internal domain shares what %s sets with %s: %s', async (from, to, expected) => {
		expect(await outcome([line], from, to, {jar: make(), cookies})).toEqual({
			refused: [],
			header: expected,
		});
	});

	test('an internal domain shares neither host-only cookies, nor Secure ones over http', async () => {
		const lines = ['alone=1; Path=/', 'safe=1; Domain=intranet; Secure; Path=/', line];
		const {header} = await outcome(lines, 'https://intranet/', 'http://a.intranet/', {
			jar: make(),
			cookies,
		});
		expect(header).toBe('a=1');
	});

	test('cookies of an internal domain and of the host come in the order of their paths', async () => {
		const jar = make();
		await outcome(
			['a=1; Domain=intranet; Path=/', 'c=3; Domain=intranet; Path=/app/deep'],
			'https://x.intranet/',
			undefined,
			{jar, cookies},
		);
		const {header} = await outcome(
			['b=2; Path=/app'],
			'https://y.intranet/',
			'https://y.intranet/app/deep',
			{jar, cookies},
		);
		expect(header).toBe('c=3; b=2; a=1');
	});

	test('an internal domain leaves other names without a dot as they are', async () => {
		const {refused} = await outcome(['a=1; Domain=com'], 'https://a.com/', undefined, {
			jar: make(),
			cookies,
		});
		expect(refused).toMatchObject([{reason: 'public-suffix'}]);
	});

	test("a cookie of an internal domain is refused by an app's jar that refuses public suffixes, and taken by another", async () => {
		const from = 'https://wiki.intranet/';
		const {refused} = await outcome([line], from, undefined, {jar: new CookieJar(), cookies});
		expect(refused).toEqual([{name: 'a', host: 'wiki.intranet', reason: 'refused-by-jar'}]);
		const jar = new CookieJar(undefined, {rejectPublicSuffixes: false});
		expect((await outcome([line], from, 'https://intranet/', {jar, cookies})).header).toBe('a=1');
	});
});

// tough-cookie itself throws for them.
describe.each(['test', 'example', 'local'])('the host %s', (host) => {
	test.each(['https:', 'http:'])('the host keeps its own cookies over %s too', async (protocol) => {
		const jar = makeJar();
		const lines = ['a=1; Path=/', 'b=2; Path=/x', `c=3; Path=/; Domain=${host}`, 'd=4; Max-Age=0'];
		const from = `${protocol}//${host}/`;
		expect(await outcome(lines, from, from, {jar})).toEqual({refused: [], header: 'a=1; c=3'});
		expect((await outcome([], from, `${from}x/y`, {jar})).header).toBe('b=2; a=1; c=3');
		expect((await outcome([], from, `${protocol}//www.${host}/`, {jar})).header).toBeUndefined();
	});

	test('the host gets no Secure cookie over http', async () => {
		const jar = makeJar();
		await outcome(['a=1; Secure; Path=/x', 'b=2; Path=/'], `https://${host}/`, undefined, {jar});
		const {refused, header} = await outcome(
			['a=evil; Path=/x'],
			`http://${host}/`,
			`http://${host}/x`,
			{jar},
		);
		expect(refused).toMatchObject([{reason: 'hides-secure'}]);
		expect(header).toBe('b=2');
	});

	test('the host shares its cookies when it is internal', async () => {
		const life = {jar: makeJar({hasInternal: true}), cookies: {internalDomains: [host]}};
		const {header} = await outcome(
			[`a=1; Domain=${host}`],
			`https://x.${host}/`,
			`https://y.${host}/`,
			life,
		);
		expect(header).toBe('a=1');
	});
});

describe('options', () => {
	test.each([
		[{allowedDomains: 'bank.example'}, 'cookies.allowedDomains', "found 'bank.example'"],
		[
			{allowedDomains: ['https://u:s3cret@bank.example/']},
			'cookies.allowedDomains',
			"found 'https://bank.example/'",
		],
		[
			{allowedDomains: ['bank.example:8443']},
			'cookies.allowedDomains',
			"found 'bank.example:8443'",
		],
		[{allowedDomains: ['bank.example/a']}, 'cookies.allowedDomains', "found 'bank.example/a'"],
		[{allowedDomains: ['a b']}, 'cookies.allowedDomains', "found 'a b'"],
		[{allowedDomains: ['.127.0.0.1']}, 'cookies.allowedDomains', "found '.127.0.0.1'"],
		[{allowedDomains: null}, 'cookies.allowedDomains', 'found object'],
		[{blockedDomains: ['']}, 'cookies.blockedDomains', "found ''"],
		[{blockedDomains: ['..']}, 'cookies.blockedDomains', "found '..'"],
		[{blockedDomains: ['*.bank.example']}, 'cookies.blockedDomains', "found '*.bank.example'"],
		[{blockedDomains: [7]}, 'cookies.blockedDomains', 'found number'],
		[{internalDomains: ['corp.intranet']}, 'cookies.internalDomains', 'found a dot'],
		[{internalDomains: ['.intranet']}, 'cookies.internalDomains', 'found a dot'],
		[{internalDomains: ['a b']}, 'cookies.internalDomains', "found 'a b'"],
		[{internalDomains: 'intranet'}, 'cookies.internalDomains', 'found string'],
		[true, 'cookies', 'expected an object, found boolean'],
		[null, 'cookies', 'expected an object, found null'],
		[{domains: []}, 'cookies.domains', 'no such option'],
	])('the cookie options %j are refused, naming %s', (cookies, option, words) => {
		const make = () => new CookiePolicy(cookies as CookieOptions);
		expect(make).toThrow(MtlsConfigError);
		expect(make).toThrow(
			expect.objectContaining({option, message: expect.stringContaining(words)}),
		);
		expect(make).not.toThrow('s3cret');
	});
});
