import {appendFileSync, existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect} from 'vitest';
import {type RowId, rows} from './rows.ts';

/**
 * Says that the calling test has shown what a row of docs/compatibility.md says, last in the test. Fails
 * where the version is another than that of the row.
 */
export function prove(id: RowId, version: string): void {
	expect(version, `the version that row ${id} of test/compatibility/rows.ts is about`).toBe(
		rows[id].version,
	);
	record(id);
}

/** The same for a package beside ours, in a version of which there may be no row: the newest changes. */
export function proveBeside(name: string, folder: string): void {
	record(`${name} ${versionFor(folder, name)}`);
}

function record(id: string): void {
	// Of `npm run compatibility`, which writes the rows that were proven.
	const {PROVEN} = process.env;
	if (PROVEN) appendFileSync(PROVEN, `${id}\n`);
}

/** The version of a package that is installed in a folder, or in one above it. */
export function versionFor(folder: string, name: string): string {
	const file = join(folder, 'node_modules', name, 'package.json');
	if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')).version;
	if (dirname(folder) === folder) throw new Error(`${name} is not installed`);
	return versionFor(dirname(folder), name);
}
