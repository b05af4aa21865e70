import {X509Certificate} from 'node:crypto';
import {createServer as createTcpServer} from 'node:net';
import {createServer as createTlsServer} from 'node:tls';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {createClient, isMtlsError, type MtlsOptions} from '../../src/index.ts';
import {createFixture, type Fixture, failureOf, mtlsFailureOf} from '../support/fixture.ts';
import {type H2Server, resets, startH2Server} from '../support/h2-server.ts';
import {type Cell, type Credentials, createCredentials, table} from '../support/handshake-table.ts';
import {listening} from '../support/listening.ts';

let fixture: Fixture;
let credentials: Credentials;
beforeAll(async () => {
	[fixture, credentials] = await Promise.all([createFixture(), createCredentials()]);
});

const http2 = {httpVersion: 2} as const;

function mtlsOf({identity}: Cell): MtlsOptions {
	const own = credentials.identities[identity];
	return {
		ca: credentials.pki.ca,
		...(own && {cert: own.cert, key: own.key}),
		...(identity === 'expired' && {allowExpired: true}),
	};
}

function startCell({server, version}: Cell): Promise<H2Server> {
	return startH2Server(credentials.pki, {
		credential: credentials.servers[server],
		minVersion: version,
		maxVersion: version,
	});
}

function clientOf(cell: Cell) {
	const client = createClient({...http2, proxy: false, mtls: mtlsOf(cell), logger: false});
	onTestFinished(() => client.mtls.close());
	return client;
}

test.each(table.filter(({accepted}) => accepted))(
	'$version: identity $identity and server $server trust each other',
	async (cell) => {
		const server = await startCell(cell);
		const {data, tls} = await clientOf(cell).post(server.url(), 'body');

		expect(data).toMatchObject({client: 'good', body: 'body'});
		expect(tls).toMatchObject({protocol: cell.version, authorized: true, resumed: false});
	},
);

// Of several requests that share the attempt, each is told.
test.each(table.flatMap((cell) => (cell.client ? [{...cell, client: cell.client}] : [])))(
	'$version: identity $identity and server $server end as $client.kind, and no request is sent',
	async (cell) => {
		const server = await startCell(cell);
		const client = clientOf(cell);

		const errors = await Promise.all(
			['/a?q=1', '/b?q=1'].map((path) => mtlsFailureOf(client.post(server.url(path), 'secret'))),
		);

		const {code, alert, ...verdict} = cell.client;
		for (const [index, error] of errors.entries()) {
			expect(error.code).toMatch(code);
			expect(error.failure).toMatchObject({
				...verdict,
				host: 'localhost',
				port: server.port,
				url: server.url(`/${'ab'[index]}?q=[redacted]`),
				protocol: cell.version,
				clientCertificateRequested: true,
			});
			expect(error.failure.alert).toBe(alert);
			expect(error.failure.peer?.fingerprint256).toBe(
				new X509Certificate(credentials.servers[cell.server].leaf).fingerprint256,
			);
			expect(error.failure.chain).toHaveLength(cell.chainLength);
		}
		expect(server.requests).toEqual([]);
		expect(server.connections).toHaveLength(1);
		const [connection] = server.connections;
		await connection?.closed;
		const {saw, error: reason, ...record} = cell.verdict;
		expect(connection).toMatchObject(record);
		expect(connection?.error).toBe(reason);
		expect(connection?.clientCertificate?.subject).toBe(saw);
	},
);

describe('a server that speaks no HTTP/2', () => {
	const noHttp2 = {
		kind: 'protocol-mismatch',
		side: 'both',
		certain: true,
		hint: 'send the request with `httpVersion: 1`',
	};

	test('a server without ALPN fails a request for HTTP/2', async () => {
		const {cert, key} = await fixture.pki.server();
		const server = createTlsServer({cert, key, ca: fixture.pki.ca, requestCert: true});
		let bytes = 0;
		server.on('secureConnection', (socket) => {
			socket.on('data', (chunk) => {
				bytes += chunk.length;
			});
		});
		const url = `https://localhost:${await listening(server)}/`;

		const {failure, code, message} = await mtlsFailureOf(fixture.client(http2).get(url));

		expect(failure).toMatchObject({...noHttp2, phase: 'verify'});
		expect(failure.peer?.subject).toBe('CN=localhost');
		expect(code).toBe('ERR_MTLS_NO_HTTP2');
		expect(message).toBe(
			`localhost:${failure.port} does not speak HTTP/2. What to do: ${noHttp2.hint}`,
		);
		expect(bytes).toBe(0);
	});

	test.each(['TLSv1.2', 'TLSv1.3'] as const)(
		'a server that refuses HTTP/2 by an alert fails the request, with %s',
		async (version) => {
			const server = await fixture.server({minVersion: version, maxVersion: version});

			const {failure, message} = await mtlsFailureOf(fixture.client(http2).get(server.url()));

			expect(failure).toMatchObject({
				...noHttp2,
				phase: 'handshake',
				alert: 'no_application_protocol',
			});
			expect(message).toContain('does not speak HTTP/2');
			expect(server.requests).toEqual([]);
		},
	);

	test('a server that refuses HTTP/2 for one request alone, as Apache does, fails that request', async () => {
		const server = await startH2Server(fixture.pki, {
			pages: {'/old': resets('NGHTTP2_HTTP_1_1_REQUIRED')},
		});
		const client = fixture.client(http2);
		await client.get(server.url());

		const {failure, code, message} = await mtlsFailureOf(client.get(server.url('/old')));

		expect(failure).toMatchObject({...noHttp2, phase: 'response', url: server.url('/old')});
		expect(code).toBe('ERR_HTTP2_STREAM_ERROR');
		expect(message).toContain('wants HTTP/1.1 for this request');
		expect((await client.get(server.url())).status).toBe(200);
		expect(server.connections).toHaveLength(1);
	});
});

test('a server that speaks HTTP/2 alone says so over HTTP/1.1', async () => {
	const server = await startH2Server(fixture.pki);
	const {failure, message} = await mtlsFailureOf(fixture.client().get(server.url()));
	expect(failure).toMatchObject({
		kind: 'protocol-mismatch',
		alert: 'no_application_protocol',
		hint: 'send the request with `httpVersion: 2`',
	});
	expect(message).toContain('does not speak HTTP/1.1');
});

test('the names, pins and revocation lists of mtls hold over HTTP/2', async () => {
	const credential = await fixture.pki.server();
	const server = await startH2Server(fixture.pki, {credential});
	const kindOf = async (mtls: MtlsOptions) =>
		(await mtlsFailureOf(fixture.client({...http2, mtls}).get(server.url()))).failure.kind;

	expect(await kindOf({servername: 'bank.test'})).toBe('wrong-name');
	expect(await kindOf({pins: `sha256//${Buffer.alloc(32).toString('base64')}`})).toBe(
		'pin-mismatch',
	);
	expect(await kindOf({spiffeId: 'spiffe://bank.test/api'})).toBe('spiffe-mismatch');
	expect(await kindOf({crl: await fixture.pki.crl({revoked: [credential.leaf]})})).toBe('revoked');
	expect(server.requests).toEqual([]);
});

test("verify: 'report' logs a failed verification once for an HTTP/2 session", async () => {
	const server = await startH2Server(fixture.pki, {
		credential: await fixture.pki.server({names: ['other.test']}),
	});
	const told: object[] = [];
	const {cert, key} = fixture.alice;
	const client = createClient({
		...http2,
		proxy: false,
		mtls: {cert, key, ca: fixture.pki.ca, verify: 'report'},
		logger: {error: () => {}, warn: (fields) => told.push(fields)},
	});
	onTestFinished(() => client.mtls.close());

	const [first, second] = [await client.get(server.url()), await client.get(server.url())];

	expect([first.tls?.authorized, second.tls?.authorized]).toEqual([false, false]);
	expect(told).toMatchObject([{event: 'verification_failed', kind: 'wrong-name'}]);
});

test('a closed port stays a plain AxiosError over HTTP/2', async () => {
	const server = createTcpServer();
	const url = `https://localhost:${await listening(server)}/`;
	await new Promise((resolve) => server.close(resolve));
	const error = await failureOf(fixture.client(http2).get(url));
	expect(isMtlsError(error)).toBe(false);
	expect(error.code).toBe('ECONNREFUSED');
});
