import {expect, type TestContext, test, vi} from 'vitest';
import {needs} from '../support/servers/programs.ts';

const context = {
	skip(reason: string) {
		throw new Error(`skipped: ${reason}`);
	},
} as TestContext;

test('a server that is not installed skips its test, and on CI fails it', () => {
	vi.stubEnv('CI', '');
	expect(() => needs(context, 'no-such-server')).toThrow(
		'skipped: no-such-server is not installed',
	);
	vi.stubEnv('CI', 'true');
	expect(() => needs(context, 'no', 'nor-such')).toThrow(/^no or nor-such is not installed$/);
	vi.unstubAllEnvs();
	expect(needs(context, 'no-such-server', 'node')).toMatch(/\/node$/);
});
