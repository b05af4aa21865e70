import assert from 'node:assert/strict';
import {createClient} from '../../dist/index.js';
import {usedMemory} from './used-memory.js';

const requests = 100_000;
const settledAfter = 20_000;
const every = 1_000;
const inFlight = 32;

/** One client under load that goes over to another certificate again and again. */
export async function run({target: {origin, ca}, clients}) {
	let turn = 0;
	const identity = () => clients[turn % clients.length];
	const client = createClient({mtls: {identity, ca}, jar: true, logger: false});
	let settled;
	for (let done = 0; done < requests; done += every) {
		if (done === settledAfter) settled = usedMemory();
		let left = every;
		const ask = async () => {
			while (left-- > 0) await client.get(`${origin}/account`);
		};
		await Promise.all(Array.from({length: inFlight}, ask));
		turn += 1;
		await client.mtls.reload();
	}
	assert.equal(client.mtls.stats().epoch, requests / every);
	const end = usedMemory();
	await client.mtls.close();
	return {
		requests,
		growth: end.heap - settled.heap,
		resident: end.resident - settled.resident,
	};
}
