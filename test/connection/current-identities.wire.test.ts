import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {type ClientConfig, createClient, type MtlsOptions} from '../../src/index.ts';
import type {Credential} from '../../src/testing/index.ts';
import {
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
	pages,
	redirect,
} from '../support/fixture.ts';
import {makeSecretFolder} from '../support/secret-folder.ts';

let fixture: Fixture;
let bob: Credential;
beforeAll(async () => {
	fixture = await createFixture();
	bob = await fixture.pki.client({commonName: 'bob'});
});

function several(mtls: readonly MtlsOptions[], config: ClientConfig = {}) {
	const client = createClient({mtls, logger: false, proxy: false, ...config});
	onTestFinished(() => client.mtls.close());
	return client;
}

const as = ({cert, key}: Credential, ...origins: string[]): MtlsOptions => ({
	cert,
	key,
	ca: fixture.pki.ca,
	origins,
});

/** Any name of `test` leads to this machine. */
const here: ClientConfig = {lookup: (_, __, done) => done(null, '127.0.0.1', 4)};

describe.each(exchanges)('over %s', (_, options) => {
	test('each origin sees its own certificate, and an origin that no identity names sees none', async () => {
		const [one, two, other] = [
			await fixture.server(),
			await fixture.server(),
			await fixture.server({clientAuth: 'request'}),
		];
		const client = several([as(fixture.alice, one.origin), as(bob, two.origin)], options);

		expect((await client.get(one.url('/whoami'))).data).toMatchObject({client: 'alice'});
		expect((await client.get(two.url('/whoami'))).data).toMatchObject({client: 'bob'});
		// Nor is their CA believed there.
		expect((await mtlsFailureOf(client.get(other.url('/')))).failure).toMatchObject({
			kind: 'untrusted-issuer',
			identity: null,
		});
		expect(other.connections).toMatchObject([{secure: false}]);
		expect(other.connections[0]?.clientCertificate).toBeUndefined();
		expect(client.mtls.identity).toBeNull();
		expect(client.mtls.stats().identities).toBe(2);
	});

	test('an allowed redirect between two origins changes the certificate, and drops the Cookie header', async () => {
		const two = await fixture.server();
		const one = await fixture.server({handler: pages({'/': redirect(two.url('/whoami'))})});
		const client = several(
			[as(fixture.alice, one.origin), {...as(bob, two.origin), allowRedirectsFrom: [one.origin]}],
			options,
		);
		const {data, tls} = await client.get(one.url('/'), {headers: {Cookie: 'session=1'}});
		expect(data).toMatchObject({client: 'bob'});
		expect(tls?.identity?.subject).toBe('CN=bob');
		expect(one.requests[0]?.headers.cookie).toBe('session=1');
		expect(two.requests[0]?.headers.cookie).toBeUndefined();
	});

	test('a redirect to an origin that no identity names presents no certificate', async () => {
		const stranger = await fixture.recordingServer();
		const server = await fixture.server({handler: pages({'/': redirect(stranger.url('/'))})});
		const client = several([as(fixture.alice, server.origin)], options);
		await client.get(server.url('/')).catch(() => {});
		expect(server.requests).toHaveLength(1);
		expect(stranger.connections).not.toHaveLength(0);
		for (const {clientCertificate} of stranger.connections)
			expect(clientCertificate).toBeUndefined();
	});

	test('two identities for one server never share a connection or a session', async () => {
		const server = await fixture.server({
			credential: await fixture.pki.server({names: ['one.test', 'two.test', 'localhost']}),
			handler: (_, response) => {
				response.setHeader('connection', 'close');
				return false;
			},
		});
		const at = (name: string) => `https://${name}:${server.port}`;
		const client = several([as(fixture.alice, at('one.test')), as(bob, at('two.test'))], {
			...here,
			...options,
		});
		for (const [name, subject] of [
			['one.test', 'alice'],
			['two.test', 'bob'],
			['one.test', 'alice'],
			['two.test', 'bob'],
		] as const) {
			expect((await client.get(`${at(name)}/whoami`)).data).toMatchObject({client: subject});
		}
		expect(server.handshakes).toEqual({full: 2, resumed: 2});
	});
});

test('an origin that two identities name gets the more specific one', async () => {
	const server = await fixture.server({
		credential: await fixture.pki.server({
			names: ['a.bank.test', 'b.x.bank.test', 'c.x.bank.test'],
		}),
	});
	const at = (name: string) => `https://${name}:${server.port}`;
	const carol = await fixture.pki.client({commonName: 'carol'});
	const client = several(
		[
			as(fixture.alice, at('*.bank.test')),
			as(bob, at('*.x.bank.test')),
			as(carol, at('c.x.bank.test')),
		],
		here,
	);
	const who = async (name: string) => (await client.get(`${at(name)}/whoami`)).data.client;
	expect([
		await who('a.bank.test'),
		await who('b.x.bank.test'),
		await who('c.x.bank.test'),
	]).toEqual(['alice', 'bob', 'carol']);
});

test('a wildcard names no other port and no name that only ends alike', async () => {
	const server = await fixture.server({
		clientAuth: 'request',
		credential: await fixture.pki.server({names: ['evilbank.test', 'bank.test', 'a.bank.test']}),
	});
	const client = several(
		[
			as(fixture.alice, `https://*.bank.test:${server.port}`),
			// The same without a certificate, so that the server is believed.
			...['evilbank.test', 'bank.test'].map((name) => ({
				ca: fixture.pki.ca,
				origins: [`https://${name}:${server.port}`],
			})),
		],
		here,
	);
	for (const name of ['evilbank.test', 'bank.test', 'a.bank.test']) {
		await client.get(`https://${name}:${server.port}/whoami`);
	}
	expect(server.connections.map(({clientCertificate}) => clientCertificate?.subject)).toEqual([
		undefined,
		undefined,
		'alice',
	]);
});

test('the identity unused for longest is dropped at maxIdentities, and loaded again when it is needed', async () => {
	const servers = [await fixture.server(), await fixture.server(), await fixture.server()];
	const list = servers.map(({origin}) => as(fixture.alice, origin));
	const client = several(list, {maxIdentities: 2});
	const visit = (index: number) => client.get(servers[index]?.url('/whoami') ?? '');
	await visit(0);
	await visit(1);
	expect(client.mtls.stats()).toMatchObject({identities: 2, sockets: {idle: 2}});
	await visit(2);
	await servers[0]?.connections[0]?.closed;
	expect(client.mtls.stats()).toMatchObject({identities: 2, sockets: {active: 0, idle: 2}});
	expect((await visit(0)).data).toMatchObject({client: 'alice'});
	await servers[1]?.connections[0]?.closed;
	expect(servers.map(({connections}) => connections.length)).toEqual([2, 1, 1]);
});

test('a mistake in one of several identities is reported when the client is made, by its index', () => {
	const refusal = (...mtls: MtlsOptions[]) => {
		try {
			createClient({mtls, logger: false});
		} catch (error) {
			return error;
		}
		throw new Error('it was accepted');
	};
	const good = as(fixture.alice, 'https://a.test');
	expect(refusal(good, {...as(bob, 'https://b.test'), key: fixture.alice.key})).toMatchObject({
		name: 'MtlsConfigError',
		code: 'ERR_MTLS_KEY_MISMATCH',
		option: 'mtls[1].key',
		message: expect.stringMatching(/^mtls\[1\]\.key: the key .* does not fit/),
	});
	expect(refusal(good, {ca: fixture.pki.ca})).toMatchObject({option: 'mtls[1].origins'});
	expect(refusal(good, as(bob, 'https://*'))).toMatchObject({option: 'mtls[1].origins'});
	expect(refusal({...good, pin: 1} as MtlsOptions)).toMatchObject({option: 'mtls[0].pin'});
});

// Seen: the first of the two was used, without a word.
test.each([
	['https://a.test', 'https://a.test', 'https://a.test'],
	['https://A.test/', 'https://a.test:443', 'https://a.test'],
	['https://a.test:8443', 'https://a.TEST:8443', 'https://a.test:8443'],
	['https://*.bank.test', 'https://*.Bank.test:443/', 'https://*.bank.test'],
	['https://bücher.test', 'https://xn--bcher-kva.test', 'https://xn--bcher-kva.test'],
])('two identities for one origin are refused: %s and %s', (first, second, named) => {
	const mtls = [
		as(fixture.alice, 'https://one.test', first),
		as(bob, 'https://two.test'),
		as(bob, 'https://three.test', second),
	];
	expect(() => createClient({mtls, logger: false})).toThrow(
		expect.objectContaining({
			name: 'MtlsConfigError',
			code: 'ERR_MTLS_BAD_OPTION',
			option: 'mtls[2].origins',
			message: `mtls[2].origins: '${named}' is in \`mtls[0].origins\` too: give each origin to one identity`,
		}),
	);
	// Also where one of the two has no certificate.
	expect(() =>
		createClient({mtls: [as(bob, first), {ca: fixture.pki.ca, origins: [second]}], logger: false}),
	).toThrow(expect.objectContaining({option: 'mtls[1].origins'}));
});

test.each<[string, readonly string[], readonly string[]]>([
	['an origin within a wildcard', ['https://a.bank.test'], ['https://*.bank.test']],
	['a wildcard within a wildcard', ['https://*.x.bank.test'], ['https://*.bank.test']],
	['a name beside the names below it', ['https://bank.test'], ['https://*.bank.test']],
	[
		'another port',
		['https://a.test', 'https://*.b.test'],
		['https://a.test:8443', 'https://*.b.test:8443'],
	],
	[
		'an origin that one identity names twice',
		['https://a.test', 'https://A.test:443'],
		['https://b.test'],
	],
])(
	'two identities with origins that are not the same are accepted: %s',
	async (_, first, second) => {
		const list = [as(fixture.alice, ...first), as(bob, ...second)];
		for (const mtls of [list, list.toReversed()]) several(mtls);
	},
);

test.each([[[]], [undefined]])(
	'an identity of a list with the origins %j is refused',
	(origins) => {
		const {cert, key} = bob;
		const mtls = [as(fixture.alice, 'https://a.test'), {cert, key, ...(origins && {origins})}];
		expect(() => createClient({mtls, logger: false})).toThrow(
			expect.objectContaining({code: 'ERR_MTLS_BAD_OPTION', option: 'mtls[1].origins'}),
		);
	},
);

test('missing files of an identity fail the request that first needs them, by their index', async () => {
	const server = await fixture.server();
	const folder = makeSecretFolder({'tls.crt': bob.cert, 'tls.key': bob.key});
	const client = several([
		{
			cert: folder.path('tls.crt'),
			key: folder.path('tls.key'),
			ca: fixture.pki.ca,
			origins: [server.origin],
		},
	]);
	folder.swap({'tls.crt': bob.cert});
	const error = await failureOf(client.get(server.url('/')));
	expect(error).toMatchObject({
		code: 'ERR_MTLS_IDENTITY_FAILED',
		cause: {name: 'MtlsConfigError', code: 'ERR_MTLS_NO_SUCH_FILE', option: 'mtls[0].key'},
	});
	expect(client.mtls.stats().identities).toBe(0);
	expect(server.connections).toHaveLength(0);
});

test('reload() loads the identities that are in use, and counts them', async () => {
	const server = await fixture.server();
	let subject = fixture.alice;
	const client = several([
		{
			identity: () => ({cert: subject.cert, key: subject.key}),
			ca: fixture.pki.ca,
			origins: [server.origin],
		},
	]);
	expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'alice'});
	subject = bob;
	await client.mtls.reload();
	expect((await client.get(server.url('/whoami'))).data).toMatchObject({client: 'bob'});
	expect(client.mtls.stats().epoch).toBe(1);
});

test.each([0, -1, 1.5, Number.NaN, '2'])('maxIdentities: %j is refused', (maxIdentities) => {
	expect(() =>
		createClient({
			mtls: [as(fixture.alice, 'https://a.test')],
			maxIdentities: maxIdentities as number,
			logger: false,
		}),
	).toThrow(expect.objectContaining({code: 'ERR_MTLS_BAD_OPTION', option: 'maxIdentities'}));
});
