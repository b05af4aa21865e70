import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {expect, onTestFinished, test} from 'vitest';
import type {CheckReport, StepId} from '../../../src/cli/check/report.ts';
import {run} from '../../../src/cli/run.ts';
import {
	createTestPki,
	type MtlsServerOptions,
	startMtlsServer,
} from '../../../src/testing/index.ts';
import {startConnectProxy} from '../../support/connect-proxy.ts';
import {fakeIo, identityOptions, tempDir} from '../../support/fake-io.ts';
import {closedPort, startPlainHttp, startTcp} from '../../support/plain-server.ts';
import {startSocksProxy} from '../../support/socks-proxy.ts';

/** Runs `check --json`, which must print one object and nothing else. */
async function checked(...argv: readonly string[]): Promise<CheckReport> {
	const io = fakeIo();
	const code = await run(['check', ...argv, '--json'], io);
	expect(io.err()).toBe('');
	const report: CheckReport = JSON.parse(io.out());
	expect(report).toMatchObject({format: 1, exitCode: code});
	return report;
}

const step = ({steps}: CheckReport, wanted: StepId) => steps.find(({id}) => id === wanted);
const states = ({steps}: CheckReport) =>
	Object.fromEntries(steps.map(({id, state}) => [id, state]));

test('check says each step of a handshake that went well, draws the chain, and is exit code 0', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const intermediate = await pki.intermediate();
	await using server = await startMtlsServer({pki, credential: await intermediate.server()});
	const io = fakeIo();

	const argv = ['check', server.url('/whoami'), ...(await identityOptions(dir, pki))];
	expect(await run(argv, io)).toBe(0);

	expect(io.err()).toBe('');
	for (const line of [
		/^ {2}✓ address +localhost is \S/m,
		/^ {2}✓ connection +TCP to 127\.0\.0\.1:\d+ in \d+ ms$/m,
		/^ {2}✓ protocol +TLSv1\.3, TLS_AES_256_GCM_SHA384, after \d+ ms$/m,
		/^ {2}✓ chain +leads to 'Test Root CA', which is trusted here; valid\n +until .* \(in 89 days\)$/m,
		/^ {2}✓ name +the certificate is for localhost$/m,
		/^ {2}· revocation +not checked: no revocation list was given \(--crl\)$/m,
		/^ {2}✓ our certificate +'client', issued by 'Test Root CA', valid until\n +.* \(in 89 days\)$/m,
		/^ {2}✓ client certificate +.*accepts our certificate 'client'; without it,\n +the server refuses us$/m,
		/^ {2}✓ answer +HTTP 200 OK$/m,
		/^✓ The server is who it says it is, and it accepts our certificate\.$/m,
		/^ {2}axios-mtls get https:\/\/localhost:\d+\/whoami \\\n +--cert \S+ \\\n +--key \S+ \\\n +--ca \S+$/m,
	]) {
		expect(io.out()).toMatch(line);
	}
	const tree = io.out().match(/^ {2}Test Root CA$|^ +└─ .*$/gm);
	expect(tree).toEqual(['  Test Root CA', '  └─ Test Intermediate CA', '     └─ localhost']);
	expect(io.out()).not.toContain('\u001b');
});

test('check colours a terminal, and nothing else', async () => {
	const port = await closedPort();
	const colored = fakeIo({colors: true});
	await run(['check', `https://localhost:${port}/`], colored);

	expect(colored.out()).toContain('\u001b[31m✗\u001b[39m');
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
	test(`a certificate that the server accepts over ${version} is distinguished from one that makes no difference`, async () => {
		using dir = tempDir();
		const options = {minVersion: version, maxVersion: version};
		await using insisting = await startMtlsServer(options);
		const {pki} = insisting;
		await using asking = await startMtlsServer({...options, pki, clientAuth: 'request'});
		await using silent = await startMtlsServer({...options, pki, clientAuth: 'none'});
		const identity = await identityOptions(dir, pki);

		const accepted = await checked(insisting.url('/whoami'), ...identity);
		expect(accepted.clientCertificate).toMatchObject({
			requested: true,
			required: true,
			accepted: true,
			ours: {subject: 'CN=client'},
		});
		expect(accepted.tls?.protocol).toBe(version);
		// The twin came without: the server has not seen our certificate a second time.
		expect(insisting.requests).toHaveLength(1);

		const ignored = await checked(asking.url('/'), ...identity);
		expect(ignored.clientCertificate).toMatchObject({requested: true, required: false});
		expect(ignored.clientCertificate.accepted).toBe(null);
		expect(step(ignored, 'client-certificate')?.state).toBe('doubtful');
		expect(asking.requests.map(({connection}) => connection.clientCertificate?.subject)).toEqual([
			'client',
			undefined,
		]);

		const unasked = await checked(silent.url('/'), ...identity);
		expect(unasked.clientCertificate).toMatchObject({requested: false, required: false});
		expect(step(unasked, 'client-certificate')?.text).toMatch(/does not ask .* was not sent$/);
		expect(silent.requests).toHaveLength(1);
	});

	test(`a server that wants a certificate over ${version} and sees none is exit code 2, with the command to try`, async () => {
		using dir = tempDir();
		await using server = await startMtlsServer({maxVersion: version});

		const report = await checked(server.url('/'), '--ca', dir.write('ca.crt', server.ca));

		expect(report.exitCode).toBe(2);
		expect(report.failure).toMatchObject({kind: 'client-certificate-required', side: 'client'});
		expect(report.clientCertificate).toEqual({
			requested: true,
			required: true,
			accepted: null,
			acceptedIssuers: ['CN=Test Root CA'],
			ours: null,
		});
		expect(step(report, 'accepted-issuers')?.text).toBe(
			"the server accepts certificates of 'Test Root CA'",
		);
		expect(report.failure?.hint).toContain("a certificate that 'Test Root CA' has issued");
		expect(report.chain.map(({subject}) => subject)).toEqual(['CN=localhost', 'CN=Test Root CA']);
		expect(report.next[0]).toMatch(
			/^axios-mtls check \S+ --cert YOUR-CERTIFICATE\.pem --key YOUR-KEY\.pem --ca /,
		);
	});

	test(`a server that does not accept our certificate over ${version} is exit code 2, with inspect to try`, async () => {
		using dir = tempDir();
		await using server = await startMtlsServer({maxVersion: version});
		const stranger = await (await createTestPki()).client();

		const identity = await identityOptions(dir, server.pki, stranger);
		const report = await checked(server.url('/'), ...identity);

		expect(report.exitCode).toBe(2);
		expect(report.failure).toMatchObject({kind: 'client-certificate-refused'});
		expect(report.clientCertificate).toMatchObject({requested: true, accepted: false});
		expect(report.next[0]).toBe(
			`axios-mtls inspect ${dir.at('client.crt')} --key ${dir.at('client.key')}`,
		);
	});
}

const defects = [
	{title: 'has expired', options: {expired: true}, kind: 'expired', bad: ['chain']},
	{title: 'is not valid yet', options: {notYetValid: true}, kind: 'not-yet-valid', bad: ['chain']},
	{title: 'has another name', options: {names: ['x.test']}, kind: 'wrong-name', bad: ['name']},
	{title: 'is self-signed', options: {selfSigned: true}, kind: 'self-signed', bad: ['chain']},
	{
		title: 'is for clients',
		options: {purposes: ['clientAuth']},
		kind: 'wrong-purpose',
		bad: ['chain'],
	},
	{
		title: 'has expired and has another name',
		options: {expired: true, names: ['x.test']},
		kind: 'expired',
		bad: ['chain', 'name'],
	},
] as const;

for (const {title, options, kind, bad} of defects) {
	test(`a server whose certificate ${title} is exit code 1, with its chain, causes and commands`, async () => {
		using dir = tempDir();
		const pki = await createTestPki();
		await using server = await startMtlsServer({pki, credential: await pki.server(options)});
		const identity = await identityOptions(dir, pki);

		const report = await checked(server.url('/secret'), ...identity);

		expect(report.exitCode).toBe(1);
		expect(report.failure).toMatchObject({kind, side: 'server'});
		expect(report.failure?.reasons.length).toBeGreaterThan(0);
		expect(report.next.length).toBeGreaterThan(0);
		expect(report.chain[0]?.role).toBe('server');
		expect(report.chain[0]?.validity).toBe(
			kind === 'expired' || kind === 'not-yet-valid' ? kind : 'valid',
		);
		const found = states(report);
		expect(['chain', 'name'].filter((id) => found[id] === 'bad')).toEqual(bad);
		await Promise.all(server.connections.map(({closed}) => closed));
		expect(server.requests).toEqual([]);
		expect(server.connections.every(({plaintextBytes}) => plaintextBytes === 0)).toBe(true);

		const io = fakeIo();
		expect(await run(['check', server.url('/secret'), ...identity], io)).toBe(1);
		for (const part of ['The chain', 'Likely cause', '  1. ', 'What to do:', 'Next', kind]) {
			expect(io.out()).toContain(part);
		}
		expect(io.err()).toBe('');
	});
}

test('neither the request nor the client certificate reaches a server that is not trusted', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	await using impostor = await startMtlsServer({
		pki: await createTestPki({commonName: 'Impostor CA'}),
		clientAuth: 'request',
	});

	const report = await checked(impostor.url('/'), ...(await identityOptions(dir, pki)));

	expect(report.failure?.kind).toBe('untrusted-issuer');
	expect(report.chain.at(-1)).toMatchObject({role: 'root', subject: 'CN=Impostor CA'});
	await Promise.all(impostor.connections.map(({closed}) => closed));
	expect(impostor.requests).toEqual([]);
	for (const {clientCertificate, plaintextBytes} of impostor.connections) {
		expect({clientCertificate, plaintextBytes}).toEqual({plaintextBytes: 0});
	}
});

test('a missing intermediate is drawn as missing, and its address is the command to try', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const intermediate = await pki.intermediate();
	const credential = await intermediate.server({omitIntermediates: true});
	await using server = await startMtlsServer({pki, credential});
	const argv = [server.url('/'), '--ca', dir.write('ca.crt', pki.ca)];

	const report = await checked(...argv);
	expect(report.exitCode).toBe(1);
	expect(report.failure?.kind).toBe('missing-intermediate');
	expect(report.missingIssuer).toBe('CN=Test Intermediate CA');
	expect(report.next[0]).toBe('curl --output issuer.crt http://ca.test/test-intermediate-ca.crt');

	const io = fakeIo();
	await run(['check', ...argv], io);
	expect(io.out()).toMatch(/^ {2}Test Intermediate CA \(not sent.*\)\n {2}└─ localhost$/m);
});

test('an issuer that is neither sent nor trusted may be a root or an intermediate CA, and check names both', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const other = await createTestPki({commonName: 'Unknown CA'});
	const {leaf: cert, key} = await other.server();
	// It sends the leaf alone.
	const server = createServer({cert, key}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => void server.close());
	const {port} = server.address() as AddressInfo;
	const argv = [`https://localhost:${port}/`, '--ca', dir.write('ca.crt', pki.ca)];

	const report = await checked(...argv);
	expect(report.failure).toMatchObject({
		kind: 'untrusted-issuer',
		certain: false,
		reasons: [
			"`--ca` does not hold 'CN=Unknown CA', which may be a root CA; it holds 'CN=Test Root CA'",
			"the server does not send the certificate of 'CN=Unknown CA', which may be an intermediate CA",
			expect.stringMatching(/answers in its place$/),
		],
		hint: expect.stringMatching(
			/if it is a root CA, give it as `--ca`; if it is an intermediate CA, have the server send it$/,
		),
	});
	expect(step(report, 'chain')?.text).toBe(
		"ends at 'localhost', whose issuer 'Unknown CA' is not trusted here, and was not sent",
	);
	expect(report.missingIssuer).toBe('CN=Unknown CA');
});

test('--pin says which key of the chain it is, or that it is none of them', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const argv = [server.url('/'), ...(await identityOptions(dir, server.pki))];
	const {chain} = await checked(...argv);
	const root = chain.find(({role}) => role === 'root');

	const pinned = await checked(...argv, '--pin', root?.pin ?? '');
	expect(pinned.exitCode).toBe(0);
	expect(step(pinned, 'pins')).toMatchObject({
		state: 'good',
		text: "the key of 'Test Root CA' is pinned",
	});
	expect(pinned.chain.map((link) => link.pinned)).toEqual([false, true]);

	const other = `sha256//${Buffer.alloc(32).toString('base64')}`;
	const wrong = await checked(...argv, '--pin', other);
	expect(wrong).toMatchObject({exitCode: 1, failure: {kind: 'pin-mismatch'}});
	expect(states(wrong)).toMatchObject({chain: 'good', name: 'good', pins: 'bad'});
});

test('--crl says that a certificate was revoked, that it was not, or that its list is missing', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const [kept, revoked] = await Promise.all([pki.server(), pki.server()]);
	const stranger = await createTestPki({commonName: 'Stranger CA'});
	const list = dir.write('list.pem', await pki.crl({revoked: [revoked.leaf]}));
	const foreign = dir.write('foreign.pem', await stranger.crl());
	const ca = dir.write('ca.crt', pki.ca);
	const cases = [
		{credential: kept, crl: list, exitCode: 0, kind: undefined, state: 'good'},
		{credential: revoked, crl: list, exitCode: 1, kind: 'revoked', state: 'bad'},
		{credential: kept, crl: foreign, exitCode: 1, kind: 'revocation-unknown', state: 'bad'},
	] as const;
	for (const {credential, crl, exitCode, kind, state} of cases) {
		await using server = await startMtlsServer({pki, credential, clientAuth: 'none'});
		const report = await checked(server.url('/'), '--ca', ca, '--crl', crl);

		expect(report.exitCode).toBe(exitCode);
		expect(report.failure?.kind).toBe(kind);
		expect(step(report, 'revocation')?.state).toBe(state);
	}
});

test('--spiffe-id is checked in place of the name', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const credential = await pki.server({names: [], uris: ['spiffe://example.test/billing']});
	await using server = await startMtlsServer({pki, credential, clientAuth: 'none'});
	const argv = [server.url('/'), '--ca', dir.write('ca.crt', pki.ca), '--spiffe-id'];

	const right = await checked(...argv, 'spiffe://example.test/billing');
	expect(right.exitCode).toBe(0);
	expect(step(right, 'name')).toMatchObject({state: 'good', title: 'SPIFFE ID'});

	const wrong = await checked(...argv, 'spiffe://example.test/other');
	expect(wrong).toMatchObject({exitCode: 1, failure: {kind: 'spiffe-mismatch'}});
	expect(step(wrong, 'name')?.state).toBe('bad');
});

test('cookies are shown by name and attributes, a redirect by its target, and a failed status is a response', async () => {
	using dir = tempDir();
	const handler: MtlsServerOptions['handler'] = (_request, response) => {
		response
			.writeHead(503, 'Closed For Lunch', {
				location: '/later?token=top-secret#top-secret',
				'set-cookie': [
					'session=top-secret; Path=/; HttpOnly; Secure; SameSite=Lax; x=top-secret',
					'top-secret; Secure',
				],
			})
			.end();
		return true;
	};
	await using server = await startMtlsServer({handler});
	const argv = [server.url('/'), ...(await identityOptions(dir, server.pki))];

	const report = await checked(...argv);

	expect(report).toMatchObject({
		exitCode: 0,
		http: {status: 503, statusText: 'Closed For Lunch', location: server.url('/later')},
		cookies: [
			{name: 'session', attributes: ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']},
			{name: '', attributes: ['Secure']},
		],
	});
	expect(JSON.stringify(report)).not.toContain('top-secret');
	expect(step(report, 'answer')?.state).toBe('doubtful');
	const io = fakeIo();
	await run(['check', ...argv], io);
	expect(io.out()).toContain('  session; Path=/; HttpOnly; Secure; SameSite=Lax\n');
	expect(io.out()).not.toContain('top-secret');
});

test('through a proxy, the tunnel is a step, be it from --proxy or from the environment', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	await using proxy = await startConnectProxy();
	const argv = [server.url('/'), ...(await identityOptions(dir, server.pki))];
	const {HTTPS_PROXY} = process.env;

	const named = await checked(...argv, '--proxy', proxy.url);
	process.env.HTTPS_PROXY = proxy.url;
	const found = await checked(...argv).finally(() => {
		if (HTTPS_PROXY === undefined) delete process.env.HTTPS_PROXY;
		else process.env.HTTPS_PROXY = HTTPS_PROXY;
	});

	for (const report of [named, found]) {
		expect(report.exitCode).toBe(0);
		expect(step(report, 'address')?.text).toBe('the proxy 127.0.0.1 is an address itself');
		expect(step(report, 'tunnel')).toMatchObject({
			state: 'good',
			text: `through the proxy 127.0.0.1:${proxy.port} to localhost:${server.port}`,
		});
	}
	expect(server.connections.map(({secure}) => secure)).toEqual([true, false, true, false]);
});

const proxies = [
	{title: 'refuses', verdict: 403, kind: 'proxy-refused'},
	{title: 'wants a login', verdict: 407, kind: 'proxy-auth-required'},
	{title: 'answers nonsense', verdict: {raw: 'what?\r\n\r\n'}, kind: 'proxy-bad-reply'},
] as const;

for (const {title, verdict, kind} of proxies) {
	test(`a proxy that ${title} is exit code 3, and the tunnel is the step that failed`, async () => {
		await using proxy = await startConnectProxy({verdict});

		const report = await checked('https://bank.example/', '--proxy', proxy.url);

		expect(report).toMatchObject({exitCode: 3, failure: {kind, side: 'proxy'}});
		expect(states(report)).toMatchObject({connection: 'good', tunnel: 'bad', protocol: 'open'});
		expect(report.next.length).toBeGreaterThan(0);
	});
}

test('through a SOCKS proxy, the tunnel is a step as well', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	await using proxy = await startSocksProxy({
		credentials: {username: 'user', password: 'MARK-proxy'},
		route: (_, port) => ({host: '127.0.0.1', port}),
	});
	const argv = [server.url('/'), ...(await identityOptions(dir, server.pki))];
	const address = `127.0.0.1:${proxy.port}`;

	const report = await checked(...argv, '--proxy', `socks5h://user:MARK-proxy@${address}`);

	expect(report.exitCode).toBe(0);
	expect(step(report, 'tunnel')).toMatchObject({
		state: 'good',
		text: `through the proxy ${address} to localhost:${server.port}`,
	});
	expect(proxy.requests.map(({host}) => host)).toEqual(['localhost', 'localhost']);
	expect(JSON.stringify(report)).not.toContain('MARK');

	const refused = await checked(...argv, '--proxy', `socks5h://user:MARK-other@${address}`);

	expect(refused).toMatchObject({
		exitCode: 3,
		summary: `the proxy socks5h://${address} did not accept the login`,
		failure: {kind: 'proxy-auth-required', side: 'proxy'},
	});
	expect(states(refused)).toMatchObject({connection: 'good', tunnel: 'bad', protocol: 'open'});
	expect(refused.next.join()).toContain(`--proxy socks5h://USER:PASSWORD@${address}`);
	expect(JSON.stringify(refused)).not.toContain('MARK');
});

test('a closed port is exit code 3, and the connection is the step that failed', async () => {
	const port = await closedPort();

	const report = await checked(`https://localhost:${port}/`);

	expect(report).toMatchObject({exitCode: 3, chain: [], tls: null, failure: {kind: 'network'}});
	expect(states(report)).toMatchObject({address: 'good', connection: 'bad', protocol: 'open'});
	expect(report.failure?.message).toBe('nobody listens there (ECONNREFUSED)');
	expect(report.next).toEqual(['ss -ltn']);
});

test('a name that is nowhere is exit code 3, and the address is the step that failed', async () => {
	const report = await checked('https://no-such-host.invalid/');

	expect(report).toMatchObject({exitCode: 3, failure: {kind: 'network'}});
	expect(states(report)).toMatchObject({address: 'bad', connection: 'open'});
	expect(report.next).toEqual(['cat /etc/resolv.conf']);
});

test('a port that does not speak TLS is exit code 3, and the protocol is the step that failed', async () => {
	const plain = await startPlainHttp();

	const report = await checked(`https://localhost:${plain.port}/`);

	expect(report).toMatchObject({exitCode: 3, failure: {kind: 'not-tls'}});
	expect(states(report)).toMatchObject({connection: 'good', protocol: 'bad', chain: 'open'});
	expect(report.next).toEqual([`curl --head http://localhost:${plain.port}/`]);
	expect(plain.requests).toEqual([]);
});

test('a server that says nothing is exit code 3 when --timeout is over', async () => {
	const silent = await startTcp();

	const report = await checked(`https://localhost:${silent.port}/`, '--timeout', '0.3');

	expect(report).toMatchObject({
		exitCode: 3,
		failure: {
			kind: 'timeout',
			message: `localhost:${silent.port} accepts TCP connections and did not answer the TLS handshake within 0.3 s`,
		},
	});
	expect(states(report)).toMatchObject({connection: 'good', protocol: 'bad', chain: 'open'});
	expect(report.failure?.reasons.join()).not.toMatch(/firewall drops what|down/);
	await silent.closed();
});

test('a server that cuts the connection in place of an answer is exit code 3, with its chain', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		clientAuth: 'none',
		handler: (request) => request.socket.destroy(),
	});

	const report = await checked(server.url('/'), '--ca', dir.write('ca.crt', server.ca));

	expect(report.exitCode).toBe(3);
	expect(states(report)).toMatchObject({chain: 'good', name: 'good', answer: 'bad'});
	expect(report.chain).toHaveLength(2);
});

test('a page of nginx that refuses us is exit code 2, as a refusal in the handshake is', async () => {
	using dir = tempDir();
	const title = 'No required SSL certificate was sent';
	const body = `<html>
<head><title>400 ${title}</title></head>
<body>
<center><h1>400 Bad Request</h1></center>
<center>${title}</center>
<hr><center>nginx</center>
`;
	await using server = await startMtlsServer({
		clientAuth: 'request',
		handler(_request, response, {connection}) {
			if (connection.clientCertificate !== undefined) return false;
			response.writeHead(400, {server: 'nginx', 'content-type': 'text/html'}).end(body);
			return true;
		},
	});
	const identity = await identityOptions(dir, server.pki);

	const refused = await checked(server.url('/whoami'), `--ca=${dir.at('ca.crt')}`);
	expect(refused).toMatchObject({
		exitCode: 2,
		failure: {kind: 'client-certificate-required'},
		clientCertificate: {requested: true, required: true},
	});
	expect(states(refused)).toMatchObject({chain: 'good', name: 'good', answer: 'bad'});

	const accepted = await checked(server.url('/whoami'), ...identity);
	expect(accepted).toMatchObject({exitCode: 0, clientCertificate: {accepted: true}});
});

test('files that cannot be used are exit code 64, reported on stderr, before anything is sent', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const {key} = await server.pki.client({passphrase: 'open sesame'});
	const {cert} = await server.pki.client();
	const cases: [readonly string[], RegExp][] = [
		[
			['--cert', dir.at('missing'), '--key', dir.at('missing')],
			/^axios-mtls: --cert: no such file/,
		],
		[['--pfx', dir.write('junk', 'junk')], /^axios-mtls: --pfx: /],
		[
			['--cert', dir.write('c', cert), '--key', dir.write('k', key)],
			/^axios-mtls: --passphrase-file or AXIOS_MTLS_PASSPHRASE: /,
		],
	];
	for (const [options, told] of cases) {
		const io = fakeIo();
		expect(await run(['check', server.url('/'), ...options, '--json'], io)).toBe(64);
		expect(io.err()).toMatch(told);
		expect(io.out()).toBe('');
	}
	expect(server.requests).toEqual([]);
});

test('no secret of a check is in its text, its JSON or its page', async () => {
	using dir = tempDir();
	const handler: MtlsServerOptions['handler'] = (_request, response) => {
		const location = 'https://alice:MARK-location@a.example/?MARK-location';
		response.writeHead(302, {location, 'set-cookie': 'session=MARK-cookie; Secure'}).end();
		return true;
	};
	await using server = await startMtlsServer({handler});
	await using proxy = await startConnectProxy({
		credentials: {user: 'user', password: 'MARK-proxy'},
	});
	const client = await server.pki.client({passphrase: 'MARK-passphrase'});
	const url = server.url('/a').replace('//', '//alice:MARK-userinfo@');
	const argv = [
		'check',
		`${url}?token=MARK-query#MARK-fragment`,
		...(await identityOptions(dir, server.pki, client)),
		`--passphrase-file=${dir.write('secret.txt', 'MARK-passphrase\n')}`,
	];
	const runs = [
		['--proxy', proxy.url.replace('//', '//user:MARK-proxy@')],
		['--proxy', proxy.url.replace('//', '//user:MARK-proxy-wrong@')],
		['--pin', `sha256//${Buffer.alloc(32).toString('base64')}`],
	];
	for (const [index, options] of runs.entries()) {
		for (const json of [[], ['--json']]) {
			const io = fakeIo({env: {AXIOS_MTLS_DEBUG: '1'}});
			const html = dir.at('page.html');
			expect(await run([...argv, ...options, ...json, '--html', html], io)).toBe([0, 3, 1][index]);
			const told = io.out() + io.err() + readFileSync(html, 'utf8');
			expect(told).toContain(json.length > 0 ? '"steps"' : 'client certificate');
			expect(told).not.toMatch(/MARK/);
			for (const line of client.key.split('\n').slice(1, -2)) expect(told).not.toContain(line);
			for (const mark of ['MARK-proxy', 'user:MARK-proxy']) {
				expect(told).not.toContain(Buffer.from(mark).toString('base64').slice(0, 12));
			}
		}
	}
});

test('control characters of a server do not reach the terminal', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const credential = await pki.server({commonName: 'ok\u001b[2K', selfSigned: true});
	await using impostor = await startMtlsServer({pki, credential});
	const io = fakeIo();

	expect(await run(['check', impostor.url('/'), '--ca', dir.write('ca.crt', pki.ca)], io)).toBe(1);

	expect(io.out()).not.toContain('\u001b');
	expect(io.out()).toContain('ok');
});
