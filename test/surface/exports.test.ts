import {readdirSync, readFileSync} from 'node:fs';
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

const print = 'console.log(Object.keys(all).sort().join());';

function line(names: readonly string[]): string {
	return `${names.join()}\n`;
}
