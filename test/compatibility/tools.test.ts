/*
 * The packed package under tools that load or read an app in a way of their own. They come from the registry,
 * so this runs in CI alone; with `CI=true`, after `npm run build`, it runs anywhere.
 */
// Slow: it installs test runners and loaders, and runs each.
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import type {App} from '../surface/consumer.ts';
import {prove, versionFor} from './prove.ts';
import {makeSharedApp} from './shared-apps.ts';

/** Answers with what a client with a certificate gets, and what one without. */
const calls = `
import {AxiosError} from 'axios';
import {createClient, isMtlsError} from 'axios-mtls';
import {startMtlsServer} from 'axios-mtls/testing';

export async function calls() {
	const server = await startMtlsServer();
	const {cert, key} = await server.pki.client({commonName: 'alice'});
	const options = {logger: false, proxy: false} as const;
	const client = createClient({mtls: {cert, key, ca: server.ca}, ...options});
	const {data} = await client.get(server.url('/whoami'));
	const anonymous = createClient({mtls: {ca: server.ca}, ...options});
	const error: unknown = await anonymous.get(server.url()).catch((thrown: unknown) => thrown);
	await server.close();
	const kind = isMtlsError(error) && error.failure.kind;
	return [data.client, error instanceof AxiosError, kind].join();
}
`;
const answer = 'alice,true,client-certificate-required';

let app: App;

const title = 'tools, which come from the registry: set CI=true';

describe.skipIf(!process.env.CI)(title, {concurrent: true, timeout: 180_000}, () => {
	beforeAll(async () => {
		app = await makeSharedApp('tools');
		app.write('calls.ts', calls);
		const compilerOptions = {
			...{module: 'commonjs', moduleResolution: 'node10', target: 'es2022', strict: true},
			...{skipLibCheck: true, types: ['node']},
		};
		app.write('tsconfig.json', JSON.stringify({compilerOptions}));
	}, 300_000);

	const run = (program: string, file: string) =>
		app.run(process.execPath, [join('../node_modules', program), file]);

	test('an app runs under ts-node with type checks', async () => {
		app.write('app.ts', "import {calls} from './calls';\nvoid calls().then(console.log);");

		expect(await run('ts-node/dist/bin.js', 'app.ts')).toEqual({
			code: 0,
			stdout: `${answer}\n`,
			stderr: '',
		});
		prove('ts-node', versionFor(app.dir, 'ts-node'));
	});

	test('a test runs in mocha, of an app in TypeScript that ts-node reads', async () => {
		app.write(
			'mocha.cjs',
			[
				"const assert = require('node:assert');",
				"require('ts-node/register');",
				"const {calls} = require('./calls.ts');",
				`it('calls', async () => assert.equal(await calls(), '${answer}')).timeout(60_000);`,
			].join('\n'),
		);

		const {code, stdout} = await run('mocha/bin/mocha.js', 'mocha.cjs');

		expect(stdout).toContain('1 passing');
		expect(code).toBe(0);
		prove('mocha', versionFor(app.dir, 'mocha'));
	});

	test('a test runs in the jsdom of vitest', async () => {
		app.write(
			'vitest.test.ts',
			[
				"import {expect, test} from 'vitest';",
				"import {calls} from './calls';",
				"test('calls', {timeout: 60_000}, async () => {",
				"\texpect(document.createElement('p').tagName).toBe('P');",
				`\texpect(await calls()).toBe('${answer}');`,
				'});',
			].join('\n'),
		);

		const argv = ['run', '--environment=jsdom', 'vitest.test.ts'];
		const {code, stdout, stderr} = await app.run(
			process.execPath,
			['../node_modules/vitest/vitest.mjs', ...argv],
			{NO_COLOR: '1'},
		);

		expect(stdout + stderr).toMatch(/Tests +1 passed \(1\)/);
		expect(code).toBe(0);
		prove('vitest-jsdom', versionFor(app.dir, 'vitest'));
	});

	test('eslint-plugin-import finds each entry, and no other', async () => {
		app.write(
			'eslint.config.cjs',
			[
				"const plugin = require('eslint-plugin-import');",
				'module.exports = [{',
				"\tfiles: ['imports.js'],",
				'\tplugins: {import: plugin},',
				"\tsettings: {'import/resolver': {node: true}},",
				"\tlanguageOptions: {sourceType: 'module'},",
				"\trules: {'import/no-unresolved': 'error'},",
				'}];',
			].join('\n'),
		);
		const names = ['axios-mtls', 'axios-mtls/redis', 'axios-mtls/testing', 'axios-mtls/nothing'];
		app.write('imports.js', names.map((name) => `import '${name}';`).join('\n'));

		const {stdout} = await run('eslint/bin/eslint.js', 'imports.js');

		expect(stdout).toContain("4:8  error  Unable to resolve path to module 'axios-mtls/nothing'");
		expect(stdout).toContain('✖ 1 problem ');
		prove('eslint-plugin-import', versionFor(app.dir, 'eslint-plugin-import'));
	});
});
