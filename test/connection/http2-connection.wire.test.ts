import {execFile} from 'node:child_process';
import {createServer} from 'node:net';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {createClient, type IdentityMaterial, type MtlsOptions} from '../../src/index.ts';
import type {Credential} from '../../src/testing/index.ts';
import {allClosed, createFixture, type Fixture, failureOf} from '../support/fixture.ts';
import {type H2Request, respondWith, startH2Server} from '../support/h2-server.ts';
import {iterations} from '../support/iterations.ts';
import {listening} from '../support/listening.ts';

let fixture: Fixture;
let bob: Credential;
beforeAll(async () => {
	fixture = await createFixture();
	bob = await fixture.pki.client({commonName: 'bob'});
});

const http2 = {httpVersion: 2} as const;
const versions = ['TLSv1.2', 'TLSv1.3'] as const;

const material = ({cert, key}: Credential): IdentityMaterial => ({cert, key});

/** A client whose certificate is that of `current`. */
function rotating(current: () => Credential, mtls: MtlsOptions = {}) {
	const client = createClient({
		...http2,
		mtls: {ca: fixture.pki.ca, identity: () => material(current()), ...mtls},
		logger: false,
		proxy: false,
	});
	onTestFinished(() => client.mtls.close());
	return client;
}

describe.each(versions)('rotation over %s', (maxVersion) => {
	test('HTTP/2 requests in flight finish on the old certificate, and later ones use the new', async () => {
		const held: H2Request[] = [];
		const server = await startH2Server(fixture.pki, {
			maxVersion,
			pages: {'/held': (request) => held.push(request)},
		});
		let current = fixture.alice;
		const client = rotating(() => current);
		const before = [1, 2, 3].map(() => client.get(server.url('/held')));
		await expect.poll(() => held.length).toBe(3);
		current = bob;
		await client.mtls.reload();

		const after = await Promise.all([1, 2, 3].map(() => client.get(server.url('/'))));
		for (const request of held) respondWith(request);
		const done = await Promise.all(before);

		expect(after.map(({data}) => data.client)).toEqual(['bob', 'bob', 'bob']);
		expect(done.map(({data}) => data.client)).toEqual(['alice', 'alice', 'alice']);
		expect(after.every(({tls}) => tls?.resumed === false)).toBe(true);
		const [old, fresh] = server.connections;
		expect(server.connections).toHaveLength(2);
		await old?.closed;
		expect(fresh?.clientCertificate?.subject).toBe('bob');
		expect(client.mtls.stats()).toMatchObject({epoch: 1, sockets: {active: 0, idle: 1}});
	});

	test('an idle session of the old certificate is closed at once', async () => {
		const server = await startH2Server(fixture.pki, {maxVersion});
		let current = fixture.alice;
		const client = rotating(() => current);
		await client.get(server.url());
		current = bob;
		await client.mtls.reload();
		await allClosed(server);
		expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
	});

	test('under load no request fails, and none that began after a swap is on an older certificate', async () => {
		const credentials = [fixture.alice, bob];
		const server = await startH2Server(fixture.pki, {maxVersion});
		const rounds = iterations({usual: 20, short: 10, long: 100});
		let swaps = 0;
		const client = rotating(() => credentials[swaps % 2] as Credential);
		const epoch = () => client.mtls.stats().epoch;
		const wrong: string[] = [];
		let [over, answered, spanned] = [false, 0, 0];
		async function work() {
			while (!over) {
				const begun = epoch();
				const {data} = await client.post(server.url(), 'body');
				answered += 1;
				// One that a swap has overtaken may be on either.
				if (epoch() !== begun) spanned += 1;
				else if (data.client !== ['alice', 'bob'][begun % 2])
					wrong.push(`${begun}: ${data.client}`);
			}
		}
		const workers = Array.from({length: 16}, work);
		for (let round = 0; round < rounds; round++) {
			const seen = answered;
			await expect.poll(() => answered, {interval: 1}).toBeGreaterThan(seen + 16);
			swaps += 1;
			await client.mtls.reload();
		}
		over = true;
		await Promise.all(workers);

		expect(wrong).toEqual([]);
		expect(answered).toBeGreaterThan(spanned + rounds);
		expect(epoch()).toBe(rounds);
		expect(client.mtls.stats().handshakes.resumed).toBe(0);
	});
});

test('each of several identities has HTTP/2 sessions of its own', async () => {
	const [one, two] = [await startH2Server(fixture.pki), await startH2Server(fixture.pki)];
	const client = createClient({
		...http2,
		mtls: [
			{...material(fixture.alice), ca: fixture.pki.ca, origins: [one.origin]},
			{...material(bob), ca: fixture.pki.ca, origins: [two.origin]},
		],
		logger: false,
		proxy: false,
	});
	onTestFinished(() => client.mtls.close());

	const answers = await Promise.all([one, two, one, two].map(({url}) => client.get(url())));

	expect(answers.map(({data}) => data.client)).toEqual(['alice', 'bob', 'alice', 'bob']);
	expect([one.connections.length, two.connections.length]).toEqual([1, 1]);
});

describe('close()', () => {
	test('close() waits for HTTP/2 requests in flight, and ends the sessions', async () => {
		const held: H2Request[] = [];
		const server = await startH2Server(fixture.pki, {
			pages: {'/held': (request) => held.push(request)},
		});
		const client = fixture.client(http2);
		const request = client.get(server.url('/held'));
		await expect.poll(() => held.length).toBe(1);

		const closing = client.mtls.close();
		expect(await failureOf(client.get(server.url()))).toMatchObject({
			code: 'ERR_MTLS_CLIENT_CLOSED',
		});
		for (const each of held) respondWith(each);

		expect((await request).status).toBe(200);
		await closing;
		await allClosed(server);
		expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
	});

	test('close() ends HTTP/2 requests that are still in flight after its deadline', async () => {
		const asked: H2Request[] = [];
		const server = await startH2Server(fixture.pki, {
			pages: {'/silent': (request) => asked.push(request)},
		});
		const client = fixture.client(http2);
		const request = failureOf(client.get(server.url('/silent')));
		await expect.poll(() => asked.length).toBe(1);

		await client.mtls.close({deadlineMs: 1});

		expect(await request).toMatchObject({code: 'ERR_MTLS_CLIENT_CLOSED'});
		await allClosed(server);
	});

	test('close() ends an attempt to connect an HTTP/2 session', async () => {
		// Takes the connection, and says nothing to the hello.
		const server = createServer((socket) => socket.on('error', () => {}));
		const port = await listening(server);
		const client = fixture.client(http2);
		const request = failureOf(client.get(`https://localhost:${port}/`));
		await new Promise((resolve) => server.once('connection', resolve));
		expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 1});

		await client.mtls.close({deadlineMs: 1});

		expect(await request).toMatchObject({code: 'ERR_MTLS_CLIENT_CLOSED'});
		expect(client.mtls.stats().sockets).toEqual({active: 0, idle: 0, queued: 0});
	});
});

test('an idle session is closed after sessionTimeout, and a new one made for the next request', async () => {
	const server = await startH2Server(fixture.pki);
	const client = fixture.client({...http2, http2Options: {sessionTimeout: 5}});
	await client.get(server.url());
	await allClosed(server);
	expect((await client.get(server.url())).tls?.resumed).toBe(true);
	expect(server.connections).toHaveLength(2);
});

// Seen: with `sessionTimeout: Infinity` a connection for each request. Why: Node's timers take no more
// than 24.8 days, and fire. Now: it is as long as one can be.
test('an idle session is kept for a sessionTimeout that no timer can keep', async () => {
	const server = await startH2Server(fixture.pki);
	const client = fixture.client({
		...http2,
		http2Options: {sessionTimeout: Number.POSITIVE_INFINITY},
	});
	await client.get(server.url());
	// Meanwhile another one makes a connection.
	await fixture.client(http2).get(server.url());
	await client.get(server.url());
	expect(server.connections).toHaveLength(2);
});

test('a session of HTTP/2 is not resumed for HTTP/1.1', async () => {
	const server = await startH2Server(fixture.pki, {allowHTTP1: true, maxVersion: 'TLSv1.2'});
	const client = fixture.client();
	await client.get(server.url(), http2);
	expect((await client.get(server.url())).data).toBe('HTTP/1.1');
	expect(client.mtls.stats().handshakes).toEqual({full: 2, resumed: 0});
});

test('a process ends though a session is idle', async () => {
	const server = await startH2Server(fixture.pki);
	const script = fileURLToPath(new URL('../support/child-http2.ts', import.meta.url));
	const {cert, key} = fixture.alice;
	const env = {...process.env, CA: fixture.pki.ca, CERT: cert, KEY: key};

	const {stdout} = await promisify(execFile)(process.execPath, [script, server.url()], {
		env,
		timeout: 10_000,
	});

	expect(JSON.parse(stdout)).toEqual({status: 200, client: 'alice'});
});
