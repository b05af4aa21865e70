import {readFileSync} from 'node:fs';
import {Cookie, CookieJar} from 'tough-cookie';
import {beforeEach, describe, expect, test, vi} from 'vitest';
import {fileJar} from '../../src/cookies/file/file-jar.ts';
import {CookiePolicy} from '../../src/cookies/policy.ts';
import {storeCookies} from '../../src/cookies/set-cookie.ts';
import {cookieHeaderTo} from '../support/cookie-header.ts';
import {tempFile} from '../support/temp-file.ts';

const url = 'https://a.test/';
const start = Date.parse('2026-03-01T00:00:00.250Z');
const lifeMs = 100_000;
const line = 'sid=1; Max-Age=100';
const policy = new CookiePolicy();

beforeEach(() => {
	vi.useFakeTimers({toFake: ['Date'], now: start});
	return () => vi.useRealTimers();
});

const pass = (ms: number) => vi.setSystemTime(start + ms);

/** When a program that knows only the file finds its one cookie expired, in ms from `start`. */
function expiryIn(path: string): number {
	const text = readFileSync(path, 'latin1');
	if (path.endsWith('.json')) {
		const [cookie] = JSON.parse(text).cookies;
		return (Cookie.fromJSON(cookie)?.expiryTime() ?? 0) - start;
	}
	const [, , , , seconds] = text.trim().split('\n').at(-1)?.split('\t') ?? [];
	return Number(seconds) * 1_000 - start;
}

const forms = [
	// Whole seconds, rounded down.
	['cookies.txt', lifeMs - 250],
	['jar.json', lifeMs],
] as const;

// Seen: `Max-Age=100`, read 3.5 s later and then saved, stood 3.5 s too late in the file, in both
// forms. Why: the file had tough-cookie's expiry, which counts from the last time that the cookie was
// read, and the requests had ours. Now: there is one.
describe.each(forms)('Max-Age in %s counts from when the cookie was set', (name, expected) => {
	test.each<[string, (jar: CookieJar) => unknown]>([
		['a request has read it', (jar) => cookieHeaderTo(url, jar, policy)],
		['the app has read it', (jar) => jar.getCookies(url)],
	])(
		'a saved Max-Age counts from when the cookie was set where %s before it is saved',
		async (_, read) => {
			const path = tempFile(name);
			const jar = fileJar(path, {logger: false});
			await storeCookies(jar, new URL(url), [line], policy, () => {});
			pass(3_500);
			await read(jar);
			pass(7_000);
			await jar.save();
			expect(expiryIn(path)).toBe(expected);
		},
	);

	test('a saved Max-Age counts from when the app has set the cookie, also where it has read it since', async () => {
		const path = tempFile(name);
		const jar = fileJar(path, {logger: false});
		await jar.setCookie(line, url);
		pass(3_500);
		await jar.getCookies(url);
		await jar.save();
		expect(expiryIn(path)).toBe(expected);
	});

	test('a save drops a cookie when its Max-Age has passed since it was set', async () => {
		for (const [fromThenMs, isKept] of [
			[-1, true],
			[0, false],
			[1, false],
		] as const) {
			pass(0);
			const path = tempFile(name);
			const jar = fileJar(path, {logger: false});
			await storeCookies(jar, new URL(url), [line], policy, () => {});
			await jar.setCookie('other=1', url);
			pass(3_500);
			await jar.getCookies(url);
			pass(lifeMs + fromThenMs);
			await jar.save();
			const text = readFileSync(path, 'latin1');
			expect([text.includes('sid'), text.includes('other')]).toEqual([isKept, true]);
		}
	});
});

describe('Max-Age counts from when the cookie was set', () => {
	test('the Max-Age counts from when a cookie was set over processes that read it and save another', async () => {
		const path = tempFile('jar.json');
		const first = fileJar(path, {logger: false});
		await first.setCookie(line, url);
		await first.save();
		for (const ms of [20_000, 40_000, 60_000]) {
			pass(ms);
			const next = fileJar(path, {logger: false});
			await next.getCookies(url);
			const [cookie] = await next.getCookies(url);
			if (cookie === undefined) throw new Error('no cookie');
			// As an app does that changes a value.
			cookie.value = String(ms);
			await next.store.putCookie(cookie);
			await next.save();
			expect(expiryIn(path)).toBe(lifeMs);
		}
		const last = fileJar(path, {logger: false});
		pass(lifeMs - 1);
		expect(await cookieHeaderTo(url, last, policy)).toBe('sid=60000');
		pass(lifeMs);
		expect(await cookieHeaderTo(url, last, policy)).toBeUndefined();
	});
});

// Where the cookies below a domain are looked through, one with Max-Age counted as living for ever.
describe('a cookie with Max-Age that has expired', () => {
	test('a cookie hides one of a domain above it until its Max-Age has expired, to the millisecond', async () => {
		const set = async (fromThenMs: number) => {
			pass(0);
			const jar = new CookieJar();
			const secure = [`${line}; Secure; Path=/`];
			await storeCookies(jar, new URL('https://b.a.test/'), secure, policy, () => {});
			pass(lifeMs + fromThenMs);
			const refused: string[] = [];
			const wide = ['sid=2; Domain=a.test'];
			await storeCookies(jar, new URL('http://x.a.test/'), wide, policy, ({reason}) =>
				refused.push(reason),
			);
			return refused;
		};
		expect(await set(-1)).toEqual(['hides-secure']);
		expect(await set(0)).toEqual([]);
	});
});
