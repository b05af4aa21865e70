import {createRequire} from 'node:module';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {defineConfig} from 'vitest/config';

// Many tests start processes that load the sources as they are. What Node has made of them is kept from
// one to the next, which halves their start.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
	new URL('node_modules/.cache/node', import.meta.url),
);

// BESIDE is a folder in which other versions of the packages that an app may have are installed
// (test/compatibility/run-beside.ts): the tests run with these.
const {BESIDE} = process.env;
const from = BESIDE && createRequire(join(BESIDE, 'package.json'));
const alias = ['axios', 'tough-cookie', 'axios-cookiejar-support', 'redis'].flatMap((name) => {
	if (!from) return [];
	// Required, axios is another copy than imported.
	const replacement =
		name === 'axios' ? join(BESIDE, 'node_modules/axios/index.js') : from.resolve(name);
	return [{find: new RegExp(`^${name}$`), replacement}];
});

export default defineConfig({
	resolve: {alias},
	test: {
		include: ['test/**/*.test.ts'],
		globalSetup: ['test/support/apps-folder.ts'],
		// Long enough for a machine that is busy with other things.
		testTimeout: 60_000,
		hookTimeout: 60_000,
		// Each test waits for its servers most of the time; without this a core is left to nobody.
		maxWorkers: '100%',
		// Tests of the environment (HTTPS_PROXY, NODE_TLS_REJECT_UNAUTHORIZED) need a process of their own.
		pool: 'forks',
	},
});
