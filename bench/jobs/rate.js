import {account} from '../server/answers.js';

/**
 * @typedef {object} Rate
 * @property {number} perSecond
 * @property {number} cpuMicroseconds of this process, for one request
 */

/**
 * Sends one request after the other, `inFlight` at a time, and counts those with the right answer;
 * a wrong one ends it.
 *
 * @param {() => Promise<{data: any}>} send
 * @param {number} inFlight
 * @param {number} seconds
 * @returns {Promise<Rate>}
 */
export async function measureRate(send, inFlight, seconds) {
	const cpuBefore = process.cpuUsage();
	const start = performance.now();
	const end = start + seconds * 1_000;
	let count = 0;
	const sendUntilEnd = async () => {
		while (performance.now() < end) {
			const {data} = await send();
			if (data?.id !== account.id) throw new Error(`not the account: ${JSON.stringify(data)}`);
			count += 1;
		}
	};
	await Promise.all(Array.from({length: inFlight}, sendUntilEnd));

	const elapsedSeconds = (performance.now() - start) / 1_000;
	const {user, system} = process.cpuUsage(cpuBefore);
	return {perSecond: count / elapsedSeconds, cpuMicroseconds: (user + system) / count};
}
