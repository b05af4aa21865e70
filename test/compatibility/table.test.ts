/*
 * docs/compatibility.md says of each app what was tried with it. `npm run compatibility` writes it, once the
 * tests of all rows have passed.
 */
import {existsSync, readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {withTables} from './render.ts';
import {rows} from './rows.ts';

const written = readFileSync(new URL('../../docs/compatibility.md', import.meta.url), 'utf8');

test('docs/compatibility.md has the rows that the tests show: `npm run compatibility` writes them', () => {
	expect(written).toBe(withTables(written));
});

test('a row without its test, or a test without its row, is noticed', () => {
	for (const [id, {proof}] of Object.entries(rows)) {
		const file = new URL(`../${proof}`, import.meta.url);
		expect(existsSync(file), proof).toBe(true);
		const source = readFileSync(file, 'utf8');
		// A package beside ours has several versions, and its name alone in the test.
		expect(source, `${proof} proves ${id}`).toContain(`'${id.split(' ')[0]}'`);
		expect(source).toMatch(/\bprove(Beside)?\(/);
	}
});

test('an app that does not work has the reason and a way out', () => {
	for (const {works} of Object.values(rows))
		expect(works).toMatch(/^(yes(,.{10}.*)?|no: .{30}.*)$/);
});
