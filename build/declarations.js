/*
 * Copies the declarations that the entries reach into dist, once for each format. The others are no part of
 * the types, and were most of the files of the package.
 */
import {copyFileSync, mkdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

const from = 'node_modules/.cache/declarations';
const entries = ['index', 'redis/index', 'testing/index'];

for (const name of reachedFrom(entries.map((entry) => `${entry}.d.ts`))) {
	for (const format of ['dist', 'dist/cjs']) {
		mkdirSync(dirname(join(format, name)), {recursive: true});
		copyFileSync(join(from, name), join(format, name));
	}
}

function reachedFrom(names) {
	const reached = new Set(names);
	for (const name of reached) {
		const text = readFileSync(join(from, name), 'utf8');
		for (const [, specifier] of text.matchAll(/\b(?:from|import) ?\(?'(\.[^']+)\.ts'/g)) {
			reached.add(join(dirname(name), `${specifier}.d.ts`));
		}
	}
	return reached;
}
