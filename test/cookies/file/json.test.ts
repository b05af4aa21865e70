import fc from 'fast-check';
import {Cookie, CookieJar} from 'tough-cookie';
import {describe, expect, test} from 'vitest';
import {CorruptFileError} from '../../../src/cookies/file/format.ts';
import {cookieJson} from '../../../src/cookies/file/json.ts';
import {plainJar, toCookie} from '../../support/cookie-jars.ts';

const now = Date.parse('2026-03-01T00:00:00Z');

function textsOf(text: string): string[] {
	const {entries} = cookieJson.parse(Buffer.from(text), now);
	return [...entries.values()].map(({text}) => text);
}

function damageOf(bytes: string | Buffer): string {
	try {
		cookieJson.parse(Buffer.from(bytes), now);
	} catch (error) {
		if (error instanceof CorruptFileError) return error.message;
		throw error;
	}
	throw new Error('it was read');
}

test('a jar of tough-cookie comes back with every field, and tough-cookie reads the written file', async () => {
	const jar = new CookieJar();
	const lines = [
		'a=1; Path=/app; HttpOnly; Secure; SameSite=Strict; Priority=High',
		'b=2; Domain=a.test; Max-Age=60; Expires=Tue, 01 Jan 2030 00:00:00 GMT',
		'c=\u{1f36a}',
	];
	for (const line of lines) await jar.setCookie(line, 'https://a.test/app/page', {loose: true});
	const theirs = jar.serializeSync();

	const {entries, head} = cookieJson.parse(Buffer.from(JSON.stringify(theirs)), now);
	expect([...entries.values()].map(({cookie}) => cookie.toJSON())).toEqual(theirs?.cookies);
	const written = [...entries.values()].map(({cookie}) => cookieJson.write(cookie, now) ?? '');
	const ours = cookieJson.serialize(written, head).toString();
	expect(JSON.parse(ours)).toEqual(theirs);
	expect(CookieJar.fromJSON(ours).serializeSync()).toEqual(theirs);
});

test('an unknown field of a JSON cookie is kept', () => {
	const cookie = '{"key":"a","domain":"a.test","path":"/","partitionKey":"b.test"}';
	expect(textsOf(`{"cookies":[${cookie}]}`)).toEqual([cookie]);
});

test('a new JSON file has a line for each cookie, and is JSON also without one', () => {
	expect(JSON.parse(cookieJson.serialize([]).toString())).toMatchObject({cookies: []});
	expect(cookieJson.serialize(['{"key":"a"}', '{"key":"b"}'], {version: 'x'}).toString()).toBe(
		'{\n\t"version": "x",\n\t"cookies": [\n\t\t{"key":"a"},\n\t\t{"key":"b"}\n\t]\n}\n',
	);
});

test('a cookie without a domain or a path is not written', () => {
	expect(cookieJson.write(new Cookie({key: 'a', path: '/'}), now)).toBeUndefined();
	expect(cookieJson.write(new Cookie({key: 'a', domain: 'a.test'}), now)).toBeUndefined();
});

test('a cookie that no header can carry is neither written nor read', () => {
	const cookie = new Cookie({key: 'a', value: 'b\r\nc: d', domain: 'a.test', path: '/'});
	expect(cookieJson.write(cookie, now)).toBeUndefined();
	expect(damageOf(JSON.stringify({cookies: [cookie]}))).toBe(
		'cookie 1 of 1: expected another `value`',
	);
});

test('1,000 jars come back with every field', () => {
	fc.assert(
		fc.property(plainJar, (jar) => {
			const cookies = jar.map(toCookie);
			const texts = cookies.map((cookie) => cookieJson.write(cookie, now) ?? '');
			const {entries} = cookieJson.parse(cookieJson.serialize(texts), now);
			const back = [...entries.values()].map(({cookie}) => cookie.toJSON());
			expect(back).toEqual(cookies.map((cookie) => cookie.toJSON()));
		}),
		{numRuns: 1_000},
	);
});

describe('what is damaged', () => {
	const list = (...cookies: object[]) => JSON.stringify({cookies});
	const good = {key: 'session', value: 'secret', domain: 'a.test', path: '/'};

	test.each([
		['cut short', '{\n"cookies": [{"key":"session","value":"secret"', 'expected JSON'],
		['without a comma', '{\n"cookies": [\n{"value": "secret" 1}]}', 'line 3: expected JSON'],
		['without quotes', '{"cookies": [{"value": secret}]}', 'expected JSON'],
		[
			'no UTF-8',
			Buffer.from('{"cookies":[{"value":"secret\xff"}]}', 'latin1'),
			'expected JSON in UTF-8',
		],
		['other JSON', '{"name":"secret"}', 'expected an object with a list `cookies`'],
		['a list', '["secret"]', 'expected an object with a list `cookies`'],
		['no list of cookies', '{"cookies":{"secret":1}}', 'expected an object with a list `cookies`'],
		['no cookie', '{"cookies":[42]}', 'cookie 1 of 1: expected an object'],
		['no domain', list(good, {...good, domain: null}), 'cookie 2 of 2: expected another `domain`'],
		['no path', list({...good, path: 'secret'}), 'cookie 1 of 1: expected another `path`'],
		['a number for a value', list({...good, value: 1}), 'cookie 1 of 1: expected another `value`'],
		['no date', list({...good, expires: 'secret'}), 'cookie 1 of 1: expected another `expires`'],
		[
			'a word for a flag',
			list({...good, secure: 'true'}),
			'cookie 1 of 1: expected another `secure`',
		],
	])('the JSON file %s is refused as damaged', (_, bytes, message) => {
		expect(damageOf(bytes)).toContain(message);
		expect(damageOf(bytes)).not.toContain('secret');
	});
});
