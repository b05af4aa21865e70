import assert from 'node:assert/strict';
import {peers} from '../peers/index.js';
import {median, medianRatio, rotate} from '../statistics.js';
import {roundsOf, runJob, startServer, targetOf} from './context.js';

const loads = [32, 1];

/**
 * Small JSON over kept connections with one session cookie: every peer, at each load, in every round.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./context.js').Outcome>}
 */
export async function measureRequests(context) {
	const {settings, tell} = context;
	const wanted = settings.only.filter((name) => name in peers);
	const names = Object.keys(peers).filter(
		(name) => wanted.length === 0 || name === 'ours' || wanted.includes(name),
	);
	const samples = new Map();
	const server = await startServer(context, 'requests');
	for (const round of roundsOf(settings.rounds)) {
		for (const inFlight of loads) {
			for (const name of rotate(names, round)) {
				const rate = await measurePeer(context, server, name, inFlight);
				const key = `${name}@${inFlight}`;
				samples.set(key, [...(samples.get(key) ?? []), rate]);
				tell(`requests, round ${round + 1}: ${key} ${Math.round(rate.perSecond)}/s`);
			}
		}
	}
	await server.stop();
	return summarize(names, samples);
}

async function measurePeer(context, server, peer, inFlight) {
	const {certificate} = peers[peer];
	const origin = certificate ? server.origin : server.withoutCertificate;
	const env = certificate ? {} : {NODE_EXTRA_CA_CERTS: context.credentials.caFile};
	await server.takeCounts();
	const question = {job: 'requests', peer, inFlight, target: targetOf(context, origin)};
	const rate = await runJob(context, question, {env});
	const counts = await server.takeCounts();
	assertCounts(peer, counts);
	return {...rate, serverMicroseconds: counts.cpuMicroseconds / counts.requests};
}

/** A peer that lost its cookie or its connections on the way would be compared with something else. */
function assertCounts(peer, {requests, withCookie, connections}) {
	const {cookies, keepAlive, bound: bare} = peers[peer];
	if (peer === 'core') return assert.equal(requests, 0);
	const logins = bare ? 0 : 2;
	assert.equal(withCookie, cookies ? requests - logins : 0, `${peer}: requests with the cookie`);
	// Some clients open one more in a crowd; a connection for each tenth request is no keep-alive.
	if (keepAlive) assert.ok(connections < requests / 10, `${peer}: ${connections} connections`);
	else assert.equal(connections, requests, `${peer}: connections`);
}

function summarize(names, samples) {
	const perSecond = (key) => samples.get(key)?.map((rate) => rate.perSecond);
	const figures = {};
	for (const load of loads) {
		const ours = perSecond(`ours@${load}`);
		if (ours === undefined) continue;
		for (const name of names.filter((one) => one !== 'ours' && !peers[one].bound)) {
			figures[`${name}@${load}`] = medianRatio(ours, perSecond(`${name}@${load}`));
		}
		const raw = perSecond(`raw@${load}`);
		const core = perSecond(`core@${load}`);
		if (raw === undefined || core === undefined) continue;
		const bound = raw.map((rate, round) => 1 / (1 / rate + 1 / core[round]));
		figures[`bound@${load}`] = medianRatio(ours, bound);
		const least = perSecond(`least@${load}`);
		if (least !== undefined) figures[`least@${load}`] = medianRatio(least, bound);
	}

	const rates = Object.fromEntries(
		[...samples].map(([key, all]) => [key, median(all.map((rate) => rate.perSecond))]),
	);
	const rows = names.map((name) => [
		peers[name].label,
		...loads.flatMap((load) => {
			const cpu = median(samples.get(`${name}@${load}`).map((rate) => rate.cpuMicroseconds));
			return [Math.round(rates[`${name}@${load}`]).toLocaleString('en'), `${cpu.toFixed(0)} µs`];
		}),
		serverCost(samples.get(`${name}@${loads[0]}`)),
	]);
	return {
		figures,
		rates,
		table: {
			title: 'Requests a second: small JSON GET, mTLS, one session cookie, keep-alive',
			columns: [
				'',
				...loads.flatMap((load) => [`${load} in flight`, 'CPU each']),
				'CPU of the server',
			],
			rows,
			note:
				'axios + https.Agent sends no cookies. axios-cookiejar-support refuses an agent: it talks ' +
				'to a server that wants no certificate, with a handshake for each request.' +
				noteOnLeast(figures),
		},
	};
}

/** Raw and core each run hot in a loop of their own, and never do together. */
function noteOnLeast(figures) {
	const reached = loads.map((load) => figures[`least@${load}`]);
	if (reached.includes(undefined)) return '';
	const [busy, one] = reached.map((ratio) => ratio.toFixed(2));
	return ` Of the bound of raw and core, the least adapter reaches ${busy} at 32 in flight and ${one} at 1.`;
}

/** What the server spends on one request; where it nears the time of a request, it is the slower end. */
function serverCost(samples) {
	const each = median(samples.map((sample) => sample.serverMicroseconds));
	return Number.isFinite(each) ? `${each.toFixed(0)} µs` : '';
}
