import {tables} from './rows.ts';

type Name = keyof typeof tables;

const heads: Readonly<Record<Name, string>> = {
	apps: 'app',
	bundles: 'bundler',
	packages: 'package',
};

/** docs/compatibility.md with its tables as `rows.ts` has them, each between its markers. */
export function withTables(markdown: string): string {
	let result = markdown;
	for (const name of Object.keys(tables) as Name[]) {
		const [begin, end] = [`<!-- table: ${name} -->`, '<!-- end of table -->'];
		const from = result.indexOf(begin);
		const to = result.indexOf(end, from);
		if (from < 0 || to < 0) throw new Error(`no ${begin} … ${end}`);
		result = `${result.slice(0, from)}${begin}\n${render(name)}${result.slice(to)}`;
	}
	return result;
}

function render(name: Name): string {
	const lines = Object.values(tables[name]).map(({app, version, works, proof}) => {
		const sign = works.startsWith('yes') ? '✓' : '✗';
		return `| ${app} | ${version} | ${sign} ${works} | \`${proof}\` |\n`;
	});
	return `\n| ${heads[name]} | version | works | shown by |\n| --- | --- | --- | --- |\n${lines.join('')}\n`;
}
