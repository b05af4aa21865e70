import assert from 'node:assert/strict';
import {median, rotate} from '../statistics.js';
import {roundsOf, runJob, startServer, targetOf} from './context.js';

const names = ['ours', 'axios-agent'];

/**
 * A thousand origins in one client.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./context.js').Outcome>}
 */
export async function measureOrigins(context) {
	const {settings, tell} = context;
	const samples = {ours: [], 'axios-agent': []};
	const server = await startServer(context, 'origins');
	const target = targetOf(context, '');
	for (const round of roundsOf(settings.rounds)) {
		for (const peer of rotate(names, round)) {
			await server.takeCounts();
			const question = {job: 'origins', peer, target, origins: server.origins};
			const sample = await runJob(context, question, {nodeOptions: ['--expose-gc']});
			const {connections} = await server.takeCounts();
			assert.equal(connections, server.origins.length, 'one connection an origin');
			samples[peer].push(sample);
			tell(`round ${round + 1}, ${peer}: ${sample.firstSeconds.toFixed(2)} s`);
		}
	}
	await server.stop();

	const row = (label, field, format) => [
		label,
		...names.map((name) => format(median(samples[name].map((sample) => sample[field])))),
	];
	const seconds = (value) => `${value.toFixed(2)} s`;
	const kibibytes = (value) => `${value.toFixed(0)} KiB`;
	return {
		figures: {},
		tables: [
			{
				title: '1,000 origins in one client',
				columns: ['', 'axios-mtls', 'axios + https.Agent'],
				rows: [
					row('first request to each', 'firstSeconds', seconds),
					row('second request to each', 'nextSeconds', seconds),
					row('heap and buffers, per origin', 'heapKiB', kibibytes),
					row('resident memory, per origin', 'residentKiB', kibibytes),
				],
			},
		],
	};
}
