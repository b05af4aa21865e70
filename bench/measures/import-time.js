import {execFileSync} from 'node:child_process';
import {median, medianRatio} from '../statistics.js';
import {roundsOf} from './context.js';

const importsPerRound = 10;

// The packages below ours are the ones that ours resolves: hence `--eval` in the folder above.
const script = `
const cpu = () => {
	const {user, system} = process.cpuUsage();
	return (user + system) / 1_000;
};
const start = cpu();
await import('axios');
await import('tough-cookie');
await import('undici');
const between = cpu();
await import('axios-mtls');
console.log(JSON.stringify({alone: between - start, added: cpu() - between}));
`;

/**
 * What importing the package costs with axios, tough-cookie and undici, against these three alone.
 * It is CPU: each import is over in a moment, and the machine has other things to do.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./context.js').Outcome>}
 */
export async function measureImportTime({settings, cores}) {
	const node = [process.execPath, '--input-type=module', '--eval', script];
	const [command, ...args] =
		cores === undefined ? node : ['taskset', '-c', String(cores.peer), ...node];
	const cwd = new URL('../..', import.meta.url);
	const samples = roundsOf(settings.rounds * importsPerRound).map(() =>
		JSON.parse(execFileSync(command, args, {cwd, encoding: 'utf8'})),
	);
	const alone = samples.map((sample) => sample.alone);
	const together = samples.map((sample) => sample.alone + sample.added);
	const ratio = medianRatio(together, alone);
	const row = (label, values) => [
		label,
		...[median(values), Math.min(...values), Math.max(...values)].map(
			(value) => `${value.toFixed(1)} ms`,
		),
	];
	return {
		figures: {import: ratio},
		tables: [
			{
				title: 'Import, CPU',
				columns: ['', 'median', 'least', 'most'],
				rows: [
					row('axios, tough-cookie and undici', alone),
					row('the same with axios-mtls', together),
				],
				note: `The ratio of the two, each pair in one process, is ${ratio.toFixed(2)}.`,
			},
		],
	};
}
