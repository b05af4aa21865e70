import {execFileSync} from 'node:child_process';
import {expect, onTestFinished, test, vi} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {createTestPki, startMtlsServer} from '../../src/testing/index.ts';
import {fakeIo, identityOptions, tempDir} from '../support/fake-io.ts';
import {startSocksProxy} from '../support/socks-proxy.ts';

test('get prints status and reason, then the body, then a line end', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const io = fakeIo();

	const code = await run(
		['get', server.url('/whoami'), ...(await identityOptions(dir, server.pki))],
		io,
	);

	expect(code).toBe(0);
	const [status, body, ...rest] = io.out().split('\n');
	expect(status).toBe('200 OK');
	expect(JSON.parse(body ?? '')).toMatchObject({client: 'client', protocol: 'TLSv1.3'});
	expect(rest).toEqual(['']);
	expect(io.errText()).toBe('');
});

test('get goes through a SOCKS proxy, and says which one refused it', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	await using proxy = await startSocksProxy({
		route: (_, port) => ({host: '127.0.0.1', port}),
		reply: ({port}) => (port === server.port ? 0 : 2),
	});
	const identity = await identityOptions(dir, server.pki);
	const through = ['--proxy', `socks5h://127.0.0.1:${proxy.port}`];
	const [io, refused] = [fakeIo(), fakeIo()];

	expect(await run(['get', server.url('/whoami'), ...identity, ...through], io)).toBe(0);
	expect(await run(['get', 'https://bank.example/', ...identity, ...through], refused)).toBe(3);

	expect(io.out()).toContain('200 OK\n');
	expect(refused.errText()).toContain(
		`the proxy socks5h://127.0.0.1:${proxy.port} refused a tunnel to bank.example:443: connection not allowed by ruleset (SOCKS reply 2) [proxy-refused]`,
	);
	expect(proxy.requests.map(({host}) => host)).toEqual(['localhost', 'bank.example']);
});

test('a status of failure is an answer: printed with its body, exit code 0', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		handler(_request, response) {
			response.writeHead(503, 'Closed For Lunch').end('back at two\n');
			return true;
		},
	});
	const io = fakeIo();

	const code = await run(['get', server.url('/'), ...(await identityOptions(dir, server.pki))], io);

	expect(code).toBe(0);
	expect(io.out()).toBe('503 Closed For Lunch\nback at two\n\n');
});

test("the ancestor's five positional arguments are a GET of /, and options may follow", async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const {cert, key} = await server.pki.client();
	const files = [
		dir.write('client.key', key),
		dir.write('client.crt', cert),
		dir.write('ca.crt', server.ca),
	];
	const io = fakeIo();

	const code = await run(['localhost', `${server.port}`, ...files, '--timeout', '10'], io);

	expect(code).toBe(0);
	expect(io.out()).toBe('404 Not Found\n{"error":"no / here"}\n');
	expect(server.requests.map(({method, url}) => `${method} ${url}`)).toEqual(['GET /']);
	expect(server.connections[0]?.clientCertificate?.subject).toBe('client');
});

test('a redirect is printed without -L, and followed with it', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		handler({url}, response) {
			if (url !== '/old') return false;
			response.writeHead(302, {location: '/whoami'}).end('moved');
			return true;
		},
	});
	const identity = await identityOptions(dir, server.pki);

	const staying = fakeIo();
	expect(await run(['get', server.url('/old'), ...identity], staying)).toBe(0);
	expect(staying.out()).toBe('302 Found\nmoved\n');
	expect(server.requests).toHaveLength(1);

	const following = fakeIo();
	expect(await run(['get', server.url('/old'), '-L', ...identity], following)).toBe(0);
	expect(following.out()).toMatch(/^200 OK\n\{"client":"client"/);
	expect(server.requests.map(({url}) => url)).toEqual(['/old', '/old', '/whoami']);
});

test('the passphrase of the key comes from the first line of a file, or from the environment', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const credential = await server.pki.client({passphrase: 'open sesame'});
	const argv = [
		'get',
		server.url('/whoami'),
		...(await identityOptions(dir, server.pki, credential)),
	];

	const fromFile = ['--passphrase-file', dir.write('secret.txt', 'open sesame\nsecond line\n')];
	expect(await run([...argv, ...fromFile], fakeIo())).toBe(0);
	expect(await run(argv, fakeIo({env: {AXIOS_MTLS_PASSPHRASE: 'open sesame'}}))).toBe(0);
	// The file is the nearer word.
	const both = fakeIo({env: {AXIOS_MTLS_PASSPHRASE: 'wrong'}});
	expect(await run([...argv, ...fromFile], both)).toBe(0);
});

test('an expired client certificate is refused before it is sent, unless --allow-expired', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const credential = await server.pki.client({expired: true});
	const argv = ['get', server.url('/'), ...(await identityOptions(dir, server.pki, credential))];

	const refused = fakeIo();
	expect(await run(argv, refused)).toBe(64);
	expect(refused.errText()).toMatch(
		/^axios-mtls: --cert: our certificate 'CN=[^']+' in file[\s\S]* expired\s+on[\s\S]*--allow-expired/,
	);
	expect(server.connections).toHaveLength(0);

	const shown = fakeIo();
	expect(await run([...argv, '--allow-expired'], shown)).toBe(2);
	expect(server.connections[0]).toMatchObject({secure: false, error: 'CERT_HAS_EXPIRED'});
});

test('several --ca are trusted together', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	await using other = await startMtlsServer();
	const identity = await identityOptions(dir, server.pki);
	const otherCa = dir.write('other.crt', other.ca);

	expect(await run(['get', server.url('/'), ...identity, '--ca', otherCa], fakeIo())).toBe(0);
	expect(await run(['get', server.url('/'), ...identity, '--ca', 'bundled'], fakeIo())).toBe(0);
});

test('a body reaches stdout byte for byte, also one of a megabyte', async () => {
	using dir = tempDir();
	const body = 'axios-mtls '.repeat(100_000);
	await using server = await startMtlsServer({
		handler(_request, response) {
			response.end(body);
			return true;
		},
	});
	const io = fakeIo();

	expect(await run(['get', server.url('/'), ...(await identityOptions(dir, server.pki))], io)).toBe(
		0,
	);
	expect(io.out() === `200 OK\n${body}\n`).toBe(true);
});

test('control characters of a server do not reach the terminal', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		handler(_request, response) {
			// CSI in one byte: it would erase the line on an 8-bit terminal.
			response.writeHead(200, 'OK\u009b2K').end();
			return true;
		},
	});
	await using impostor = await startMtlsServer({
		credential: await server.pki.server({commonName: 'ok\u001b[2K', selfSigned: true}),
	});
	const identity = await identityOptions(dir, server.pki);

	const answered = fakeIo();
	expect(await run(['get', server.url('/'), ...identity], answered)).toBe(0);
	expect(answered.out()).toBe('200 OK\\x9b2K\n\n');

	const refused = fakeIo();
	expect(await run(['get', impostor.url('/'), ...identity], refused)).toBe(1);
	expect(refused.errText()).toContain("'CN=ok");
	expect(refused.errText()).not.toContain('\u001b');
});

const nginxPage = (title: string) => `<html>
<head><title>400 ${title}</title></head>
<body>
<center><h1>400 Bad Request</h1></center>
<center>${title}</center>
<hr><center>nginx</center>
`;

test('a page by which nginx refuses us is printed, and is exit code 2', async () => {
	using dir = tempDir();
	const page = nginxPage('No required SSL certificate was sent');
	await using server = await startMtlsServer({
		clientAuth: 'request',
		handler(_request, response, {connection}) {
			if (connection.clientCertificate !== undefined) return false;
			response.writeHead(400, {server: 'nginx', 'content-type': 'text/html'}).end(page);
			return true;
		},
	});
	const identity = await identityOptions(dir, server.pki);
	const [refused, accepted] = [fakeIo(), fakeIo()];

	expect(await run(['get', server.url('/whoami'), '--ca', dir.at('ca.crt')], refused)).toBe(2);
	expect(await run(['get', server.url('/whoami'), ...identity], accepted)).toBe(0);

	expect(refused.out()).toBe(`400 Bad Request\n${page}\n`);
	expect(refused.errText()).toMatch(/^axios-mtls: GET .*\[client-certificate-required\]\n {2}- /);
	expect(refused.errText()).toContain('--cert');
	expect(accepted.err()).toBe('');
	// Once to print, and once for what the library says of it.
	expect(server.requests).toHaveLength(3);
});

test.each([
	['another status', 404, 'nginx', nginxPage('No required SSL certificate was sent')],
	['another server', 400, 'ours', nginxPage('No required SSL certificate was sent')],
	['other words', 400, 'nginx', nginxPage('The plain words')],
	['a page that is longer', 400, 'nginx', nginxPage('SSL certificate').padEnd(4097, ' ')],
])('a response with %s is an answer, exit code 0', async (_title, status, name, page) => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		clientAuth: 'request',
		handler(_request, response) {
			response.writeHead(status, {server: name}).end(page);
			return true;
		},
	});
	const io = fakeIo();
	expect(await run(['get', server.url('/'), '--ca', dir.write('ca', server.ca)], io)).toBe(0);
	expect(io.out()).toContain(`${status} `);
	expect(io.out()).toContain(page);
	expect(io.err()).toBe('');
});

test('get shows on a terminal that it waits, and leaves nothing of it', async () => {
	using dir = tempDir();
	let answer = () => {};
	await using server = await startMtlsServer({
		handler(_request, response) {
			answer = () => response.end('late');
			return true;
		},
	});
	const io = fakeIo();
	Object.assign(io.stderr, {isTTY: true});
	const argv = ['get', server.url('/'), ...(await identityOptions(dir, server.pki))];
	const code = run(argv, io);
	await vi.waitFor(() => expect(io.err()).toContain(`waiting for localhost:${server.port} …`));
	await vi.waitFor(() => expect(server.requests).toHaveLength(1));
	answer();

	expect(await code).toBe(0);
	expect(io.out()).toBe('200 OK\nlate\n');
	expect(io.err().endsWith('\r\u001b[K')).toBe(true);
});

test('get verifies and asks for the name of --servername, and offers the versions of --tls-max', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const credential = await pki.server({names: ['bank.example']});
	await using server = await startMtlsServer({pki, credential});
	const identity = await identityOptions(dir, pki);
	const argv = ['get', server.url('/whoami'), ...identity];
	const io = fakeIo();

	expect(await run(argv, fakeIo())).toBe(1);
	const flags = ['--servername', 'bank.example', '--tls-max', 'TLSv1.2'];
	expect(await run([...argv, ...flags], io)).toBe(0);
	expect(JSON.parse(io.out().split('\n')[1] ?? '')).toMatchObject({protocol: 'TLSv1.2'});
	expect(server.connections.at(-1)).toMatchObject({servername: 'bank.example'});
});

test('get takes a PKCS#12, and names --pfx and not --cert when something is wrong with it', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const client = await server.pki.client({passphrase: 'top-secret'});
	execFileSync('openssl', [
		'pkcs12',
		'-export',
		'-out',
		dir.at('a.p12'),
		'-passin',
		'pass:top-secret',
		'-passout',
		'pass:top-secret',
		'-in',
		dir.write('c', client.cert),
		'-inkey',
		dir.write('k', client.key),
	]);
	const argv = [
		'get',
		server.url('/whoami'),
		'--pfx',
		dir.at('a.p12'),
		'--ca',
		dir.write('ca', server.ca),
	];
	const [io, wrong] = [
		fakeIo({env: {AXIOS_MTLS_PASSPHRASE: 'top-secret'}}),
		fakeIo({env: {AXIOS_MTLS_PASSPHRASE: 'other-secret'}}),
	];
	expect(await run(argv, io)).toBe(0);
	expect(JSON.parse(io.out().split('\n')[1] ?? '')).toMatchObject({client: 'client'});
	expect(await run(argv, wrong)).toBe(64);
	expect(wrong.errText()).toContain('a.p12');
	expect(wrong.err()).not.toContain('secret');
});

test('no secret of the command line stands in a failure of get', async () => {
	using dir = tempDir();
	await using impostor = await startMtlsServer();
	const pki = await createTestPki();
	const {cert, key} = await pki.client({passphrase: 'top-secret'});
	const flags = [
		...['--cert', dir.write('c', cert), '--key', dir.write('k', key)],
		...['--passphrase-file', dir.write('pass', 'top-secret'), '--ca', dir.write('ca', pki.ca)],
		...['--jar', dir.at('jar.json')],
	];
	const url = `https://user:top-secret@localhost:${impostor.port}/a?token=top-secret`;
	for (const [target, proxy] of [
		[url, undefined],
		[url.replace(`${impostor.port}`, '1'), undefined],
		[url, `http://user:top-secret@localhost:${impostor.port}`],
		[url, 'http://user:top-secret@localhost:1'],
	] as const) {
		const io = fakeIo({env: {AXIOS_MTLS_DEBUG: '1'}});
		const more = proxy === undefined ? [] : ['--proxy', proxy];
		expect(await run(['get', target, ...flags, ...more], io)).toBeGreaterThan(0);
		expect(io.err()).toContain('to see each step');
		expect(io.out() + io.err()).not.toMatch(/top-secret|PRIVATE KEY|dXNlcjp0b3A/);
	}
});

test('get offers HTTP/2 with --http2, and says to leave it out where the server has none', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const identity = await identityOptions(dir, server.pki);
	const io = fakeIo();

	expect(await run(['get', server.url('/whoami'), '--http2', ...identity], io)).toBe(3);
	expect(io.errText()).toContain('does not speak HTTP/2');
	expect(io.errText()).toMatch(/\n {2}what to do: .* without `--http2`\n/);
});

test('the command that is printed shows the certificate to the origin that was asked for, and to no other', async () => {
	using dir = tempDir();
	await using demanding = await startMtlsServer();
	await using unverified = await startMtlsServer();
	await using server = await startMtlsServer({
		pki: demanding.pki,
		handler({url}, response) {
			const to = url === '/' ? demanding : unverified;
			response.writeHead(302, {location: to.url('/evil?token=MARK')}).end();
			return true;
		},
	});
	const identity = await identityOptions(dir, server.pki);
	const ca = dir.at('ca.crt');
	const [redirected, own, named] = [fakeIo(), fakeIo(), fakeIo()];

	expect(await run(['get', server.url('/'), '-L', ...identity], redirected)).toBe(2);
	const wrongName = ['--servername', 'other.test'];
	const ownUrl = demanding.url('/own?token=MARK');
	expect(await run(['get', ownUrl, ...identity, ...wrongName], own)).toBe(1);
	const more = ['--origin', unverified.origin];
	expect(await run(['get', server.url('/2'), '-L', ...identity, ...more], named)).toBe(1);

	expect(redirected.errText()).toMatch(
		new RegExp(`to see each step: axios-mtls check ${demanding.url('/evil')} --ca ${ca}\n$`),
	);
	expect(own.errText()).toMatch(
		new RegExp(`axios-mtls check ${demanding.url('/own')} --cert \\S+ --key \\S+ --ca ${ca} `),
	);
	expect(named.errText()).toContain(`check ${unverified.url('/evil')} --cert `);
	for (const io of [redirected, own, named]) expect(io.err()).not.toMatch(/MARK|to see.*redacted/);
	expect(demanding.requests).toEqual([]);
});

test('get leaves no timer behind on a terminal when an option cannot be used', async () => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
	const io = fakeIo();
	Object.assign(io.stderr, {isTTY: true});
	expect(await run(['get', 'https://localhost:1/', '--ca', '/nowhere'], io)).toBe(64);
	expect(io.errText()).toMatch(/^axios-mtls: --ca: /);
	expect(vi.getTimerCount()).toBe(0);
});

test.each([
	['SSH-2.0-x\r\n\r\n', /the server answered what is not HTTP \(HPE_\w+\)/],
	[
		`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
		/answered with a head that is too long \(HPE_HEADER_OVERFLOW\)/,
	],
])(
	'a response that is not readable is not called a connection that was not made (%#)',
	async (bytes, sentence) => {
		using dir = tempDir();
		await using server = await startMtlsServer({
			handler(request) {
				request.socket.end(bytes);
				return true;
			},
		});
		const identity = await identityOptions(dir, server.pki);
		const [io, checked] = [fakeIo(), fakeIo()];

		expect(await run(['get', server.url('/'), ...identity], io)).toBe(3);
		expect(await run(['check', server.url('/'), ...identity, '--json'], checked)).toBe(3);

		expect(io.errText()).toMatch(sentence);
		expect(io.errText()).not.toContain('was not made');
		const {failure, steps} = JSON.parse(checked.out());
		expect(failure.message).toMatch(sentence);
		expect(failure.reasons.join()).not.toContain('was not made');
		expect(steps.at(-1)).toMatchObject({id: 'answer', state: 'bad'});
	},
);
