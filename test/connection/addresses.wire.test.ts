import type {LookupAddress, LookupOptions} from 'node:dns';
import dns from 'node:dns';
import https from 'node:https';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
} from '../support/fixture.ts';
import {closedPort, startPlainHttp} from '../support/plain-server.ts';
import {tempFile} from '../support/temp-file.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
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
	const server = await fixture.server({
		credential: await fixture.pki.server({names: ['two.test']}),
	});
	return `https://two.test:${server.port}/whoami`;
}

async function proxyOf(proxied: boolean) {
	if (!proxied) return false;
	const {port} = await fixture.proxy({route: (_, port) => ({host: live.address, port})});
	return {host: 'two.test', port};
}

const ways = [
	['https', 'directly', false],
	['http', 'directly', false],
	['https', 'through a proxy', true],
	['http', 'through a proxy', true],
] as const;

describe.each(exchanges)('over %s', (_, options) => {
	test.each(ways)(
		'the request %s %s tries the next address of a name',
		async (scheme, _way, proxied) => {
			const [url, proxy] = await Promise.all([serverOf(scheme), proxyOf(proxied)]);
			const spy = findTwo();
			expect((await fixture.client({...options, proxy}).get(url)).status).toBe(200);
			expect(spy).toHaveBeenCalledTimes(1);
		},
	);

	test('a name of which no address answers says so', async () => {
		const port = await closedPort();
		findTwo();
		const error = await failureOf(fixture.client(options).get(`https://two.test:${port}/`));
		expect(error.code).toBe('ECONNREFUSED');
	});
});

describe('with a lookup of the app', () => {
	const lookup = findsTwo as never;

	test.each(ways)(
		'the request %s %s tries the next address of a lookup of the app',
		async (scheme, _way, proxied) => {
			const [url, proxy] = await Promise.all([serverOf(scheme), proxyOf(proxied)]);
			const client = fixture.client({proxy});
			expect((await client.get(url, {lookup})).status).toBe(200);
			expect((await client.get(url, {lookup, family: 4})).status).toBe(200);
			const away = client.create({proxy}).get(url.replace('two', 'other'), {lookup, family: 6});
			expect((await failureOf(away)).code).toMatch(/^(ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH)$/);
		},
	);
});

// Seen: a request for a Unix socket went to port 443 of this machine. Why: our agent knew hosts only, and
// axios names none beside `socketPath`. Now: the socket is connected to, and the URL's host verified.
describe.skipIf(process.platform === 'win32')('https over a Unix socket', () => {
	async function listen(name: string) {
		const {cert, key} = await fixture.pki.server({names: [name]});
		const socketPath = tempFile('server.sock');
		const asked: (string | undefined)[] = [];
		const server = https.createServer(
			{cert, key, ca: fixture.pki.ca, requestCert: true, rejectUnauthorized: true},
			({headers}, response) => {
				asked.push(headers.host);
				response.end('answered');
			},
		);
		await new Promise<void>((resolve) => server.listen(socketPath, resolve));
		onTestFinished(() => {
			server.closeAllConnections();
			server.close();
		});
		return {socketPath, asked};
	}

	test('a request over a Unix socket presents the client certificate, and goes through no proxy', async () => {
		const {socketPath, asked} = await listen('two.test');
		const proxy = await fixture.proxy();
		const client = fixture.client({socketPath, proxy: {host: '127.0.0.1', port: proxy.port}});
		const {data, tls} = await client.get('https://two.test:8443/');
		expect(data).toBe('answered');
		expect(tls?.identity?.subject).toBe('CN=alice');
		expect(asked).toEqual(['two.test:8443']);
		expect(proxy.connectionCount).toBe(0);
	});

	test('a request over a Unix socket does not reach a server of another name', async () => {
		const {socketPath, asked} = await listen('localhost');
		const {failure} = await mtlsFailureOf(fixture.client({socketPath}).get('https://two.test/'));
		expect(failure).toMatchObject({kind: 'wrong-name', host: 'two.test'});
		expect(asked).toEqual([]);
	});
});
