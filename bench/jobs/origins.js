import assert from 'node:assert/strict';
import {account} from '../server/answers.js';
import {usedMemory} from './used-memory.js';

const inFlight = 32;

/** One client, a thousand origins: the first visit to each, the next one, and what it keeps in memory. */
export async function run({peer, target, origins}) {
	const {open} = await import(`../peers/${peer}.js`);
	const client = open({...target, origin: ''});
	await visit(client, origins.slice(0, 1));

	const before = usedMemory();
	const firstSeconds = await visit(client, origins);
	const nextSeconds = await visit(client, origins);
	const after = usedMemory();
	await client.close();
	return {
		firstSeconds,
		nextSeconds,
		heapKiB: (after.heap - before.heap) / origins.length / 1024,
		residentKiB: (after.resident - before.resident) / origins.length / 1024,
	};
}

async function visit(client, origins) {
	const start = performance.now();
	const left = origins.values();
	const visitSome = async () => {
		for (const origin of left) {
			const {data} = await client.get(`${origin}/account`);
			assert.deepEqual(data, account);
		}
	};
	await Promise.all(Array.from({length: inFlight}, visitSome));
	return (performance.now() - start) / 1_000;
}
