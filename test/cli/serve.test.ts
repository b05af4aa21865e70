import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {type FakeIo, fakeIo, type TempDir, tempDir, unfold} from '../support/fake-io.ts';

test('serve answers a client of its files, logs each client and request, and ends with 0 on a signal', async () => {
	using dir = tempDir();
	await using server = await serving(dir);

	const io = fakeIo();
	expect(await run(['get', `${server.origin}/whoami`, ...server.identity], io)).toBe(0);
	expect(io.out()).toMatch(/^200 OK\n\{"client":"client"/);

	expect(await server.io.lineOut(/#1 let in/)).toMatch(
		/^\d\d:\d\d:\d\d #1 let in: 'client', a certificate of 'axios-mtls CA [0-9a-f]{6}', TLSv1\.3$/,
	);
	expect(await server.io.lineOut(/GET/)).toMatch(/#1 GET \/whoami 200$/);
	server.io.stop();
	expect(await server.code).toBe(0);
	expect(server.io.out()).toMatch(/\nStopped\.\n$/);
	expect(server.io.err()).toBe('');
});

test('serve logs the clients that it refuses, and those that refuse it', async () => {
	using dir = tempDir();
	using other = tempDir();
	await using server = await serving(dir);
	const pki = await createTestPki({commonName: 'Another CA'});
	const stranger = await pki.client({commonName: 'stranger'});
	const ca = `--ca=${dir.at('ca.crt')}`;
	const shown = [
		`--cert=${other.write('x.crt', stranger.cert)}`,
		`--key=${other.write('x.key', stranger.key)}`,
	];

	expect(await run(['get', server.origin, ca], fakeIo())).toBe(2);
	expect(await server.io.lineOut(/#1 /)).toMatch(/#1 refused: no client certificate \(/);

	expect(await run(['get', server.origin, ca, ...shown], fakeIo())).toBe(2);
	expect(await server.io.lineOut(/#2 /)).toMatch(
		/#2 refused: 'stranger', a certificate of 'Another CA' \(/,
	);

	expect(await run(['get', server.origin, '--ca', other.write('ca.crt', pki.ca)], fakeIo())).toBe(
		1,
	);
	expect(await server.io.lineOut(/#3 /)).toMatch(
		/#3 no handshake: .*does not trust our certificate/,
	);

	await expect(fetch(server.origin.replace('https:', 'http:'))).rejects.toThrow();
	expect(await server.io.lineOut(/#4 /)).toMatch(/#4 refused: plain http \(/);
});

test('the commands that serve prints are answered by it: get, curl, and the login with curl', async () => {
	using dir = tempDir();
	await using server = await serving(dir);

	const commands = unfold(server.io.out()).match(/^ {2}(axios-mtls|curl) .*$/gm) ?? [];
	expect(commands).toHaveLength(3);
	const bin = `${process.execPath} ${new URL('../../src/cli/bin.ts', import.meta.url).pathname}`;
	const answers: string[] = [];
	for (const command of commands) {
		const line = command
			.trim()
			.replace(/^axios-mtls/, bin)
			.replace(/^curl/, 'curl --silent');
		const {stdout} = await promisify(execFile)('sh', ['-c', line]);
		answers.push(stdout);
	}

	expect(answers[0]).toMatch(/^200 OK\n\{"client":"client"/);
	expect(answers[1]).toMatch(/^\{"client":"client"/);
	expect(answers[2]).toMatch(/^\{"user":"alice","client":"client"/);
});

const wrongFiles = [
	{
		title: 'are not there',
		spoil: () => {},
		made: false,
		why: 'no server.crt there',
	},
	{
		title: 'hold a key that does not fit',
		spoil: (dir: TempDir) => dir.write('server.key', readFileSync(dir.at('client.key'), 'utf8')),
		made: true,
		why: 'server.key does not fit server.crt',
	},
	{
		title: 'hold no key',
		spoil: (dir: TempDir) => dir.write('server.key', 'not a key'),
		made: true,
		why: 'server.key cannot be parsed',
	},
	{
		title: 'hold no CA',
		spoil: (dir: TempDir) => dir.write('ca.crt', 'not a certificate'),
		made: true,
		why: 'ca.crt cannot be parsed',
	},
];

for (const {title, spoil, made, why} of wrongFiles) {
	test(`serve on files that ${title} is exit code 64, with the command that makes them`, async () => {
		using dir = tempDir();
		if (made) await run(['certs', dir.path], fakeIo());
		spoil(dir);
		const io = fakeIo();

		expect(await run(['serve', dir.path, '--port', '0'], io)).toBe(64);
		expect(io.errText()).toBe(
			`axios-mtls: serve ${dir.path}: ${why}\n` +
				`  \`axios-mtls certs ${dir.path}\` makes all six files\n`,
		);
	});
}

test('serve on a port that is taken is exit code 64', async () => {
	using dir = tempDir();
	await run(['certs', dir.path], fakeIo());
	const taken = createServer();
	await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
	const address = taken.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	const io = fakeIo();

	expect(await run(['serve', dir.path, '--port', `${port}`], io)).toBe(64);
	expect(io.errText()).toBe(`axios-mtls: --port: ${port} is taken\n  --port 0 takes a free one\n`);
	await new Promise((resolve) => taken.close(resolve));
});

interface Serving extends AsyncDisposable {
	readonly io: FakeIo;
	readonly origin: string;
	readonly code: Promise<number>;
	readonly identity: readonly string[];
}

async function serving(dir: TempDir): Promise<Serving> {
	await run(['certs', dir.path], fakeIo());
	const io = fakeIo();
	const code = run(['serve', dir.path, '--port', '0'], io);
	const line = await io.lineOut(/^Listening at /);
	return {
		io,
		code,
		origin: /https:\/\/localhost:\d+/.exec(line)?.[0] ?? '',
		identity: [
			`--cert=${dir.at('client.crt')}`,
			`--key=${dir.at('client.key')}`,
			`--ca=${dir.at('ca.crt')}`,
		],
		async [Symbol.asyncDispose]() {
			io.stop();
			await code;
		},
	};
}
