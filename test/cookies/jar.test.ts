import {AxiosError} from 'axios';
import {MemoryCookieStore} from 'tough-cookie';
import {describe, expect, test} from 'vitest';
import {readCookies} from '../../src/cookies/cookie-header.ts';
import {CookieJar, jarOf, makeJar} from '../../src/cookies/jar.ts';
import {CookiePolicy} from '../../src/cookies/policy.ts';
import {storeCookies} from '../../src/cookies/set-cookie.ts';
import {MtlsConfigError} from '../../src/errors.ts';
import {createClient} from '../../src/index.ts';
import {cookieHeaderTo} from '../support/cookie-header.ts';

const url = new URL('https://a.test/app/page');

const policy = new CookiePolicy();
const store = (jar: CookieJar, from: URL, lines: string[]) =>
	storeCookies(jar, from, lines, policy, () => {});

/** The `Cookie` header to `to` after `lines` were set by `url`. */
async function header(lines: string[], to: URL | string = url, own?: string, jar = makeJar()) {
	await store(jar, url, lines);
	return cookieHeaderTo(to, jar, policy, own);
}

/** The pairs of a header, whatever their order. */
const pairs = (line: string | undefined) => new Set(line?.split('; '));

describe('what is sent', () => {
	test.each([
		['a session cookie', ['a=1'], 'https://a.test/app/', 'a=1'],
		['HttpOnly', ['a=1; HttpOnly'], 'https://a.test/app/', 'a=1'],
		['SameSite=Strict', ['a=1; SameSite=Strict'], 'https://a.test/app/', 'a=1'],
		['Secure over TLS', ['a=1; Secure'], 'https://a.test/app/', 'a=1'],
		['__Host-', ['__Host-a=1; Secure; Path=/'], 'https://a.test/', '__Host-a=1'],
		['a value with =', ['a=b=c=='], 'https://a.test/app/', 'a=b=c=='],
		['a quoted value', ['a="b c"'], 'https://a.test/app/', 'a="b c"'],
		['a wide path', ['a=1; Path=/'], 'https://a.test/elsewhere', 'a=1'],
		['a domain', ['a=1; Domain=a.test'], 'https://sub.a.test/app/', 'a=1'],
		['the last of two with one name', ['a=1', 'a=2'], 'https://a.test/app/', 'a=2'],
		['another port (RFC 6265 8.5)', ['a=1'], 'https://a.test:8443/app/', 'a=1'],
	])('the jar sends %s', async (_, lines, to, expected) => {
		expect(await header(lines, to)).toBe(expected);
	});

	test('two cookies of one name on two paths are sent, the longer path first (RFC 6265 5.4)', async () => {
		expect(await header(['a=wide; Path=/', 'a=deep; Path=/app'])).toBe('a=deep; a=wide');
	});

	test.each(['a=\u65e5\u672c', 'a=\u007f', '\u20ac=1'])(
		'the cookie %j, which an app has put into the jar and no header can hold, is not sent',
		async (line) => {
			const jar = makeJar();
			for (const each of ['before=1', line, 'after=\u00e9']) jar.setCookieSync(each, url.href);
			expect(await header([], url, undefined, jar)).toBe('before=1; after=\u00e9');
		},
	);

	test('the path decides whether a cookie is sent, not the query', async () => {
		expect(await header(['a=1; Path=/app'], 'https://a.test/x?/app/')).toBeUndefined();
		expect(await header(['a=1; Path=/app'], 'https://a.test/app?x')).toBe('a=1');
	});
});

describe('what is not sent', () => {
	test.each([
		['Secure without TLS', ['a=1; Secure'], 'http://a.test/app/'],
		['a narrower path', ['a=1'], 'https://a.test/'],
		['a path that only begins alike', ['a=1; Path=/app'], 'https://a.test/apple'],
		['another host', ['a=1'], 'https://b.test/app/'],
		['a subdomain of a host-only cookie', ['a=1'], 'https://sub.a.test/app/'],
		['an expired one', ['a=1; Max-Age=0'], 'https://a.test/app/'],
		['one for a stranger', ['a=1; Domain=b.test'], 'https://b.test/app/'],
		['__Host- with a domain', ['__Host-a=1; Domain=a.test; Secure'], 'https://a.test/app/'],
	])('the jar does not send %s', async (_, lines, to) => {
		expect(await header(lines, to)).toBeUndefined();
	});
});

describe('Secure cookies and localhost', () => {
	describe.each([
		['ours', makeJar],
		['the app', () => new CookieJar()],
	])('in a jar of %s', (_, make) => {
		test.each([
			['https://localhost:8443/', 'a=1; b=2'],
			['http://localhost/', 'b=2'],
			['http://127.0.0.1/', 'b=2'],
			['http://[::1]/', 'b=2'],
		])('the cookies that go to %s, Secure ones and others, are %s', async (to, expected) => {
			const jar = make();
			await store(jar, new URL(to.replace('http:', 'https:')), ['a=1; Secure', 'b=2']);
			expect(await cookieHeaderTo(to, jar, policy)).toBe(expected);
		});

		test.each([
			['https://localhost/', 2],
			['http://localhost/', 1],
			['http://127.0.0.1/', 1],
		])('a Secure cookie and another, set by %s, leave %i in the jar', async (from, count) => {
			const jar = make();
			await store(jar, new URL(from), ['a=1; Secure', 'b=2']);
			expect(await jar.getCookies(from.replace('http:', 'https:'))).toHaveLength(count);
		});
	});
});

test.each([
	[''],
	[';'],
	['=; Path=/'],
	['a=1; Domain=com'],
	['a=1; Domain=b.test'],
	['\u0000=\u0001'],
	['a=1\u0007; Path=/'],
	['__Secure-a=1'],
	['x'.repeat(100_000)],
])('the cookie %j fails neither the others nor the request', async (bad) => {
	const sent = await header(['before=1', bad, 'after=2']);
	expect(pairs(sent)).toContain('before=1');
	expect(pairs(sent)).toContain('after=2');
});

describe("the app's own Cookie header", () => {
	test.each([
		['alone', [], 'own=1', 'own=1'],
		['beside the jar', ['a=1'], 'own=1', 'a=1; own=1'],
		['wins by name', ['a=1', 'b=2'], 'a=mine', 'b=2; a=mine'],
		['wins by name over all paths', ['a=1; Path=/', 'a=2; Path=/app'], 'a=mine', 'a=mine'],
		['of several', ['b=2', 'c=3'], 'a=1; b=mine', 'c=3; a=1; b=mine'],
		['with space around', ['a=1'], ' a = mine ', ' a = mine '],
		['is not the beginning of a name', ['ab=1'], 'a=mine', 'ab=1; a=mine'],
		['tells names apart by case', ['a=1', 'A=2'], 'A=mine', 'a=1; A=mine'],
		['ends in a semicolon', ['a=1', 'b=2'], 'a=mine; ', 'b=2; a=mine'],
		['ends in a semicolon, and is alone', ['a=1'], 'a=mine;', 'a=mine;'],
		['begins with one', ['a=1', 'b=2'], ';a=mine', 'b=2; a=mine'],
		['has no space between', ['a=1', 'b=2', 'c=3'], 'a=x;b=y', 'c=3; a=x;b=y'],
		['has tabs and many spaces', ['a=1', 'b=2'], '\ta\t=  x;   b=y', '\ta\t=  x;   b=y'],
		['has a value with =', ['a=1', 'b=2'], 'a=b=2', 'b=2; a=b=2'],
		['has a name without value', ['a=1', 'b=2'], 'a', 'b=2; a'],
		['has an empty value', ['a=1', 'b=2'], 'a=', 'b=2; a='],
		['has a quoted value', ['a=1', 'b=2'], 'a="x y"', 'b=2; a="x y"'],
		['says a name twice', ['a=1', 'b=2'], 'a=x; a=y', 'b=2; a=x; a=y'],
		[
			'has a name of Object',
			['a=1'],
			'__proto__=x; constructor=y',
			'a=1; __proto__=x; constructor=y',
		],
		['empty', ['a=1'], '', 'a=1'],
	])("the app's own Cookie header: %s", async (_, lines, own, expected) => {
		expect(await header(lines, url, own)).toBe(expected);
	});

	test('a request without any cookie has no Cookie header', async () => {
		expect(await header([])).toBeUndefined();
	});
});

describe('the jar of a request', () => {
	const fallback = makeJar();
	const own = new CookieJar();

	test.each([
		['undefined', undefined, fallback],
		['null', null, fallback],
		['true', true, fallback],
		['false', false, undefined],
		['a jar', own, own],
	])('the jar option %s chooses the jar of the request', (_, jar, expected) => {
		expect(jarOf({jar}, fallback)).toBe(expected);
	});

	test('a jar of another copy of tough-cookie is accepted', () => {
		const other = {getCookies: () => {}, setCookie: () => {}};
		expect(jarOf({jar: other}, undefined)).toBe(other);
	});

	test.each([
		['no jar', {}, 'jar: expected a tough-cookie CookieJar, true or false, found object'],
		['text', 'cookies.txt', 'jar: expected a tough-cookie CookieJar, true or false, found string'],
		['true without a jar', true, 'jar: `true` asks for the jar of a client that has none'],
	])('the jar option %s is refused', (_, jar, message) => {
		const ask = () => jarOf({jar}, undefined);
		expect(ask).toThrow(MtlsConfigError);
		expect(ask).toThrow(
			expect.objectContaining({code: 'ERR_MTLS_BAD_OPTION', option: 'jar', message}),
		);
	});
});

test('the error of a wrong jar says that the jar of a client may also be a file', () => {
	expect(() => createClient({jar: 1 as never})).toThrow(
		'jar: expected a tough-cookie CookieJar, the path of a cookie file, true or false, found number',
	);
	expect(() => createClient({jar: ''})).toThrow(
		'jar: expected the path of a file, found an empty string',
	);
});

describe('a store that fails', () => {
	const reason = Object.assign(new Error('cannot parse session=s3cret'), {code: 'ESTORE'});

	// tough-cookie hears of it by the callback.
	const pending = new Promise<never>(() => {});

	class BrokenStore extends MemoryCookieStore {
		override findCookies(...args: unknown[]): Promise<never> {
			const callback = args.find((arg) => typeof arg === 'function');
			callback?.(reason);
			return pending;
		}
		override putCookie(_cookie: unknown, callback?: (error: Error) => void): Promise<never> {
			callback?.(reason);
			return pending;
		}
	}

	test.each([
		['read', (jar: CookieJar) => readCookies(jar, url, policy)],
		['written', (jar: CookieJar) => store(jar, url, ['a=1'])],
	])(
		'a store that fails is reported as a jar that could not be %s, without the words of the store',
		async (what, use) => {
			const error = await Promise.resolve(use(new CookieJar(new BrokenStore()))).catch(
				(failure) => failure,
			);
			expect(error).toBeInstanceOf(AxiosError);
			expect(error).toMatchObject({
				code: 'ERR_MTLS_JAR_FAILED',
				message: `the cookie jar could not be ${what} (ESTORE)`,
				cause: reason,
			});
			expect(Object.keys(error)).not.toContain('cause');
		},
	);
});
