/*
 * An app in one file, as people ship it: built by each bundler from the packed package, and run where there
 * is no node_modules. They come from the registry, so this runs in CI alone; with `CI=true` it runs anywhere.
 */
// Slow: it installs packages from the registry, and runs four bundlers.
import {cpSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {startMtlsServer} from '../../src/testing/index.ts';
import {prove, versionFor} from '../compatibility/prove.ts';
import type {RowId} from '../compatibility/rows.ts';
import {makeSharedApp} from '../compatibility/shared-apps.ts';
import {pfxOf} from '../support/pfx-writer.ts';
import type {App} from './consumer.ts';

const body = `
const {CERT, KEY, CA, PFX, PASSPHRASE, SERVER, IMPOSTOR} = process.env;

async function run() {
	const identities = [
		{cert: CERT, key: KEY, ca: CA},
		...PFX.split(',').map((pfx) => {
			return {pfx: Buffer.from(pfx, 'base64'), passphrase: PASSPHRASE, ca: CA};
		}),
	];
	for (const mtls of identities) {
		const client = createClient({mtls, jar: true, logger: false, proxy: false});
		const {data} = await client.get(SERVER);
		const refused = await client.get(IMPOSTOR).catch((error) => error);
		// The one package that is loaded when it is needed.
		const proxy = 'socks5://127.0.0.1:1';
		const unreachable = await client.get(SERVER, {proxy}).catch((error) => error);
		const noFile = new MtlsConfigError('ERR_MTLS_NO_SUCH_FILE', 'mtls.ca', 'not there');
		console.log(
			data.client,
			isMtlsError(refused) && refused.failure.kind,
			isMtlsError(unreachable) && unreachable.failure.side,
			noFile.message,
		);
		await client.mtls.close();
	}
}
run();
`;
const names = '{createClient, isMtlsError, MtlsConfigError}';
const sources = {
	'app.cjs': `const ${names} = require('axios-mtls');\n${body}`,
	'app.mjs': `import ${names} from 'axios-mtls';\n${body}`,
};

const rollupConfig = `
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import {nodeResolve} from '@rollup/plugin-node-resolve';

export default {
	input: 'app.mjs',
	output: {file: 'out/3/app.mjs', format: 'es', inlineDynamicImports: true},
	plugins: [
		nodeResolve({preferBuiltins: true, exportConditions: ['node']}),
		commonjs({ignore: ['node:sqlite']}),
		json(),
	],
};
`;

const webpackBuild = `
const webpack = require('webpack');
const output = {path: __dirname + '/out/4', filename: 'app.cjs'};
// Its minifier takes most of the time; that of esbuild renames as much.
const optimization = {minimize: false};
webpack({mode: 'production', target: 'node', entry: './app.mjs', output, optimization}, (error, stats) => {
	if (!error && !stats.hasErrors() && !stats.hasWarnings()) return;
	console.error(error ?? stats.toString('errors-warnings'));
	process.exitCode = 1;
});
`;

// What axios's own dependencies need in a module, with this package or without: they use `require`.
const banner = [
	"import {createRequire} from 'node:module';",
	'const require = createRequire(import.meta.url);',
].join('');
const esbuild = [
	'esbuild/bin/esbuild',
	'--bundle',
	'--minify',
	'--platform=node',
	'--log-level=error',
];
const ncc = ['@vercel/ncc/dist/ncc/cli.js', 'build'];

/** The arguments of Node below `node_modules`, and the file that is made in a folder of its own. */
const bundlers: [row: RowId, argv: string[], file: string][] = [
	['esbuild-cjs', [...esbuild, 'app.cjs', '--outfile=out/1/app.cjs'], '1/app.cjs'],
	[
		'esbuild-esm',
		[...esbuild, 'app.mjs', '--format=esm', `--banner:js=${banner}`, '--outfile=out/2/app.mjs'],
		'2/app.mjs',
	],
	['rollup', ['rollup/dist/bin/rollup', '-c', 'rollup.config.mjs', '--silent'], '3/app.mjs'],
	['webpack', ['../bundles/webpack.cjs'], '4/app.cjs'],
	['ncc', [...ncc, 'app.cjs', '-q', '-o', 'out/5'], '5/index.cjs'],
];

let app: App;
let elsewhere: string;

const title = 'bundles, whose makers come from the registry: set CI=true';

describe.skipIf(!process.env.CI)(title, {concurrent: true, timeout: 180_000}, () => {
	beforeAll(async () => {
		elsewhere = mkdtempSync(join(tmpdir(), 'axios-mtls-bundle-'));
		app = await makeSharedApp('bundles');
		for (const [name, text] of Object.entries(sources)) app.write(name, text);
		app.write('rollup.config.mjs', rollupConfig);
		app.write('webpack.cjs', webpackBuild);
	}, 300_000);
	afterAll(() => rmSync(elsewhere, {recursive: true}));

	test.each(bundlers)(
		'an app bundled by %s calls with its certificate and refuses an impostor, in another folder',
		async (row, [program = '', ...argv], file) => {
			const built = await app.run(process.execPath, [join('../node_modules', program), ...argv]);
			expect(built).toMatchObject({code: 0, stderr: ''});
			const [folder = ''] = file.split('/');
			cpSync(join(app.dir, 'out', folder), join(elsewhere, folder), {recursive: true});
			await using server = await startMtlsServer();
			await using impostor = await startMtlsServer({clientAuth: 'request'});
			const {cert, key} = await server.pki.client({commonName: 'alice'});
			const passphrase = 'correct horse';
			const forms = [
				pfxOf(cert, key, {passphrase}),
				pfxOf(cert, key, {passphrase, key: 'pbe-3des', cert: 'pbe-rc2-40'}),
			];

			const ended = await app.run(process.execPath, [join(elsewhere, file)], {
				CERT: cert,
				KEY: key,
				CA: server.pki.ca,
				PFX: forms.map((form) => form.toString('base64')).join(),
				PASSPHRASE: passphrase,
				SERVER: server.url('/whoami'),
				IMPOSTOR: impostor.url('/'),
			});

			expect(ended).toEqual({
				code: 0,
				stdout: 'alice untrusted-issuer proxy mtls.ca: not there\n'.repeat(3),
				stderr: '',
			});
			expect(impostor.requests).toEqual([]);
			// That of the machine that built it.
			expect(readFileSync(join(elsewhere, file), 'utf8')).not.toContain(app.dir);
			const name = program.split('/', program.startsWith('@') ? 2 : 1).join('/');
			prove(row, versionFor(app.dir, row === 'webpack' ? row : name));
		},
	);
});
