import {startChild} from '../child.js';

/**
 * What every measure is given.
 *
 * @typedef {object} Context
 * @property {import('../options.js').Settings} settings
 * @property {import('../credentials.js').Credentials} credentials
 * @property {{server: number, peer: number} | undefined} cores
 * @property {{shapes: string[], peers: string[]}} chosen what of the shapes is measured; no peers for all
 * @property {(text: string) => void} tell shows on a terminal how far the measure is
 *
 * What every measure gives back.
 *
 * @typedef {object} Outcome
 * @property {Record<string, number | null>} figures by the names of the targets; null where it is not possible
 * @property {Table[]} tables
 * @property {object} [rates] for the chart
 *
 * @typedef {object} Table
 * @property {string} title
 * @property {string[]} columns
 * @property {string[][]} rows
 * @property {string} [note]
 */

/**
 * @param {Context} context
 * @param {string} kind
 */
export async function startServer({credentials, cores}, kind) {
	const server = startChild('server/main.js', {core: cores?.server});
	const {ca, server: own} = credentials;
	const place = await server.ask({start: kind, credentials: {ca, server: own}});
	return {
		...place,
		takeCounts: () => server.ask({}),
		stop: server.stop,
	};
}

/** @param {Context} context */
export function startProxy({cores}) {
	const proxy = startChild('server/proxy.js', {core: cores?.server});
	return {
		/** @returns {Promise<import('axios').AxiosProxyConfig>} */
		async place() {
			const {host, port} = await proxy.ask({});
			return {protocol: 'http', host, port};
		},
		/** Since the last question, whichever it was. */
		takeTunnels: async () => (await proxy.ask({})).tunnels,
		stop: proxy.stop,
	};
}

/**
 * Starts the process of one job, which answers one question after the other.
 *
 * @param {Context} context
 * @param {string} job
 * @param {Omit<Parameters<typeof startChild>[1], 'core'>} [options]
 */
export function startJob({cores}, job, options) {
	const child = startChild('jobs/main.js', {...options, core: cores?.peer});
	return {ask: (question) => child.ask({job, ...question}), stop: child.stop};
}

/**
 * Runs one job in a process of its own.
 *
 * @param {Context} context
 * @param {object} question with the name of the `job`
 * @param {Omit<Parameters<typeof startChild>[1], 'core'>} [options]
 */
export async function runJob(context, {job, ...question}, options) {
	const {warmup, seconds} = context.settings;
	const child = startJob(context, job, options);
	const result = await child.ask({warmup, seconds, ...question});
	await child.stop();
	return result;
}

/**
 * @param {Context} context
 * @param {string} origin
 */
export function targetOf({credentials: {ca, client}}, origin) {
	return {origin, ca, ...client};
}

/** @param {number} count */
export function roundsOf(count) {
	return Array.from({length: count}, (_, round) => round);
}
