import {inspect} from 'node:util';
import {isAccount} from '../shapes/answers.js';

/**
 * @typedef {object} Rate
 * @property {number} perSecond
 * @property {number} cpuMicroseconds of this process, for one request
 */

/**
 * Sends one request after the other, `inFlight` at a time, and counts those with the right answer;
 * a wrong one ends it. Each of them is sent once, however short the time is.
 *
 * @param {() => Promise<any>} send
 * @param {number} inFlight
 * @param {number} seconds
 * @param {(answer: any) => boolean} [isRight]
 * @returns {Promise<Rate>}
 */
export async function measureRate(send, inFlight, seconds, isRight = isAccount) {
	const cpuBefore = process.cpuUsage();
	const start = performance.now();
	const end = start + seconds * 1_000;
	let count = 0;
	const sendUntilEnd = async () => {
		do {
			const answer = await send();
			if (!isRight(answer)) throw new Error(`a wrong answer: ${inspect(answer, {depth: 1})}`);
			count += 1;
		} while (performance.now() < end);
	};
	await Promise.all(Array.from({length: inFlight}, sendUntilEnd));

	const elapsedSeconds = (performance.now() - start) / 1_000;
	const {user, system} = process.cpuUsage(cpuBefore);
	return {perSecond: count / elapsedSeconds, cpuMicroseconds: (user + system) / count};
}
