import {createServer} from 'node:net';
import {expect, test} from 'vitest';
import {type DemoServers, demo} from '../../../src/cli/demo/demo.ts';
import {run} from '../../../src/cli/run.ts';
import {createTestPki} from '../../../src/testing/index.ts';
import {fakeIo, unfold} from '../../support/fake-io.ts';

test('the demo goes through six steps, and exits with 0', async () => {
	const io = fakeIo();

	expect(await run(['demo'], io)).toBe(0);

	const out = io.out();
	expect(out.match(/^\d\. .*$/gm)?.map((line) => line.slice(0, 2))).toEqual([
		'1.',
		'2.',
		'3.',
		'4.',
		'5.',
		'6.',
	]);
	expect(out).not.toContain('✗');
	expect(io.err()).toBe('');
});

test('the demo shows the facts of the session, and both refusals with kind, reasons and hint', async () => {
	const io = fakeIo();
	await run(['demo'], io);
	const out = io.out();

	for (const fact of [
		'the cookie came along to GET /accounts',
		'same cookie',
		'same connection',
		'handshakes made = 1',
		'client-certificate-required',
		'untrusted-issuer',
		"issued by 'CN=Impostor CA'",
		'bytes of the request that reached it = 0',
	]) {
		expect(out).toContain(fact);
	}
	expect(out.match(/^ {5}what to do: /gm)).toHaveLength(2);
	expect(out).not.toMatch(/session=|PRIVATE KEY/);
});

test('the demo says that an impostor which speaks TLS 1.2 got the certificate, and no cookie', async () => {
	const io = fakeIo();

	expect(await demo(io, {impostor: {maxVersion: 'TLSv1.2'}})).toBe(0);

	expect(unfold(io.out())).toContain('✓ it saw our certificate, which TLS 1.2 sends before');
	expect(io.out()).not.toMatch(/✗|it saw neither/);
});

test('the demo has colours on a terminal only', async () => {
	const plain = fakeIo();
	await run(['demo'], plain);
	expect(plain.out()).not.toContain('\u001b');

	const colored = fakeIo({colors: true});
	await run(['demo'], colored);
	expect(colored.out()).toContain('\u001b[32m✓\u001b[39m');
});

// Each of these makes one server misbehave. The demo must see it, or its claims are only words.
const otherwise: readonly {title: string; servers: () => Promise<DemoServers>; seen: RegExp}[] = [
	{
		title: 'the bank asks for no certificate',
		servers: async () => ({bank: {clientAuth: 'none'}}),
		seen: /✗ .*our certificate, "demo-client": expected .* but saw undefined[\s\S]*✗ it answered 401/,
	},
	{
		title: 'the bank lets in whoever comes',
		servers: async () => ({bank: {clientAuth: 'request'}}),
		seen: /✗ it answered 401/,
	},
	{
		title: 'the bank cuts the connection after each answer',
		servers: async () => ({
			bank: {
				handler: (_request, response) => {
					response.setHeader('connection', 'close');
				},
			},
		}),
		seen: /✗ same connection: expected 1, but saw \d/,
	},
	{
		title: 'the bank does not know alice',
		servers: async () => ({bank: {users: {}}}),
		seen: /✗ .*\(200\): expected 200, but saw 401/,
	},
	{
		title: 'the bank has an expired certificate',
		servers: async () => {
			const pki = await createTestPki();
			return {pki, bank: {pki, credential: await pki.server({expired: true})}};
		},
		seen: /✗ stopped: .*expired/,
	},
	{
		title: 'the impostor has a certificate of our CA',
		servers: async () => {
			const pki = await createTestPki();
			return {pki, impostor: {pki}};
		},
		seen: /✗ it answered 200[\s\S]*✗ bytes of the request that reached it = 0: expected 0, but saw \d+[\s\S]*✗ it saw neither/,
	},
	{
		title: 'the impostor is refused for another reason',
		servers: async () => {
			const pki = await createTestPki();
			return {impostor: {pki, credential: await pki.server({selfSigned: true})}};
		},
		seen: /✗ we refused it: untrusted-issuer: expected untrusted-issuer, but saw self-signed/,
	},
	{
		title: 'a server cannot listen',
		servers: async () => ({bank: {host: '203.0.113.1'}}),
		seen: /✗ stopped: .*EADDRNOTAVAIL/,
	},
];

for (const {title, servers, seen} of otherwise) {
	test(`the demo shows what it saw and fails when ${title}`, async () => {
		const io = fakeIo();

		const code = await demo(io, await servers());

		expect(code).not.toBe(0);
		expect(unfold(io.out())).toMatch(seen);
		expect(io.out()).toMatch(/\d+ facts? (was|were) not as expected: see ✗ above\.\n$/);
	});
}

test('the demo does not ask the proxy of the environment', async () => {
	let visits = 0;
	const proxy = createServer((socket) => {
		visits++;
		socket.destroy();
	});
	await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
	const address = proxy.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'NO_PROXY', 'no_proxy'];
	const before = names.map((name) => [name, process.env[name]] as const);
	try {
		for (const name of names) process.env[name] = `http://127.0.0.1:${port}`;
		delete process.env.NO_PROXY;
		delete process.env.no_proxy;
		expect(await run(['demo'], fakeIo())).toBe(0);
		expect(visits).toBe(0);
	} finally {
		for (const [name, value] of before) {
			if (value === undefined) delete process.env[name];
			else process.env[name] = value;
		}
		await new Promise((resolve) => proxy.close(resolve));
	}
});
