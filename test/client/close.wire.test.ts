import {writeFileSync} from 'node:fs';
import {buffer} from 'node:stream/consumers';
import {AxiosError} from 'axios';
import {beforeAll, describe, expect, test, vi} from 'vitest';
import {CookieJar, createClient, type MtlsClient} from '../../src/index.ts';
import type {RequestHandler} from '../../src/testing/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	redirect,
} from '../support/fixture.ts';
import {startPlainHttp, startTcp} from '../support/plain-server.ts';
import {SilentStore} from '../support/silent-store.ts';
import {tempFile} from '../support/temp-file.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const closed = {
	name: 'AxiosError',
	code: 'ERR_MTLS_CLIENT_CLOSED',
	message: 'the client was closed',
};

/** Holds each request back until `answer` is called. */
function gate() {
	let arrive = () => {};
	let release = () => {};
	const arrived = new Promise<void>((resolve) => {
		arrive = resolve;
	});
	const released = new Promise<void>((resolve) => {
		release = resolve;
	});
	const holding =
		(then: RequestHandler = (_, response) => response.end('late')): RequestHandler =>
		async (request, response, recorded) => {
			arrive();
			await released;
			then(request, response, recorded);
			return true;
		};
	return {arrived, release: () => release(), holding};
}

async function isPending(work: Promise<unknown>): Promise<boolean> {
	await new Promise((resolve) => setImmediate(resolve));
	const pending = Symbol('pending');
	return (await Promise.race([work, Promise.resolve(pending)])) === pending;
}

/** A socket that is ended counts until it is closed. */
function nothingLeft(client: MtlsClient): Promise<void> {
	return vi.waitFor(() =>
		expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0}),
	);
}

describe.each(exchanges)('over %s', (_, options) => {
	test('close() lets requests in flight be answered, and refuses new ones', async () => {
		const {arrived, release, holding} = gate();
		const server = await fixture.server({handler: holding()});
		const client = fixture.client(options);
		const request = client.get(server.url('/x'));
		await arrived;
		const closing = client.mtls.close();
		const error = await failureOf(client.get(server.url('/new')));
		expect(error).toMatchObject({...closed, config: {url: server.url('/new')}});
		expect(await isPending(closing)).toBe(true);
		release();
		expect((await request).data).toBe('late');
		await closing;
		await allClosed(server);
		expect(server.requests).toHaveLength(1);
		await nothingLeft(client);
	});

	test('close() lets a request in flight follow its redirect, also to an identity that is loaded only then', async () => {
		const {arrived, release, holding} = gate();
		const [target, {cert, key}] = await Promise.all([
			fixture.server(),
			fixture.pki.client({commonName: 'bob'}),
		]);
		const server = await fixture.server({handler: holding(redirect(target.url('/whoami')))});
		const ca = fixture.pki.ca;
		const certFile = tempFile('client.crt');
		writeFileSync(certFile, cert);
		const client = createClient({
			...options,
			mtls: [
				{origins: [server.origin], cert: fixture.alice.cert, key: fixture.alice.key, ca},
				{
					origins: [target.origin],
					allowRedirectsFrom: [server.origin],
					cert: certFile,
					key,
					ca,
					reload: true,
				},
			],
			logger: false,
			proxy: false,
		});
		const request = client.get(server.url('/x'));
		await arrived;
		const closing = client.mtls.close();
		release();
		expect((await request).data).toMatchObject({client: 'bob'});
		await closing;
		await Promise.all([allClosed(server), allClosed(target)]);
	});

	test('a request that is left after the deadline of close() fails with ERR_MTLS_CLOSED', async () => {
		const {arrived, holding} = gate();
		const server = await fixture.server({handler: holding()});
		const client = fixture.client(options);
		const request = failureOf(client.get(server.url('/x')));
		await arrived;
		await client.mtls.close({deadlineMs: 20});
		expect(await request).toMatchObject({...closed, config: {url: server.url('/x')}});
		await allClosed(server);
		await nothingLeft(client);
	});

	test.each([
		['connects', false],
		['digs a tunnel', true],
	])('a request that %s fails at the deadline of close()', async (_title, tunnels) => {
		const mute = await startTcp();
		const proxy = tunnels && {host: '127.0.0.1', port: mute.port};
		const client = fixture.client({...options, proxy});
		const request = failureOf(client.get(`https://localhost:${mute.port}/`));
		await client.mtls.close({deadlineMs: 20});
		expect(await request).toMatchObject(closed);
		await mute.closed();
		await nothingLeft(client);
	});

	test('a request over plain http fails at the deadline of close()', async () => {
		const server = await startPlainHttp(() => {});
		const client = fixture.client(options);
		const request = failureOf(client.get(server.origin));
		await vi.waitFor(() => expect(server.requests).toHaveLength(1));
		await client.mtls.close({deadlineMs: 0});
		expect(await request).toMatchObject(closed);
		await server.closed();
	});

	test('a request that waits for a jar fails at the deadline of close()', async () => {
		const client = fixture.client({...options, jar: new CookieJar(new SilentStore())});
		const request = failureOf(client.get('https://localhost/'));
		await client.mtls.close({deadlineMs: 0});
		expect(await request).toMatchObject(closed);
	});

	test("a request that waits for the client's identity fails at the deadline of close()", async () => {
		const client = createClient({
			...options,
			mtls: {identity: () => new Promise(() => {}), ca: fixture.pki.ca},
			logger: false,
		});
		const request = failureOf(client.get('https://localhost/'));
		await client.mtls.close({deadlineMs: 0});
		expect(await request).toMatchObject(closed);
	});

	// Seen: a connection that was idle still, when close() was done. Why: of the pools' it waited for the
	// end, of the agent's not.
	test('close() leaves no connection open', async () => {
		const [server, proxy] = [await fixture.server(), await fixture.proxy()];
		for (const way of [{}, {proxy: {host: '127.0.0.1', port: proxy.port}}]) {
			const client = fixture.client({...options, ...way});
			await client.get(server.url('/whoami'));
			expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 1, queued: 0});
			await client.mtls.close();
			expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
		}
	});

	test('several calls of close() close the client once, each by its own deadline', async () => {
		const {arrived, release, holding} = gate();
		const server = await fixture.server({handler: holding()});
		const client = fixture.client(options);
		const request = failureOf(client.get(server.url('/x')));
		await arrived;
		const patient = client.mtls.close({deadlineMs: Number.POSITIVE_INFINITY});
		expect(await isPending(patient)).toBe(true);
		await client.mtls.close({deadlineMs: 0});
		expect(await request).toMatchObject(closed);
		await patient;
		release();
		await client.mtls.close();
		await client.mtls[Symbol.asyncDispose]();
		await allClosed(server);
	});
});

describe('a streamed body', () => {
	/** Sends half of an answer, and the rest when asked to. */
	async function streaming(config = {}) {
		const {release, holding} = gate();
		const rest = holding((_, response) => response.end('rest'));
		const server = await fixture.server({
			handler: (request, response, recorded) => {
				response.writeHead(200);
				response.write('half, ');
				return rest(request, response, recorded);
			},
		});
		const client = fixture.client(config);
		const {data} = await client.get(server.url('/x'), {responseType: 'stream'});
		return {server, client, data, release};
	}

	test('close() waits for a streamed body', async () => {
		const {server, client, data, release} = await streaming();
		const closing = client.mtls.close();
		const text = buffer(data);
		expect(await isPending(closing)).toBe(true);
		release();
		expect((await text).toString()).toBe('half, rest');
		await closing;
		await allClosed(server);
	});

	test('close() does not wait for a streamed body that the app gives up', async () => {
		const {server, client, data} = await streaming();
		data.destroy();
		await client.mtls.close();
		await allClosed(server);
	});

	test.each([
		['as it came', {}],
		['that axios passes on', {maxRate: 1_000_000}],
	])('%s is destroyed with ERR_MTLS_CLOSED after the deadline of close()', async (_, config) => {
		const {server, client, data} = await streaming(config);
		const failure = buffer(data).catch((reason: unknown) => reason);
		await client.mtls.close({deadlineMs: 20});
		const error = await failure;
		expect(error).toBeInstanceOf(AxiosError);
		expect(error).toMatchObject(closed);
		await allClosed(server);
	});

	test('close() does not wait for the streamed body of a status that is not accepted', async () => {
		const {server, client} = await streaming({validateStatus: () => true});
		const refused = client.get(server.url('/y'), {
			responseType: 'stream',
			validateStatus: () => false,
		});
		expect((await failureOf(refused)).status).toBe(200);
		await client.mtls.close({deadlineMs: 20});
		await allClosed(server);
	});
});

test('a client, and its handle, end with the block that uses them', async () => {
	const server = await fixture.server();
	const {cert, key} = fixture.alice;
	const config = {mtls: {cert, key, ca: fixture.pki.ca}, logger: false, proxy: false} as const;
	{
		await using client = createClient(config);
		await client.get(server.url('/whoami'));
		await using handle = createClient(config).mtls;
		expect(handle.identity?.subject).toContain('alice');
	}
	await allClosed(server);
	expect(server.connections).toHaveLength(1);
});

test('a body over plain http that was not accepted ends with the client', async () => {
	const server = await startPlainHttp((_, response) => response.write('half, '));
	const client = fixture.client({validateStatus: () => false});
	await failureOf(client.get(server.origin, {responseType: 'stream'}));
	await client.mtls.close();
	await server.closed();
});
