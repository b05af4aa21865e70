import {expect, test} from 'vitest';
import {unsupportedRuntime} from '../../src/runtime/unsupported-runtime.ts';

const needed = 'axios-mtls needs Node.js 22.19 or newer, but this is';

test.each(['18.20.8', '20.20.2', '21.19.0', '22.0.0', '22.9.0', '22.18.9'])(
	'Node %s is too old',
	(node) => {
		expect(unsupportedRuntime({node})).toBe(`${needed} Node.js ${node}`);
	},
);

test.each(['22.19.0', '22.20.0', '22.100.0', '24.0.0', '26.10.0', '100.0.0', '22.19.0-nightly'])(
	'Node %s is new enough',
	(node) => {
		expect(unsupportedRuntime({node})).toBeUndefined();
	},
);

// Each says that it is a Node that would do.
test('Bun, Deno and a runtime without the version of a Node are named', () => {
	const node = '26.3.0';

	expect(unsupportedRuntime({node, bun: '1.4.5'})).toBe(`${needed} Bun 1.4.5`);
	expect(unsupportedRuntime({node, deno: '2.9.6'})).toBe(`${needed} Deno 2.9.6`);
	expect(unsupportedRuntime({})).toBe(`${needed} another runtime`);
});

test('the version of the sentence is that of package.json', async () => {
	const {default: packageJson} = await import('../../package.json', {with: {type: 'json'}});

	expect(packageJson.engines.node).toBe('>=22.19');
	expect(unsupportedRuntime({node: '0.0.0'})).toContain('22.19 or newer');
});
