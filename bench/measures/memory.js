import assert from 'node:assert/strict';
import {median} from '../statistics.js';
import {roundsOf, runJob, startServer, targetOf} from './context.js';

const nodeOptions = ['--expose-gc'];

/**
 * What a process keeps: a thousand identities in one client, and a client that rotates for long.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./context.js').Outcome>}
 */
export async function measureMemory(context) {
	const {settings, tell} = context;
	const server = await startServer(context, 'identities');
	const target = targetOf(context, server.origins[0]);
	const clients = await context.credentials.issue(server.origins.length);

	const samples = [];
	// It is a sum of many, and differs little from one round to the next.
	for (const round of roundsOf(Math.min(settings.rounds, 3))) {
		const sample = await runJob(
			context,
			{job: 'identities', target, origins: server.origins, clients},
			{nodeOptions},
		);
		samples.push(sample);
		tell(`round ${round + 1}, 1,000 identities: ${mebibytes(sample.resident)}`);
	}
	await server.takeCounts();
	const {keepAlive} = server;
	const rotating = await runJob(
		context,
		{job: 'rotations', target: {...target, origin: keepAlive}, clients: clients.slice(0, 100)},
		{nodeOptions},
	);
	assert.equal((await server.takeCounts()).requests, rotating.requests);
	await server.stop();

	const resident = median(samples.map((sample) => sample.resident));
	const heap = median(samples.map((sample) => sample.heap));
	return {
		figures: {
			'identities memory': resident / 2 ** 20,
			'rotation growth': rotating.growth / 2 ** 20,
		},
		tables: [
			{
				title: 'Memory',
				columns: ['', 'above the start', 'of it heap and buffers'],
				rows: [
					['1,000 identities in use, a private CA each', mebibytes(resident), mebibytes(heap)],
					[
						`from 20,000 to ${rotating.requests.toLocaleString('en')} requests, a rotation every 1,000`,
						mebibytes(rotating.resident),
						mebibytes(rotating.growth),
					],
				],
			},
		],
	};
}

/** @param {number} bytes */
function mebibytes(bytes) {
	return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
