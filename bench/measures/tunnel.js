import assert from 'node:assert/strict';
import {median, medianRatio, rotate} from '../statistics.js';
import {roundsOf, startJob, startProxy, startServer, targetOf} from './context.js';

const names = ['ours', 'axios-agent'];
const inFlight = 32;

/**
 * Small JSON through a proxy, by CONNECT.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./context.js').Outcome>}
 */
export async function measureTunnel(context) {
	const {settings, tell} = context;
	const samples = {ours: [], 'axios-agent': []};
	const server = await startServer(context, 'requests');
	const proxy = startProxy(context);
	for (const round of roundsOf(settings.rounds)) {
		for (const peer of rotate(names, round)) {
			await server.takeCounts();
			const target = {...targetOf(context, server.origin), proxy: await proxy.place()};
			const perSecond = await measureGet(context, peer, target);
			const tunnels = await proxy.takeTunnels();
			const {requests, connections} = await server.takeCounts();
			assert.equal(tunnels, connections, `${peer}: every connection is a tunnel`);
			samples[peer].push({perSecond, each: tunnels / requests});
			tell(`round ${round + 1}, ${peer}: ${Math.round(perSecond)}/s`);
		}
	}
	await proxy.stop();
	await server.stop();

	const perSecond = (name) => samples[name].map((sample) => sample.perSecond);
	const row = (label, format) => [label, ...names.map((name) => format(samples[name]))];
	const of = (field) => (all) => median(all.map((sample) => sample[field]));
	return {
		figures: {'tunnel@32': medianRatio(perSecond('ours'), perSecond('axios-agent'))},
		tables: [
			{
				title: 'Requests a second through a proxy: small JSON GET, mTLS, 32 in flight',
				columns: ['', 'axios-mtls', 'axios + https.Agent, `proxy` set'],
				rows: [
					row('requests a second', (all) => Math.round(of('perSecond')(all)).toLocaleString('en')),
					row('tunnels a request', (all) => of('each')(all).toFixed(3)),
				],
			},
		],
	};
}

async function measureGet(context, peer, target) {
	const {warmup, seconds} = context.settings;
	const job = startJob(context, 'shape');
	await job.ask({step: 'warm', shape: 'get', peer, target, warmup});
	await job.ask({step: 'open', inFlight, warmup});
	const {perSecond} = await job.ask({step: 'measure', seconds});
	await job.ask({step: 'close'});
	await job.stop();
	return perSecond;
}
