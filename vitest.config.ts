import {globSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {defineConfig} from 'vitest/config';
import {BaseSequencer, type TestSpecification} from 'vitest/node';

const root = fileURLToPath(new URL('.', import.meta.url));

// Many tests start processes that load the sources as they are. What Node has made of them is kept from
// one to the next, which halves their start.
process.env.NODE_COMPILE_CACHE ??= join(root, 'node_modules/.cache/node');

// BESIDE is a folder in which other versions of the packages that an app may have are installed
// (test/compatibility/run-beside.ts): the tests run with these.
const {BESIDE} = process.env;
const from = BESIDE && createRequire(join(BESIDE, 'package.json'));
const alias = ['axios', 'tough-cookie', 'axios-cookiejar-support', 'redis'].flatMap((name) => {
	if (!from) return [];
	// Required, axios is another copy than imported.
	const replacement =
		name === 'axios' ? join(BESIDE, 'node_modules/axios/index.js') : from.resolve(name);
	return [{find: new RegExp(`^${name}$`), replacement}];
});

const files = globSync('test/**/*.test.ts', {cwd: root}).map((path) => ({
	path: path.replaceAll('\\', '/'),
	text: readFileSync(join(root, path), 'utf8'),
}));
type File = (typeof files)[number];

// What a test file says of itself in a comment, with the reason.
const isSlow = ({text}: File) => /^\/\/ Slow: \S/m.test(text);
const isAlone = ({text}: File) => /^\/\/ In a process of its own: \S/m.test(text);

const isInterop = ({path}: File) => path.endsWith('.interop.test.ts');
const isRepeated = ({text}: File) => /support\/(iterations|parity)\.ts'/.test(text);

/**
 * The tests of a run, by vitest's `--mode`. `test` is that of `vitest run`, for everyday work: it repeats
 * little, and leaves out what is slow and what talks to other programs. `rest` is what `test` has left out
 * or repeated little, and `all` is everything.
 */
const modes: Readonly<Record<string, (file: File) => boolean>> = {
	test: (file) => !isSlow(file) && !isInterop(file),
	rest: (file) => isSlow(file) || isInterop(file) || isRepeated(file),
	all: () => true,
};

const slow = new Set(files.filter(isSlow).map(({path}) => join(root, path)));

/** Begins with the files that are slow: on a fresh machine vitest knows no more of a file than its size. */
class SlowFirst extends BaseSequencer {
	override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
		const sorted = await super.sort(specifications);
		const isFirst = ({moduleId}: TestSpecification) => slow.has(moduleId);
		return [...sorted.filter(isFirst), ...sorted.filter((each) => !isFirst(each))];
	}
}

export default defineConfig(({mode}) => {
	// Any other mode is that of a tool which reads this file.
	const chosen = files.filter(modes[mode] ?? (() => true));
	const paths = (list: readonly File[]) => list.map(({path}) => path);
	return {
		resolve: {alias},
		test: {
			env: mode === 'test' ? {SHORT: '1'} : {},
			globalSetup: ['test/support/apps-folder.ts'],
			setupFiles: ['test/support/leave-no-trace.ts'],
			// Long enough for a machine that is busy with other things.
			testTimeout: 60_000,
			hookTimeout: 60_000,
			expect: {poll: {timeout: 10_000}},
			// The tests for everyday work wait part of the time, and leave their core to nobody; the others mostly
			// start processes.
			maxWorkers: Math.ceil((mode === 'test' ? 1.5 : 1) * availableParallelism()),
			sequence: {sequencer: SlowFirst},
			// Tests of the environment (HTTPS_PROXY, NODE_TLS_REJECT_UNAUTHORIZED) change that of a process.
			pool: 'forks',
			projects: [
				{
					extends: true,
					test: {
						name: 'shared',
						// To load the sources anew for each file takes longer than most of the tests.
						isolate: false,
						include: paths(chosen.filter((file) => !isAlone(file))),
					},
				},
				{extends: true, test: {name: 'alone', include: paths(chosen.filter(isAlone))}},
			],
		},
	};
});
