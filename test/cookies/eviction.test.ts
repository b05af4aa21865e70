import {Cookie, CookieJar, MemoryCookieStore} from 'tough-cookie';
import {beforeEach, describe, expect, test, vi} from 'vitest';
import {chooseExcess} from '../../src/cookies/eviction.ts';
import {fileJar} from '../../src/cookies/file/file-jar.ts';
import {makeJar} from '../../src/cookies/jar.ts';
import {CookiePolicy, limitAttributes} from '../../src/cookies/policy.ts';
import {storeCookies} from '../../src/cookies/set-cookie.ts';
import type {CookieRefusal} from '../../src/options.ts';
import {cookieHeaderTo} from '../support/cookie-header.ts';
import {RemoteStore} from '../support/remote-store.ts';
import {tempFile} from '../support/temp-file.ts';

const origin = 'https://a.test';
const start = Date.parse('2026-03-01T00:00:00Z');
const day = 86_400_000;
const policy = new CookiePolicy();

beforeEach(() => {
	vi.useFakeTimers({toFake: ['Date'], now: start});
	return () => vi.useRealTimers();
});

/** Takes the lines of an answer of `url`, a second after the one before; what is told of them. */
async function answer(
	jar: CookieJar,
	lines: readonly string[],
	url = `${origin}/`,
): Promise<CookieRefusal[]> {
	vi.setSystemTime(Date.now() + 1_000);
	const told: CookieRefusal[] = [];
	await storeCookies(jar, new URL(url), lines, policy, (refusal) => told.push(refusal));
	return told;
}

const numbered = (count: number, first = 0) =>
	Array.from({length: count}, (_, index) => `c${first + index}=1; Path=/`);

async function namesOf(jar: CookieJar, url = `${origin}/`): Promise<string[]> {
	const header = await cookieHeaderTo(url, jar, policy);
	return (header ?? '').split('; ').map((pair) => pair.split('=', 1)[0] ?? '');
}

const jars: readonly [string, () => CookieJar][] = [
	['of ours', makeJar],
	['of the app', () => new CookieJar()],
	['with a store of the app', () => new CookieJar(new (class extends MemoryCookieStore {})())],
	['with a store that cannot list its cookies', () => new CookieJar(new RemoteStore())],
	['of a file', () => fileJar(tempFile('jar'), {logger: false})],
];

describe.each(jars)('in a jar %s', (_, make) => {
	test('a cookie has 4,096 bytes of name and value at most', async () => {
		const jar = make();
		const line = (name: string, bytes: number) =>
			`${name}=${'\xe9'.repeat(bytes - name.length)}; Path=/; SameSite=Lax`;
		const told = await answer(jar, [
			line('below', 4_095),
			line('just', 4_096),
			line('above', 4_097),
			'x'.repeat(4_097),
			`${'n'.repeat(4_097)}=`,
			'after=1',
		]);
		expect(await namesOf(jar)).toEqual(['below', 'just', 'after']);
		expect(told).toMatchObject([
			{name: 'above', host: 'a.test', reason: 'too-large'},
			{name: '', reason: 'too-large'},
			{reason: 'too-large'},
		]);
		expect(JSON.stringify(told)).not.toContain('\xe9');
	});

	test('an attribute of more than 1,024 bytes is ignored, not its cookie', async () => {
		const path = (bytes: number) => `/${'p'.repeat(bytes - 1)}`;
		for (const bytes of [1_023, 1_024]) {
			const jar = make();
			await answer(jar, [`a=1; Path=${path(bytes)}`, 'b=2'], `${origin}/app/page`);
			expect(await namesOf(jar, `${origin}/app/x`)).toEqual(['b']);
			expect(await namesOf(jar, `${origin}${path(bytes)}`)).toEqual(['a']);
		}
		const jar = make();
		const told = await answer(
			jar,
			[
				`a=1; Path=${path(1_025)}; HttpOnly`,
				`b=2; Domain=${'d'.repeat(1_025)}`,
				`c=3; Path=/app; ${'n'.repeat(1_025)}; ${'n'.repeat(1_025)}=1; x=${'v'.repeat(1_025)}; y=1`,
			],
			`${origin}/app/page`,
		);
		expect(told).toEqual([]);
		expect(await namesOf(jar, `${origin}/app/x`)).toEqual(['a', 'b', 'c']);
		expect(await namesOf(jar, `https://sub.a.test/app/x`)).toEqual(['']);
		const [a, , c] = await jar.getCookies(`${origin}/app/x`);
		expect(a).toMatchObject({path: '/app', httpOnly: true});
		expect(c?.extensions).toEqual(['y=1']);
	});

	test.each([
		['Max-Age', (ms: number) => `Max-Age=${ms / 1_000}`],
		['Expires', (ms: number) => `Expires=${new Date(start + 1_000 + ms).toUTCString()}`],
	])('a cookie with %s lives for 400 days at most', async (_, attribute) => {
		const jar = make();
		const lives = {below: -1_000, just: 0, above: 1_000, far: 20_000 * day};
		const lines = Object.entries(lives).map(
			([name, ms]) => `${name}=1; Path=/; ${attribute(400 * day + ms)}; Secure`,
		);
		expect(await answer(jar, lines)).toEqual([]);
		const set = Date.now();
		const at = async (ms: number) => {
			vi.setSystemTime(set + 400 * day + ms);
			return namesOf(jar);
		};
		expect(await at(-1_001)).toEqual(['below', 'just', 'above', 'far']);
		expect(await at(-1)).toEqual(['just', 'above', 'far']);
		expect(await at(0)).toEqual(['']);
	});

	test('a domain has 180 cookies: one more, and the one that was not used for longest goes', async () => {
		const jar = make();
		expect(await answer(jar, ['old=1; Path=/old', ...numbered(178)])).toEqual([]);
		expect(await answer(jar, ['c178=1; Path=/'])).toEqual([]);
		expect(await namesOf(jar)).toHaveLength(179);
		expect(await namesOf(jar, `${origin}/old`)).toContain('old');
		vi.setSystemTime(Date.now() + 1_000);
		expect(await namesOf(jar)).toHaveLength(179);

		expect(await answer(jar, ['c179=1; Path=/'])).toEqual([
			{name: 'old', host: 'a.test', reason: 'domain-full'},
		]);
		expect(await namesOf(jar, `${origin}/old`)).toHaveLength(180);
		// What it has already, the server may set as often as it likes.
		expect(await answer(jar, numbered(180))).toEqual([]);
		expect(await namesOf(jar)).toHaveLength(180);
	});

	test('2,100 cookies of one host leave the last 180', async () => {
		const jar = make();
		for (let count = 0; count < 2_100; count += 100) await answer(jar, numbered(100, count));
		const names = await namesOf(jar);
		expect(names.sort()).toEqual(
			numbered(180, 1_920)
				.map((line) => line.split('=', 1)[0])
				.sort(),
		);
	});

	test('Secure cookies go after the others', async () => {
		const jar = make();
		const secure = Array.from({length: 100}, (_, index) => `s${index}=1; Path=/; Secure`);
		await answer(jar, secure);
		await answer(jar, numbered(200));
		const names = await namesOf(jar);
		expect(names.filter((name) => name.startsWith('s'))).toHaveLength(100);
		expect(names.filter((name) => name.startsWith('c'))).toHaveLength(80);
		await answer(
			jar,
			secure.map((line) => line.replace('s', 't')),
		);
		const later = await namesOf(jar);
		expect(later).toHaveLength(180);
		expect(later.filter((name) => name.startsWith('c'))).toEqual([]);
	});

	test('expired cookies are evicted first, and are not reported', async () => {
		const jar = make();
		await answer(jar, ['keep=1; Path=/keep']);
		await answer(
			jar,
			Array.from({length: 178}, (_, index) => `x${index}=1; Path=/x; Max-Age=10`),
		);
		vi.setSystemTime(Date.now() + 10_000);
		expect(await answer(jar, numbered(179))).toEqual([]);
		expect(await namesOf(jar, `${origin}/keep`)).toHaveLength(180);
		expect(await answer(jar, numbered(1, 179))).toMatchObject([{reason: 'domain-full'}]);
	});

	test('cookies of other hosts below the same domain are not evicted', async () => {
		const jar = make();
		const bank = 'https://bank.a.test/';
		await answer(jar, numbered(180), bank);
		const wide = (count: number, first = 0) =>
			numbered(count, first).map((line) => `w${line}; Domain=a.test`);
		await answer(jar, wide(180), 'https://shop.a.test/');
		expect(await namesOf(jar, bank)).toHaveLength(360);
		await answer(jar, wide(10, 180), 'https://shop.a.test/');
		const names = await namesOf(jar, bank);
		expect(names.filter((name) => name.startsWith('c'))).toHaveLength(180);
		expect(names.filter((name) => name.startsWith('w'))).toHaveLength(180);
	});
});

// Seen in a draft: a client polled with the cookie of its session for an hour, and that was the first to
// go. Why: what is remembered is not read from the jar, so the jar did not know of the hour.
test('a cookie that is sent from memory counts as used', async () => {
	const jar = makeJar();
	await answer(jar, ['session=1; Path=/app', ...numbered(100).map((line) => `${line}other`)]);
	await namesOf(jar, `${origin}/app`);
	vi.setSystemTime(Date.now() + 1_000);
	expect(await namesOf(jar, `${origin}/other`)).toHaveLength(100);
	vi.setSystemTime(Date.now() + 1_000);
	expect(await namesOf(jar, `${origin}/app`)).toEqual(['session']);
	const told = await answer(jar, numbered(80, 100));
	expect(told).toEqual([{name: 'c0', host: 'a.test', reason: 'domain-full'}]);
	expect(await namesOf(jar, `${origin}/app`)).toContain('session');
});

describe('in a jar that lists its cookies', () => {
	const make = () => makeJar();
	const allOf = async (jar: CookieJar) => (await jar.store.getAllCookies()).length;

	test('a jar holds 3,000 cookies: with one more, the least recently used one is evicted', async () => {
		const jar = make();
		for (let host = 0; host < 30; host += 1) {
			await answer(jar, numbered(host === 29 ? 99 : 100), `https://h${host}.test/`);
		}
		expect(await allOf(jar)).toBe(2_999);
		expect(await answer(jar, ['c99=1; Path=/'], 'https://h29.test/')).toEqual([]);
		expect(await allOf(jar)).toBe(3_000);
		// One that is as old as the others of its host, and was used since.
		await namesOf(jar, 'https://h0.test/');
		expect(await answer(jar, ['c0=2; Path=/'], 'https://h9.test/')).toEqual([]);
		expect(await answer(jar, ['more=1; Path=/'], 'https://h9.test/')).toEqual([
			{name: 'c0', host: 'h1.test', reason: 'jar-full'},
		]);
		expect(await allOf(jar)).toBe(3_000);
		expect(await namesOf(jar, 'https://h0.test/')).toHaveLength(100);
		expect(await namesOf(jar, 'https://h9.test/')).toHaveLength(101);
	});

	test('a server that sets ever new paths leaves nothing behind', async () => {
		const jar = make();
		const {idx} = jar.store as MemoryCookieStore;
		for (let order = 0; order < 1_000; order += 1) {
			const line = order % 2 ? 'visited=1' : 'visited=1; Max-Age=0';
			await answer(jar, [line], `${origin}/orders/${order}/view`);
		}
		expect(Object.keys(idx['a.test'] ?? {}).length).toBeLessThan(400);
	});
});

describe('what an app has put into its jar itself', () => {
	test('cookies that an app puts into its jar itself are never evicted, and servers add none to them', async () => {
		const jar = new CookieJar();
		for (let host = 0; host < 10; host += 1) {
			for (const line of numbered(400)) await jar.setCookie(line, `https://h${host}.test/`);
		}
		expect(await answer(jar, ['c0=2; Path=/', 'c1=2; Path=/'], 'https://h0.test/')).toEqual([]);
		expect(await jar.store.getAllCookies()).toHaveLength(4_000);
		expect(await answer(jar, ['new=1; Path=/'], 'https://h0.test/')).toHaveLength(1);
		expect(await answer(jar, ['other=1; Path=/'], 'https://b.test/')).toMatchObject([
			{reason: 'jar-full'},
		]);
		expect(await jar.store.getAllCookies()).toHaveLength(4_000);
	});
});

describe('who has to go', () => {
	const cookie = (key: string, fields: object) =>
		new Cookie({key, value: '1', path: '/', domain: 'a.test', ...fields});
	const at = (seconds: number) => new Date(start + seconds * 1_000);

	test('the order of eviction is that of the RFC: by Secure in the domain, then by use, then by age', () => {
		const cookies = [
			cookie('s-old', {secure: true, lastAccessed: at(0)}),
			cookie('new', {lastAccessed: at(9)}),
			cookie('second', {lastAccessed: at(1)}),
			cookie('third', {lastAccessed: at(1)}),
			cookie('first', {creation: at(0)}),
			...Array.from({length: 180}, (_, index) =>
				cookie(`s${index}`, {secure: true, lastAccessed: at(2 + index)}),
			),
		];
		const added = new Map([['a.test', 185]]);
		const names = chooseExcess(cookies, added).map(({cookie}) => cookie.key);
		expect(names).toEqual(['first', 'second', 'third', 'new', 's-old']);
		expect(chooseExcess(cookies, new Map([['a.test', 2]]))).toHaveLength(2);
		expect(chooseExcess(cookies, new Map())).toEqual([]);
	});

	test('eviction over all domains begins with those that have too many cookies', () => {
		const many = (domain: string, count: number, fields: object) =>
			Array.from({length: count}, (_, index) => cookie(`c${index}`, {domain, ...fields}));
		const cookies = [
			...Array.from({length: 28}, (_, index) =>
				many(`h${index}.test`, 100, {lastAccessed: at(index)}),
			).flat(),
			...many('full.test', 199, {secure: true, lastAccessed: at(99)}),
			cookie('open', {domain: 'full.test', lastAccessed: at(100)}),
			cookie('last', {domain: 'b.test', lastAccessed: at(101)}),
		];
		expect(cookies).toHaveLength(3_001);
		const excess = chooseExcess(cookies, new Map([['b.test', 1]]));
		expect(excess).toMatchObject([{cookie: {key: 'open'}, reason: 'jar-full'}]);
	});
});

test.each([
	['a=1', 'a=1'],
	['a=1;', 'a=1;'],
	['a=1; max-age = 34560001 ;Secure', 'a=1; Max-Age=34560000;Secure'],
	['a=1; Max-Age=99999999999999999999999', 'a=1; Max-Age=34560000'],
	['a=1; Max-Age=34560000', 'a=1; Max-Age=34560000'],
	['a=1; Max-Age=-1; Max-Age=1e99', 'a=1; Max-Age=-1; Max-Age=1e99'],
	['a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT', 'a=1; Expires=Mon, 05 Apr 2027 00:00:00 GMT'],
	['a=1; Expires=Mon, 05 Apr 2027 00:00:00 GMT', 'a=1; Expires=Mon, 05 Apr 2027 00:00:00 GMT'],
	['a=1; Expires=; Expires=never', 'a=1; Expires=; Expires=never'],
	['a="x;y"; b', 'a="x;y"; b'],
])('the Set-Cookie line %j becomes %j', (line, limited) => {
	expect(limitAttributes(line, start)).toBe(limited);
});
