import {defineConfig} from 'rolldown';

// All packages stay where the app has them.
const external = /^[^./]/;
const entries = {
	index: 'src/index.ts',
	'redis/index': 'src/redis/index.ts',
	'testing/index': 'src/testing/index.ts',
};

// A file per entry, and one for what they share: Node takes a third of a millisecond for each file
// that it imports, and there are more than a hundred sources.
export default defineConfig([
	{
		input: {...entries, 'cli/bin': 'src/cli/bin.ts'},
		platform: 'node',
		external,
		output: {dir: 'dist', chunkFileNames: 'shared/[name].js'},
	},
	// For apps that use `require`, and so that they have one axios: what `require('axios')` returns is
	// another copy than what `import` does.
	{
		input: entries,
		platform: 'node',
		external,
		plugins: [{name: 'package.json', generateBundle: writePackageJson}],
		output: {
			dir: 'dist/cjs',
			format: 'cjs',
			// What modules are without saying so.
			strict: true,
			chunkFileNames: 'shared/[name].js',
			// Jest refuses `import()` in a test.
			dynamicImportInCjs: false,
		},
	},
]);

// What Node, TypeScript and bundlers take for CommonJS is decided by the nearest package.json.
function writePackageJson() {
	this.emitFile({type: 'asset', fileName: 'package.json', source: '{"type": "commonjs"}\n'});
}
