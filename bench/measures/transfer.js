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
	const speeds = Object.fromEntries(
		transfers.map((transfer) => [transfer, Object.fromEntries(names.map((name) => [name, []]))]),
	);
	const server = await startServer(context, 'files');
	const target = targetOf(context, server.origin);
	for (const round of roundsOf(settings.rounds)) {
		for (const transfer of transfers) {
			for (const peer of rotate(names, round)) {
				const speed = await runJob(context, {job: 'transfer', peer, target, transfer});
				speeds[transfer][peer].push(speed);
				tell(`transfer, round ${round + 1}: ${peer} ${transfer} ${speed.toFixed(0)} MB/s`);
			}
		}
	}
	await server.stop();
	return {
		figures: Object.fromEntries(
			transfers.map((transfer) => [
				`100 MB ${transfer}`,
				medianRatio(speeds[transfer].ours, speeds[transfer]['axios-agent']),
			]),
		),
		table: {
			title: '100 MB, MB a second',
			columns: ['', 'axios-mtls', 'axios + https.Agent'],
			rows: transfers.map((transfer) => [
				transfer,
				...names.map((name) => median(speeds[transfer][name]).toFixed(0)),
			]),
		},
	};
}
