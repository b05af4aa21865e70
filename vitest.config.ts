import {fileURLToPath} from 'node:url';
import {defineConfig} from 'vitest/config';

// Many tests start processes that load the sources as they are. What Node has made of them is kept from
// one to the next, which halves their start.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
	new URL('node_modules/.cache/node', import.meta.url),
);

// AXIOS and TOUGH_COOKIE name the main file of another version, to run the tests beside those that an app
// may have.
const {AXIOS, TOUGH_COOKIE} = process.env;
const alias = [
	{find: /^axios$/, replacement: AXIOS},
	{find: /^tough-cookie$/, replacement: TOUGH_COOKIE},
].flatMap(({find, replacement}) => (replacement ? [{find, replacement}] : []));

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
