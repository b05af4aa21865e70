import {constants} from 'node:crypto';
import type {Socket} from 'node:net';
import {expect, onTestFinished, test, vi} from 'vitest';
import {probe as probeTcp} from '../../src/cli/check/tcp-probe.ts';
import {type HandshakeProbe, probeHandshake} from '../../src/connection/handshake-probe.ts';
import {resolveProxy} from '../../src/connection/proxy/resolve-proxy.ts';
import type {MtlsOptions} from '../../src/index.ts';
import {createTestPki, startMtlsServer} from '../../src/testing/index.ts';
import {startConnectProxy} from '../support/connect-proxy.ts';
import {closedPort, startTcp} from '../support/plain-server.ts';
import {startSocksProxy} from '../support/socks-proxy.ts';

interface Options {
	readonly mtls?: MtlsOptions;
	readonly proxy?: string;
	readonly signal?: AbortSignal;
}

function probe(url: string, options: Options = {}): Promise<HandshakeProbe | undefined> {
	const {mtls = {}, proxy = false, signal = new AbortController().signal} = options;
	const {hostname: host, port} = new URL(url);
	return probeHandshake({
		host,
		port: Number(port) || 443,
		proxy: resolveProxy(proxy, new URL(url)),
		mtls,
		signal,
	});
}

test('the names of the accepted CAs are read, and no certificate and no byte of a request is sent', async () => {
	const pki = await createTestPki();
	await using server = await startMtlsServer({pki});
	const {cert, key} = await pki.client();

	const seen = await probe(server.url('/'), {mtls: {cert, key, ca: pki.ca}});

	expect(seen?.flight).toMatchObject({
		state: 'done',
		request: {authorities: [{text: 'CN=Test Root CA'}]},
	});
	await Promise.all(server.connections.map(({closed}) => closed));
	expect(server.connections).toHaveLength(1);
	expect(server.connections[0]).toMatchObject({secure: false, plaintextBytes: 0});
	expect(server.connections[0]?.clientCertificate).toBe(undefined);
	expect(server.requests).toEqual([]);
});

test('a server that asks for no certificate ends its flight without a request', async () => {
	await using silent = await startMtlsServer({clientAuth: 'none'});

	expect((await probe(silent.url('/')))?.flight).toEqual({state: 'done', request: undefined});
});

test('a server that speaks TLS 1.3 alone answers by the alert protocol_version', async () => {
	await using server = await startMtlsServer({minVersion: 'TLSv1.3'});

	expect((await probe(server.url('/')))?.flight).toEqual({state: 'alert', alert: 70});
});

test('the list of CAs is read through every kind of proxy', async () => {
	const pki = await createTestPki();
	await using server = await startMtlsServer({pki});
	await using plain = await startConnectProxy();
	await using secure = await startConnectProxy({tls: await pki.server()});
	await using socks = await startSocksProxy({
		route: (_, port) => ({host: '127.0.0.1', port}),
	});
	const proxies = [plain.url, secure.url, `socks5h://127.0.0.1:${socks.port}`];
	for (const proxy of proxies) {
		const seen = await probe(server.url('/'), {mtls: {proxy: {ca: pki.ca}}, proxy});

		expect(seen?.flight).toMatchObject({request: {authorities: [{text: 'CN=Test Root CA'}]}});
	}
	expect([plain, secure, socks].map(({connectionCount}) => connectionCount)).toEqual([1, 1, 1]);
});

test('a greeting of another protocol is returned as it came', async () => {
	const server = await startTcp((socket) => socket.resume().write('220 mail.example ESMTP\r\n'));

	const seen = await probe(`https://localhost:${server.port}/`);

	expect(seen?.flight).toEqual({state: 'not-tls'});
	expect(seen?.greeting.toString()).toBe('220 mail.example ESMTP\r\n');
	await server.closed();
});

test('a server that hangs up has said nothing', async () => {
	const server = await startTcp((socket) => socket.resume().end());

	const seen = await probe(`https://localhost:${server.port}/`);

	expect(seen).toMatchObject({flight: {state: 'incomplete'}});
	expect(seen?.greeting).toHaveLength(0);
});

test('a server that never ends its flight is left after 256 KiB', async () => {
	const record = Buffer.alloc(5 + 16_000);
	record.set([22, 3, 3, 16_000 >> 8, 16_000 & 0xff]);
	const server = await startTcp((socket) => {
		const write = () => {
			while (!socket.destroyed && socket.write(record));
		};
		socket.resume().on('drain', write);
		write();
	});

	const seen = await probe(`https://localhost:${server.port}/`);

	expect(seen?.flight).toEqual({state: 'incomplete'});
	await server.closed();
});

test('a probe that is aborted ends at once, with what has come', async () => {
	const controller = new AbortController();
	const server = await startTcp((socket) => {
		socket.resume().once('data', () => controller.abort());
	});

	const seen = await probe(`https://localhost:${server.port}/`, {signal: controller.signal});

	expect(seen?.flight).toEqual({state: 'incomplete'});
	await server.closed();
	expect(await probe(`https://localhost:${server.port}/`, {signal: controller.signal})).toBe(
		undefined,
	);
});

test('a server or proxy that cannot be reached has no answer', async () => {
	const port = await closedPort();

	expect(await probe(`https://localhost:${port}/`)).toBe(undefined);
	const proxy = await startConnectProxy({verdict: 403});
	onTestFinished(() => proxy.close());
	expect(await probe('https://bank.example/', {proxy: proxy.url})).toBe(undefined);
});

/** The extensions of the ClientHello of a probe with these options, by their numbers (RFC 8446 §4.1.2, §4.2). */
async function extensionsSent(mtls: MtlsOptions): Promise<ReadonlyMap<number, Buffer>> {
	const pieces: Buffer[] = [];
	const server = await startTcp((socket) =>
		socket.on('data', (chunk: Buffer) => {
			pieces.push(chunk);
			const all = Buffer.concat(pieces);
			if (all.length >= 5 + all.readUInt16BE(3)) socket.end();
		}),
	);
	await probe(`https://localhost:${server.port}/`, {mtls});
	const hello = Buffer.concat(pieces);
	// Two headers, the version and 32 bytes at random stand before the first length.
	let at = 5 + 4 + 2 + 32;
	at += 1 + hello.readUInt8(at);
	at += 2 + hello.readUInt16BE(at);
	at += 1 + hello.readUInt8(at);
	const extensions = new Map<number, Buffer>();
	for (at += 2; at < hello.length; ) {
		const end = at + 4 + hello.readUInt16BE(at + 2);
		extensions.set(hello.readUInt16BE(at), hello.subarray(at + 4, end));
		at = end;
	}
	return extensions;
}

const [supportedGroups, signatureAlgorithms, sessionTicket] = [10, 13, 35];

test('the curves, signature algorithms and OpenSSL options of the client are those of the probe', async () => {
	const sent = await extensionsSent({
		ecdhCurve: 'P-384',
		sigalgs: 'RSA-PSS+SHA384',
		secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_TLSv1_2,
	});
	expect(sent.get(supportedGroups)?.toString('hex')).toBe('00020018');
	expect(sent.get(signatureAlgorithms)?.toString('hex')).toBe('00020805');
	expect(sent.has(sessionTicket)).toBe(false);

	const byDefault = await extensionsSent({});
	expect(byDefault.get(supportedGroups)?.length).toBeGreaterThan(4);
	expect(byDefault.get(signatureAlgorithms)?.length).toBeGreaterThan(4);
	expect(byDefault.has(sessionTicket)).toBe(true);
});

test('a probe whose time is over before it begins makes no connection, and one cut off ends its own', async () => {
	const open = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap');
	const before = open().length;
	const sockets: Socket[] = [];
	const server = await startTcp((socket) => sockets.push(socket.resume()));
	const url = `https://127.0.0.1:${server.port}/`;
	const target = {host: '127.0.0.1', port: server.port};

	expect(await probe(url, {signal: AbortSignal.abort()})).toBe(undefined);
	expect(await probeTcp(target, AbortSignal.abort())).toMatchObject({connectError: 'ETIMEDOUT'});
	const begun = new AbortController();
	const result = probe(url, {signal: begun.signal});
	const tcp = probeTcp(target, begun.signal);
	begun.abort();

	expect(await result).toBe(undefined);
	expect(await tcp).toMatchObject({connectError: 'ETIMEDOUT'});
	// Connections are accepted in their order: none of those before it came.
	await probeTcp(target, new AbortController().signal);
	await vi.waitFor(() => expect(sockets.length).toBeGreaterThan(0));
	await vi.waitFor(() => expect(sockets.every(({closed}) => closed)).toBe(true));
	await vi.waitFor(() => expect(open().length).toBeLessThanOrEqual(before));
});
