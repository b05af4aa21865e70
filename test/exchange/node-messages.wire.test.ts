/*
 * Seen: apps and plugins that read `response.request` as that of axios found no `agent`, `on` or
 * `destroy`, and no `rawHeaders` or `httpVersion` in its `res`, where a request went over undici. The
 * parity scenarios compare what is read; here is what is done with it.
 */
import http from 'node:http';
import {expect, test, vi} from 'vitest';
import {createClient} from '../../src/index.ts';
import {createFixture, pages, redirect} from '../support/fixture.ts';
import {startPlainHttp, startTcp} from '../support/plain-server.ts';

test('the agent of an https request is that of the client, of http that of Node', async () => {
	const fixture = await createFixture();
	const server = await fixture.server();
	const client = fixture.client();
	const {request} = await client.get(server.url('/echo'));
	expect(request.agent).toBe(client.mtls.agent);

	const plain = await startPlainHttp();
	expect((await client.get(plain.origin)).request.agent).toBe(http.globalAgent);
});

test('the headers of a response are there in the letters of the server', async () => {
	const {port} = await startTcp((socket) => {
		socket.end(
			'HTTP/1.0 200 Sure\r\nX-CamelCase:  a \r\nset-COOKIE: b=1\r\nSet-Cookie: c=2\r\n\r\nok',
		);
	});
	const {data, request} = await createClient({logger: false}).get(`http://127.0.0.1:${port}/`);
	expect(data).toBe('ok');
	const {res} = request;
	const raw = ['X-CamelCase', 'a', 'set-COOKIE', 'b=1', 'Set-Cookie', 'c=2'];
	expect(res.rawHeaders).toEqual(raw);
	// Made once.
	expect(res.rawHeaders).toBe(res.rawHeaders);
	expect(res).toMatchObject({httpVersion: '1.0', httpVersionMajor: 1, httpVersionMinor: 0});
	expect(res.socket).toBe(request.socket);
	expect(res.connection).toBe(request.connection);
});

test('the request of a response takes listeners, and its destroy() ends no connection', async () => {
	const plain = await startPlainHttp();
	const client = createClient({logger: false});
	const {request} = await client.get(plain.origin);
	const listener = vi.fn();
	for (const emitter of [request, request.res]) {
		expect(emitter.on('close', listener)).toBe(emitter);
		expect(emitter.once('error', listener)).toBe(emitter);
		expect(emitter.listenerCount('close')).toBe(1);
		expect(emitter.off('error', listener).removeAllListeners()).toBe(emitter);
		expect(emitter.listenerCount('close')).toBe(0);
		expect(emitter.addListener('own', listener).emit('own', 1)).toBe(true);
		expect(emitter.removeListener('own', listener).emit('own', 2)).toBe(false);
		expect(emitter.destroy()).toBe(emitter);
		expect(emitter.destroyed).toBe(true);
	}
	expect(listener.mock.calls).toEqual([[1], [1]]);
	await client.get(plain.origin);
	expect(plain.sockets).toHaveLength(1);
	await client.mtls.close();
});

test('the request of a response has no listeners until one is added, and that of a failure takes them too', async () => {
	const fixture = await createFixture();
	const server = await fixture.server({
		handler: pages({'/': redirect('/gone', 302), '/gone': (_, response) => response.destroy()}),
	});
	const error = await fixture
		.client()
		.get(server.url())
		.catch((reason) => reason);
	expect(error.request.emit('close')).toBe(false);
	expect(error.request.listenerCount('close')).toBe(0);
	expect(error.request.on('close', () => {}).destroy()).toBe(error.request);
});
