/*
 * What the published package says to a runtime that it does not run on, in the place of what would fail
 * first there: a name that `node:tls` does not export, or the syntax of a dependency.
 */
// Slow: it starts other runtimes.
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {unsupportedRuntime} from '../../src/runtime/unsupported-runtime.ts';
import {type Consumer, makeConsumer} from './consumer.ts';

const entries = ['axios-mtls', 'axios-mtls/redis', 'axios-mtls/testing'];
const formats = [
	['app.js', (name: string) => `import * as all from '${name}';`],
	['app.cjs', (name: string) => `const all = require('${name}');`],
] as const;
const cases = entries.flatMap((entry) =>
	formats.map(([file, load]) => [entry, file, load] as const),
);

/** A module that makes Node say that it is another runtime, as a URL for `--import`. */
function disguise(versions: object): string {
	const value = `{...process.versions, ...${JSON.stringify(versions)}}`;
	const code = `Object.defineProperty(process, 'versions', {value: ${value}});`;
	return `data:text/javascript,${encodeURIComponent(code)}`;
}

const disguises = [
	['Node.js 22.18.0', {node: '22.18.0'}],
	['Bun 1.4.5', {node: '26.3.0', bun: '1.4.5'}],
	['Deno 2.9.6', {node: '26.3.0', deno: '2.9.6'}],
] as const;

function sentence(found: string): string {
	return `axios-mtls needs Node.js 22.19 or newer, but this is ${found}\n`;
}

/** The older Node of a machine that has another one in front of it. */
function olderNode(): string | undefined {
	const paths = (process.env.PATH ?? '').split(delimiter).map((dir) => join(dir, 'node'));
	return paths.filter(existsSync).find((path) => {
		return unsupportedRuntime({node: versionOf(path)}) !== undefined;
	});
}

function versionOf(path: string): string {
	return execFileSync(path, ['-p', 'process.versions.node'], {encoding: 'utf8'}).trim();
}

describe.each(disguises)('%s', (found, versions) => {
	test.each(cases)('an app there cannot load %s in %s', async (entry, file, load) => {
		using app = makeConsumer();
		app.write(file, `${load(entry)}\nconsole.log(all);`);

		const argv = ['--import', disguise(versions), file];
		const {code, stdout, stderr} = await app.run(process.execPath, argv);

		expect(stdout).toBe('');
		expect(stderr).toContain(`\nError: ${sentence(found)}`);
		expect(stderr).toContain("code: 'ERR_MTLS_UNSUPPORTED_RUNTIME'");
		expect(code).toBe(1);
	});

	test('the command line there says one sentence and nothing else', async () => {
		using app = makeConsumer();

		const argv = ['--import', disguise(versions), command(app), '--version'];
		expect(await app.run(process.execPath, argv)).toEqual({
			code: 70,
			stdout: '',
			stderr: sentence(found),
		});
	});
});

test('the oldest Node that is promised loads every entry', async () => {
	using app = makeConsumer();
	const versions = disguise({node: '22.19.0'});
	for (const [entry, file, load] of cases) {
		app.write(file, `${load(entry)}\nconsole.log(Object.keys(all).length > 1);`);
		expect(await app.run(process.execPath, ['--import', versions, file])).toEqual({
			code: 0,
			stdout: 'true\n',
			stderr: '',
		});
	}
});

const older = olderNode();

describe.skipIf(older === undefined)('an older Node, which only some machines have in PATH', () => {
	const found = () => `Node.js ${versionOf(older as string)}`;

	test.each(cases)('an app on it cannot load %s in %s', async (entry, file, load) => {
		using app = makeConsumer();
		app.write(file, `${load(entry)}\nconsole.log(all);`);

		const {code, stdout, stderr} = await app.run(older as string, [file]);

		expect(stdout).toBe('');
		expect(stderr).toContain(`\nError: ${sentence(found())}`);
		expect(code).toBe(1);
	});

	test('the command line on it says one sentence and nothing else', async () => {
		using app = makeConsumer();

		expect(await app.run(older as string, [command(app), '--version'])).toEqual({
			code: 70,
			stdout: '',
			stderr: sentence(found()),
		});
	});
});

test.each([
	['index', '.'],
	['redis/index', '..'],
	['testing/index', '..'],
])('the check is what %s loads first, in both formats', (name, up) => {
	const first = (path: string) => {
		const code = readFileSync(new URL(`../../dist/${path}.js`, import.meta.url), 'utf8');
		return code.match(/^(?:import|export|.*\brequire\().*/m)?.[0];
	};

	expect(first(name)).toBe(`import "${up}/shared/check-runtime.js";`);
	expect(first(`cjs/${name}`)).toBe(`require("${up}/shared/check-runtime.js");`);
});

function command({dir}: Consumer): string {
	return join(dir, 'node_modules/axios-mtls/dist/cli/bin.js');
}
