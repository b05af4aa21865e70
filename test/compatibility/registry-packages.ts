/**
 * What the tests of the packed package install beside it, with its exact version, so that the same is tested
 * until somebody changes it here. What a sample app needs stands in its own package.json.
 */
export const registryPackages = {
	...{axios: '1.21.1', 'tough-cookie': '6.1.0'},
	...{jest: '30.5.2', 'jest-29': 'npm:jest@29.7.0', 'ts-jest': '29.4.15', '@types/jest': '30.0.0'},
	...{'@swc/jest': '0.2.39', '@swc/core': '1.16.22', 'jest-environment-jsdom': '30.5.2'},
	...{typescript: '5.9.3', '@types/node': '22.20.5'},
	...{'ts-node': '10.9.2', mocha: '12.0.3', vitest: '5.1.1'},
	...{eslint: '9.39.5', 'eslint-plugin-import': '2.32.0'},
	...{esbuild: '0.28.2', rollup: '4.68.8', webpack: '5.113.0', '@vercel/ncc': '0.45.0'},
	'@rollup/plugin-commonjs': '29.0.3',
	'@rollup/plugin-json': '6.1.0',
	'@rollup/plugin-node-resolve': '16.0.3',
} as const;
