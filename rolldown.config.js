import {defineConfig} from 'rolldown';

// All packages stay where the app has them.
const external = /^[^./]/;
const entries = {
	index: 'src/index.ts',
	'redis/index': 'src/redis/index.ts',
	'testing/index': 'src/testing/index.ts',
};

// Files of their own, so that they run before the others, and the one of the command line before that of
// the package.
const codeSplitting = {
	groups: [
		{name: 'unsupported-runtime', test: /unsupported-runtime\.ts$/, priority: 1},
		{name: 'check-runtime', test: /src\/runtime\/check-runtime\.ts$/},
		{name: 'check-runtime-cli', test: /src\/cli\/(check-runtime|shared\/exit-codes)\.ts$/},
	],
};

// What bundlers need, and no documentation: it stands in the declarations.
const comments = {legal: true, annotation: true, jsdoc: false};

// A file per entry, and one for what they share: Node takes a third of a millisecond for each file
// that it imports, and there are more than a hundred sources.
export default defineConfig([
	{
		input: {...entries, 'cli/bin': 'src/cli/bin.ts'},
		platform: 'node',
		external,
		plugins: [{name: 'check-runtime', renderChunk: checkRuntimeFirst}],
		output: {dir: 'dist', chunkFileNames: 'shared/[name].js', codeSplitting, comments},
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
			codeSplitting,
			comments,
			// Jest refuses `import()` in a test.
			dynamicImportInCjs: false,
		},
	},
]);

// What Node, TypeScript and bundlers take for CommonJS is decided by the nearest package.json.
function writePackageJson() {
	this.emitFile({type: 'asset', fileName: 'package.json', source: '{"type": "commonjs"}\n'});
}

// An entry that only exports again imports the shared files in an order of their own.
function checkRuntimeFirst(code, {isEntry, fileName}) {
	if (!isEntry || fileName === 'cli/bin.js') return null;
	const up = fileName.includes('/') ? '..' : '.';
	return `import "${up}/shared/check-runtime.js";\n${code}`;
}
