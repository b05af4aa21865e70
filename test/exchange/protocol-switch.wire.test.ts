/*
 * A server that switches to another protocol (RFC 9110 §15.2.2), which none of our requests asks for.
 */
import {getEventListeners} from 'node:events';
import type {IncomingMessage} from 'node:http';
import {beforeAll, describe, expect, test} from 'vitest';
import {isMtlsError} from '../../src/index.ts';
import {createFixture, type Fixture, failureOf} from '../support/fixture.ts';
import {startPlainHttp} from '../support/plain-server.ts';
import {startRawServer} from '../support/raw-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const upgrade = 'Upgrade: websocket\r\nConnection: upgrade\r\n\r\n';
const heads = [
	['a 101', `HTTP/1.1 101 Switching Protocols\r\n${upgrade}`],
	['a 101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
	['a 101 after a 100', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 X\r\n${upgrade}`],
	['a 101 with bytes of the other protocol', `HTTP/1.1 101 X\r\n${upgrade}\x81\x05hello`],
] as const;

const requests = [
	["the client's connections", {}],
	["axios's exchange", {onDownloadProgress() {}}],
	['a stream', {responseType: 'stream'}],
	['HEAD', {method: 'head'}],
	['an upload', {method: 'post', data: 'x'.repeat(100_000)}],
] as const;

/** Servers by the way to them, which switch protocols by writing `raw`. */
const ways = {
	async https(raw: string) {
		const server = await secureServer(raw);
		const closed = () => Promise.all(server.connections.map(({closed}) => closed));
		return {url: server.url(), config: {}, closed};
	},
	async http(raw: string) {
		const server = await startPlainHttp(({socket}) => void socket.write(raw, 'latin1'));
		return {url: server.origin, config: {}, closed: () => server.closed()};
	},
	async 'a tunnel'(raw: string) {
		const [server, proxy] = await Promise.all([secureServer(raw), fixture.proxy()]);
		const closed = () => Promise.all(server.connections.map(({closed}) => closed));
		const config = {proxy: {host: '127.0.0.1', port: proxy.port}};
		return {url: server.url(), config, closed};
	},
	async 'a proxy in the clear'(raw: string) {
		const proxy = await startPlainHttp(({socket}) => void socket.write(raw, 'latin1'));
		const config = {proxy: {host: '127.0.0.1', port: proxy.port}};
		return {url: 'http://bank.example/', config, closed: () => proxy.closed()};
	},
};

function secureServer(raw: string) {
	return fixture.server({
		handler: ({socket}: IncomingMessage) => {
			socket.write(raw, 'latin1');
			return true;
		},
	});
}

const failed = {
	name: 'ProtocolSwitchError',
	code: 'ERR_MTLS_PROTOCOL_SWITCH',
	message: 'the server switched to another protocol (101), which was not asked for',
};

describe.each(Object.entries(ways))('by %s', (_, open) => {
	test.each(heads)(
		'an unrequested %s fails the request and closes the connection',
		async (_name, raw) => {
			for (const [by, options] of requests) {
				const {url, config, closed} = await open(raw);
				const client = fixture.client(config);
				const {signal} = new AbortController();
				const error = await failureOf(client.request({url, signal, ...options}));
				expect(error, by).toMatchObject(failed);
				expect(error.response, by).toBeUndefined();
				expect(isMtlsError(error), by).toBe(false);
				await closed();
				expect(getEventListeners(signal, 'abort'), by).toEqual([]);
				// Nothing is left to wait for.
				await client.mtls.close({deadlineMs: 60_000});
			}
		},
	);
});

test('a POST whose response was a 101 is not sent again, and the client goes on', async () => {
	const server = await fixture.server({
		handler: ({socket, url}) => {
			if (url !== '/switch') return false;
			socket.write(`HTTP/1.1 101 X\r\n${upgrade}`);
			return true;
		},
	});
	for (const [by, options] of requests.slice(0, 2)) {
		const client = fixture.client(options);
		await client.get(server.url('/whoami'));
		const error = await failureOf(client.post(server.url('/switch'), 'x=1'));
		expect(error, by).toMatchObject(failed);
		expect((await client.get(server.url('/whoami'))).status, by).toBe(200);
	}
	expect(server.requests.map(({url}) => url)).toEqual([
		...['/whoami', '/switch', '/whoami'],
		...['/whoami', '/switch', '/whoami'],
	]);
});

test("a request of axios's adapter that ends without a word fails", async () => {
	// Node closes the connection of a CONNECT that is granted to nobody.
	const port = await startRawServer(() => ['HTTP/1.1 200 Connection established']);
	const url = `http://localhost:${port}/`;
	expect(await failureOf(fixture.client().request({url, method: 'connect'}))).toMatchObject({
		name: 'Error',
		code: 'ECONNRESET',
		message: 'socket hang up',
	});
});
