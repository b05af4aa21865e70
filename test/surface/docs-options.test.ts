/*
 * The tables of options in docs/ are held to the types: the same options, with the same defaults.
 * `<!-- options of NAME -->` above a table names the type.
 */
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import ts from 'typescript-5';
import {expect, test} from 'vitest';
import {documents} from './documents.ts';

// Where the types of options stand.
const files = [
	'options.ts',
	'options/mtls.ts',
	'cookies/file/file-jar.ts',
	'redis/options.ts',
	'testing/server.ts',
].map((file) => fileURLToPath(new URL(`../../src/${file}`, import.meta.url)));

const types = new Map(files.flatMap((file) => interfacesOf(file)));

function interfacesOf(file: string): (readonly [string, ts.InterfaceDeclaration])[] {
	const source = ts.createSourceFile(
		file,
		readFileSync(file, 'utf8'),
		ts.ScriptTarget.Latest,
		true,
	);
	return source.statements
		.filter((statement) => ts.isInterfaceDeclaration(statement))
		.map((declaration) => [declaration.name.text, declaration] as const);
}

/** The options of a type, those that it inherits too, with the default that their documentation gives. */
function optionsOf(name: string): Map<string, string> {
	const declaration = types.get(name);
	if (declaration === undefined) throw new Error(`there is no interface ${name} in src/options`);
	const parents = (declaration.heritageClauses ?? []).flatMap((clause) => clause.types);
	const inherited = parents.flatMap(({expression}) => [...optionsOf(expression.getText())]);
	const own = declaration.members.map((member) => {
		const tag = ts.getJSDocTags(member).find((one) => one.tagName.text === 'defaultValue');
		const value = ts.getTextOfJSDocComment(tag?.comment) ?? '';
		return [member.name?.getText() ?? '', value.replaceAll(/\s+/g, ' ').trim()] as const;
	});
	return new Map([...inherited, ...own]);
}

const tables = documents.flatMap(({path, text}) =>
	[...text.matchAll(/^<!-- options of (\w+) -->\n\n((?:\|.*\n)+)/gm)].map(
		([, type = '', rows = '']) => ({path, type, rows: rowsOf(rows)}),
	),
);

function rowsOf(table: string): Map<string, string> {
	const [, , ...lines] = table.trim().split('\n');
	return new Map(
		lines.map((line) => {
			const [, name = '', value = ''] = line.split('|').map((cell) => cell.trim());
			return [name.replaceAll('`', '').replace(/^.*\./, ''), value];
		}),
	);
}

// What the types say behind it is a remark. Digits are grouped for readers.
const plain = (value: string) => (value.split(/[:;]/)[0] ?? '').replaceAll(/[`,']/g, '');

test('each type of options has its table in docs', () => {
	expect(tables.map(({type}) => type).sort()).toEqual([
		'ClientOptions',
		'CookieOptions',
		'FileJarOptions',
		'MtlsOptions',
		'MtlsServerOptions',
		'ProxyOptions',
		'RedisStoreOptions',
		'SessionOptions',
		'Timeouts',
	]);
});

test.each(tables)(
	'the table of $type in $path has the options and defaults of the type',
	({type, rows}) => {
		const options = optionsOf(type);
		expect([...rows.keys()].sort()).toEqual([...options.keys()].sort());
		for (const [name, value] of rows) {
			expect(plain(value), `${type}.${name}`).toBe(plain(options.get(name) ?? ''));
		}
	},
);
