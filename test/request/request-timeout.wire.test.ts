import type {ServerResponse} from 'node:http';
import {buffer} from 'node:stream/consumers';
import {CookieJar} from 'tough-cookie';
import {beforeAll, describe, expect, test} from 'vitest';
import {allClosed, createFixture, exchanges, type Fixture, failureOf} from '../support/fixture.ts';
import {startTcp} from '../support/plain-server.ts';
import {SilentStore} from '../support/silent-store.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

// A handshake on a busy machine fits in.
const requestMs = 250;

/** The error of `requestMs`, with what it says of the progress. */
const late = (host: string, progress: string) => ({
	name: 'TimeoutError',
	code: 'ERR_MTLS_REQUEST_TIMEOUT',
	message: `no whole answer from ${host} within ${requestMs} ms: ${progress}`,
});

/** The head of a response, and a part of its body. */
const begun = (_request: unknown, response: ServerResponse) => {
	response.writeHead(200, {'content-length': 10}).write('some');
	return true;
};

describe.each(exchanges)('over %s', (_, options) => {
	const timeouts = {requestMs};

	test('a request that waits for a jar says so', async () => {
		const server = await fixture.server();
		const jar = new CookieJar(new SilentStore());
		const client = fixture.client({...options, jar, timeouts});
		expect(await failureOf(client.get(server.url()))).toMatchObject(
			late(new URL(server.origin).host, 'the jar has not given its cookies yet'),
		);
		expect(server.connections).toEqual([]);
	});

	test('a request whose server says nothing says that it was sent', async () => {
		const server = await fixture.server({handler: () => true});
		const {host} = new URL(server.origin);
		const client = fixture.client({...options, timeouts});
		expect(await failureOf(client.get(server.url()))).toMatchObject(
			late(host, `the request was sent to ${host}, and no response has begun`),
		);
		expect(server.requests).toHaveLength(1);
		await allClosed(server);
	});

	test('a request after a redirect names the host that it waits for', async () => {
		const second = await fixture.server({clientAuth: 'none', handler: () => true});
		const first = await fixture.server({
			handler: (_request, response) => {
				response.writeHead(302, {location: second.url('/next')}).end();
				return true;
			},
		});
		const {host} = new URL(second.origin);
		const client = fixture.client({...options, timeouts});
		expect(await failureOf(client.get(first.url()))).toMatchObject(
			late(
				new URL(first.origin).host,
				`the request was sent to ${host}, and no response has begun`,
			),
		);
	});

	test('a streamed body that stops says that its head was there', async () => {
		const server = await fixture.server({handler: begun});
		const client = fixture.client({...options, timeouts});
		const {data} = await client.get(server.url(), {responseType: 'stream'});
		expect(await buffer(data).catch((reason: unknown) => reason)).toMatchObject(
			late(
				new URL(server.origin).host,
				'the head of the response (200) has arrived, and its body is not complete',
			),
		);
		await allClosed(server);
	});

	test('a request that the app cancels says nothing of a timeout', async () => {
		const server = await fixture.server({handler: () => true});
		const client = fixture.client({...options, timeouts: {requestMs: 20_000}});
		const controller = new AbortController();
		const failure = failureOf(client.get(server.url(), {signal: controller.signal}));
		await expect.poll(() => server.requests.length).toBe(1);
		controller.abort();
		expect(await failure).toMatchObject({code: 'ERR_CANCELED', message: 'canceled'});
	});
});

test('a handshake that stops says that there is a TCP connection', async () => {
	const mute = await startTcp();
	const client = fixture.client({timeouts: {requestMs}});
	const host = `localhost:${mute.port}`;
	expect(await failureOf(client.get(`https://${host}/`))).toMatchObject(
		late(host, `there is a TCP connection to ${host}, and the TLS handshake is not complete`),
	);
	await mute.closed();
});

test('a body that stops says how many bytes have arrived', async () => {
	const server = await fixture.server({handler: begun});
	const {host} = new URL(server.origin);
	const client = fixture.client({timeouts: {requestMs}});
	expect(await failureOf(client.get(server.url()))).toMatchObject(
		late(host, `the head of the response (200) has arrived from ${host}, and 4 bytes of its body`),
	);
	await allClosed(server);
});
