import {beforeAll, describe, expect, test} from 'vitest';
import {expectCanceled, ways} from '../support/cancelling.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	pages,
	redirect,
} from '../support/fixture.ts';
import {startTcp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

// Seen: a request that was cancelled or timed out while it connected left its socket open for a
// minute over axios's exchange, because a ClientRequest that waits for its socket emits no 'close';
// over the connections of the client it was an uncaught exception, because the code of the AbortError that
// ended the attempt is a number.
// Now: an attempt ends with the request that it was made for.
describe.each(exchanges)('over %s', (_, options) => {
	describe.each(ways)('cancelled by %s', (_way, way) => {
		test('a request is cancelled while it connects', async () => {
			const {config, cancel} = way();
			const mute = await startTcp((socket) => socket.once('data', cancel));
			const request = fixture.client(options).post(`https://localhost:${mute.port}/`, 'x', config);
			await expectCanceled(request);
			expect(mute.sockets).toHaveLength(1);
			await mute.closed();
		});

		test('a request is cancelled while its tunnel is opened', async () => {
			const server = await fixture.server();
			const {config, cancel} = way();
			const proxy = await startTcp((socket) => socket.once('data', cancel));
			const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
			await expectCanceled(client.post(server.url(), 'x', config));
			await proxy.closed();
			expect(server.connections).toEqual([]);
		});

		test('a request is cancelled while its handshake runs through a tunnel', async () => {
			const {config, cancel} = way();
			const mute = await startTcp((socket) => socket.once('data', cancel));
			const proxy = await fixture.proxy();
			const client = fixture.client({...options, proxy: {host: '127.0.0.1', port: proxy.port}});
			await expectCanceled(client.get(`https://localhost:${mute.port}/`, config));
			await mute.closed();
		});
	});

	const timeout = 60;
	const timedOut = {
		name: 'AxiosError',
		code: 'ECONNABORTED',
		message: expect.stringContaining(`timeout of ${timeout}ms exceeded: `),
	};

	describe('timed out', () => {
		test('a request to a server that accepts TCP and says nothing times out', async () => {
			const mute = await startTcp();
			const client = fixture.client({...options, timeout});
			const error = await failureOf(client.post(`https://localhost:${mute.port}/x`, 'body'));
			expect(error).toMatchObject(timedOut);
			expect(error.config).toMatchObject({url: `https://localhost:${mute.port}/x`, timeout});
			await mute.closed();
		});

		test('a request to a silent server behind a tunnel times out', async () => {
			const [mute, proxy] = await Promise.all([startTcp(), fixture.proxy()]);
			const client = fixture.client({
				...options,
				timeout,
				proxy: {host: '127.0.0.1', port: proxy.port},
			});
			const request = client.get(`https://localhost:${mute.port}/`);
			expect(await failureOf(request)).toMatchObject(timedOut);
			await mute.closed();
		});

		test('a request that is redirected to a silent server times out', async () => {
			const mute = await startTcp();
			const server = await fixture.server({
				handler: pages({'/': redirect(`https://localhost:${mute.port}/`)}),
			});
			const client = fixture.client({...options, timeout});
			expect(await failureOf(client.get(server.url()))).toMatchObject(timedOut);
			await mute.closed();
		});
	});
});
