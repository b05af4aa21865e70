import {expect, test} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {startMtlsServer} from '../../src/testing/index.ts';
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
		/^axios-mtls: --cert: our certificate expired on .*--allow-expired/,
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
