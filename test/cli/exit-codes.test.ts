import {createServer as createHttpServer} from 'node:http';
import {createServer, type Server, type Socket} from 'node:net';
import {expect, test} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {createTestPki, startMtlsServer} from '../../src/testing/index.ts';
import {fakeIo, identityOptions, tempDir} from '../support/fake-io.ts';

// Exit code 0 is in get.test.ts, 64 in usage.test.ts.

const unverified = [
	{title: 'expired', options: {expired: true}, kind: 'expired'},
	{title: 'not valid yet', options: {notYetValid: true}, kind: 'not-yet-valid'},
	{title: 'of another name', options: {names: ['bank.example']}, kind: 'wrong-name'},
	{title: 'self-signed', options: {selfSigned: true}, kind: 'self-signed'},
] as const;

for (const {title, options, kind} of unverified) {
	test(`a server whose certificate is ${title} is exit code 1, with reasons and what to do`, async () => {
		using dir = tempDir();
		const pki = await createTestPki();
		await using server = await startMtlsServer({pki, credential: await pki.server(options)});
		const io = fakeIo();

		const code = await run(
			['get', server.url('/secret'), ...(await identityOptions(dir, pki))],
			io,
		);

		expect(code).toBe(1);
		expect(io.out()).toBe('');
		const [first, ...details] = io.errText().trimEnd().split('\n');
		expect(first).toMatch(/^axios-mtls: GET https:\/\/localhost:\d+\/secret: /);
		expect(first).toContain(kind);
		expect(details.filter((line) => line.startsWith('  - ')).length).toBeGreaterThan(0);
		expect(details.slice(-4, -1).map((line) => line.replace(/:.*/, ''))).toEqual([
			'  what to do',
			'  it showed',
			'  its SHA-256',
		]);
		expect(details.at(-2)).toMatch(/: ([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
		expect(details.at(-1)).toMatch(
			/^ {2}to see each step: axios-mtls check https:\/\/localhost:\d+\/secret --cert .* --key .* --ca /,
		);
		await Promise.all(server.connections.map(({closed}) => closed));
		expect(server.connections.map(({plaintextBytes}) => plaintextBytes)).toEqual([0]);
	});
}

test('an impostor of another CA is exit code 1, and none of the request reaches it', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	await using impostor = await startMtlsServer({clientAuth: 'request'});
	const io = fakeIo();

	expect(await run(['get', impostor.url('/'), ...(await identityOptions(dir, pki))], io)).toBe(1);

	expect(io.errText()).toContain('untrusted-issuer');
	// The options of the library are told as those of the shell.
	expect(io.errText()).toContain('--ca');
	expect(io.errText()).not.toContain('mtls.ca');
	await Promise.all(impostor.connections.map(({closed}) => closed));
	expect(impostor.requests).toEqual([]);
	expect(impostor.connections).toMatchObject([{plaintextBytes: 0}]);
	expect(impostor.connections[0]?.clientCertificate).toBeUndefined();
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
	test(`a server that insists on a certificate, and sees none over ${version}, is exit code 2`, async () => {
		using dir = tempDir();
		await using server = await startMtlsServer({maxVersion: version});
		const io = fakeIo();

		expect(await run(['get', server.url('/'), '--ca', dir.write('ca.crt', server.ca)], io)).toBe(2);

		expect(io.errText()).toContain('client-certificate-required');
		expect(io.errText()).toContain('--cert');
		expect(io.out()).toBe('');
	});

	test(`a server that does not accept our certificate over ${version} is exit code 2`, async () => {
		using dir = tempDir();
		await using server = await startMtlsServer({maxVersion: version});
		const stranger = await (await createTestPki()).client();
		const io = fakeIo();

		const argv = ['get', server.url('/'), ...(await identityOptions(dir, server.pki, stranger))];
		expect(await run(argv, io)).toBe(2);

		expect(io.errText()).toContain('client-certificate-refused');
		expect(io.out()).toBe('');
	});
}

test('a closed port is exit code 3', async () => {
	const server = await startMtlsServer();
	await server.close();
	const io = fakeIo();

	const url = `https://user:top-secret@localhost:${server.port}/path?token=top-secret`;
	expect(await run(['get', url], io)).toBe(3);
	expect(io.errText()).toBe(
		`axios-mtls: GET ${server.origin}/path: nobody listens there (ECONNREFUSED)
  - the server is not running
  - it listens on another port
  - a firewall refuses for it
  what to do: check the port, and on the server that it is listening
  to see each step: axios-mtls check ${server.origin}/path
`,
	);

	const byAddress = fakeIo();
	using dir = tempDir();
	const {cert, key} = await server.pki.client();
	const files = [dir.write('k', key), dir.write('c', cert), dir.write('ca', server.ca)];
	expect(await run(['::1', `${server.port}`, ...files], byAddress)).toBe(3);
	expect(byAddress.errText()).toContain(`GET https://[::1]:${server.port}/: `);
});

test('a server that does not speak TLS is exit code 3', async () => {
	await using server = await listen(createHttpServer());
	const io = fakeIo();

	expect(await run(['get', `https://localhost:${server.port}/`], io)).toBe(3);
	expect(io.errText()).toContain('not-tls');
});

test('a server that hangs up on the handshake is exit code 3', async () => {
	await using server = await listen(createServer((socket) => socket.destroy()));
	const io = fakeIo();

	expect(await run(['get', `https://localhost:${server.port}/`], io)).toBe(3);
	expect(io.errText()).toMatch(/^axios-mtls: GET https:\/\/localhost:\d+\/: /);
});

test('a server that says nothing is exit code 3 when --timeout is over', async () => {
	await using server = await listen(createServer());
	const io = fakeIo();

	expect(await run(['get', `https://localhost:${server.port}/`, '--timeout', '0.2'], io)).toBe(3);
	expect(io.errText()).toMatch(/: not done in 0\.2 s\n {2}- the server, or a firewall/);
});

test('--timeout also ends a body that does not', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		handler(_request, response) {
			response.write('half');
			return true;
		},
	});
	const argv = ['get', server.url('/'), ...(await identityOptions(dir, server.pki))];
	const io = fakeIo();

	expect(await run([...argv, '--timeout', '1.5'], io)).toBe(3);
	expect(io.out()).toBe('200 OK\nhalf\n');
	expect(io.errText()).toMatch(
		/, reading the body: not done in 1\.5 s\n {2}- the server, or a firewall/,
	);
});

test('a body that is cut off is exit code 3', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		handler(_request, response) {
			response.writeHead(200, {'content-length': '100'});
			response.write('half', () => response.destroy());
			return true;
		},
	});
	const io = fakeIo();

	expect(await run(['get', server.url('/'), ...(await identityOptions(dir, server.pki))], io)).toBe(
		3,
	);
	expect(io.out()).toMatch(/^200 OK\n(half)?\n$/);
	expect(io.errText()).toMatch(/^axios-mtls: GET \S+, reading the body: the connection was cut \(/);
});

test('two ends without a TLS version in common is exit code 3', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA'});
	const io = fakeIo();

	expect(await run(['get', server.url('/'), ...(await identityOptions(dir, server.pki))], io)).toBe(
		3,
	);
	expect(io.errText()).toMatch(/cipher-mismatch|protocol-mismatch/);
});

test('a proxy that refuses is exit code 3, and its password is not printed', async () => {
	const seen: string[] = [];
	const server = createHttpServer().on('connect', (request, socket) => {
		seen.push(request.headers['proxy-authorization'] ?? '');
		socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
	});
	await using proxy = await listen(server);
	const io = fakeIo({env: {AXIOS_MTLS_DEBUG: '1'}});

	const url = `http://user:pass%20word@localhost:${proxy.port}`;
	expect(await run(['get', 'https://bank.example/', '--proxy', url], io)).toBe(3);

	expect(seen).toEqual([`Basic ${Buffer.from('user:pass word').toString('base64')}`]);
	expect(io.errText()).toContain('proxy-refused');
	expect(io.errText()).not.toMatch(/pass.{1,3}word/);
	expect(io.errText()).not.toContain(seen[0]);
});

test('a redirect to http is exit code 4, and nothing is sent there', async () => {
	using dir = tempDir();
	let visits = 0;
	await using plain = await listen(createServer(() => visits++));
	await using server = await startMtlsServer({
		handler(_request, response) {
			response.writeHead(302, {location: `http://localhost:${plain.port}/next`}).end();
			return true;
		},
	});
	const io = fakeIo();

	const argv = ['get', server.url('/'), '-L', ...(await identityOptions(dir, server.pki))];
	expect(await run(argv, io)).toBe(4);
	expect(io.errText()).toMatch(
		/^axios-mtls: GET https:\/\/localhost:\d+\/: a redirect from https to http was not followed: http:.* \[insecure-redirect\]\n/,
	);
	expect(io.errText()).toContain('`--insecure-redirects`');
	expect(io.errText()).not.toContain('\n  at http:');
	expect(io.errText()).not.toContain('each step');
	expect(visits).toBe(0);
});

test('a failure behind a redirect names the hop that failed', async () => {
	using dir = tempDir();
	await using impostor = await startMtlsServer();
	await using server = await startMtlsServer({
		handler(_request, response) {
			response.writeHead(302, {location: impostor.url('/next')}).end();
			return true;
		},
	});
	const io = fakeIo();

	const argv = ['get', server.url('/'), '-L', ...(await identityOptions(dir, server.pki))];
	expect(await run(argv, io)).toBe(1);
	expect(io.errText()).toContain(`axios-mtls: GET ${server.url('/')}: `);
	expect(io.errText()).toContain(`\n  at ${impostor.url('/next')}\n`);
});

test('redirects without an end are exit code 4', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		handler(_request, response) {
			response.writeHead(302, {location: '/'}).end();
			return true;
		},
	});
	const io = fakeIo();

	const argv = ['get', server.url('/'), '-L', ...(await identityOptions(dir, server.pki))];
	expect(await run(argv, io)).toBe(4);
	expect(io.errText()).toContain('too many redirects');
});

test('a stack trace is shown with AXIOS_MTLS_DEBUG=1 only', async () => {
	const server = await startMtlsServer();
	await server.close();

	const plain = fakeIo();
	await run(['get', server.url('/')], plain);
	expect(plain.err()).not.toMatch(/^\s+at /m);

	const debugging = fakeIo({env: {AXIOS_MTLS_DEBUG: '1'}});
	await run(['get', server.url('/')], debugging);
	expect(debugging.err()).toMatch(/^\s+at /m);
});

interface Listening extends AsyncDisposable {
	readonly port: number;
}

async function listen(server: Server): Promise<Listening> {
	const sockets = new Set<Socket>();
	server.on('connection', (socket: Socket) => {
		sockets.add(socket);
		socket.on('error', () => {});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	return {
		port: typeof address === 'object' && address !== null ? address.port : 0,
		async [Symbol.asyncDispose]() {
			const closed = new Promise((resolve) => server.close(resolve));
			for (const socket of sockets) socket.destroy();
			await closed;
		},
	};
}
