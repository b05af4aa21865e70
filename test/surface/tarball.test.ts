/** What `npm publish` would send: its files, and what is in them. */
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join, posix, relative, sep} from 'node:path';
import {fileURLToPath} from 'node:url';
import {beforeAll, expect, test} from 'vitest';
import packageJson from '../../package.json' with {type: 'json'};
import {makeConsumer} from './consumer.ts';
import {documents, linksOf} from './documents.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const npm = (cwd: string, ...argv: string[]) =>
	execFileSync('npm', argv, {cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});

/** Sorted, with slashes. */
let files: string[];
beforeAll(() => {
	const printed = JSON.parse(
		// No registry is asked. Without its scripts: a build would take dist/ away from the tests beside this one.
		npm(
			root,
			...['publish', '--dry-run', '--json', '--ignore-scripts'],
			...['--registry=http://127.0.0.1:9', '--fetch-retries=0'],
		),
	);
	// npm 10 prints the one package, npm 11 each by its name.
	const {files: published} = printed[packageJson.name] ?? printed;
	files = published.map(({path}: {path: string}) => path).sort();
});

const papers = [
	...['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'],
	...['bench/chart.svg', 'bench/results.md'],
];
const scripts = [
	...['dist/index.js', 'dist/redis/index.js', 'dist/testing/index.js', 'dist/cli/bin.js'],
	...['dist/cjs/index.js', 'dist/cjs/redis/index.js', 'dist/cjs/testing/index.js'],
];
// Of resolvers that do not read `exports`, and what makes dist/cjs CommonJS.
const manifests = ['dist/cjs/package.json', 'redis/package.json', 'testing/package.json'];
const parts = {
	chunk: /^dist\/(cjs\/)?shared\/[a-z0-9-]+\.js$/,
	declaration: /^dist\/[a-z0-9/-]+\.d\.ts$/,
	page: /^docs\/[a-zA-Z0-9/-]+\.(md|svg|png)$/,
};

test('each published file is of a kind that is meant to be published', () => {
	const known = [...papers, ...scripts, ...manifests];
	const kinds = Object.values(parts);

	expect(files).toEqual(expect.arrayContaining(known));
	expect(
		files.filter((path) => !known.includes(path) && !kinds.some((kind) => kind.test(path))),
	).toEqual([]);
	for (const kind of kinds) expect(files.filter((path) => kind.test(path))).not.toEqual([]);
});

// The sample apps, which have tests, and what is for those who change the package.
const repositoryAlone = /^(examples|CONTRIBUTING\.md)\b/;

test('what a published page links to is published', () => {
	const pages = documents.filter(({path}) => files.includes(path));
	expect(pages.map(({path}) => path)).toContain('docs/compatibility.md');

	const dead = pages.flatMap((page) =>
		linksOf(page)
			.filter(({target}) => !/^(https?:|#)/.test(target))
			.map(({target}) => posix.join(posix.dirname(page.path), target.replace(/#.*/, '')))
			.filter((path) => !files.includes(path) && !repositoryAlone.test(path))
			.map((path) => `${page.path}: ${path}`),
	);
	expect(dead).toEqual([]);
});

test.each([
	['import', 'app.mts', 'dist'],
	['require', 'app.cts', 'dist/cjs'],
])('the published declarations are those that TypeScript reads for %s', async (_, name, folder) => {
	using app = makeConsumer();
	const entries = ['axios-mtls', 'axios-mtls/redis', 'axios-mtls/testing'];
	app.write(name, entries.map((entry) => `export * from '${entry}';`).join('\n'));

	const {stdout} = await app.tsc('--listFilesOnly', name);

	const read = stdout
		.split('\n')
		.map((path) => relative(root, path).replaceAll(sep, '/'))
		.filter((path) => path.startsWith('dist/'));
	expect(read.length).toBeGreaterThan(20);
	const inFolder = new RegExp(`^${folder}/(?!cjs/).*\\.d\\.ts$`);
	expect(read.sort()).toEqual(files.filter((path) => inFolder.test(path)));
});

test('nothing published has a source map or a path of the machine that built it', () => {
	const found = files.flatMap((path) => {
		const text = readFileSync(join(root, path), 'utf8');
		return ['sourceMappingURL', 'file://', root, `${homedir()}${sep}`]
			.filter((trace) => text.includes(trace))
			.map((trace) => `${path}: ${trace}`);
	});
	expect(found).toEqual([]);
});

test('the documentation stands in the declarations and not in the code', () => {
	const [code, types] = ['dist/shared/src.js', 'dist/client/create-client.d.ts'].map((path) =>
		readFileSync(join(root, path), 'utf8'),
	);

	expect(code).not.toContain('* @throws');
	expect(types).toContain('* @throws');
});

test('npm has nothing to mend in package.json', () => {
	using app = makeConsumer();
	app.write('package.json', JSON.stringify(packageJson));

	npm(app.dir, 'pkg', 'fix');

	expect(JSON.parse(readFileSync(join(app.dir, 'package.json'), 'utf8'))).toEqual(packageJson);
});
