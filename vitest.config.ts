import {defineConfig} from 'vitest/config';

export default defineConfig({
	test: {
		include: ['test/**/*.test.ts'],
		testTimeout: 20_000,
		// Tests of the environment (HTTPS_PROXY, NODE_TLS_REJECT_UNAUTHORIZED) need a process of their own.
		pool: 'forks',
	},
});
