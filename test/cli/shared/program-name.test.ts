import {expect, test} from 'vitest';
import {programName} from '../../../src/cli/shared/program-name.ts';

const cwd = '/home/me/app';

test.each([
	['on the PATH', '/usr/local/bin/axios-mtls', {}, 'axios-mtls'],
	['in the folder of a package', '/home/me/app/node_modules/.bin/axios-mtls', {}, 'npx axios-mtls'],
	[
		'in the cache of npx',
		'/home/me/.npm/_npx/1a2b/node_modules/.bin/axios-mtls',
		{},
		'npx axios-mtls',
	],
	['by npx from the PATH', '/usr/local/bin/axios-mtls', {npm_command: 'exec'}, 'npx axios-mtls'],
	['on Windows', 'C:\\app\\node_modules\\axios-mtls\\dist\\cli\\bin.js', {}, 'npx axios-mtls'],
	['in a clone', '/home/me/app/src/cli/bin.ts', {npm_command: 'run-script'}, 'node src/cli/bin.ts'],
	['elsewhere', '/opt/my tools/bin.js', {}, "node '/opt/my tools/bin.js'"],
	['by nothing known', undefined, {}, 'axios-mtls'],
] as const)(
	'a program that was started %s is named as it can be started again',
	(_, script, env, name) => {
		expect(programName({script, env, cwd})).toBe(name);
	},
);
