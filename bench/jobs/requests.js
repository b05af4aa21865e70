import assert from 'node:assert/strict';
import {account} from '../server/answers.js';
import {measureRate} from './rate.js';

const busy = 32;

/**
 * The rate of one peer at one load. The code is warmed at full load, whatever the load that is
 * measured: the compiler counts requests, and one at a time brings too few. What is measured is a
 * client of its own, with no more connections than its load needs.
 */
export async function run({peer, target, inFlight, warmup, seconds}) {
	const {open} = await import(`../peers/${peer}.js`);

	const first = open(target);
	await logIn(first);
	await measureRate(() => first.get('/account'), busy, warmup);
	await first.close();

	const client = open(target);
	await logIn(client);
	await measureRate(() => client.get('/account'), inFlight, warmup / 8);
	const rate = await measureRate(() => client.get('/account'), inFlight, seconds);
	await client.close();
	return rate;
}

async function logIn(client) {
	for (const path of ['/login', '/account']) {
		const {status, data} = await client.get(path);
		assert.equal(status, 200);
		assert.deepEqual(data, account);
	}
}
