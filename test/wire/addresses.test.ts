import type {LookupAddress, LookupOptions} from 'node:dns';
import dns from 'node:dns';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {closedPort, startPlainHttp} from '../support/plain-server.ts';
import {exchanges, failureOf, makeWorld, type World} from '../support/world.ts';

let world: World;
beforeAll(async () => {
	world = await makeWorld();
});

/** The servers of these tests listen on the second alone. */
const dead = {address: '::1', family: 6};
const live = {address: '127.0.0.1', family: 4};

type Done = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** Finds two addresses for any name, in the manner of `dns.lookup`. */
function findsTwo(_: string, {all, family}: LookupOptions, done: Done): void {
	const found = [dead, live].filter((one) => !family || one.family === family);
	const [first = live] = found;
	setImmediate(() => (all ? done(null, found) : done(null, first.address, first.family)));
}

/** From now on each name has two addresses; servers look their own up as well, so they come first. */
function findTwo() {
	const spy = vi.spyOn(dns, 'lookup').mockImplementation(findsTwo as never);
	onTestFinished(() => spy.mockRestore());
	return spy;
}

// Each https server of these tests is `two.test`, and so is each proxy.
async function serverOf(scheme: string): Promise<string> {
	if (scheme === 'http') return `http://two.test:${(await startPlainHttp()).port}/whoami`;
	const server = await world.server({credential: await world.pki.server({names: ['two.test']})});
	return `https://two.test:${server.port}/whoami`;
}

async function proxyOf(proxied: boolean) {
	if (!proxied) return false;
	const {port} = await world.proxy({route: (_, port) => ({host: live.address, port})});
	return {host: 'two.test', port};
}

const ways = [
	['https', 'directly', false],
	['http', 'directly', false],
	['https', 'through a proxy', true],
	['http', 'through a proxy', true],
] as const;

describe.each(exchanges)('over %s', (_, options) => {
	test.each(ways)('%s %s tries the next address of a name', async (scheme, _way, proxied) => {
		const [url, proxy] = await Promise.all([serverOf(scheme), proxyOf(proxied)]);
		const spy = findTwo();
		expect((await world.client({...options, proxy}).get(url)).status).toBe(200);
		expect(spy).toHaveBeenCalledTimes(1);
	});

	test('a name of which no address answers says so', async () => {
		const port = await closedPort();
		findTwo();
		const error = await failureOf(world.client(options).get(`https://two.test:${port}/`));
		expect(error.code).toBe('ECONNREFUSED');
	});
});

describe('with a lookup of the app', () => {
	const lookup = findsTwo as never;

	test.each(ways)('%s %s tries the next address', async (scheme, _way, proxied) => {
		const [url, proxy] = await Promise.all([serverOf(scheme), proxyOf(proxied)]);
		const client = world.client({proxy});
		expect((await client.get(url, {lookup})).status).toBe(200);
		expect((await client.get(url, {lookup, family: 4})).status).toBe(200);
		const away = client.create({proxy}).get(url.replace('two', 'other'), {lookup, family: 6});
		expect((await failureOf(away)).code).toMatch(/^(ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH)$/);
	});
});
