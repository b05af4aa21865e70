import fc from 'fast-check';
import {Cookie} from 'tough-cookie';
import {describe, expect, test} from 'vitest';
import {maxLifetimeMs} from '../../src/cookies/expiry.ts';
import {
	fieldOf,
	fieldPrefix,
	parseField,
	readRecord,
	ttlOf,
	writeRecord,
} from '../../src/redis/record.ts';

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

const anyText = fc.oneof(
	fc.string({unit: 'binary'}),
	fc.stringMatching(/^["\\,[\]/a.]{0,6}$/),
	fc.constantFrom('', '"', '","', '\\', '__proto__', '\u0000', '\ud800'),
);
const id = fc.record({domain: anyText, path: anyText, key: anyText});

test('a field says which cookie it holds', () => {
	expect(fieldOf({domain: 'bank.example', path: '/', key: 'session'})).toBe(
		'["bank.example","/","session"]',
	);
	fc.assert(
		fc.property(id, (one) => {
			expect(parseField(fieldOf(one))).toEqual(one);
		}),
	);
});

test('two cookies have two fields, and a prefix matches only those of its domain and path', () => {
	fc.assert(
		fc.property(id, id, (one, other) => {
			const sameDomain = one.domain === other.domain;
			const samePath = sameDomain && one.path === other.path;
			const field = fieldOf(other);
			expect(fieldOf(one) === field).toBe(samePath && one.key === other.key);
			expect(field.startsWith(fieldPrefix(one.domain, undefined))).toBe(sameDomain);
			expect(field.startsWith(fieldPrefix(one.domain, one.path))).toBe(samePath);
		}),
		{numRuns: 2_000},
	);
});

describe('a field that the store did not write is ignored', () => {
	test.each([
		'',
		'session',
		'null',
		'{}',
		'"abc"',
		'[]',
		'["a","/"]',
		'["a","/","k","more"]',
		'["a","/",1]',
		'["a","/",null]',
		'["a","/","k"',
	])('the text %s is not a field of the store', (field) => {
		expect(parseField(field)).toBeUndefined();
	});
});
