import assert from 'node:assert/strict';
import {peers} from '../peers/index.js';
import {tableOfGet, tableOfShapes} from '../report/shape-tables.js';
import {rotate} from '../statistics.js';
import {roundsOf, startJob, startProxy, startServer, targetOf} from './context.js';
import {figuresOf, ratesOf} from './shape-figures.js';
import {Group} from './shape-group.js';

/** Short, so that a change of the machine meets all peers alike. */
const sliceSeconds = 0.25;

/**
 * Small requests over kept connections, with the cookie of a session: each shape with each of its
 * peers, at each load, in every round. The peers of a shape take turns, slice by slice.
 *
 * @param {import('./context.js').Context} context
 * @returns {Promise<import('./context.js').Outcome>}
 */
export async function measureShapes(context) {
	const {loads, rounds} = context.settings;
	const {chosen} = context;
	const groups = chosen.shapes.map((name) => new Group(name, chosen.peers));
	const servers = await startServers(context, groups);
	for (const round of roundsOf(rounds)) {
		for (const group of groups.filter((one) => one.impossible === undefined)) {
			await measureGroup(context, servers, group, round);
		}
	}
	await servers.stop();
	const get = groups.find(({name}) => name === 'get');
	return {
		figures: Object.assign({}, ...groups.map((group) => figuresOf(group, loads))),
		rates: get === undefined ? {} : ratesOf(get, loads),
		tables: [...(get === undefined ? [] : [tableOfGet(get, loads)]), tableOfShapes(groups, loads)],
	};
}

async function startServers(context, groups) {
	const kinds = [...new Set(groups.map(({shape}) => shape.server))];
	const servers = new Map();
	for (const kind of kinds) servers.set(kind, await startServer(context, kind));
	const proxy = groups.some(({shape}) => shape.proxied) ? startProxy(context) : undefined;
	return {
		of: ({server}) => servers.get(server),
		proxy,
		async stop() {
			await proxy?.stop();
			for (const server of servers.values()) await server.stop();
		},
	};
}

/** @param {Group} group */
async function measureGroup(context, servers, group, round) {
	const {settings, tell} = context;
	const {warmup, loads, seconds} = settings;
	const turns = [];
	try {
		for (const member of group.members) {
			const turn = await startTurn(context, servers, member);
			turns.push(turn);
			const {impossible} = await turn.ask({step: 'warm', ...turn.question, warmup});
			if (impossible === undefined) continue;
			group.impossible = impossible;
			return;
		}
		for (const inFlight of loads) {
			tell(`round ${round + 1}, ${group.name}, ${inFlight} in flight`);
			for (const turn of turns) await turn.ask({step: 'open', inFlight, warmup});
			const slices = roundsOf(Math.max(1, Math.round(seconds / sliceSeconds)));
			for (const slice of slices) {
				for (const turn of rotate(turns, round + slice)) {
					group.add(turn.member, inFlight, await turn.measure(seconds / slices.length));
				}
			}
			for (const turn of turns) await turn.ask({step: 'close'});
		}
		for (const turn of turns) turn.check();
	} finally {
		for (const turn of turns) await turn.stop();
	}
}

/** The process of one member, and what the server has seen of it. */
async function startTurn(context, servers, member) {
	const {name, shape, peer} = member;
	const {certificate} = peers[peer];
	const server = servers.of(shape);
	const target = targetOf(context, certificate ? server.origin : server.withoutCertificate);
	if (shape.proxied) target.proxy = await servers.proxy.place();
	const env = certificate ? {} : {NODE_EXTRA_CA_CERTS: context.credentials.caFile};
	const job = startJob(context, 'shape', {env});
	const seen = {requests: 0, withCookie: 0, connections: 0, tunnels: 0, clients: 0};

	const ask = async (question) => {
		await server.takeCounts();
		const answer = await job.ask(question);
		const {lastHead, lastBody, ...counts} = await server.takeCounts();
		for (const field of ['requests', 'withCookie', 'connections']) seen[field] += counts[field];
		if (shape.proxied) seen.tunnels += await servers.proxy.takeTunnels();
		if (question.step === 'warm' || question.step === 'open') seen.clients += 1;
		if (question.step === 'measure') seen.sent = {head: lastHead, body: lastBody};
		return {...answer, serverMicroseconds: counts.cpuMicroseconds / counts.requests};
	};
	return {
		member,
		question: {shape: name, peer, target},
		ask,
		measure: (seconds) => ask({step: 'measure', seconds}),
		check: () => assertSeen(member, seen),
		stop: job.stop,
	};
}

/** A peer that lost its cookie or its connections on the way would be compared with something else. */
function assertSeen({shape, peer}, seen) {
	const {requests, withCookie, connections, tunnels, clients, sent} = seen;
	const {cookies, keepAlive, proxied, bound: bare} = peers[peer];
	if (peer === 'core') return assert.equal(requests, 0);
	assert.ok(shape.isSent(sent), `${peer}: a wrong request: ${JSON.stringify(sent)}`);
	// The first request of a client has no cookie yet.
	const logins = bare ? 0 : clients;
	assert.equal(withCookie, cookies ? requests - logins : 0, `${peer}: requests with the cookie`);
	const byProxy = shape.proxied && proxied;
	assert.equal(tunnels, byProxy ? connections : 0, `${peer}: tunnels, one a connection`);
	if (!keepAlive) return assert.equal(connections, requests, `${peer}: connections`);
	// Some clients open one more in a crowd; a connection for each tenth request is no keep-alive.
	const most = Math.max(requests / 10, 100 * clients);
	assert.ok(connections < most, `${peer}: ${connections} connections`);
}
