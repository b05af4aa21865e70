import {median, medianRatio, rotate} from '../statistics.js';
import {roundsOf, startJob, startServer, targetOf} from './context.js';

const names = ['ours', 'axios-agent'];
const transfers = ['download buffered', 'download streamed', 'upload buffered', 'upload streamed'];
const sliceSeconds = 0.5;

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
			await measureTransferOf(context, target, transfer, round, samples[transfer]);
			tell(`round ${round + 1}, ${transfer}`);
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

/** Both peers are open at once and take turns, so that a change of the machine meets both alike. */
async function measureTransferOf(context, target, transfer, round, samples) {
	const {warmup, seconds} = context.settings;
	const jobs = names.map((peer) => ({peer, ...startJob(context, 'transfer')}));
	try {
		for (const {peer, ask} of jobs) await ask({step: 'warm', peer, target, transfer, warmup});
		const slices = roundsOf(Math.max(1, Math.round(seconds / sliceSeconds)));
		for (const slice of slices) {
			for (const {peer, ask} of rotate(jobs, round + slice)) {
				samples[peer].push(await ask({step: 'measure', seconds: seconds / slices.length}));
			}
		}
		for (const {ask} of jobs) await ask({step: 'close'});
	} finally {
		for (const {stop} of jobs) await stop();
	}
}

/** @param {number} seconds */
function milliseconds(seconds) {
	return `${(seconds * 1_000).toFixed(0)} ms`;
}
