/*
 * The package as npm installs it, in apps of other makes. They come from the registry, so this runs in CI
 * alone; with `CI=true` it runs anywhere.
 */
// Slow: it installs the package from its tarball, and runs Jest and TypeScript on it.
import {beforeAll, describe, expect, test} from 'vitest';
import {prove, versionFor} from '../compatibility/prove.ts';
import {makeSharedApp} from '../compatibility/shared-apps.ts';
import type {App} from './consumer.ts';

let app: App;

/** A test of an app, in Jest's own words. */
const jestTest = `
const {AxiosError, isAxiosError} = require('axios');
const {createClient, isMtlsError, MtlsConfigError} = require('axios-mtls');
const {createTestPki, startMtlsServer} = require('axios-mtls/testing');

test('a client presents its certificate', async () => {
	const pki = await createTestPki();
	const server = await startMtlsServer({pki});
	const {cert, key} = await pki.client({commonName: 'alice'});
	const baseURL = server.origin;
	const make = (mtls) => createClient({mtls, baseURL, jar: true, logger: false, proxy: false});
	const client = make({cert, key, ca: pki.ca});
	const anonymous = make({ca: pki.ca});

	const {data} = await client.post('/login', {user: 'alice', password: 'wonderland'});
	const error = await anonymous.get('/whoami').catch((thrown) => thrown);

	expect(data).toMatchObject({user: 'alice', client: 'alice'});
	expect(error).toBeInstanceOf(AxiosError);
	expect(isAxiosError(error) && isMtlsError(error)).toBe(true);
	expect(error.failure.kind).toBe('client-certificate-required');
	expect(() => createClient({mtls: {cert: 'no-such-file'}})).toThrow(MtlsConfigError);
	await server.close();
});
`;

describe.skipIf(!process.env.CI)(
	'the packed package, which needs the registry and so CI=true',
	{timeout: 180_000},
	() => {
		beforeAll(async () => {
			app = await makeSharedApp('jest');
			app.write('app.test.js', jestTest);
			app.write('node.test.js', `/** @jest-environment node */\n${jestTest}`);
			app.write(
				'typed.test.ts',
				jestTest.replace(/^const (.*) = require\((.*)\)/gm, 'import $1 from $2'),
			);
			const compilerOptions = {module: 'commonjs', moduleResolution: 'node10', target: 'es2022'};
			app.write('tsconfig.json', JSON.stringify({compilerOptions}));
			app.write('swc.json', '{"transform": {"^.+\\\\.[jt]s$": "@swc/jest"}}');
		}, 300_000);

		const jest = (name: string, ...argv: string[]) =>
			app.run(process.execPath, [`../node_modules/${name}/bin/jest.js`, ...argv]);

		test.each([
			['Jest 30', 'jest-30', 'jest', 'jest', ['app.test.js']],
			['Jest 29', 'jest-29', 'jest-29', 'jest-29', ['app.test.js']],
			['Jest 30 with ts-jest', 'ts-jest', 'jest', 'ts-jest', ['--preset=ts-jest', 'typed.test.ts']],
			['Jest 30 with swc', 'swc-jest', 'jest', '@swc/jest', ['--config=swc.json', 'typed.test.ts']],
		] as const)('a test in %s makes a call with a certificate', async (_, row, name, of, argv) => {
			const {code, stderr} = await jest(name, ...argv);

			expect(stderr).toContain('1 passed, 1 total');
			expect(code).toBe(0);
			prove(row, versionFor(app.dir, of));
		});

		test('a test in the jsdom of Jest needs the environment of Node', async () => {
			const [failed, passed] = await Promise.all(
				['app.test.js', 'node.test.js'].map((file) => jest('jest', '--env=jsdom', file)),
			);

			expect(failed?.stderr).toContain('ReferenceError: TextDecoder is not defined');
			expect(failed?.code).toBe(1);
			expect(passed?.stderr).toContain('1 passed, 1 total');
			expect(passed?.code).toBe(0);
			prove('jest-jsdom', versionFor(app.dir, 'jest-environment-jsdom'));
		});

		test('both copies of an app recognise the errors of the other', async () => {
			app.write(
				'both.mjs',
				[
					"import {createRequire} from 'node:module';",
					"import {MtlsConfigError, createClient} from 'axios-mtls';",
					"const theirs = createRequire(import.meta.url)('axios-mtls');",
					'for (const create of [createClient, theirs.createClient]) {',
					'\ttry {',
					"\t\tcreate({mtls: {cert: 'no-such-file'}});",
					'\t} catch (error) {',
					'\t\tconsole.log(error instanceof MtlsConfigError, error instanceof theirs.MtlsConfigError);',
					'\t}',
					'}',
				].join('\n'),
			);

			expect(await app.node('both.mjs')).toEqual({
				code: 0,
				stdout: 'true true\ntrue true\n',
				stderr: '',
			});
			prove('both', process.versions.node);
		});
	},
);
