import {createRequire} from 'node:module';
import {Cookie, CookieJar, MemoryCookieStore} from 'tough-cookie';
import {beforeEach, describe, expect, test, vi} from 'vitest';
import {cookiesFor} from '../../src/cookies/cookie-header.ts';
import {fileJar} from '../../src/cookies/file/file-jar.ts';
import {makeJar} from '../../src/cookies/jar.ts';
import {CookiePolicy} from '../../src/cookies/policy.ts';
import {storeCookies} from '../../src/cookies/set-cookie.ts';
import {storeVersion} from '../../src/cookies/store-version.ts';
import {tempFile} from '../support/temp-file.ts';

const twin: typeof import('tough-cookie') = createRequire(import.meta.url)('tough-cookie');
const url = new URL('https://a.test/app/page');
const start = Date.now();

/** What a request to `to` says, and whether the jar was not asked for it. */
async function ask(jar: CookieJar, {to = url, now = start}: {to?: URL; now?: number} = {}) {
	const answer = cookiesFor(jar, to, now);
	return {remembered: !(answer instanceof Promise), text: (await answer).text};
}

/** A jar that was asked before, so that it would not be asked again. */
async function warm(jar: CookieJar): Promise<CookieJar> {
	await jar.setCookie('a=1; Path=/app', url.href);
	await ask(jar);
	return jar;
}

describe('what is remembered', () => {
	test.each([
		['a jar of ours', makeJar],
		['a jar of the app', () => new CookieJar()],
		['one with a store of the app', () => new CookieJar(new MemoryCookieStore())],
		['one of another copy of tough-cookie', () => new twin.CookieJar()],
		['one of a subclass', () => new (class extends CookieJar {})()],
	])('the Cookie header of %s is remembered', async (_, make) => {
		const jar = await warm(make());
		expect(await ask(jar)).toEqual({remembered: true, text: 'a=1'});
	});

	test('the absence of a cookie is remembered', async () => {
		const jar = new CookieJar();
		await ask(jar);
		expect(await ask(jar)).toEqual({remembered: true, text: ''});
	});

	test.each([
		['another query', 'https://a.test/app/page?x=1', true],
		['another port (RFC 6265 8.5)', 'https://a.test:8443/app/page', true],
		['another path', 'https://a.test/app/', false],
		['another host', 'https://b.test/app/page', false],
		['another scheme', 'http://a.test/app/page', false],
	])('a list serves %s: %s', async (_, to, remembered) => {
		const jar = await warm(new CookieJar());
		expect(await ask(jar, {to: new URL(to)})).toMatchObject({remembered});
	});

	test('the Cookie headers of 1,000 URLs are remembered; with one more the first is forgotten', async () => {
		const jar = await warm(new CookieJar());
		const visit = (index: number) => ask(jar, {to: new URL(`https://a.test/app/${index}`)});
		for (let index = 1; index < 1_000; index += 1) await visit(index);
		expect(await ask(jar)).toEqual({remembered: true, text: 'a=1'});
		expect(await visit(999)).toEqual({remembered: true, text: 'a=1'});
		await visit(1_000);
		expect(await ask(jar)).toEqual({remembered: false, text: 'a=1'});
		expect(await visit(999)).toEqual({remembered: true, text: 'a=1'});
	});

	// 128 KiB: each name and value is held twice, beside 250 bytes a cookie.
	test('cookie lists that are not too large are remembered: others are looked up each time', async () => {
		const key = 'https:a.test/app/page'.length;
		const most = (128 * 1024 - 500) / 2 - key - 'a='.length;
		for (const [length, remembered] of [
			[most - 1, true],
			[most, true],
			[most + 1, false],
		] as const) {
			const jar = new CookieJar();
			await jar.setCookie(`a=${'x'.repeat(length)}`, url.href);
			await ask(jar);
			expect(await ask(jar)).toEqual({remembered, text: `a=${'x'.repeat(length)}`});
		}
	});

	test('as many large cookie lists are remembered as fit into a MiB', async () => {
		const jar = new CookieJar();
		await jar.setCookie(`a=${'x'.repeat(50_000)}; Path=/`, url.href);
		const visit = (index: number) => ask(jar, {to: new URL(`https://a.test/${index}`)});
		for (let index = 0; index < 20; index += 1) await visit(index);
		const kept: number[] = [];
		for (let index = 19; index >= 0; index -= 1) {
			if ((await visit(index)).remembered) kept.push(index);
			else break;
		}
		expect(kept).toEqual([19, 18, 17, 16, 15, 14, 13, 12, 11, 10]);
	});

	test('a remembered list keeps the HttpOnly flag of a cookie', async () => {
		const jar = new CookieJar();
		await jar.setCookie('a=1; HttpOnly', url.href);
		await jar.setCookie('b=2', url.href);
		const {pairs} = await cookiesFor(jar, url, start);
		expect(pairs).toEqual([
			{name: 'a', text: 'a=1', httpOnly: true},
			{name: 'b', text: 'b=2', httpOnly: false},
		]);
	});
});

describe('a list is read again after', () => {
	const held = async (jar: CookieJar) => (await jar.getCookies(url.href))[0] as Cookie;
	const other = Cookie.parse('b=2; Domain=a.test; Path=/app') as Cookie;

	test.each<[string, (jar: CookieJar) => unknown, string]>([
		['a cookie was set', (jar) => jar.setCookie('b=2; Path=/app', url.href), 'a=1; b=2'],
		[
			'one was set without a promise',
			(jar) => jar.setCookieSync('a=2; Path=/app', url.href),
			'a=2',
		],
		['one was put into the store', (jar) => jar.store.putCookie(other), 'b=2; a=1'],
		[
			'one was changed in the store',
			async (jar) => {
				const old = await held(jar);
				const changed = old.clone() as Cookie;
				changed.value = '2';
				await jar.store.updateCookie(old, changed);
			},
			'a=2',
		],
		['it was removed', (jar) => jar.store.removeCookie('a.test', '/app', 'a'), ''],
		['a path was removed', (jar) => jar.store.removeCookies('a.test', '/app'), ''],
		['all were removed', (jar) => jar.removeAllCookies(), ''],
		['the server took it back', (jar) => jar.setCookie('a=; Path=/app; Max-Age=0', url.href), ''],
		[
			'the app changed its value',
			async (jar) => {
				(await held(jar)).value = '2';
			},
			'a=2',
		],
		[
			'the app let it expire',
			async (jar) => {
				(await held(jar)).setExpires(new Date(0));
			},
			'',
		],
		[
			'the app gave it no more time',
			async (jar) => {
				(await held(jar)).setMaxAge(0);
			},
			'',
		],
		[
			'the jar got another store',
			(jar) => Object.assign(jar, {store: new MemoryCookieStore()}),
			'',
		],
		[
			'the jar was told to read otherwise',
			(jar) => {
				vi.spyOn(jar, 'getCookies').mockResolvedValue([other]);
			},
			'b=2',
		],
	])('a remembered list is read again after %s', async (_, change, text) => {
		const jar = await warm(new CookieJar());
		await change(jar);
		expect(await ask(jar)).toEqual({remembered: false, text});
	});

	test.each([
		[-1, true],
		[0, false],
		[1, false],
	])(
		'a remembered list is read again when its first cookie has expired: %i ms from then',
		async (fromThenMs, remembered) => {
			const jar = await warm(new CookieJar());
			const expires = new Date(Math.ceil(start / 1_000) * 1_000 + 60_000);
			await jar.setCookie(`b=2; Path=/app; Expires=${expires.toUTCString()}`, url.href);
			await ask(jar);
			const now = expires.getTime() + fromThenMs;
			expect(await ask(jar, {now})).toMatchObject({remembered});
		},
	);
});

// Seen: a client that polled several paths sent a cookie for ever that was set with Max-Age=60. Why:
// tough-cookie counts Max-Age from the last time that the cookie was read.
describe('Max-Age counts from when a cookie was set, however often it is read', () => {
	const set = (jar: CookieJar) =>
		storeCookies(jar, url, ['a=1; Path=/; Max-Age=60'], new CookiePolicy(), () => {});
	const askAfter = (jar: CookieJar, seconds: number) => {
		const now = start + seconds * 1_000;
		vi.setSystemTime(now);
		return ask(jar, {to: new URL(`https://a.test/${seconds}`), now});
	};
	beforeEach(() => {
		vi.useFakeTimers({toFake: ['Date'], now: start});
		return () => vi.useRealTimers();
	});

	test.each([
		['a jar of ours', makeJar],
		['a jar of the app', () => new CookieJar()],
		[
			'a store that is asked each time',
			() => new CookieJar(new (class extends MemoryCookieStore {})()),
		],
	])(
		'the Max-Age of a cookie in %s counts from when it was set, however often it is read',
		async (_, make) => {
			const jar = make();
			await set(jar);
			for (const seconds of [10, 30, 59.999]) {
				expect(await askAfter(jar, seconds)).toMatchObject({text: 'a=1'});
			}
			expect(await askAfter(jar, 60)).toMatchObject({text: ''});
			expect(await askAfter(jar, 61)).toMatchObject({text: ''});
		},
	);

	// Seen: each process that opened the file within its time gave the cookie a whole one more.
	test('the Max-Age in a JSON file counts in the next process from when the cookie was set', async () => {
		const path = tempFile('jar.json');
		const first = fileJar(path);
		await set(first);
		await first.save();
		vi.setSystemTime(start + 40_000);
		const next = fileJar(path);
		for (const seconds of [41, 59.999]) {
			expect(await askAfter(next, seconds)).toMatchObject({text: 'a=1'});
		}
		expect(await askAfter(next, 60)).toMatchObject({text: ''});
	});

	test('the Max-Age begins anew when the server sets the cookie again, or the app extends it', async () => {
		const jar = makeJar();
		await set(jar);
		await askAfter(jar, 40);
		await set(jar);
		expect(await askAfter(jar, 99.999)).toMatchObject({text: 'a=1'});
		for (const cookie of await jar.getCookies(url.href)) cookie.setMaxAge(10);
		for (const seconds of [100, 109.999]) {
			expect(await askAfter(jar, seconds)).toMatchObject({text: 'a=1'});
		}
		expect(await askAfter(jar, 110)).toMatchObject({text: ''});
	});
});

describe('what may change unseen is asked each time', () => {
	class OwnStore extends MemoryCookieStore {}
	const other = Cookie.parse('b=2') as Cookie;
	const frozen = () => Object.freeze(new MemoryCookieStore());
	const spied = () => {
		const store = new MemoryCookieStore();
		vi.spyOn(store, 'findCookies');
		return store;
	};
	class OwnJar extends CookieJar {
		override getCookies = () => Promise.resolve([other]);
	}

	test.each([
		['a store of a class of its own', () => new CookieJar(new OwnStore()), 'a=1'],
		['a store that cannot be watched', () => new CookieJar(frozen()), 'a=1'],
		['a store that reads otherwise', () => new CookieJar(spied()), 'a=1'],
		['a jar that reads otherwise', () => new OwnJar(), 'b=2'],
		[
			'a jar without a store',
			() => {
				const jar = {
					getCookies: () => Promise.resolve([other]),
					setCookie: () => Promise.resolve(),
				};
				return jar as unknown as CookieJar;
			},
			'b=2',
		],
	])('the cookies of %s are looked up each time', async (_, make, text) => {
		const jar = await warm(make());
		expect(await ask(jar)).toEqual({remembered: false, text});
	});

	test('the cookies of a store that counts its changes are remembered', async () => {
		class TellingStore extends OwnStore {
			[storeVersion] = 0;
		}
		const store = new TellingStore();
		const jar = await warm(new CookieJar(store));
		expect(await ask(jar)).toEqual({remembered: true, text: 'a=1'});
		store[storeVersion] += 1;
		expect(await ask(jar)).toEqual({remembered: false, text: 'a=1'});
	});
});

test("the app's store looks as it did", async () => {
	const store = new MemoryCookieStore();
	const keys = Object.keys(store);
	const jar = await warm(new CookieJar(store));
	expect(Object.keys(store)).toEqual(keys);
	expect(CookieJar.fromJSON(JSON.stringify(jar.toJSON())).toJSON()).toEqual(jar.toJSON());
	expect(Object.keys(structuredClone(store))).toEqual(keys);
});
