/*
 * Interim responses (RFC 9110 §15.2) on every way to a server; test/parity/interim.wire.test.ts holds
 * what becomes of them against axios.
 */
import type {IncomingMessage} from 'node:http';
import {setImmediate} from 'node:timers/promises';
import fc from 'fast-check';
import {beforeAll, expect, test} from 'vitest';
import type {ClientConfig} from '../../src/index.ts';
import {allClosed, createFixture, exchanges, type Fixture, failureOf} from '../support/fixture.ts';
import {respondWith, startH2Server} from '../support/h2-server.ts';
import {startPlainHttp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n';
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers past Node's own response. */
async function answerRaw(request: IncomingMessage, raw: string): Promise<void> {
	await request.resume().toArray();
	request.socket.write(raw);
}

/** Servers by the way to them: their address, what to give the client, how many connections they saw. */
const ways = {
	async https() {
		const server = await secureServer();
		return {url: server.url(), config: {}, count: () => server.connections.length};
	},
	async http() {
		const server = await startPlainHttp((request) => void answerRaw(request, interim + ok));
		return {url: server.origin, config: {}, count: () => server.sockets.length};
	},
	async 'a tunnel'() {
		const [server, proxy] = await Promise.all([secureServer(), fixture.proxy()]);
		const config = {proxy: {host: '127.0.0.1', port: proxy.port}};
		return {url: server.url(), config, count: () => proxy.tunnels.length};
	},
	async 'a tunnel through an https proxy'() {
		const {cert, key} = await fixture.pki.server();
		const [server, proxy] = await Promise.all([
			secureServer(),
			fixture.proxy({tls: {cert, key, ca: fixture.pki.ca}}),
		]);
		const config = {
			mtls: {proxy: {ca: fixture.pki.ca}},
			proxy: {protocol: 'https', host: 'localhost', port: proxy.port},
		};
		return {url: server.url(), config, count: () => proxy.tunnels.length};
	},
	async 'a proxy in the clear'() {
		// What a proxy passes on is a response of its own, so it is the proxy that says it.
		const proxy = await startPlainHttp((request) => void answerRaw(request, interim + ok));
		const config = {proxy: {host: '127.0.0.1', port: proxy.port}};
		return {url: 'http://bank.example/', config, count: () => proxy.sockets.length};
	},
	async 'HTTP/2'() {
		const server = await startH2Server(fixture.pki, {
			pages: {
				'/': (request) => {
					request.stream.additionalHeaders({':status': 100});
					request.stream.additionalHeaders({':status': 102});
					request.stream.additionalHeaders({':status': 103, link: '<a>'});
					void request.ended.then(() => respondWith(request));
				},
			},
		});
		return {url: server.url(), config: {httpVersion: 2}, count: () => server.connections.length};
	},
} satisfies Record<string, () => Promise<{url: string; config: ClientConfig; count(): number}>>;

function secureServer() {
	return fixture.server({
		handler: (request) => {
			void answerRaw(request, interim + ok);
			return true;
		},
	});
}

test('interim responses are passed over on every way to a server, and the connection is used again', async () => {
	for (const [name, open] of Object.entries(ways)) {
		for (const [by, options] of exchanges) {
			const {url, config, count} = await open();
			const client = fixture.client({...config, ...options});
			for (const method of ['post', 'put', 'post']) {
				const {status, headers} = await client.request({url, method, data: 'x=1'});
				expect(status, `${method} by ${name}, over ${by}`).toBe(200);
				expect(headers).not.toHaveProperty('link');
			}
			expect(count(), `connections by ${name}, over ${by}`).toBe(1);
		}
	}
});

test('a server may say 100 while the body is on its way, as often as it likes', async () => {
	const server = await fixture.server({
		handler: (request) => {
			void (async () => {
				for await (const _ of request) request.socket.write(interim);
				request.socket.write(ok);
			})();
			return true;
		},
	});
	for (const [by, options] of exchanges) {
		const client = fixture.client(options);
		for (let i = 0; i < 3; i++) {
			const {status, data} = await client.post(server.url(), 'x'.repeat(3_000_000));
			expect({status, data}, by).toEqual({status: 200, data: 'ok'});
		}
	}
	expect(server.connections).toHaveLength(exchanges.length);
});

test('a head in two packets is read wherever it is cut', async () => {
	const all = Buffer.from(interim + ok);
	let cut = 0;
	const server = await fixture.server({
		handler: (request) => {
			void (async () => {
				await request.resume().toArray();
				request.socket.write(all.subarray(0, cut));
				// In this process the client reads the one before the other is written.
				await setImmediate();
				await setImmediate();
				request.socket.write(all.subarray(cut));
			})();
			return true;
		},
	});
	const client = fixture.client();
	for (cut = 1; cut < all.length; cut++) {
		const {status, statusText, data} = await client.post(server.url(), 'x=1');
		expect({status, statusText, data}, `cut at ${cut}`).toEqual({
			status: 200,
			statusText: 'OK',
			data: 'ok',
		});
	}
	expect(server.connections).toHaveLength(1);
});

test('any interim responses in any packets come to the same as without them', async () => {
	let packets: Buffer[] = [];
	const server = await fixture.server({
		handler: (request) => {
			void (async () => {
				await request.resume().toArray();
				for (const packet of packets) {
					request.socket.write(packet);
					await setImmediate();
				}
			})();
			return true;
		},
	});
	const client = fixture.client();
	const text = fc.string({unit: fc.constantFrom(...'HTTP/1.10 :abc'), maxLength: 30});
	const head = fc.record({
		empty: fc.constantFrom('', '\r\n'),
		status: fc.integer({min: 100, max: 199}).filter((status) => status !== 101),
		reason: text,
		fields: fc.array(text, {maxLength: 3}),
	});
	await fc.assert(
		fc.asyncProperty(
			fc.array(head, {maxLength: 5}),
			fc.array(fc.nat({max: 400}), {maxLength: 20}),
			async (heads, cuts) => {
				const before = heads.map(
					({empty, status, reason, fields}) =>
						`${empty}HTTP/1.1 ${status} ${reason}\r\n${fields.map((field) => `X: ${field}\r\n`).join('')}\r\n`,
				);
				const all = Buffer.from(before.join('') + ok);
				const ends = [...new Set(cuts.filter((cut) => cut > 0 && cut < all.length))];
				packets = [0, ...ends.sort((a, b) => a - b)].map((cut, i) => all.subarray(cut, ends[i]));
				const {status, statusText, data} = await client.post(server.url(), 'x=1');
				expect({status, statusText, data}).toEqual({status: 200, statusText: 'OK', data: 'ok'});
			},
		),
		{numRuns: 200},
	);
	expect(server.connections).toHaveLength(1);
});

test.each([
	['timeout', {timeout: 80}, 'ECONNABORTED', 'AxiosError'],
	['firstByteMs', {timeouts: {firstByteMs: 80}}, 'ERR_MTLS_FIRST_BYTE_TIMEOUT', 'TimeoutError'],
	['requestMs', {timeouts: {requestMs: 80}}, 'ERR_MTLS_REQUEST_TIMEOUT', 'TimeoutError'],
])('the limit %s holds while interim responses do not end', async (_, deadline, code, name) => {
	const server = await fixture.server({
		handler: ({socket, method}) => {
			if (method === 'GET') return false;
			const more = async () => {
				while (!socket.destroyed) {
					socket.write('HTTP/1.1 100 Continue\r\n\r\n');
					await setImmediate();
				}
			};
			void more();
			return true;
		},
	});
	for (const [by, options] of exchanges) {
		const client = fixture.client(options);
		await client.get(server.url('/whoami'));
		expect(await failureOf(client.post(server.url(), 'x=1', deadline)), by).toMatchObject({
			name,
			code,
		});
		await allClosed(server);
	}
});

test('a connection that ends after a 100 is an end, and no POST is sent twice', async () => {
	for (const [by, options] of exchanges) {
		const server = await fixture.server({
			handler: (request) => {
				if (request.url === '/first') void answerRaw(request, interim + ok);
				else request.socket.end(interim);
				return true;
			},
		});
		const client = fixture.client(options);
		expect((await client.post(server.url('/first'), 'x=1')).status, by).toBe(200);
		expect(await failureOf(client.post(server.url('/second'), 'x=1')), by).toMatchObject({
			name: 'Error',
			code: 'ECONNRESET',
			message: 'socket hang up',
		});
		expect(server.requests.map(({url}) => url)).toEqual(['/first', '/second']);
		expect(server.connections).toHaveLength(1);
	}
});
