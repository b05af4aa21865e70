import {defineConfig} from 'rolldown';

// A file per entry, and one for what they share: Node takes a third of a millisecond for each file
// that it imports, and there are more than a hundred sources.
export default defineConfig({
	input: {
		index: 'src/index.ts',
		'redis/index': 'src/redis/index.ts',
		'testing/index': 'src/testing/index.ts',
		'cli/bin': 'src/cli/bin.ts',
	},
	platform: 'node',
	// All packages stay where the app has them.
	external: /^[^./]/,
	output: {dir: 'dist', chunkFileNames: 'shared/[name].js'},
});
