import {isReached, targets} from '../targets.js';

/**
 * @param {import('../run.js').Results} results
 * @returns {string}
 */
export function writeMarkdown({machine, settings, complete, figures, tables}) {
	const {rounds, warmup, seconds} = settings;
	const facts = Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`);
	return [
		'# Results of the bench',
		[
			`Written by \`npm run bench\`: medians of ${rounds} rounds, each with ${warmup} s of warm-up`,
			`and ${seconds} s of measurement; ratios are taken between neighbours in time. The server and each`,
			`peer are processes of their own.${complete ? '' : ' **A shortened run: no result of record.**'}`,
		].join('\n'),
		facts.join('\n'),
		'## Targets',
		writeTable({
			columns: ['', 'measured', 'target', 'reached'],
			rows: targets.filter(({figure}) => figure in figures).map((one) => targetRow(one, figures)),
		}),
		...tables.flatMap((table) => [
			`## ${table.title}`,
			writeTable(table),
			...(table.note === undefined ? [] : [table.note]),
		]),
	]
		.join('\n\n')
		.concat('\n');
}

/**
 * @param {import('../targets.js').Target} target
 * @param {number | null} value
 */
export function format({unit}, value) {
	if (value === null) return 'not possible';
	if (unit === '%' || unit === 'ms' || unit === 'MiB') return `${value.toFixed(1)} ${unit}`;
	return unit === 'x' ? `${value.toFixed(2)} ×` : value.toFixed(2);
}

function targetRow(target, figures) {
	const {figure, label, unit, least, most} = target;
	const value = figures[figure];
	const limit = least === undefined ? `≤ ${most}` : `≥ ${least}`;
	const suffix = unit === 'x' ? ' ×' : unit && ` ${unit}`;
	const verdict = isReached(target, value) ? 'yes' : '**no**';
	return [label, format(target, value), `${limit}${suffix}`, verdict];
}

function writeTable({columns, rows}) {
	const line = (cells) => `| ${cells.join(' | ')} |`;
	const rule = columns.map((_, index) => (index === 0 ? '---' : '--:'));
	return [columns, rule, ...rows].map(line).join('\n');
}
