import assert from 'node:assert/strict';
import {median, medianRatio, rotate} from '../statistics.js';
import {roundsOf, runJob, startServer, targetOf} from './context.js';

const names = ['ours', 'axios-agent'];
const kinds = ['full', 'resumed'];

/**
 * New connections a second, with Node's bundled roots and a private one trusted.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./context.js').Outcome>}
 */
export async function measureConnections(context) {
	const {settings, tell} = context;
	const rates = Object.fromEntries(
		kinds.map((kind) => [kind, Object.fromEntries(names.map((name) => [name, []]))]),
	);
	const server = await startServer(context, 'connections');
	for (const round of roundsOf(settings.rounds)) {
		for (const kind of kinds) {
			for (const peer of rotate(names, round)) {
				await server.takeCounts();
				const target = targetOf(context, server[kind]);
				const {perSecond} = await runJob(context, {job: 'connections', peer, target});
				assertCounts(kind, await server.takeCounts());
				rates[kind][peer].push(perSecond);
				tell(`round ${round + 1}, ${peer}, ${kind}: ${Math.round(perSecond)}/s`);
			}
		}
	}
	await server.stop();
	return {
		figures: Object.fromEntries(
			kinds.map((kind) => [
				`connections ${kind}`,
				medianRatio(rates[kind].ours, rates[kind]['axios-agent']),
			]),
		),
		tables: [
			{
				title: "New connections a second, `ca: ['bundled', private]`, 8 in flight",
				columns: ['', 'axios-mtls', 'axios + https.Agent'],
				rows: kinds.map((kind) => [
					kind === 'full' ? 'full handshakes' : 'resumed',
					...names.map((name) => Math.round(median(rates[kind][name])).toLocaleString('en')),
				]),
			},
		],
	};
}

function assertCounts(kind, {requests, connections, resumed}) {
	assert.equal(connections, requests, 'one connection a request');
	// Those of the first moment, eight at a time, have nothing to resume yet.
	if (kind === 'full') assert.equal(resumed, 0, 'no connection was resumed');
	else
		assert.ok(
			connections - resumed <= 8 + connections / 50,
			`${resumed} of ${connections} resumed`,
		);
}
