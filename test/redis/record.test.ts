import {Cookie} from 'tough-cookie';
import {describe, expect, test} from 'vitest';
import {maxLifetimeMs} from '../../src/cookies/expiry.ts';
import {readRecord, ttlOf, writeRecord} from '../../src/redis/record.ts';

const now = Date.UTC(2026, 0, 1);
const at = (ms: number) => new Date(now + ms);
const day = 86_400_000;

function cookie(properties: object): Cookie {
	return new Cookie({key: 'k', value: 'v', lastAccessed: at(0), ...properties});
}

describe('how long a cookie is kept', () => {
	test.each([
		['without an end, as long as a session', {}, 5_000],
		['with Max-Age, as long as that', {maxAge: 60}, 60_000],
		['with Max-Age, from when it was set', {maxAge: 60, lastAccessed: at(-10_000)}, 50_000],
		['with Expires, until then', {expires: at(1)}, 1],
		['with both, as Max-Age says', {maxAge: 60, expires: at(1)}, 60_000],
		['with an Expires that is now, not at all', {expires: at(0)}, 0],
		['with an Expires that is over, not at all', {expires: at(-1)}, 0],
		['with Max-Age=0, not at all', {maxAge: 0}, 0],
		['with a negative Max-Age, not at all', {maxAge: -1}, 0],
		['with an Expires that is no date, as long as a session', {expires: new Date('x')}, 5_000],
		['with an endless Max-Age, as long as a session', {maxAge: 'Infinity'}, 5_000],
		['with 400 days less a moment, as long as that', {expires: at(400 * day - 1)}, 400 * day - 1],
		['with 400 days, as long as that', {expires: at(400 * day)}, 400 * day],
		['with 400 days and a moment, 400 days', {expires: at(400 * day + 1)}, 400 * day],
		['with a Max-Age beyond all numbers, 400 days', {maxAge: 1e300}, maxLifetimeMs],
	])('a cookie is kept in the store for its lifetime: %s', (_, properties, life) => {
		expect(ttlOf(cookie(properties), 5_000, now)).toBe(life);
	});

	test('a parsed Max-Age that is no date any more is cut too', () => {
		const parsed = Cookie.parse(`k=v; Max-Age=${'9'.repeat(400)}`);
		if (!parsed) throw new Error('tough-cookie does not parse it');

		expect([5_000, maxLifetimeMs]).toContain(ttlOf(parsed, 5_000, now));
	});
});

test('a record is read as it was written, with the order of its making', () => {
	const one = cookie({domain: 'a.example', path: '/', secure: true, creation: at(0)});
	cookie({});

	const read = readRecord(writeRecord({cookie: one, until: now}));

	expect(read?.until).toBe(now);
	expect(read?.cookie.toJSON()).toEqual(one.toJSON());
	expect(read?.cookie.creationIndex).toBe(one.creationIndex);
});

test.each([
	'',
	'null',
	'[]',
	'"text"',
	'{}',
	'{"key":"k","value":"v"}',
	'{"key":"k","value":"v","until":"1","creationIndex":1}',
	'{"key":"k","value":"v","until":1}',
	'{"key":"k","value":"v","until":1,"creationIndex":1',
])('the text %s is not a record', (text) => {
	expect(readRecord(text)).toBeUndefined();
});
