import https from 'node:https';
import {json} from 'node:stream/consumers';
import {createSecureContext} from 'node:tls';
import {pathToFileURL} from 'node:url';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {
	type ClientConfig,
	createClient,
	type IdentityMaterial,
	MtlsAgent,
	MtlsConfigError,
	type MtlsOptions,
} from '../../../src/index.ts';
import type {Credential, RequestHandler} from '../../../src/testing/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
	pages,
} from '../../support/fixture.ts';
import {pfxOf} from '../../support/pfx-writer.ts';
import {pemMarks, printedForms} from '../../support/printed-forms.ts';
import {makeSecretFolder} from '../../support/secret-folder.ts';

let fixture: Fixture;
let bob: Credential;
beforeAll(async () => {
	fixture = await createFixture();
	bob = await fixture.pki.client({commonName: 'bob'});
});

const pair = ({cert, key}: Credential) => ({'tls.crt': cert, 'tls.key': key});

/** Alice's pair in files that can be swapped, and a client that reads them. */
function mounted({mtls, ...config}: ClientConfig = {}) {
	const folder = makeSecretFolder({...pair(fixture.alice), 'ca.crt': fixture.pki.ca});
	const client = createClient({
		mtls: {
			cert: folder.path('tls.crt'),
			key: folder.path('tls.key'),
			ca: folder.path('ca.crt'),
			...mtls,
		},
		logger: false,
		proxy: false,
		...config,
	});
	onTestFinished(() => client.mtls.close());
	return {folder, client};
}

/** A client with nothing but `mtls` and the CA. */
function bare(mtls: MtlsOptions) {
	const client = createClient({mtls: {ca: fixture.pki.ca, ...mtls}, logger: false, proxy: false});
	onTestFinished(() => client.mtls.close());
	return client;
}

const swapTo = (credential: Credential) => ({...pair(credential), 'ca.crt': fixture.pki.ca});

/** Ends the connection after each answer. */
const closing: RequestHandler = (_, response) => {
	response.setHeader('connection', 'close');
	return false;
};

describe.each(exchanges)('over %s', (_, options) => {
	test.each(['TLSv1.2', 'TLSv1.3'] as const)(
		'a request after reload() shows the new certificate on a new connection, over %s',
		async (maxVersion) => {
			const server = await fixture.server({maxVersion});
			const {folder, client} = mounted(options);
			await client.get(server.url('/whoami'));
			folder.swap(swapTo(bob));
			await client.mtls.reload();

			const {data, tls} = await client.get(server.url('/whoami'));

			expect(data).toMatchObject({client: 'bob'});
			expect(tls?.identity?.subject).toBe('CN=bob');
			expect(client.mtls.identity?.subject).toBe('CN=bob');
			expect(client.mtls.stats().epoch).toBe(1);
			expect(server.connections.map(({clientCertificate}) => clientCertificate?.subject)).toEqual([
				'alice',
				'bob',
			]);
			await server.connections[0]?.closed;
		},
	);

	test.each(['TLSv1.2', 'TLSv1.3'] as const)(
		'no session of the old certificate is resumed, though the server would, over %s',
		async (maxVersion) => {
			const server = await fixture.server({maxVersion, handler: closing});
			const {folder, client} = mounted(options);
			for (let count = 0; count < 3; count++) await client.get(server.url('/whoami'));
			expect(server.handshakes).toEqual({full: 1, resumed: 2});
			folder.swap(swapTo(bob));
			await client.mtls.reload();

			const {data} = await client.get(server.url('/whoami'));

			expect(data).toMatchObject({client: 'bob'});
			expect(server.handshakes).toEqual({full: 2, resumed: 2});
			await client.get(server.url('/whoami'));
			expect(server.handshakes).toEqual({full: 2, resumed: 3});
		},
	);

	test('a request in flight finishes as it began', async () => {
		let answer = () => {};
		const asked = new Promise<void>((resolve) => {
			answer = resolve;
		});
		let arrive = () => {};
		const arrived = new Promise<void>((resolve) => {
			arrive = resolve;
		});
		const server = await fixture.server({
			handler: async (_, response, {url, connection}) => {
				if (url !== '/slow') return false;
				arrive();
				await asked;
				response.end(connection.clientCertificate?.subject);
				return true;
			},
		});
		const {folder, client} = mounted(options);
		const slow = client.get(server.url('/slow'));
		await arrived;
		folder.swap(swapTo(bob));
		await client.mtls.reload();
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'bob'});
		answer();

		expect((await slow).data).toBe('alice');
		await server.connections[0]?.closed;
		expect(client.mtls.stats().sockets).toMatchObject({active: 0, queued: 0});
	});

	test('an idle connection is not used once its server is revoked', async () => {
		const credential = await fixture.pki.server();
		const server = await fixture.server({credential});
		const folder = makeSecretFolder({'ca.crl': await fixture.pki.crl()});
		const client = fixture.client({...options, mtls: {crl: folder.path('ca.crl')}});
		await client.get(server.url('/whoami'));
		folder.swap({'ca.crl': await fixture.pki.crl({revoked: [credential.leaf]})});
		await client.mtls.reload();

		const {failure, code} = await mtlsFailureOf(client.get(server.url('/whoami')));

		expect({kind: failure.kind, side: failure.side, code}).toEqual({
			kind: 'revoked',
			side: 'server',
			code: 'CERT_REVOKED',
		});
		expect(server.requests).toHaveLength(1);
	});
});

test('a new CA is trusted after reload(), and the old one is not', async () => {
	const other = await createFixture();
	const [ours, theirs] = [await fixture.server(), await other.server({clientCa: fixture.pki.ca})];
	const {folder, client} = mounted();
	await client.get(ours.url('/whoami'));
	expect((await mtlsFailureOf(client.get(theirs.url('/whoami')))).failure.kind).toBe(
		'untrusted-issuer',
	);
	folder.swap({...pair(fixture.alice), 'ca.crt': other.pki.ca});
	await client.mtls.reload();

	await client.get(theirs.url('/whoami'));
	expect((await mtlsFailureOf(client.get(ours.url('/whoami')))).failure.kind).toBe(
		'untrusted-issuer',
	);
	expect(ours.requests).toHaveLength(1);
});

test('a PKCS#12 file is swapped in the same way', async () => {
	const server = await fixture.server();
	const passphrase = 'wonderland';
	const folder = makeSecretFolder({
		'client.p12': pfxOf(fixture.alice.cert, fixture.alice.key, {passphrase}),
	});
	const client = bare({pfx: folder.path('client.p12'), passphrase});
	expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
	folder.swap({'client.p12': pfxOf(bob.cert, bob.key, {passphrase})});
	await client.mtls.reload();
	expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'bob'});
});

describe('reload: true', () => {
	test('files that are swapped behind a symbolic link are taken without a word', async () => {
		const server = await fixture.server();
		const {folder, client} = mounted({mtls: {reload: true}});
		await client.get(server.url('/whoami'));
		const next = client.mtls.nextIdentity();
		folder.swap(swapTo(bob));

		expect((await next)?.subject).toBe('CN=bob');
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'bob'});
	});

	test('a pair that is written one file after the other is loaded when it is complete, and the gap is logged once', async () => {
		const server = await fixture.server();
		const logger = {error: vi.fn(), warn: vi.fn()};
		const failed = new Promise<void>((resolve) => {
			logger.warn.mockImplementation(() => resolve());
		});
		// The second turn after it would tell it once more.
		const {folder, client} = mounted({mtls: {reload: {everyMs: 300}}, logger});
		await client.get(server.url('/whoami'));
		const next = client.mtls.nextIdentity();
		folder.write('tls.crt', bob.cert);
		await failed;

		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
		expect(client.mtls.stats().epoch).toBe(0);
		folder.write('tls.key', bob.key);
		expect((await next)?.subject).toBe('CN=bob');
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'bob'});
		expect(logger.warn.mock.calls).toEqual([
			[
				{
					event: 'rotation_failed',
					code: 'ERR_MTLS_KEY_MISMATCH',
					option: 'mtls.key',
					epoch: 0,
				},
				expect.stringMatching(
					/^the new identity cannot be used, and the old one stays: mtls\.key: /,
				),
			],
		]);
	});

	test('a swapped file is found by polling where no directory reports it', async () => {
		const folder = makeSecretFolder(pair(fixture.alice));
		const inner = makeSecretFolder(pair(fixture.alice));
		// The watched directory holds a link that never changes; what changes is elsewhere.
		const {symlinkSync, rmSync} = await import('node:fs');
		for (const name of ['tls.crt', 'tls.key']) {
			rmSync(folder.path(name));
			symlinkSync(inner.path(name), folder.path(name));
		}
		const client = fixture.client({
			mtls: {cert: folder.path('tls.crt'), key: folder.path('tls.key'), reload: {everyMs: 5}},
		});
		const next = client.mtls.nextIdentity();
		inner.swap(pair(bob));
		expect((await next)?.subject).toBe('CN=bob');
	});

	test('nothing is looked for after close()', async () => {
		vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']});
		onTestFinished(() => void vi.useRealTimers());
		const identity = vi.fn(() => pick(fixture.alice));
		const client = bare({identity, reload: {everyMs: 10}});
		vi.advanceTimersByTime(20);
		expect(identity).toHaveBeenCalledTimes(3);
		await client.mtls.close();
		vi.advanceTimersByTime(1_000);
		expect(identity).toHaveBeenCalledTimes(3);
	});
});

test('reload() of a pair that cannot be used rejects, names the option, and leaves the old in place', async () => {
	const server = await fixture.server();
	const logger = {error: vi.fn(), warn: vi.fn()};
	const {folder, client} = mounted({logger});
	folder.swap({...pair(fixture.alice), 'tls.key': bob.key, 'ca.crt': fixture.pki.ca});

	const error = await client.mtls.reload().catch((reason: unknown) => reason);

	expect(error).toBeInstanceOf(MtlsConfigError);
	expect(error).toMatchObject({code: 'ERR_MTLS_KEY_MISMATCH', option: 'mtls.key'});
	expect(logger.warn).toHaveBeenCalledOnce();
	expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
	expect(client.mtls.stats().epoch).toBe(0);
});

describe('an identity that is fetched', () => {
	test('the first requests wait for it, and it is asked once', async () => {
		const server = await fixture.server();
		let give = (_: IdentityMaterial) => {};
		const identity = vi.fn(
			() =>
				new Promise<IdentityMaterial>((resolve) => {
					give = resolve;
				}),
		);
		const client = bare({identity});
		expect(client.mtls.identity).toBeNull();
		const answers = Promise.all([1, 2, 3].map(() => client.get(server.url('/whoami'))));
		give(pick(fixture.alice));

		for (const {data} of await answers) expect(data).toMatchObject({client: 'alice'});
		expect(identity).toHaveBeenCalledOnce();
	});

	test('an object with load() does as well, and reload() asks it again', async () => {
		const server = await fixture.server();
		const load = vi.fn((): IdentityMaterial => pick(fixture.alice));
		const client = bare({identity: {load}});
		expect(client.mtls.identity?.subject).toBe('CN=alice');
		load.mockReturnValue(pick(bob));
		await client.mtls.reload();
		expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'bob'});
	});

	test('a loader that fails is an error of the request, without a secret of the loader', async () => {
		const server = await fixture.server();
		const client = bare({
			identity: async () => {
				throw new Error('vault refused token s.hunter2');
			},
		});
		const error = await failureOf(client.get(server.url('/whoami')));

		expect(error).toMatchObject({code: 'ERR_MTLS_IDENTITY_FAILED'});
		expect((error.cause as Error).message).toContain('vault refused');
		expect(printedForms(error)).not.toContain('hunter2');
		expect(server.connections).toHaveLength(0);
	});

	test('a loaded identity that cannot be used names its option, at once or when it arrives', async () => {
		const bad = {cert: fixture.alice.cert, key: bob.key};
		expect(() => bare({identity: () => bad})).toThrow(
			expect.objectContaining({code: 'ERR_MTLS_KEY_MISMATCH', option: 'mtls.key'}),
		);
		const server = await fixture.server();
		const error = await failureOf(bare({identity: async () => bad}).get(server.url('/whoami')));
		expect(error.cause).toMatchObject({code: 'ERR_MTLS_KEY_MISMATCH', option: 'mtls.key'});
		expect(error.message).toMatch(/^our identity could not be loaded: mtls\.key: /);
		expect(server.connections).toHaveLength(0);
	});

	test('a request that is cancelled meanwhile, or has no time left, is not sent', async () => {
		const server = await fixture.server();
		const client = bare({identity: () => new Promise(() => {})});
		const controller = new AbortController();
		const cancelled = failureOf(client.get(server.url('/'), {signal: controller.signal}));
		const late = failureOf(client.get(server.url('/'), {timeout: 5}));
		controller.abort();
		expect(await cancelled).toMatchObject({code: 'ERR_CANCELED'});
		expect(await late).toMatchObject({code: 'ECONNABORTED'});
		expect(server.connections).toHaveLength(0);
	});

	test('a context of the app itself serves as well, with the facts of the certificate beside it', async () => {
		const server = await fixture.server();
		const {cert, key} = fixture.alice;
		const secureContext = createSecureContext({cert, key, ca: fixture.pki.ca});
		const client = bare({identity: () => ({secureContext, cert})});
		const {data, tls} = await client.get(server.url('/whoami'));
		expect(data).toMatchObject({client: 'alice'});
		expect(tls?.identity?.subject).toBe('CN=alice');
	});

	test('a server that is not in the context of the app is refused like any other', async () => {
		const server = await (await createFixture()).server();
		const {cert, key} = fixture.alice;
		const secureContext = createSecureContext({cert, key, ca: fixture.pki.ca});
		const client = bare({identity: () => ({secureContext, cert})});
		const {failure} = await mtlsFailureOf(client.get(server.url('/whoami')));
		expect(failure.kind).toBe('untrusted-issuer');
		expect(server.requests).toHaveLength(0);
	});

	test('an identity loader is called at intervals, and the same identity is not a swap', async () => {
		const identity = vi.fn(async () => pick(fixture.alice));
		const client = bare({identity, reload: {everyMs: 2}});
		await vi.waitFor(() => expect(identity.mock.calls.length).toBeGreaterThan(4));
		expect(client.mtls.stats().epoch).toBe(0);
		const next = client.mtls.nextIdentity();
		identity.mockResolvedValue(pick(bob));
		expect((await next)?.subject).toBe('CN=bob');
		expect(client.mtls.stats().epoch).toBe(1);
	});

	test('no key of it is in any print of the client', async () => {
		const client = bare({identity: () => pick(fixture.alice)});
		const printed = printedForms(client.mtls);
		for (const mark of pemMarks(fixture.alice.key)) expect(printed).not.toContain(mark);
	});
});

function pick({cert, key}: Credential): IdentityMaterial {
	return {cert, key};
}

// Seen: files that were watched to the end of the process. Why: the mistake in `session` was found when
// the watching had begun, and nobody had the client to close it.
test('a client that could not be made watches no file, and a child that could not leaves its parent alone', () => {
	vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']});
	onTestFinished(() => {
		vi.useRealTimers();
	});
	const session = {login() {}};
	const mistake = expect.objectContaining({name: 'MtlsConfigError', option: 'session'});
	expect(() => mounted({mtls: {reload: true}, session})).toThrow(mistake);
	expect(vi.getTimerCount()).toBe(0);

	const {client} = mounted({mtls: {reload: true}});
	expect(() => client.create({session})).toThrow(mistake);
	expect(vi.getTimerCount()).toBe(1);
});

describe('`reload` with nothing to watch', () => {
	const message =
		'nothing to watch: `mtls.cert`, `mtls.key` and `mtls.ca` name no file; give their paths, or `mtls.identity`';
	const refusal = (option: string) =>
		expect.objectContaining({
			name: 'MtlsConfigError',
			code: 'ERR_MTLS_BAD_OPTION',
			option,
			message: `${option}: ${message.replaceAll('`mtls.', `\`${option.replace('reload', '')}`)}`,
		});

	test.each<[string, () => MtlsOptions]>([
		['text', () => ({cert: fixture.alice.cert, key: fixture.alice.key, ca: fixture.pki.ca})],
		['bytes', () => ({cert: Buffer.from(fixture.alice.cert), key: fixture.alice.key})],
		['base64', () => ({cert: btoa(fixture.alice.cert), key: btoa(fixture.alice.key)})],
		['sets of CAs', () => ({ca: ['default', 'system']})],
		['nothing', () => ({})],
	])('%s is refused, where it stands', (_, given) => {
		const origins = ['https://a.test'];
		for (const reload of [true, {}, {everyMs: 1_000}]) {
			const mtls = {...given(), reload};
			expect(() => createClient({mtls})).toThrow(refusal('mtls.reload'));
			expect(() => new MtlsAgent(mtls)).toThrow(refusal('mtls.reload'));
			expect(() => createClient({mtls: [{origins}, {...mtls, origins}]})).toThrow(
				refusal('mtls[1].reload'),
			);
		}
		bare({...given(), reload: false});
	});

	test('one file, a URL of one, one of `mtls.proxy`, or a loader is enough', async () => {
		const {cert, key} = fixture.alice;
		const folder = makeSecretFolder({...pair(fixture.alice), 'ca.crt': fixture.pki.ca});
		const path = folder.path('ca.crt');
		for (const mtls of [
			{cert, key, ca: path},
			{cert, key, ca: pathToFileURL(path)},
			{cert, key, proxy: {ca: path}},
			{identity: () => ({cert, key})},
		]) {
			bare({...mtls, reload: true});
		}
	});

	test('`client.mtls.reload()` reads content again', async () => {
		const {cert, key} = fixture.alice;
		await expect(bare({cert, key}).mtls.reload()).resolves.toBeUndefined();
	});
});

test('an MtlsAgent under node:https goes over to the new certificate, too', async () => {
	const server = await fixture.server({handler: pages({})});
	const folder = makeSecretFolder(pair(fixture.alice));
	const agent = new MtlsAgent(
		{cert: folder.path('tls.crt'), key: folder.path('tls.key'), ca: fixture.pki.ca},
		{proxy: false, logger: false},
	);
	onTestFinished(() => agent.destroy());
	const ask = () =>
		new Promise((resolve, reject) => {
			https
				.get(server.url('/whoami'), {agent}, (response) => json(response).then(resolve, reject))
				.once('error', reject);
		});
	expect([await ask(), await ask()]).toMatchObject([{client: 'alice'}, {client: 'alice'}]);
	folder.swap(pair(bob));
	await agent.reload();
	expect([await ask(), await ask()]).toMatchObject([{client: 'bob'}, {client: 'bob'}]);
	expect(server.connections).toHaveLength(2);
	await server.connections[0]?.closed;
});
