/*
 * `npm run compatibility` runs the tests of all rows, with the packages from the registry, and writes
 * docs/compatibility.md: nothing where a test fails, or where no test has shown a row.
 */
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {packageSets} from './package-sets.ts';
import {withTables} from './render.ts';
import {rows} from './rows.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'axios-mtls-proven-'));
const proven = join(dir, 'rows.txt');
const env = {...process.env, CI: 'true', PROVEN: proven};

function passes(script: string, ...argv: string[]): boolean {
	const {status} = spawnSync(process.execPath, [script, ...argv], {
		cwd: root,
		env,
		stdio: 'inherit',
	});
	return status === 0;
}

try {
	const files = new Set(Object.values(rows).map(({proof}) => `test/${proof}`));
	const passed =
		passes('node_modules/vitest/vitest.mjs', 'run', '--mode', 'all', ...files) &&
		Object.keys(packageSets).every((name) => passes('test/compatibility/run-beside.ts', name));
	const shown = existsSync(proven) ? readFileSync(proven, 'utf8').split('\n') : [];
	const missing = Object.keys(rows).filter((id) => !shown.includes(id));
	if (missing.length > 0) console.error(`No test has shown these rows: ${missing.join(', ')}`);
	if (!passed || missing.length > 0) process.exitCode = 1;
	else {
		const file = join(root, 'docs/compatibility.md');
		writeFileSync(file, withTables(readFileSync(file, 'utf8')));
	}
} finally {
	rmSync(dir, {recursive: true});
}
