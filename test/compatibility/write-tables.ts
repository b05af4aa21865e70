/*
 * `npm run compatibility` runs the tests of all rows, with the packages from the registry, and writes
 * docs/compatibility.md: nothing where a test fails, or where no test has shown a row.
 */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {withTables} from './render.ts';
import {rows} from './rows.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const proven = mkdtempSync(join(tmpdir(), 'axios-mtls-proven-'));
try {
	const files = new Set(Object.values(rows).map(({proof}) => `test/${proof}`));
	const argv = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...files];
	const env = {...process.env, CI: 'true', PROVEN: proven};
	const {status} = spawnSync(process.execPath, argv, {cwd: root, env, stdio: 'inherit'});
	const shown = readdirSync(proven);
	const missing = Object.keys(rows).filter((id) => !shown.includes(id));
	if (missing.length > 0) console.error(`No test has shown these rows: ${missing.join(', ')}`);
	if (status !== 0 || missing.length > 0) process.exitCode = 1;
	else {
		const file = join(root, 'docs/compatibility.md');
		writeFileSync(file, withTables(readFileSync(file, 'utf8')));
	}
} finally {
	rmSync(proven, {recursive: true});
}
