import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import packageJson from '../../package.json' with {type: 'json'};
import {type Import, importsOf, readImports, sourceFiles, src, unreadImports} from './imports.ts';
import {doors, judgeDoor, judgeLayer} from './rules.ts';

const files = sourceFiles();
const imports = files.flatMap(importsOf);
const ours = imports.filter(({of}) => of === 'us');
const foreign = imports.filter(({of}) => of !== 'us');

function complaints(found: readonly Import[], judge: (one: Import) => string | undefined) {
	return found.flatMap((one) => {
		const complaint = judge(one);
		return complaint ? [`src/${one.file}:${one.line} imports ${one.target}: ${complaint}`] : [];
	});
}

test('a file imports only from the layers before its own', () => {
	expect(ours.length).toBeGreaterThan(0);
	expect(complaints(ours, judgeLayer)).toEqual([]);
});

test('every outside package is imported through its door', () => {
	expect(complaints(foreign, judgeDoor)).toEqual([]);
	const used = new Set(foreign.map(({target}) => target));
	expect(Object.keys(doors).filter((name) => !used.has(name))).toEqual([]);
});

test.each(['options.ts', 'options/mtls.ts'])(
	'the options in %s are types alone: they load nothing and export nothing that runs',
	(path) => {
		const loads = imports.filter(({file, typesAlone}) => file === path && !typesAlone);
		expect(loads).toEqual([]);
		const text = readFileSync(`${src}${path}`, 'utf8');
		expect(text).not.toMatch(/^export (const|let|function|async|class|default|enum)\b/m);
	},
);

test('every imported package is a dependency, optional or not, or a peer, and every Node module says node:', () => {
	const {dependencies, optionalDependencies, peerDependencies} = packageJson;
	const known = new Set(
		Object.keys({...dependencies, ...optionalDependencies, ...peerDependencies}),
	);
	expect(
		complaints(foreign, ({target, of}) => {
			if (of === 'node') return target.startsWith('node:') ? undefined : 'write node:';
			return known.has(target) ? undefined : 'not in package.json';
		}),
	).toEqual([]);
});

test('no source file has more than 400 lines', () => {
	const long = files.flatMap((file) => {
		const lines = readFileSync(src + file, 'utf8').split('\n').length - 1;
		return lines > 400 ? [`src/${file}: ${lines} lines`] : [];
	});
	expect(long).toEqual([]);
});

test('no import leads back to its own file, not even one of types', () => {
	const targets = new Map(
		files.map((file) => [file, ours.filter((one) => one.file === file).map((one) => one.target)]),
	);
	const done = new Set<string>();
	const circles: string[] = [];
	const visit = (file: string, path: readonly string[]): void => {
		if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
		if (done.has(file)) return;
		done.add(file);
		for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
	};
	for (const file of files) visit(file, []);
	expect(circles).toEqual([]);
});

test('at most six files lie directly in src', () => {
	expect(files.filter((file) => !file.includes('/')).length).toBeLessThanOrEqual(6);
});

test('every import of the sources is read', () => {
	expect(files.flatMap((file) => unreadImports(file, readFileSync(src + file, 'utf8')))).toEqual(
		[],
	);
});

test('the reader knows each way to import', () => {
	const text = [
		"import './a.ts';",
		"import axios, {AxiosError, type AxiosAdapter as Adapter} from 'axios';",
		"import type {Hop} from './hop.ts';",
		'import {',
		'\ttype Only,',
		"} from '../errors.ts';",
		"import * as tls from 'node:tls';",
		'export function from(a: number) { return a; }',
		"export {b as c} from './b.ts';",
		"export type {D} from './d.ts';",
		"type X = typeof import('x');",
		"const load = () => import('y');",
		"type Z = import('z', { with: {'resolution-mode': 'require'}}).Z;",
	].join('\n');

	expect(
		readImports('http/file.ts', text).map(({line, target, of, names}) => [line, target, of, names]),
	).toEqual([
		[1, 'http/a.ts', 'us', ['*']],
		[2, 'axios', 'package', ['default', 'AxiosError']],
		[3, 'http/hop.ts', 'us', []],
		[4, 'errors.ts', 'us', []],
		[7, 'node:tls', 'node', ['*']],
		[9, 'http/b.ts', 'us', ['b']],
		[10, 'http/d.ts', 'us', []],
		[11, 'x', 'package', []],
		[12, 'y', 'package', ['*']],
		[13, 'z', 'package', []],
	]);
	expect(unreadImports('http/file.ts', text)).toEqual([]);
	expect(unreadImports('a.ts', "const a = import(name);\nimport fs = require('fs');")).toHaveLength(
		2,
	);
});

test.each([
	[
		'tls/pem.ts',
		"import {connect} from '../connection/connect.ts';",
		/connection\/ is no layer before tls\//,
	],
	[
		'tls/pem.ts',
		"import type {Hop} from '../exchange/hop.ts';",
		/exchange\/ is no layer before tls\//,
	],
	[
		'exchange/hop.ts',
		"import {send} from '../request/send-hop.ts';",
		/request\/ is no layer before exchange\//,
	],
	[
		'cookies/jar.ts',
		"import {hop} from '../exchange/hop.ts';",
		/exchange\/ is no layer before cookies\//,
	],
	[
		'options.ts',
		"import {MtlsAgent} from './connection/mtls-agent.ts';",
		/connection\/ is no layer/,
	],
	['options.ts', "import type {Hop} from './exchange/hop.ts';", /exchange\/ is no layer/],
	[
		'client/handle.ts',
		"import {createTestPki} from '../testing/index.ts';",
		/testing\/ is for tests/,
	],
	[
		'testing/pki.ts',
		"import {MtlsError} from '../errors.ts';",
		/testing\/ imports itself, runtime\/check-runtime\.ts, tls\/peer\/peer-chain\.ts$/,
	],
	['cli/get.ts', "import {MtlsError} from '../errors.ts';", /cli\/ imports itself, index\.ts/],
	['cli/get.ts', "import {issue} from '../testing/pki.ts';", /cli\/ imports itself, index\.ts/],
	['utils/a.ts', "import {MtlsError} from '../errors.ts';", /the file is in no layer/],
	['connection/pool.ts', "import {AxiosError} from 'axios';", /only in errors\.ts/],
	[
		'request/hop.ts',
		"import axios from 'axios';",
		/all of axios only in client\/create-client\.ts/,
	],
	['request/hop.ts', "import type {CookieJar} from 'tough-cookie';", /only in cookies\/, redis\//],
	['options.ts', "import {CookieJar} from 'tough-cookie';", /its types also in options\.ts/],
	['request/hop.ts', "import {connect} from 'node:tls';", /only in tls\/, connection\/, testing\//],
	['request/hop.ts', "import got from 'got';", /no door/],
])('in %s, %s breaks a rule', (file, line, complaint) => {
	const [found] = readImports(file, line);
	if (found === undefined) throw new Error('nothing was read');
	expect((found.of === 'us' ? judgeLayer : judgeDoor)(found)).toMatch(complaint);
});
