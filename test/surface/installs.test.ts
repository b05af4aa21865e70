/*
 * The package as an app gets it from an empty folder, by each package manager and with each axios that it is
 * tested with. They come from the registry, so this runs in CI alone; with `CI=true` it runs anywhere.
 */
// Slow: it installs the package with each package manager.
import {mkdirSync, readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Consumer, makeApp, npmInstall, packInto, succeed} from './consumer.ts';

/** Imports the package and requires it; each copy makes a client that presents its certificate. */
const program = `
import {createRequire} from 'node:module';
import * as imported from 'axios-mtls';
import {startMtlsServer} from 'axios-mtls/testing';

const required = createRequire(import.meta.url)('axios-mtls');
const server = await startMtlsServer();
const {cert, key} = await server.pki.client({commonName: 'alice'});
for (const {createClient} of [imported, required]) {
	const mtls = {cert, key, ca: server.ca};
	const client = createClient({mtls, jar: true, logger: false, proxy: false});
	console.log((await client.get(server.url('/whoami'))).data.client);
	await client.mtls.close();
}
await server.close();
`;

const axiosVersions = ['1.7.0', '1.13.2', 'latest'];

interface PackageManager {
	/** The command lines that install packages in an empty folder. */
	readonly install: (packages: readonly string[]) => readonly (readonly string[])[];
	/** Runs a file of the app. */
	readonly node?: readonly string[];
}

let tools: Consumer;
let tarball: string;
let registry: string;
const tool = (path: string) => [process.execPath, join(tools.dir, 'node_modules', path)];
const yarn = () => tool('@yarnpkg/cli-dist/bin/yarn.js');

const managers: Readonly<Record<string, () => PackageManager>> = {
	npm: () => ({
		install: (packages) => [
			['npm', 'init', '-y'],
			['npm', 'install', '--prefer-offline', ...packages],
		],
	}),
	pnpm: () => ({
		install: (packages) => [[...tool('pnpm/bin/pnpm.mjs'), 'add', '--prefer-offline', ...packages]],
	}),
	'yarn 1': () => ({
		install: (packages) => [[...tool('yarn/bin/yarn.js'), 'add', '--prefer-offline', ...packages]],
	}),
	// Plug'n'Play, its default: no node_modules, and no package that is not declared.
	'yarn 4': () => ({
		install: (packages) => [[...yarn(), 'add', ...packages]],
		node: [...yarn(), 'node'],
	}),
};

const title = 'installs, by package managers that come from the registry: set CI=true';

describe.skipIf(!process.env.CI)(title, {concurrent: true}, () => {
	beforeAll(async () => {
		tools = makeApp();
		tarball = await packInto(tools.dir);
		await npmInstall(tools.dir, 'pnpm@12', 'yarn@1', '@yarnpkg/cli-dist@4');
		// The others read the settings of npm.
		registry = (await succeed(tools.dir, 'npm', ['config', 'get', 'registry'])).trim();
	}, 300_000);
	afterAll(() => tools?.[Symbol.dispose]());

	// One after the other, because two runs of yarn 1 share a cache that they do not lock.
	test.each(Object.entries(managers))(
		'an app that %s installs runs with each axios, imported and required',
		async (_, makeManager) => {
			using app = makeApp();
			const {install, node = [process.execPath]} = makeManager();
			const outcomes: Record<string, string> = {};
			for (const version of axiosVersions) {
				const dir = join(app.dir, `with-${version}`);
				mkdirSync(dir);
				app.write(`with-${version}/app.mjs`, program);
				app.write(`with-${version}/yarn.lock`, '');
				for (const [command = '', ...argv] of install([
					`axios-mtls@file:${tarball}`,
					`axios@${version}`,
					'tough-cookie',
				])) {
					await succeed(dir, command, argv, {YARN_NPM_REGISTRY_SERVER: registry});
				}
				const [command = '', ...argv] = node;
				outcomes[version] = await succeed(dir, command, [...argv, 'app.mjs']);
			}

			expect(outcomes).toEqual(
				Object.fromEntries(axiosVersions.map((version) => [version, 'alice\nalice\n'])),
			);
		},
		300_000,
	);

	test('at most 12 packages and 6 MB come with it without optional dependencies', async () => {
		using app = makeApp();
		await npmInstall(app.dir, 'axios', 'tough-cookie');
		const peers = installedIn(app.dir);

		await npmInstall(app.dir, '--omit=optional', tarball);
		const lean = installedIn(app.dir).filter((path) => !peers.includes(path));
		await npmInstall(app.dir, '--include=optional');
		const whole = installedIn(app.dir).filter((path) => !peers.includes(path));

		expect(lean).toContain('node_modules/axios-mtls');
		expect(lean.length).toBeLessThanOrEqual(12);
		expect(sizeOf(app.dir, lean)).toBeLessThanOrEqual(6 * 1024 * 1024);
		expect(whole).toEqual(expect.arrayContaining([...lean, 'node_modules/@peculiar/x509']));
	}, 300_000);
});

/** The paths of the packages that npm has installed. */
function installedIn(dir: string): string[] {
	const lock = readFileSync(join(dir, 'node_modules/.package-lock.json'), 'utf8');
	return Object.keys(JSON.parse(lock).packages);
}

/** The bytes of packages on a disk with blocks of 4 KiB, as `du` counts them. */
function sizeOf(dir: string, packages: readonly string[]): number {
	const blocks = packages.flatMap((name) => {
		const paths = readdirSync(join(dir, name), {recursive: true, encoding: 'utf8'});
		return paths
			.filter((path) => !path.includes('node_modules'))
			.map((path) => Math.ceil(statSync(join(dir, name, path)).size / 4096));
	});
	return blocks.reduce((sum, count) => sum + count, 0) * 4096;
}
