import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import packageJson from '../../package.json' with {type: 'json'};
import {makeConsumer} from './consumer.ts';

const surface = {
	'axios-mtls': [
		'CookieFileError',
		'CookieJar',
		'MtlsAgent',
		'MtlsConfigError',
		'MtlsError',
		'createAdapter',
		'createClient',
		'fileJar',
		'isMtlsError',
		'logFailures',
		'withMtls',
	],
	'axios-mtls/redis': ['RedisCookieStore', 'RedisJarError'],
	'axios-mtls/testing': ['createTestPki', 'startMtlsServer'],
};

test('the package has these entry points and no other', () => {
	expect(Object.keys(packageJson.exports)).toEqual(['.', './redis', './testing', './package.json']);
	expect(Object.keys(packageJson.bin)).toEqual(['axios-mtls']);
});

test.each(Object.entries(surface))(
	'an app that imports %s gets these names',
	async (name, names) => {
		using app = makeConsumer();
		app.write('app.js', `import * as all from '${name}';\n${print}`);

		expect(await app.node('app.js')).toEqual({code: 0, stdout: line(names), stderr: ''});
	},
);

test.each(Object.entries(surface))('an app that requires %s gets the same', async (name, names) => {
	using app = makeConsumer();
	app.write('app.cjs', `const all = require('${name}');\n${print}`);

	expect(await app.node('app.cjs')).toEqual({code: 0, stdout: line(names), stderr: ''});
});

// Seen: bundles that did not start, because a banner had declared the name `createRequire` already, or
// that held the path of the machine they were built on, which is what `import.meta.url` becomes.
test('the published code asks neither for its own path nor for createRequire', () => {
	const dist = new URL('../../dist/', import.meta.url);
	const files = readdirSync(dist, {recursive: true, encoding: 'utf8'});
	const built = files.filter((name) => name.endsWith('.js'));
	expect(built.length).toBeGreaterThan(6);

	const found = built.flatMap((name) => {
		const code = readFileSync(new URL(name, dist), 'utf8');
		const uses = code.match(/\bimport\.meta\b|\bcreateRequire\b|\b__(?:file|dir)name\b/g) ?? [];
		return uses.map((use) => `${name}: ${use}`);
	});
	expect(found).toEqual([]);
});

test('what is inside the package cannot be imported', async () => {
	using app = makeConsumer();
	app.write('app.js', "import 'axios-mtls/dist/net/connect.js';");

	const {code, stderr} = await app.node('app.js');

	expect(code).toBe(1);
	expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
});

test('the client loads no certificate library, no argument parser and no colours', async () => {
	using app = makeConsumer();
	app.write(
		'app.js',
		[
			"import {registerHooks} from 'node:module';",
			'const loaded = new Set();',
			'registerHooks({',
			'\tresolve(specifier, context, next) {',
			'\t\tloaded.add(specifier);',
			'\t\treturn next(specifier, context);',
			'\t},',
			'});',
			"await import('axios-mtls');",
			"const lazy = ['@peculiar/x509', 'reflect-metadata', 'commander', 'picocolors'];",
			"console.log(loaded.has('axios'), lazy.filter((name) => loaded.has(name)));",
		].join('\n'),
	);

	expect(await app.node('app.js')).toEqual({code: 0, stdout: 'true []\n', stderr: ''});
});

test('the tarball holds the built files, the papers and nothing else', () => {
	const [pack] = JSON.parse(
		// Without its scripts: a build would take dist/ away from the tests beside this one.
		execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
			cwd: fileURLToPath(new URL('../../', import.meta.url)),
			encoding: 'utf8',
			stdio: ['ignore', 'pipe', 'pipe'],
		}),
	);
	const paths: string[] = pack.files.map(({path}: {path: string}) => path);

	const papers = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
	const folders = ['redis/package.json', 'testing/package.json'];
	const [guides, others] = [/^examples\/from-[\w-]+\.md$/, /^(dist|examples)\//];
	expect(paths.filter((path) => !others.test(path)).sort()).toEqual([...papers, ...folders]);
	expect(paths.filter((path) => guides.test(path))).not.toHaveLength(0);
	expect(paths.filter((path) => /^examples/.test(path) && !guides.test(path))).toEqual([]);
	const built = paths.filter((path) => path.startsWith('dist/'));
	expect(built).toEqual(
		expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'dist/cli/bin.js']),
	);
	const kinds = /^dist\/([\w/-]+\.(js|d\.ts)|cjs\/package\.json)$/;
	expect(built.filter((path) => !kinds.test(path))).toEqual([]);
	expect(built.filter((path) => /^dist\/.*cli\/.*\.d\.ts$/.test(path))).toEqual([]);
});

const print = 'console.log(Object.keys(all).sort().join());';

function line(names: readonly string[]): string {
	return `${names.join()}\n`;
}
