import assert from 'node:assert/strict';
import {median} from '../statistics.js';
import {roundsOf, runJob, startServer, targetOf} from './context.js';

/** The first is the one with a target: the hardest header that such a jar can make. */
const cases = [
	{sent: 100, inFlight: 1},
	{sent: 100, inFlight: 32},
	{sent: 10, inFlight: 1},
	{sent: 10, inFlight: 32},
];

/**
 * The share of a request's time that a jar of 10,000 cookies takes.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./context.js').Outcome>}
 */
export async function measureLargeJar(context) {
	const {settings, tell} = context;
	const samples = cases.map(() => []);
	const server = await startServer(context, 'requests');
	for (const round of roundsOf(settings.rounds)) {
		for (const [index, {sent, inFlight}] of cases.entries()) {
			const target = targetOf(context, server.origin);
			const sample = await runJob(context, {job: 'large-jar', target, sent, inFlight});
			const {lastHead} = await server.takeCounts();
			assert.match(lastHead, new RegExp(`^cookie: ${sample.cookie}\r$`, 'im'));
			assert.equal(sample.cookie.split('; ').length, sent);
			samples[index].push(sample);
			const percent = (sample.share * 100).toFixed(1);
			tell(`round ${round + 1}, ${sent} cookies sent, ${inFlight} in flight: ${percent} %`);
		}
	}
	await server.stop();
	const share = (index) => median(samples[index].map((one) => one.share)) * 100;
	return {
		figures: {'cookie share': share(0)},
		tables: [
			{
				title: 'A jar of 10,000 cookies over 100 domains',
				columns: ['cookies sent', 'in flight', 'share of a request', 'a request'],
				rows: cases.map(({sent, inFlight}, index) => {
					const milliseconds = median(samples[index].map((one) => one.milliseconds));
					return [
						String(sent),
						String(inFlight),
						`${share(index).toFixed(1)} %`,
						`${(milliseconds * 1_000).toFixed(0)} µs`,
					];
				}),
				note: 'Against the same request with the same Cookie header given by hand.',
			},
		],
	};
}
