import {measureRate} from './rate.js';

const inFlight = 8;

/** Requests to a server that ends each connection after one: what a new connection costs. */
export async function run({peer, target, warmup, seconds}) {
	const {open} = await import(`../peers/${peer}.js`);
	const client = open({...target, bundled: true});
	await measureRate(() => client.get('/account'), inFlight, warmup);
	const rate = await measureRate(() => client.get('/account'), inFlight, seconds);
	await client.close();
	return rate;
}
