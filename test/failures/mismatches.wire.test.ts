import dns from 'node:dns';
import type {Socket} from 'node:net';
import {beforeAll, describe, expect, onTestFinished, test, vi} from 'vitest';
import {isMtlsError, type MtlsOptions} from '../../src/index.ts';
import type {MtlsServerOptions} from '../../src/testing/index.ts';
import {
	allClosed,
	createFixture,
	exchanges,
	type Fixture,
	failureOf,
	mtlsFailureOf,
} from '../support/fixture.ts';
import {closedPort, startPlainHttp, startTcp} from '../support/plain-server.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const secret = 'MARK-of-the-request';

describe.each(exchanges)('over %s', (_, options) => {
	const request = {...options, data: secret, method: 'post', headers: {Authorization: secret}};

	interface Mismatch {
		readonly what: string;
		readonly mtls: MtlsOptions;
		readonly server: MtlsServerOptions;
		readonly kind: string;
		readonly certain: boolean;
		readonly alert: string;
		readonly reason: string;
	}
	const mismatches: Mismatch[] = [
		{
			what: 'a client up to TLS 1.2 and a server from 1.3',
			mtls: {maxVersion: 'TLSv1.2'},
			server: {minVersion: 'TLSv1.3'},
			kind: 'protocol-mismatch',
			certain: true,
			alert: 'protocol_version',
			reason: 'ERR_SSL_UNSUPPORTED_PROTOCOL',
		},
		{
			what: 'a client from TLS 1.3 and a server up to 1.2',
			mtls: {minVersion: 'TLSv1.3'},
			server: {maxVersion: 'TLSv1.2'},
			kind: 'protocol-mismatch',
			certain: true,
			alert: 'protocol_version',
			reason: 'ERR_SSL_UNSUPPORTED_PROTOCOL',
		},
		{
			what: 'cipher suites of TLS 1.2 that differ',
			mtls: {ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2'},
			server: {ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384', maxVersion: 'TLSv1.2'},
			kind: 'cipher-mismatch',
			// The alert says only that the handshake failed.
			certain: false,
			alert: 'handshake_failure',
			reason: 'ERR_SSL_NO_SHARED_CIPHER',
		},
		{
			what: 'cipher suites of TLS 1.3 that differ',
			mtls: {ciphers: 'TLS_AES_256_GCM_SHA384', minVersion: 'TLSv1.3'},
			server: {ciphers: 'TLS_AES_128_GCM_SHA256', minVersion: 'TLSv1.3'},
			kind: 'cipher-mismatch',
			// The alert says only that the handshake failed.
			certain: false,
			alert: 'handshake_failure',
			reason: 'ERR_SSL_NO_SHARED_CIPHER',
		},
	];

	test.each(mismatches)(
		'a mismatch of $what is $kind',
		async ({mtls, server: serverOptions, ...expected}) => {
			const server = await fixture.server(serverOptions);
			const client = fixture.client({mtls});
			const error = await mtlsFailureOf(client.request({...request, url: server.url('/echo')}));

			expect(error.code).toMatch(/^(EPROTO|ERR_SSL_.*ALERT_.*)$/);
			expect(error.failure).toMatchObject({
				kind: expected.kind,
				side: 'both',
				phase: 'handshake',
				certain: expected.certain,
				alert: expected.alert,
				host: 'localhost',
				port: server.port,
				chain: [],
				identity: {subject: 'CN=alice'},
			});
			expect(error.failure.peer).toBeUndefined();
			expect(error.failure.clientCertificateRequested).toBeUndefined();
			await allClosed(server);
			expect(server.connections).toMatchObject([
				{secure: false, authorized: false, error: expected.reason, plaintextBytes: 0},
			]);
			expect(server.requests).toEqual([]);
		},
	);

	const noTls: [string, string | Buffer][] = [
		['a mail server', '220 mail.test ESMTP ready\r\n'],
		['an SSH server', 'SSH-2.0-OpenSSH_9.9\r\n'],
		['a server that sends zeros', Buffer.alloc(64)],
		['a server that sends noise', Buffer.alloc(512, 0xa7)],
	];

	test.each(noTls)('a server with %s does not speak TLS', async (_name, greeting) => {
		const tcp = await startTcp(recording((socket) => socket.end(greeting)));
		const error = await mtlsFailureOf(
			fixture.client().request({...request, url: `https://localhost:${tcp.port}/`}),
		);

		expect(error.code).toMatch(/^(EPROTO|ERR_SSL_.*)$/);
		expect(error.failure).toMatchObject({
			kind: 'not-tls',
			side: 'both',
			phase: 'handshake',
			certain: true,
			chain: [],
		});
		expect(error.summary).toBe(`localhost:${tcp.port} does not speak TLS`);
		await tcp.closed();
		expect(Buffer.concat(received).includes(secret)).toBe(false);
	});

	test('a plain http server does not speak TLS, and is sent no request', async () => {
		const plain = await startPlainHttp();
		const error = await mtlsFailureOf(
			fixture.client().request({...request, url: `https://localhost:${plain.port}/`}),
		);
		expect(error.failure).toMatchObject({kind: 'not-tls', phase: 'handshake', certain: true});
		expect(plain.requests).toEqual([]);
	});

	const hangUps: [string, (socket: Socket) => void][] = [
		['ends at once', (socket) => socket.end()],
		['is gone at once', (socket) => socket.destroy()],
		['sends too little and ends', (socket) => socket.end('hi')],
		['ends after our hello', (socket) => socket.once('data', () => socket.end())],
		['resets after our hello', (socket) => socket.once('data', () => socket.resetAndDestroy())],
	];

	test.each(hangUps)('a server that %s fails the request as a reset', async (_name, meet) => {
		const tcp = await startTcp(recording(meet));
		const error = await mtlsFailureOf(
			fixture.client().request({...request, url: `https://localhost:${tcp.port}/`}),
		);

		expect(error.code).toBe('ECONNRESET');
		expect(error.failure).toMatchObject({
			kind: 'reset',
			side: 'both',
			phase: 'handshake',
			certain: false,
			chain: [],
			identity: {subject: 'CN=alice'},
		});
		expect(error.failure.clientCertificateRequested).toBeUndefined();
		await tcp.closed();
		expect(tcp.sockets).toHaveLength(1);
		expect(Buffer.concat(received).includes(secret)).toBe(false);
	});

	// What a server sends as a fatal alert before it has shown anything.
	test.each([
		[112, 'unrecognized_name', 'reset'],
		[80, 'internal_error', 'reset'],
		[49, 'access_denied', 'client-certificate-refused'],
		[120, 'no_application_protocol', 'protocol-mismatch'],
		[71, 'insufficient_security', 'cipher-mismatch'],
	])('the alert %i (%s) instead of a hello is %s', async (number, alert, kind) => {
		const record = Buffer.from([0x15, 3, 3, 0, 2, 2, number]);
		const tcp = await startTcp((socket) => socket.once('data', () => socket.end(record)));
		const error = await mtlsFailureOf(
			fixture.client().request({...request, url: `https://localhost:${tcp.port}/`}),
		);
		expect(error.failure).toMatchObject({kind, alert, phase: 'handshake'});
		const clear = ['no_application_protocol', 'insufficient_security', 'unrecognized_name'];
		expect(error.failure.certain).toBe(clear.includes(alert));
	});

	test('a closed port stays a plain AxiosError', async () => {
		const url = `https://127.0.0.1:${await closedPort()}/`;
		await expectPlain(fixture.client().request({...request, url}), 'ECONNREFUSED');
	});

	test('a name that does not exist stays a plain AxiosError', async () => {
		// The resolver of the machine would ask the network.
		vi.spyOn(dns, 'lookup').mockImplementation(((name: string, _: object, done: Done) => {
			done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), {code: 'ENOTFOUND'}));
		}) as typeof dns.lookup);
		onTestFinished(() => {
			vi.restoreAllMocks();
		});
		const url = 'https://nobody.invalid/';
		await expectPlain(fixture.client().request({...request, url}), 'ENOTFOUND');
	});
});

type Done = (error: Error) => void;

async function expectPlain(request: Promise<unknown>, code: string): Promise<void> {
	const error = await failureOf(request);
	expect(isMtlsError(error)).toBe(false);
	expect(error.code).toBe(code);
	expect(error).not.toHaveProperty('failure');
	expect(error.response).toBeUndefined();
}

let received: Buffer[] = [];

/** What reaches the server of a test, in `received`. */
function recording(meet: (socket: Socket) => void): (socket: Socket) => void {
	received = [];
	return (socket) => {
		socket.on('data', (chunk) => received.push(chunk));
		meet(socket);
	};
}
