import {X509Certificate} from 'node:crypto';
import {beforeAll, expect, test} from 'vitest';
import {createClient, isMtlsError, MtlsConfigError, type MtlsOptions} from '../../src/index.ts';
import {exchanges} from '../support/fixture.ts';
import {
	type Cell,
	type Credentials,
	createCredentials,
	startCellServer,
	table,
	versions,
} from '../support/handshake-table.ts';

let credentials: Credentials;
beforeAll(async () => {
	credentials = await createCredentials();
});

function mtlsOf({identity}: Pick<Cell, 'identity'>): MtlsOptions {
	const own = credentials.identities[identity];
	return {
		ca: credentials.pki.ca,
		...(own && {cert: own.cert, key: own.key}),
		...(identity === 'expired' && {allowExpired: true}),
	};
}

/** Fingerprint of the first certificate of a PEM. */
function fingerprint(pem: string): string {
	return new X509Certificate(pem).fingerprint256;
}

const cells = exchanges.flatMap(([exchange, options]) =>
	table.map((cell) => ({...cell, exchange, options})),
);
const refused = cells.flatMap((cell) => (cell.client ? [{...cell, client: cell.client}] : []));
const accepted = cells.filter((cell) => cell.accepted);

test('the table has a cell for each identity, server and version, and two are accepted', () => {
	expect(table).toHaveLength(4 * 6 * 2);
	expect(table.filter((cell) => cell.accepted)).toMatchObject(
		versions.map((version) => ({version, identity: 'good', server: 'good'})),
	);
});

test.each(accepted)(
	'$exchange, $version: identity $identity and server $server accept each other',
	async (cell) => {
		await using server = await startCellServer(credentials, cell);
		const client = createClient({...cell.options, mtls: mtlsOf(cell), logger: false});

		const response = await client.post(server.url('/echo'), {hello: 1});
		await client.mtls.close();

		expect(response.status).toBe(200);
		expect(response.tls).toMatchObject({
			protocol: cell.version,
			authorized: true,
			clientCertificateRequested: true,
			resumed: false,
			peer: {subject: 'CN=localhost', fingerprint256: fingerprint(credentials.servers.good.leaf)},
			identity: {subject: 'CN=good'},
		});
		const [connection] = server.connections;
		await connection?.closed;
		expect(connection).toMatchObject({secure: true, authorized: true, protocol: cell.version});
		expect(connection?.clientCertificate?.subject).toBe('good');
		expect(server.requests).toHaveLength(1);
	},
);

test.each(refused)(
	'$exchange, $version: identity $identity and server $server end as $client.kind, and no byte is sent',
	async (cell) => {
		await using server = await startCellServer(credentials, cell);
		const client = createClient({...cell.options, mtls: mtlsOf(cell), logger: false});

		const error: unknown = await client.post(server.url('/echo?q=1'), {hello: 1}).catch((e) => e);
		await client.mtls.close();

		if (!isMtlsError(error)) throw error;
		const {code, alert, ...verdict} = cell.client;
		expect(error.name).toBe('MtlsError');
		expect(error.code).toMatch(code);
		expect(error.message).not.toBe('');
		expect(error.cause).toBeInstanceOf(Error);
		expect(error.config?.url).toBe(server.url('/echo?q=1'));

		const {failure} = error;
		expect(failure).toMatchObject({
			...verdict,
			host: 'localhost',
			port: server.port,
			servername: 'localhost',
			url: server.url('/echo?q=[redacted]'),
			protocol: cell.version,
			clientCertificateRequested: true,
			hint: expect.stringMatching(/./),
		});
		expect(failure.alert).toBe(alert);
		expect(failure.reasons.length).toBeGreaterThan(0);

		const peer = fingerprint(credentials.servers[cell.server].leaf);
		expect(failure.peer?.fingerprint256).toBe(peer);
		expect(failure.chain).toHaveLength(cell.chainLength);
		expect(failure.chain[0]).toEqual(failure.peer);
		const own = credentials.identities[cell.identity];
		expect(failure.identity?.fingerprint256).toBe(own && fingerprint(own.leaf));
		expect(failure.identity?.subject).toBe(own && `CN=${cell.identity}`);

		const [connection] = server.connections;
		await connection?.closed;
		const {saw, error: reason, ...record} = cell.verdict;
		expect(connection).toMatchObject({...record, plaintextBytes: 0});
		expect(connection?.error).toBe(reason);
		expect(connection?.clientCertificate?.subject).toBe(saw);
		expect(server.connections).toHaveLength(1);
		expect(server.requests).toEqual([]);
	},
);

test('an expired identity is refused at construction unless it is allowed', () => {
	const {allowExpired: _, ...mtls} = mtlsOf({identity: 'expired'});

	expect(() => createClient({mtls})).toThrow(
		expect.objectContaining({
			name: 'MtlsConfigError',
			code: 'ERR_MTLS_IDENTITY_EXPIRED',
			option: 'mtls.cert',
		}),
	);
	expect(() => createClient({mtls})).toThrow(MtlsConfigError);
	expect(createClient({mtls: {...mtls, allowExpired: true}}).mtls.identity?.subject).toBe(
		'CN=expired',
	);
});
