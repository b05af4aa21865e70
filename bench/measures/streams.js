import {runJob, startServer, targetOf} from './context.js';

const gigabyte = 1e9;
const aborted = 10_000;

/** Of a run of record, in seconds; a shorter look takes its share of it. */
const whole = 4;

const rows = {
	download: 'download',
	upload: 'upload',
	redirect: 'upload through a 307',
};

/**
 * What streams leave: long ones while they flow, and many that were given up.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./context.js').Outcome>}
 */
export async function measureStreams(context) {
	const share = Math.min(1, Math.max(context.settings.seconds / whole, 1 / 50));
	const bytes = Math.round(gigabyte * share);
	const aborts = Math.round((aborted * share) / 5) * 5;
	const server = await startServer(context, 'files');
	const target = targetOf(context, server.origin);
	const {growth, left} = await runJob(
		context,
		{job: 'streams', target, bytes, aborts},
		{nodeOptions: ['--expose-gc']},
	);
	await server.stop();
	const figures = Object.fromEntries(
		Object.entries(growth).map(([name, {heap}]) => [`stream growth ${name}`, heap / 2 ** 20]),
	);
	const open = Object.entries(left);
	const row = (label, {heap, resident}) => [label, mebibytes(heap), mebibytes(resident)];
	return {
		figures: {...figures, 'stream leftovers': open.reduce((sum, [, count]) => sum + count, 0)},
		tables: [
			{
				title: `Streams: ${bytes / 1e6} MB each, and ${aborts.toLocaleString('en')} given up`,
				columns: ['', 'heap and buffers, at most', 'resident, at most'],
				rows: [
					...Object.entries(rows).map(([name, label]) => row(label, growth[name])),
					row(`given up, from a fifth of them to all`, growth.aborts),
				],
				note:
					'Growth after the first eighth of each. Left of those that were given up: ' +
					`${open.map(([name, count]) => `${count} ${name}`).join(', ')}.`,
			},
		],
	};
}

/** @param {number} bytes */
function mebibytes(bytes) {
	return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
