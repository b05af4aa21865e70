/*
 * The rows of docs/compatibility.md. A row is data: what was run, in which version, whether it works, and the
 * test that shows it. That test calls `prove` with the version that it found installed.
 */
import {readFileSync} from 'node:fs';
import {packageSets} from './package-sets.ts';
import {registryPackages} from './registry-packages.ts';

export interface Row {
	readonly app: string;
	readonly version: string;
	/** `'yes'`, with what it needs if it needs something, or `'no: '` with the reason and the way out. */
	readonly works: string;
	/** The path of the test, below `test/`. */
	readonly proof: string;
}

/** The exact version of a package that the tests install from the registry. */
function pinned(name: keyof typeof registryPackages): string {
	return registryPackages[name].replace(/^npm:.+@/, '');
}

/** The exact version of a package that a sample app installs. */
function ofSample(app: string, name: string): string {
	const {dependencies, devDependencies} = readJson(`examples/${app}/package.json`);
	return {...dependencies, ...devDependencies}[name];
}

/** The version in package-lock.json. */
function locked(name: string): string {
	return readJson('package-lock.json').packages[`node_modules/${name}`].version;
}

function readJson(path: string) {
	return JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
}

const sample = {works: 'yes', proof: 'compatibility/sample-apps.test.ts'};
const types = {works: 'yes', proof: 'surface/types.test.ts'};
const packed = {works: 'yes', proof: 'surface/packed.test.ts'};
const tool = {works: 'yes', proof: 'compatibility/tools.test.ts'};
const bundle = {works: 'yes', proof: 'surface/bundles.test.ts'};

const apps = {
	both: {
		app: 'ES modules and CommonJS in one process: two copies that recognise each other',
		version: locked('node'),
		...packed,
	},
	'ts-node10': {
		app: 'TypeScript, `module: commonjs`, `moduleResolution: node10` (`examples/typescript-node10`)',
		version: ofSample('typescript-node10', 'typescript'),
		...sample,
	},
	'ts-5': {
		app: 'TypeScript, `node10`, `node16` and `bundler`, CommonJS and ES modules, `skipLibCheck: false`',
		version: locked('typescript-5'),
		...types,
	},
	'ts-7': {app: 'TypeScript, `nodenext`', version: locked('typescript'), ...types},
	'jest-29': {app: 'Jest, default set-up (babel-jest)', version: pinned('jest-29'), ...packed},
	'jest-30': {
		app: 'Jest, default set-up (babel-jest)',
		version: pinned('jest'),
		...packed,
	},
	'ts-jest': {app: 'Jest with ts-jest', version: pinned('ts-jest'), ...packed},
	'swc-jest': {app: 'Jest with @swc/jest', version: pinned('@swc/jest'), ...packed},
	'jest-jsdom': {
		app: "Jest with `testEnvironment: 'jsdom'`",
		version: pinned('jest-environment-jsdom'),
		works:
			'no: it gives packages the browser build of axios, which makes no request through Node, and hides `TextDecoder`, `ReadableStream` and `MessagePort`, which undici needs. With `@jest-environment node` at the top of the test file it works',
		proof: packed.proof,
	},
	'vitest-jsdom': {
		app: "Vitest with `environment: 'jsdom'`",
		version: pinned('vitest'),
		...tool,
	},
	'ts-node': {app: 'ts-node, CommonJS, `node10`', version: pinned('ts-node'), ...tool},
	mocha: {app: 'mocha with ts-node', version: pinned('mocha'), ...tool},
	'eslint-plugin-import': {
		app: 'eslint-plugin-import: its resolver reads no `exports`',
		version: pinned('eslint-plugin-import'),
		...tool,
	},
	'jest-commonjs': {
		app: 'CommonJS service, tested with Jest (`examples/jest-commonjs`)',
		version: ofSample('jest-commonjs', 'jest'),
		...sample,
	},
	nest: {
		app: 'NestJS: `HttpModule`, `HttpService`, `@Catch(AxiosError)` (`examples/nest`)',
		version: ofSample('nest', '@nestjs/core'),
		...sample,
	},
	opentelemetry: {
		app: 'OpenTelemetry, `@opentelemetry/sdk-node` (`examples/opentelemetry`)',
		version: ofSample('opentelemetry', '@opentelemetry/sdk-node'),
		...sample,
	},
	soap: {app: 'node-soap (`examples/soap`)', version: ofSample('soap', 'soap'), ...sample},
	lambda: {
		app: 'Lambda function in one file, by esbuild (`examples/lambda-bundle`)',
		version: ofSample('lambda-bundle', 'esbuild'),
		...sample,
	},
	p12: {
		app: '`.p12` behind a proxy with a login (`examples/p12-behind-a-proxy`)',
		version: ofSample('p12-behind-a-proxy', 'axios'),
		...sample,
	},
} satisfies Record<string, Row>;

const bundlers = {
	'esbuild-cjs': {
		app: 'esbuild, `--platform=node`, CommonJS',
		version: pinned('esbuild'),
		...bundle,
	},
	'esbuild-esm': {
		app: 'esbuild, `--platform=node --format=esm`',
		version: pinned('esbuild'),
		...bundle,
		works: 'yes, with the banner below',
	},
	rollup: {
		app: 'rollup with node-resolve, commonjs and json',
		version: pinned('rollup'),
		...bundle,
		works: 'yes, with the options below',
	},
	webpack: {app: "webpack, `target: 'node'`", version: pinned('webpack'), ...bundle},
	ncc: {app: '@vercel/ncc', version: pinned('@vercel/ncc'), ...bundle},
} satisfies Record<string, Row>;

/** Packages that an app may have beside ours: in the sets of `.ci/run`, and in package-lock.json. */
function beside(name: keyof (typeof packageSets)['oldest'], works: string, proof: string): Row[] {
	const {oldest, common} = packageSets;
	const versions = [oldest[name], common[name], locked(name)];
	return versions.map((version) => ({app: name, version, works, proof}));
}

const mainFeatures = 'compatibility/main-features.wire.test.ts';
const packages: Readonly<Record<string, Row>> = Object.fromEntries(
	[
		...beside('axios', 'yes', mainFeatures),
		...beside('tough-cookie', 'yes', mainFeatures),
		...beside('axios-cookiejar-support', 'yes, by `withMtls(wrapper(instance))`', mainFeatures),
		...beside('redis', 'yes, for `axios-mtls/redis`', 'redis/store.interop.test.ts'),
	].map((row) => [`${row.app} ${row.version}`, row]),
);

/** By the name of the table in docs/compatibility.md. */
export const tables = {apps, bundles: bundlers, packages} satisfies Record<
	string,
	Readonly<Record<string, Row>>
>;

export type RowId = keyof typeof apps | keyof typeof bundlers;

/** All of them, by their ids. */
export const rows: Readonly<Record<RowId, Row>> = {...apps, ...bundlers, ...packages};
