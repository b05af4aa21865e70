/*
 * Each exit code of each command, as docs/cli.md lists them. Exit code 70 of output that cannot be written
 * is in bin.test.ts, and that of a failed demo in demo.test.ts.
 */
import {readFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {expect, onTestFinished, test} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {exitCodes} from '../../src/cli/shared/exit-codes.ts';
import {createTestPki, type MtlsServerOptions, startMtlsServer} from '../../src/testing/index.ts';
import {fakeIo, identityOptions, type TempDir, tempDir} from '../support/fake-io.ts';

/** Makes the arguments of a command that ends with a code. */
type Arrange = (dir: TempDir) => Promise<readonly string[]>;

async function server(options: MtlsServerOptions = {}) {
	const started = await startMtlsServer(options);
	onTestFinished(() => started.close());
	return started;
}

const redirecting =
	(location: string): NonNullable<MtlsServerOptions['handler']> =>
	(_request, response) => {
		response.writeHead(302, {location}).end();
		return true;
	};

const request = (command: string): Record<string, readonly [code: number, arrange: Arrange][]> => ({
	[`${command}: the server answers`]: [
		[
			0,
			async (dir) => {
				const {pki, url} = await server();
				return [command, url('/whoami'), ...(await identityOptions(dir, pki))];
			},
		],
	],
	[`${command}: the server cannot be verified`]: [
		[1, async (dir) => [command, (await server()).url('/'), '--ca', await otherCa(dir)]],
	],
	[`${command}: the server requires a certificate, or refuses ours`]: [
		[
			2,
			async (dir) => {
				const {pki, url} = await server();
				return [command, url('/'), '--ca', dir.write('ca', pki.ca)];
			},
		],
		[
			2,
			async (dir) => {
				const {pki, url} = await server();
				const stranger = await (await createTestPki()).client();
				return [command, url('/'), ...(await identityOptions(dir, pki, stranger))];
			},
		],
	],
	[`${command}: there is no connection`]: [
		[3, async () => [command, 'https://localhost:1/']],
		[3, async () => [command, 'https://localhost:1/', '--proxy', 'http://localhost:1']],
		[3, async () => [command, `https://localhost:${await silentPort()}/`, '--timeout', '0.3']],
	],
	[`${command}: the arguments cannot be used`]: [
		[64, async () => [command]],
		[64, async () => [command, 'a.example']],
		[64, async () => [command, 'https://a.example/', '--tls-min', '9']],
		[64, async (dir) => [command, 'https://a.example/', '--ca', dir.at('missing')]],
	],
});

const cases: Readonly<Record<string, readonly [code: number, arrange: Arrange][]>> = {
	...request('get'),
	'get: a redirect was not followed': [
		[
			4,
			async (dir) => {
				const {pki, url} = await server({handler: redirecting('http://localhost:1/')});
				return ['get', url('/'), '-L', ...(await identityOptions(dir, pki))];
			},
		],
		[
			4,
			async (dir) => {
				const {pki, url} = await server({handler: redirecting('/')});
				return ['get', url('/'), '-L', ...(await identityOptions(dir, pki))];
			},
		],
	],
	...request('check'),
	'inspect: all of the file can be read and fits': [
		[0, async (dir) => ['inspect', await cert(dir)]],
	],
	'inspect: something in it has expired, or does not fit': [
		[1, async (dir) => ['inspect', await cert(dir, {expired: true})]],
		[1, async (dir) => ['inspect', await cert(dir), '--key', await otherKey(dir)]],
	],
	'inspect: the file cannot be read': [[64, async (dir) => ['inspect', dir.at('missing')]]],
	'certs: the files were made': [[0, async (dir) => ['certs', dir.at('pki')]]],
	'certs: the files exist, or cannot be made': [
		[64, async (dir) => ['certs', dir.write('file', '')]],
	],
	'serve: it was stopped': [[0, async (dir) => [...(await pkiFor(dir)), '--port', '0']]],
	'serve: the files or the port cannot be used': [
		[64, async (dir) => ['serve', dir.path]],
		[64, async (dir) => [...(await pkiFor(dir)), '--port', '70000']],
	],
	'demo: each step succeeds': [[0, async () => ['demo']]],
	'demo: the arguments cannot be used': [[64, async () => ['demo', 'x']]],
};

const rows = Object.entries(cases).flatMap(([title, each]) =>
	each.map(([code, arrange], index) => ({title, number: index + 1, code, arrange})),
);

test.each(rows)('exit code $code ends $title ($number)', async ({code, arrange}) => {
	using dir = tempDir();
	const io = fakeIo();
	const argv = await arrange(dir);
	// Only serve waits for it.
	io.stop();
	expect(await run(argv, io), io.err()).toBe(code);
	if (code !== 0 && !['check', 'inspect'].includes(argv[0] ?? '')) {
		expect(io.err()).toMatch(/^axios-mtls: /);
	}
});

test('docs/cli.md lists exactly the codes that the commands end with', () => {
	const text = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
	const [, table = ''] = /\n## Exit codes\n([\s\S]*?)\n## /.exec(text) ?? [];
	const documented = [...table.matchAll(/^\| (\d+) \| (.*?) \|/gm)].flatMap(
		([, code = '', commands = '']) => commands.split(' ').map((command) => `${command} ${code}`),
	);
	const tried = rows.map(({title, code}) => `${title.split(':')[0]} ${code}`);
	// Those of the process, and of an optional dependency that is not installed.
	const elsewhere = ['certs', 'serve', 'demo'].map((command) => `\`${command}\` 69`);
	const all = [
		...new Set(tried.map((row) => row.replace(/^(\w+)/, '`$1`'))),
		...elsewhere,
		'all 70',
	];
	expect([...new Set(documented)].sort()).toEqual(all.sort());
	const codes = Object.values(exitCodes).map(String);
	expect(new Set(documented.map((row) => row.split(' ')[1]))).toEqual(new Set(codes));
});

async function otherCa(dir: TempDir): Promise<string> {
	return dir.write('other-ca', (await createTestPki()).ca);
}

async function cert(dir: TempDir, options: {expired?: boolean} = {}): Promise<string> {
	return dir.write('cert', (await (await createTestPki()).client(options)).cert);
}

async function otherKey(dir: TempDir): Promise<string> {
	return dir.write('other-key', (await (await createTestPki()).client()).key);
}

async function pkiFor(dir: TempDir): Promise<readonly string[]> {
	await run(['certs', dir.path], fakeIo());
	return ['serve', dir.path];
}

async function silentPort(): Promise<number> {
	const silent = createServer((socket) => {
		onTestFinished(() => {
			socket.destroy();
		});
	});
	await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => {
		silent.close();
	});
	const address = silent.address();
	return typeof address === 'object' && address !== null ? address.port : 0;
}
