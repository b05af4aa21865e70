import {execFileSync} from 'node:child_process';
import {median} from '../statistics.js';
import {roundsOf} from './context.js';

const importsPerRound = 10;

// The packages below ours are the ones that ours resolves: hence `--eval` in the folder above.
const script = `
await import('axios');
await import('tough-cookie');
await import('undici');
const start = performance.now();
await import('axios-mtls');
console.log(performance.now() - start);
`;

/**
 * What importing the package costs an app that has axios, tough-cookie and undici loaded.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./context.js').Outcome>}
 */
export async function measureImportTime({settings, cores, tell}) {
	const node = [process.execPath, '--input-type=module', '--eval', script];
	const [command, ...args] =
		cores === undefined ? node : ['taskset', '-c', String(cores.peer), ...node];
	const cwd = new URL('../..', import.meta.url);
	const milliseconds = roundsOf(settings.rounds * importsPerRound).map(() =>
		Number(execFileSync(command, args, {cwd, encoding: 'utf8'})),
	);
	tell(`import: ${median(milliseconds).toFixed(1)} ms`);
	return {
		figures: {import: median(milliseconds)},
		table: {
			title: 'Import',
			columns: ['', 'median', 'least', 'most'],
			rows: [
				[
					'axios-mtls, above axios, tough-cookie and undici',
					...[median(milliseconds), Math.min(...milliseconds), Math.max(...milliseconds)].map(
						(value) => `${value.toFixed(1)} ms`,
					),
				],
			],
		},
	};
}
