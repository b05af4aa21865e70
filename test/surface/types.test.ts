// Slow: it runs TypeScript in each of its module systems.
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {prove, versionFor} from '../compatibility/prove.ts';
import {makeConsumer} from './consumer.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const fixture = readFileSync(new URL('./fixtures/types.ts', import.meta.url), 'utf8')
	.replace('../../../src/index.ts', 'axios-mtls')
	.replace('../../../src/redis/index.ts', 'axios-mtls/redis');

// Without `await` at the top, which no CommonJS has, and the instance of axios-cookiejar-support, whose
// types are those of the axios of modules.
const commonJsFixture = [
	...fixture.split('\n').filter((line) => !/\bwrapper\b/.test(line)),
	'declare function awaited<T>(value: Promise<T>): T;',
]
	.join('\n')
	.replace(/\bawait (.*);$/gm, 'awaited($1);');

test('the published types agree with axios-cookiejar-support and refuse wrong options', async () => {
	using app = makeConsumer();
	app.write('app.ts', fixture);

	expect(await app.tsc('app.ts')).toMatchObject({code: 0, stdout: '', stderr: ''});
	prove('ts-7', versionFor(root, 'typescript'));
});

test('the published types need none of a browser', async () => {
	using app = makeConsumer();
	app.write(
		'app.ts',
		[
			"import {createClient} from 'axios-mtls';",
			"import {createTestPki, startMtlsServer} from 'axios-mtls/testing';",
			'const pki = await createTestPki();',
			'await using server = await startMtlsServer({pki});',
			'await createClient({mtls: {ca: pki.ca}}).get(server.url());',
		].join('\n'),
	);

	const outcome = await app.tsc('--lib', 'es2023,esnext.disposable', 'app.ts');

	expect(outcome).toEqual({code: 0, stdout: '', stderr: ''});
});

// An app without `"type": "module"`, as countless ones are, and with it, where that makes a difference.
test.each([
	['commonjs', 'node10', ['commonjs']],
	['node16', 'node16', ['commonjs', 'module']],
	['preserve', 'bundler', ['commonjs']],
] as const)(
	'TypeScript 5 accepts the types as --module %s --moduleResolution %s, type %j',
	async (module, resolution, types) => {
		using app = makeConsumer();
		const files = types.map((type) => {
			app.write(`${type}/package.json`, JSON.stringify({private: true, type}));
			app.write(`${type}/app.ts`, type === 'module' ? fixture : commonJsFixture);
			return `${type}/app.ts`;
		});

		const outcome = await app.tsc5(
			...['--module', module, '--moduleResolution', resolution, '--esModuleInterop'],
			...files,
		);

		expect(outcome).toEqual({code: 0, stdout: '', stderr: ''});
		prove('ts-5', versionFor(root, 'typescript-5'));
	},
);

test('the newest TypeScript accepts the types in a CommonJS app', async () => {
	using app = makeConsumer();
	app.write('app.cts', commonJsFixture);

	expect(await app.tsc('app.cts')).toEqual({code: 0, stdout: '', stderr: ''});
});

test('a CommonJS app may hand in its own instances', async () => {
	using app = makeConsumer();
	app.write(
		'app.cts',
		[
			"import axios = require('axios');",
			"import {createAdapter, logFailures, withMtls} from 'axios-mtls';",
			'logFailures(axios.create({adapter: createAdapter()}));',
			"withMtls(axios.create(), {jar: true}).get('https://a.test', {timeouts: {connectMs: 1}});",
		].join('\n'),
	);

	expect(await app.tsc('app.cts')).toEqual({code: 0, stdout: '', stderr: ''});
});

test('every wrong option of the fixture is an error of its own', async () => {
	using app = makeConsumer();
	app.write('app.ts', fixture.replaceAll('@ts-expect-error', ''));

	const {code, stdout} = await app.tsc('app.ts');

	const wrong = fixture.split('\n').flatMap((line, index) => {
		return line.startsWith('// @ts-expect-error') ? [index + 2] : [];
	});
	const refused = [...stdout.matchAll(/^app\.ts\((\d+),/gm)].map(([, line]) => Number(line));
	expect(code).not.toBe(0);
	expect(refused).toEqual(wrong);
	expect(wrong.length).toBeGreaterThan(10);
});

test('a package that declares another jar would be noticed', async () => {
	using app = makeConsumer();
	app.write(
		'app.ts',
		[
			"import 'axios-mtls';",
			"declare module 'axios' {",
			'\tinterface AxiosRequestConfig { jar?: string }',
			'}',
		].join('\n'),
	);

	const {stdout} = await app.tsc('app.ts');

	expect(stdout).toMatch(/error TS2717: .*'jar'/);
});
