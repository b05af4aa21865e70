/*
 * The package as npm installs it, in apps of other makes. They come from the registry, so this runs in CI
 * alone; with `CI=true` it runs anywhere.
 */
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Consumer, installPacked} from './consumer.ts';

let app: Consumer;

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
	() => {
		beforeAll(async () => {
			app = await installPacked([
				...['axios', 'tough-cookie', 'jest@30', 'jest-29@npm:jest@29', 'ts-jest@29'],
				...['typescript@5', '@types/node@22', '@types/jest'],
			]);
			app.write('app.test.js', jestTest);
			app.write(
				'typed.test.ts',
				jestTest.replace(/^const (.*) = require\((.*)\)/gm, 'import $1 from $2'),
			);
			const compilerOptions = {module: 'commonjs', moduleResolution: 'node10', target: 'es2022'};
			app.write('tsconfig.json', JSON.stringify({compilerOptions}));
		}, 300_000);
		afterAll(() => app?.[Symbol.dispose]());

		test.each([
			['Jest 30', 'jest', []],
			['Jest 29', 'jest-29', []],
			['Jest 30 with ts-jest', 'jest', ['--preset', 'ts-jest']],
		])(
			'a test in %s, in its default set-up, makes a call with a certificate',
			async (_, name, more) => {
				const file = more.length > 0 ? 'typed.test.ts' : 'app.test.js';
				const program = `node_modules/${name}/bin/jest.js`;

				const {code, stderr} = await app.run(process.execPath, [program, ...more, file]);

				expect(stderr).toContain('1 passed, 1 total');
				expect(code).toBe(0);
			},
		);

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
		});
	},
);
