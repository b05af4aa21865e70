import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {fieldOf, fieldsBelow, parseField} from '../../src/redis/field.ts';

const text = fc.oneof(
	fc.string({unit: 'binary'}),
	fc.stringMatching(/^["\\,[\]/a.]{0,6}$/),
	fc.constantFrom('', '"', '","', '\\', '__proto__', '\u0000', '\ud800'),
);
const id = fc.record({domain: text, path: text, key: text});

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

test('two cookies have two fields, and only those of a place are below it', () => {
	fc.assert(
		fc.property(id, id, (one, other) => {
			const sameDomain = one.domain === other.domain;
			const samePath = sameDomain && one.path === other.path;
			const field = fieldOf(other);
			expect(fieldOf(one) === field).toBe(samePath && one.key === other.key);
			expect(field.startsWith(fieldsBelow(one.domain, undefined))).toBe(sameDomain);
			expect(field.startsWith(fieldsBelow(one.domain, one.path))).toBe(samePath);
		}),
		{numRuns: 2_000},
	);
});

describe('what is no field of ours is none', () => {
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
