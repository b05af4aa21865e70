import {median, medianRatio, rotate} from '../statistics.js';
import {roundsOf, runJob, startServer, targetOf} from './context.js';

const names = ['ours', 'axios-agent'];
const transfers = ['download buffered', 'download streamed', 'upload buffered', 'upload streamed'];

/**
 * 100 MB down and up.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./context.js').Outcome>}
 */
export async function measureTransfer(context) {
	const {settings, tell} = context;
	const samples = Object.fromEntries(
		transfers.map((transfer) => [transfer, Object.fromEntries(names.map((name) => [name, []]))]),
	);
	const server = await startServer(context, 'files');
	const target = targetOf(context, server.origin);
	for (const round of roundsOf(settings.rounds)) {
		for (const transfer of transfers) {
			for (const peer of rotate(names, round)) {
				const sample = await runJob(context, {job: 'transfer', peer, target, transfer});
				samples[transfer][peer].push(sample);
				const speed = `${sample.speed.toFixed(0)} MB/s, CPU ${milliseconds(sample.cpuSeconds)}`;
				tell(`transfer, round ${round + 1}: ${peer} ${transfer} ${speed}`);
			}
		}
	}
	await server.stop();
	const values = (transfer, peer, field) => samples[transfer][peer].map((sample) => sample[field]);
	const ratio = (transfer) =>
		medianRatio(
			values(transfer, 'axios-agent', 'cpuSeconds'),
			values(transfer, 'ours', 'cpuSeconds'),
		);
	return {
		figures: Object.fromEntries(
			transfers.map((transfer) => [`100 MB ${transfer}`, ratio(transfer)]),
		),
		tables: [
			{
				title: '100 MB: MB a second, and the CPU of all',
				columns: ['', 'axios-mtls', 'CPU', 'axios + https.Agent', 'CPU', 'CPU, of axios-mtls'],
				rows: transfers.map((transfer) => [
					transfer,
					...names.flatMap((name) => [
						median(values(transfer, name, 'speed')).toFixed(0),
						milliseconds(median(values(transfer, name, 'cpuSeconds'))),
					]),
					`${ratio(transfer).toFixed(2)} ×`,
				]),
			},
		],
	};
}

/** @param {number} seconds */
function milliseconds(seconds) {
	return `${(seconds * 1_000).toFixed(0)} ms`;
}
