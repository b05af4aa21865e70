import {defineConfig} from 'vitest/config';

// AXIOS names the folder of another axios, to run the tests beside the oldest one that is supported.
const {AXIOS} = process.env;

export default defineConfig({
	resolve: {alias: AXIOS ? [{find: /^axios$/, replacement: AXIOS}] : []},
	test: {
		include: ['test/**/*.test.ts'],
		testTimeout: 20_000,
		// Each test waits for its servers most of the time; without this a core is left to nobody.
		maxWorkers: '100%',
		// Tests of the environment (HTTPS_PROXY, NODE_TLS_REJECT_UNAUTHORIZED) need a process of their own.
		pool: 'forks',
	},
});
