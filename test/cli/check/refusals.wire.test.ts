/*
 * Why a server refused us: what `check` says first, what it must not say, its exit code, and the repair.
 */
import type {TLSSocket} from 'node:tls';
import {expect, test} from 'vitest';
import type {CheckReport} from '../../../src/cli/check/report.ts';
import {run} from '../../../src/cli/run.ts';
import {createTestPki, startMtlsServer} from '../../../src/testing/index.ts';
import {fakeIo, identityOptions, tempDir} from '../../support/fake-io.ts';
import {startTcp} from '../../support/plain-server.ts';

const compareCas =
	"compare the fingerprint of the certificate of 'Test Root CA' here with the one that the server has";

async function checked(...argv: readonly string[]): Promise<CheckReport> {
	const io = fakeIo();
	const code = await run(['check', ...argv, '--json'], io);
	const report: CheckReport = JSON.parse(io.out());
	expect(report.exitCode).toBe(code);
	return report;
}

test('a certificate of another CA is refused with the name of the CA that the server accepts', async () => {
	using dir = tempDir();
	const other = await createTestPki({commonName: 'Other CA'});
	await using server = await startMtlsServer();
	const argv = await identityOptions(dir, server.pki, await other.client());

	const refused = await checked(server.url('/'), ...argv);

	expect(refused).toMatchObject({
		exitCode: 2,
		failure: {kind: 'client-certificate-refused'},
		clientCertificate: {acceptedIssuers: ['CN=Test Root CA'], accepted: false},
	});
	expect(refused.failure?.reasons).toEqual([
		"our certificate was issued by 'Other CA'; the server accepts only certificates of 'Test Root CA'",
	]);
	expect(JSON.stringify(refused.steps)).not.toContain('was shown none');

	const repaired = await checked(server.url('/'), ...(await identityOptions(dir, server.pki)));
	expect(repaired.exitCode).toBe(0);
});

test('a certificate without its intermediate is refused with the name of what is missing', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const issuer = await server.pki.intermediate();
	const alone = await issuer.client({omitIntermediates: true});
	const whole = {...alone, cert: alone.cert + issuer.cert};

	const refused = await checked(
		server.url('/'),
		...(await identityOptions(dir, server.pki, alone)),
	);

	expect(refused).toMatchObject({exitCode: 2, failure: {kind: 'client-certificate-refused'}});
	expect(refused.failure?.reasons).toEqual([
		"our certificate was issued by 'Test Intermediate CA'; the server accepts only certificates of 'Test Root CA'",
		"one of these has issued 'Test Intermediate CA', whose certificate is missing after ours",
	]);
	expect(refused.failure?.hint).toMatch(
		/^put the certificate of 'Test Intermediate CA' behind ours in `--cert`/,
	);
	const repaired = await checked(
		server.url('/'),
		...(await identityOptions(dir, server.pki, whole)),
	);
	expect(repaired.exitCode).toBe(0);
});

test.each([
	['TLSv1.2', /asks for one, and got our certificate 'client', not its key: TLS 1\.2 sends it/],
	['TLSv1.3', /asks for one; our certificate 'client' was not sent$/],
] as const)(
	'the step says what an untrusted server got of the certificate with %s',
	async (maxVersion, says) => {
		using dir = tempDir();
		await using server = await startMtlsServer({clientAuth: 'request', maxVersion});
		const argv = await identityOptions(dir, await createTestPki({commonName: 'Other CA'}));

		const report = await checked(server.url('/'), ...argv);

		expect(report).toMatchObject({exitCode: 1, failure: {kind: 'untrusted-issuer'}});
		const texts = new Map(report.steps.map(({id, text}) => [id, text]));
		expect(texts.get('client-certificate')).toMatch(says);
		expect(texts.get('answer')).toBe('not reached: nothing of the request was sent');
		const got = server.connections.filter(({clientCertificate}) => clientCertificate !== undefined);
		expect(got.length > 0).toBe(maxVersion === 'TLSv1.2');
		expect(server.requests).toEqual([]);
		expect(server.connections.every(({plaintextBytes}) => plaintextBytes === 0)).toBe(true);
	},
);

// Seen: "does not trust the issuer of ours" stood first, below a step that said that the server names it.
test('a server that names the issuer of our certificate and hangs up is not said to distrust it', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		clientAuth: 'request',
		handler: (request) => request.socket.destroy(),
	});

	const report = await checked(server.url('/'), ...(await identityOptions(dir, server.pki)));

	expect(report).toMatchObject({
		exitCode: 2,
		failure: {kind: 'client-certificate-refused', certain: false},
		clientCertificate: {acceptedIssuers: ['CN=Test Root CA']},
	});
	const {reasons = [], hint} = report.failure ?? {};
	expect(reasons[0]).toContain('is not registered there');
	expect(reasons.join()).not.toMatch(/does not trust|is not sent with ours/);
	expect(reasons[1]).toMatch(/another certificate of the name 'Test Root CA', with another key/);
	expect(reasons).toHaveLength(4);
	expect(hint).toBe(
		`ask the server's operator whether it accepts the certificate with fingerprint ${report.clientCertificate.ours?.fingerprint256}, and ${compareCas}`,
	);
});

test.each([
	['the server ends the handshake', 'require', undefined],
	['an answer of 403', 'request', 403],
] as const)(
	'a CA that was made anew under its old name stays a cause, though the server names it: %s',
	async (_, clientAuth, status) => {
		using dir = tempDir();
		await using server = await startMtlsServer({
			clientAuth,
			handler: ({socket}, response) => {
				response.writeHead((socket as TLSSocket).authorized ? 200 : 403).end();
				return true;
			},
		});
		const anew = await createTestPki();
		const argv = await identityOptions(dir, server.pki, await anew.client());

		const refused = await checked(server.url('/'), ...argv);

		expect(refused).toMatchObject({
			exitCode: 2,
			failure: {kind: status ? 'http-refusal' : 'client-certificate-refused'},
			clientCertificate: {acceptedIssuers: ['CN=Test Root CA'], accepted: false},
		});
		expect(refused.failure?.reasons.join()).toMatch(
			/another certificate of (the|that) name.*, with another key/,
		);
		if (!status) expect(refused.failure?.hint).toContain(`, and ${compareCas}`);
		const acceptance = refused.steps.find(({id}) => id === 'accepted-issuers');
		expect(acceptance).toMatchObject({
			state: 'open',
			text: "the server names a CA with the name of the issuer of ours: 'Test Root CA'; whether it has the same key cannot be seen",
		});
		const verdicts = server.connections.filter(({clientCertificate}) => clientCertificate);
		expect(verdicts.length).toBeGreaterThan(0);
		expect(verdicts.map(({authorized}) => authorized)).not.toContain(true);
		expect(server.requests.length > 0).toBe(status === 403);

		const repaired = await checked(server.url('/'), ...(await identityOptions(dir, server.pki)));
		expect(repaired).toMatchObject({exitCode: 0, clientCertificate: {accepted: true}});
		// The server that accepts it in the handshake leaves nothing to ask.
		expect(repaired.steps.find(({id}) => id === 'accepted-issuers')?.text).toBe(
			status ? "the server names the issuer of ours: 'Test Root CA'" : undefined,
		);
	},
);

test('an answer of 403 is exit code 2, whether or not there was a certificate to send', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		clientAuth: 'request',
		handler: (_request, response) => {
			response.writeHead(403).end('no');
			return true;
		},
	});
	const argv = await identityOptions(dir, server.pki);

	const without = await checked(server.url('/'), `--ca=${dir.at('ca.crt')}`);
	const withOurs = await checked(server.url('/'), ...argv);

	for (const report of [without, withOurs]) {
		expect(report).toMatchObject({exitCode: 2, failure: {kind: 'http-refusal', side: 'client'}});
		const states = report.steps.filter(({id}) => id === 'answer' || id === 'client-certificate');
		expect(states.map(({state}) => state)).toEqual(['bad', 'bad']);
	}
	expect(without.failure?.reasons).toEqual([
		'the path needs a client certificate',
		'the path is not for everybody, whatever certificate is shown',
	]);
	expect(without.failure?.message).toContain('it asked for a client certificate');
	expect(withOurs.failure?.reasons[0]).toContain("'client', issued by 'Test Root CA'");
});

test('a port of SMTP is named, with the command that begins TLS there', async () => {
	const server = await startTcp((socket) => socket.resume().write('220 mail.example ESMTP\r\n'));

	const report = await checked(`https://localhost:${server.port}/`);

	expect(report).toMatchObject({
		exitCode: 3,
		failure: {kind: 'not-tls', message: `localhost:${server.port} speaks SMTP, not TLS`},
	});
	expect(report.next).toEqual([
		`openssl s_client -connect localhost:${server.port} -servername localhost -starttls smtp </dev/null`,
	]);
});

test.each([
	['* OK [CAPABILITY IMAP4rev1] ready.\r\n', 'the command STARTTLS'],
	['+OK POP3 ready\r\n', 'the command STLS'],
	['220 ProFTPD Server ready\r\n', 'the command AUTH TLS'],
	['220 welcome\r\n', 'the command STARTTLS or AUTH TLS'],
	['J\0\0\0\n8.0.36\0', "the client's packet SSLRequest"],
])('the hint after the greeting %j says that TLS begins with %s', async (greeting, request) => {
	const server = await startTcp((socket) => socket.resume().write(greeting));
	const report = await checked(`https://localhost:${server.port}/`);
	expect(report.failure?.hint).toMatch(new RegExp(`; here, TLS begins with ${request}$`));
});

test.each([
	[70, /check \S+ --ca \S+ --tls-min TLSv1 --ciphers DEFAULT@SECLEVEL=0$/],
	[20, /check \S+ --cert \S+ --key \S+ --ca \S+ --tls-max TLSv1.2$/],
])(
	'after alert %i the command follows the hint, and weaker TLS comes without the certificate',
	async (alert, command) => {
		using dir = tempDir();
		const server = await startTcp((socket) =>
			socket.once('data', () => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, alert]))),
		);
		const identity = await identityOptions(dir, await createTestPki());
		const report = await checked(`https://localhost:${server.port}/`, ...identity);
		expect(report.failure?.kind).toBe('protocol-mismatch');
		expect(report.next).toEqual([expect.stringMatching(command)]);
		const [flag = ''] = /--tls-m\w+/.exec(report.next[0] ?? '') ?? [];
		expect(report.failure?.hint).toContain(flag);
	},
);
