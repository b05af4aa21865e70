import {describe, expect, test} from 'vitest';
import {BoundedMap} from '../../src/util/bounded-map.ts';

describe('BoundedMap', () => {
	test.each([
		[2, ['a', 'b'], ['a', 'b']],
		[3, ['a', 'b', 'c'], ['a', 'b', 'c']],
		[4, ['a', 'b', 'c', 'd'], ['b', 'c', 'd']],
	])('a map with a limit keeps the latest three of %i entries', (_, keys, kept) => {
		const map = new BoundedMap<string, string>({maxEntries: 3, maxBytes: 1000});
		for (const key of keys) map.set(key, key.toUpperCase(), 1);
		expect(keys.filter((key) => map.get(key) === key.toUpperCase())).toEqual(kept);
		expect(map.size).toBe(kept.length);
		expect(map.bytes).toBe(kept.length);
	});

	test.each([
		[49, 2],
		[50, 2],
		[51, 1],
	])('a map with a limit keeps as many entries of %i bytes as fit into 100', (bytes, kept) => {
		const map = new BoundedMap<number, number>({
			maxEntries: 10,
			maxBytes: 100,
			maxEntryBytes: 100,
		});
		for (let i = 0; i < 5; i += 1) map.set(i, i, bytes);
		expect(map.size).toBe(kept);
		expect(map.bytes).toBe(kept * bytes);
		expect(map.get(4)).toBe(4);
	});

	test.each([
		[9, true],
		[10, true],
		[11, false],
	])('a map with a limit keeps an entry of %i bytes where 10 are the most: %s', (bytes, kept) => {
		const map = new BoundedMap<string, string>({maxEntries: 10, maxBytes: 100, maxEntryBytes: 10});
		map.set('before', 'it', 1);
		map.set('key', 'value', bytes);
		expect(map.get('key')).toBe(kept ? 'value' : undefined);
		expect(map.get('before')).toBe('it');
	});

	test('forgets the old value where the new one is too large', () => {
		const map = new BoundedMap<string, string>({maxEntries: 10, maxBytes: 80});
		map.set('key', 'old', 10);
		map.set('key', 'new', 11);
		expect(map.get('key')).toBeUndefined();
		expect(map.bytes).toBe(0);
	});

	test('counts an entry once that is set twice', () => {
		const map = new BoundedMap<string, string>({maxEntries: 10, maxBytes: 80});
		map.set('key', 'old', 10);
		map.set('key', 'new', 5);
		expect(map.get('key')).toBe('new');
		expect(map.bytes).toBe(5);
		map.delete('key');
		map.delete('key');
		expect([map.size, map.bytes]).toEqual([0, 0]);
	});

	test('lists the values that it keeps, the first one first', () => {
		const map = new BoundedMap<string, string>({maxEntries: 2, maxBytes: 80});
		for (const key of ['a', 'b', 'c']) map.set(key, key.toUpperCase(), 1);
		expect([...map.values()]).toEqual(['B', 'C']);
	});

	test('a map with a limit is empty once it is cleared', () => {
		const map = new BoundedMap<string, string>({maxEntries: 10, maxBytes: 80});
		map.set('key', 'value', 10);
		map.clear();
		expect([map.size, map.bytes, map.get('key')]).toEqual([0, 0, undefined]);
	});
});
