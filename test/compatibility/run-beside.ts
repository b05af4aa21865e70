/*
 * `node test/compatibility/run-beside.ts oldest [options of vitest]` installs a set of packages and runs the
 * tests of the main features with these in the place of our own.
 */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {packageSets} from './package-sets.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const [name = '', ...options] = process.argv.slice(2);
if (!(name in packageSets)) throw new Error(`no such set of packages: ${name}`);

const dir = mkdtempSync(join(tmpdir(), `axios-mtls-${name}-`));
try {
	const dependencies = packageSets[name as keyof typeof packageSets];
	writeFileSync(join(dir, 'package.json'), JSON.stringify({private: true, dependencies}));
	const quick = ['--no-package-lock', '--prefer-offline', '--no-audit', '--no-fund'];
	run('npm', ['install', ...quick], dir);

	const files = [
		'main-features',
		'test/cookies/policy.test.ts',
		'test/redis/store.interop.test.ts',
	];
	const vitest = join(root, 'node_modules/vitest/vitest.mjs');
	run(process.execPath, [vitest, 'run', '--mode', 'all', ...files, ...options], root, {
		BESIDE: dir,
	});
} finally {
	rmSync(dir, {recursive: true});
}

function run(program: string, argv: readonly string[], cwd: string, env: object = {}): void {
	if (process.exitCode) return;
	const options = {cwd, env: {...process.env, ...env}, stdio: 'inherit'} as const;
	process.exitCode = spawnSync(program, argv, options).status ?? 1;
}
