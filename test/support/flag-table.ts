import {flagOf, flagRows} from '../../src/cli/shared/flags.ts';

/** The table of flags of docs/cli.md, as Markdown. */
export function flagTable(): string {
	const groups = [...new Set(flagRows.map(([, {group}]) => group))];
	return groups
		.map((group) => {
			const rows = flagRows
				.filter(([, flag]) => flag.group === group)
				.map(([name, {short, argument = '', option, help}]) => {
					const flag = `${short ? `-${short}, ` : ''}${flagOf(name)} ${argument}`.trim();
					return `| \`${flag}\` | \`${option}\` | ${help.replaceAll('|', '\\|')} |`;
				});
			return `| ${group.slice(0, -1)} | sets | |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
		})
		.join('\n');
}
