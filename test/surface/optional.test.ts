/*
 * The package after `npm install --omit=optional`: without the library that makes certificates, which serves
 * `axios-mtls/testing` and three commands.
 */
// Slow: it starts a process for each entry and command.
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {createTestPki, startMtlsServer, type TestPki} from '../../src/testing/index.ts';
import {type Consumer, makeConsumer, makeConsumerWithoutOptional} from './consumer.ts';

const needs =
	'needs the optional dependencies @peculiar/x509 and reflect-metadata, which are not both installed: run `npm install @peculiar/x509 reflect-metadata`';

const formats = [
	['app.js', 'import', (names: string, from: string) => `import {${names}} from '${from}';`],
	['app.cjs', 'require', (names: string, from: string) => `const {${names}} = require('${from}');`],
] as const;

let pki: TestPki;
beforeAll(async () => {
	pki = await createTestPki();
});

const made = `
const told = ({name, code, message}) => console.log([name, code, message].join('|'));
createTestPki()
	.then(({ca}) => console.log(ca.slice(0, 27)), told)
	.then(() => startMtlsServer())
	.then((server) => server.close(), told);
`;

describe.each(formats)('in %s', (file, _, load) => {
	const makePki = (app: Consumer) => {
		app.write(file, load('createTestPki, startMtlsServer', 'axios-mtls/testing') + made);
		return app.node(file);
	};

	test.each([
		['neither package', []],
		['@peculiar/x509 alone', ['@peculiar/x509']],
		['reflect-metadata alone', ['reflect-metadata']],
	])('axios-mtls/testing names both in an error with a code where %s is there', async (_, more) => {
		using app = makeConsumerWithoutOptional(more);
		const error = `MissingDependencyError|ERR_MTLS_MISSING_DEPENDENCY|axios-mtls/testing ${needs}\n`;

		expect(await makePki(app)).toEqual({code: 0, stdout: error.repeat(2), stderr: ''});
	});

	test('axios-mtls/testing makes certificates where both are there', async () => {
		using app = makeConsumerWithoutOptional(['@peculiar/x509', 'reflect-metadata']);

		const stdout = '-----BEGIN CERTIFICATE-----\n';
		expect(await makePki(app)).toEqual({code: 0, stdout, stderr: ''});
	});

	test('another error of the library stays as it is', async () => {
		using app = makeConsumerWithoutOptional(['reflect-metadata']);
		app.write('node_modules/@peculiar/x509/index.js', "require('what-it-needs');");

		const {stdout} = await makePki(app);

		expect(stdout).toMatch(
			/^(Error\|MODULE_NOT_FOUND\|Cannot find module 'what-it-needs'\s[^|]*){2}$/,
		);
	});

	test('a client presents its certificate without the library', async () => {
		await using server = await startMtlsServer({pki});
		const {cert, key} = await pki.client({commonName: 'alice'});
		using app = makeConsumerWithoutOptional();
		app.write(
			file,
			[
				load('createClient', 'axios-mtls'),
				load('RedisCookieStore', 'axios-mtls/redis'),
				`const mtls = ${JSON.stringify({cert, key, ca: pki.ca})};`,
				'const client = createClient({mtls, jar: true, logger: false, proxy: false});',
				`client.get('${server.url('/whoami')}').then(async ({data}) => {`,
				'\tconsole.log(data.client, typeof RedisCookieStore);',
				'\tawait client.mtls.close();',
				'});',
			].join('\n'),
		);

		expect(await app.node(file)).toEqual({code: 0, stdout: 'alice function\n', stderr: ''});
	});
});

describe('the command line', () => {
	const run = (app: Consumer, ...argv: string[]) =>
		app.run(process.execPath, ['node_modules/axios-mtls/dist/cli/bin.js', ...argv]);

	test.each([['certs', 'pki'], ['serve', '.'], ['demo']])(
		'%s says in one sentence what it needs, and ends with 69',
		async (command, ...argv) => {
			using app = makeConsumerWithoutOptional();
			const {cert, key} = await pki.server();
			for (const [name, text] of Object.entries({
				'ca.crt': pki.ca,
				'server.crt': cert,
				'server.key': key,
			})) {
				app.write(name, text);
			}

			expect(await run(app, command, ...argv)).toEqual({
				code: 69,
				stdout: '',
				// In lines that fit, with the command whole.
				stderr: [
					`axios-mtls: ${command} needs the optional dependencies @peculiar/x509 and`,
					'    reflect-metadata, which are not both installed: run',
					'    `npm install @peculiar/x509 reflect-metadata`',
					'',
				].join('\n'),
			});
			expect(existsSync(join(app.dir, 'pki'))).toBe(false);
		},
	);

	test('get, check, inspect and --help work', async () => {
		await using server = await startMtlsServer({pki});
		const {cert, key} = await pki.client({commonName: 'alice'});
		using app = makeConsumerWithoutOptional();
		for (const [name, text] of Object.entries({'ca.crt': pki.ca, 'c.crt': cert, 'c.key': key})) {
			app.write(name, text);
		}
		const identity = ['--cert', 'c.crt', '--key', 'c.key', '--ca', 'ca.crt'];

		const get = await run(app, 'get', server.url('/whoami'), ...identity);
		const check = await run(app, 'check', server.url('/whoami'), ...identity);
		const inspect = await run(app, 'inspect', 'c.crt', '--key', 'c.key');
		const help = await run(app, '--help');

		expect(get).toMatchObject({code: 0, stdout: expect.stringContaining('alice')});
		expect(check).toMatchObject({code: 0, stderr: ''});
		expect(inspect).toMatchObject({code: 0, stdout: expect.stringContaining('alice')});
		expect(help).toMatchObject({code: 0, stdout: expect.stringMatching(/^ {2}69 {2}\S/m)});
	});

	test('a run with the library makes the files', async () => {
		using app = makeConsumer();

		const {code, stderr} = await run(app, 'certs', 'pki');

		expect({code, stderr}).toEqual({code: 0, stderr: ''});
		expect(existsSync(join(app.dir, 'pki/client.key'))).toBe(true);
	});
});

test('the types of each entry hold without the library', async () => {
	using app = makeConsumerWithoutOptional();
	app.write(
		'app.ts',
		[
			"import {createClient} from 'axios-mtls';",
			"import {RedisCookieStore} from 'axios-mtls/redis';",
			"import {createTestPki, type MissingDependencyError} from 'axios-mtls/testing';",
			'const pki = await createTestPki().catch((error: MissingDependencyError) => error);',
			"if ('code' in pki) pki.code satisfies 'ERR_MTLS_MISSING_DEPENDENCY';",
			'export const all = [createClient, RedisCookieStore];',
		].join('\n'),
	);

	expect(await app.tsc('app.ts')).toEqual({code: 0, stdout: '', stderr: ''});
});
