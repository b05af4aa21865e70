/*
 * The table of events in docs/errors.md is held to the sources.
 */
import {globSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {documentAt} from './documents.ts';

const src = fileURLToPath(new URL('../../src/', import.meta.url));

/** On a channel of node:diagnostics_channel alone. */
const notLogged = [
	'identity_loaded',
	'identity_rotated',
	'logged_in',
	'login_adopted',
	'login_failed',
];

test('docs/errors.md lists each event that is logged, and no other', () => {
	const sources = globSync('**/*.ts', {cwd: src}).map((file) => readFileSync(src + file, 'utf8'));
	const lines = sources.flatMap((text) => text.match(/\bevent\b.*/g) ?? []);
	const events = lines.flatMap((line) => line.match(/(?<=')[a-z]+(_[a-z]+)+(?=')/g) ?? []);
	const [, table = ''] =
		/^<!-- events -->\n\n((?:\|.*\n)+)/m.exec(documentAt('docs/errors.md').text) ?? [];
	const listed = table
		.split('\n')
		.flatMap((row) => (row.split('|')[1] ?? '').match(/[a-z]+_[a-z_]+/g) ?? []);

	expect(listed.toSorted()).toEqual(
		[...new Set(events)].filter((event) => !notLogged.includes(event)).sort(),
	);
});
