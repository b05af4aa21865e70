import {answerParent} from '../child.js';
import {startFileServer} from './file-server.js';
import {startHttp2Server} from './http2-server.js';
import {startJsonServer} from './json-server.js';
import {openOrigins} from './many-origins.js';

/** @type {Pick<Awaited<ReturnType<typeof startJsonServer>>, 'takeCounts'>[]} */
const counting = [];
let cpuBefore = process.cpuUsage();

/**
 * Each starts what one measure needs and says where it listens.
 *
 * @type {Record<string, (credentials: import('node:tls').TlsOptions) => Promise<object>>}
 */
const kinds = {
	async requests(mutual) {
		const strict = await countedServer(mutual);
		const lenient = await countedServer({...mutual, requestCert: false});
		return {origin: strict, withoutCertificate: lenient};
	},
	async http2(mutual) {
		const one = await startHttp2Server(mutual);
		counting.push(one);
		return {origin: one.origin};
	},
	async connections(mutual) {
		const full = await countedServer(mutual, {closing: true, forgetful: true});
		const resumed = await countedServer(mutual, {closing: true});
		return {full, resumed};
	},
	async origins(mutual) {
		const one = await startJsonServer(mutual);
		counting.push(one);
		return {origins: await openOrigins(one.server, 1_000)};
	},
	async identities(mutual) {
		const one = await startJsonServer(mutual, {closing: true});
		counting.push(one);
		return {origins: await openOrigins(one.server, 1_000), keepAlive: await countedServer(mutual)};
	},
	files: startFileServer,
};

async function countedServer(options, how) {
	const one = await startJsonServer(options, how);
	counting.push(one);
	return one.origin;
}

answerParent(({start, credentials}) => {
	if (start === undefined) return takeCounts();
	const {ca, server} = credentials;
	return kinds[start]({...server, ca, requestCert: true, rejectUnauthorized: true});
});

/** Of all servers here together: the peers run in turn. */
function takeCounts() {
	const each = counting.map((one) => one.takeCounts());
	const busiest = each.toSorted((a, b) => b.requests - a.requests)[0];
	const {user, system} = process.cpuUsage(cpuBefore);
	cpuBefore = process.cpuUsage();
	return {...busiest, cpuMicroseconds: user + system};
}
