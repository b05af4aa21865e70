// Slow: it starts processes, and waits for each to end.
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, existsSync, openSync, readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {startMtlsServer} from '../../src/testing/index.ts';
import {fakeIo, identityOptions, type TempDir, tempDir, unfold} from '../support/fake-io.ts';

const bin = fileURLToPath(new URL('../../src/cli/bin.ts', import.meta.url));

test('the process says what the command says: status, body, exit code', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();

	const identity = await identityOptions(dir, server.pki);
	const answered = await execute(['get', server.url('/whoami'), ...identity]);
	expect(answered.code).toBe(0);
	expect(answered.stdout).toMatch(/^200 OK\n\{"client":"client".*\}\n$/);
	expect(answered.stderr).toBe('');

	const refused = await execute(['get', server.url('/'), '--ca', dir.at('ca.crt')]);
	expect(refused.code).toBe(2);
	expect(refused.stdout).toBe('');
	expect(refused.stderr).toMatch(/^axios-mtls: GET https:\/\/localhost:\d+\/: .*\n( {2}.*\n)+$/);

	expect((await execute(['frobnicate'])).code).toBe(64);
});

test('NODE_TLS_REJECT_UNAUTHORIZED=0 does not let an impostor through', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	await using impostor = await startMtlsServer({clientAuth: 'request'});
	const argv = ['get', impostor.url('/'), ...(await identityOptions(dir, server.pki))];

	const {code, stdout} = await execute(argv, {NODE_TLS_REJECT_UNAUTHORIZED: '0'});

	expect(code).toBe(1);
	expect(stdout).toBe('');
	expect(impostor.requests).toEqual([]);
});

test('a proxy of the environment that cannot be used is exit code 64, and its password is not printed', async () => {
	const HTTPS_PROXY = 'socks4://user:top-secret@proxy.example:1080';

	const {code, stderr} = await execute(['get', 'https://bank.example/'], {HTTPS_PROXY});

	expect(code).toBe(64);
	expect(stderr).toMatch(
		/^axios-mtls: HTTPS_PROXY: expected an http, https, socks5 or socks5h proxy, found socks4$/m,
	);
	expect(stderr).not.toContain('top-secret');
});

test('the demo of the process passes, without colours in a pipe, whatever the environment wants', async () => {
	const {code, stdout, stderr} = await execute(['demo'], {
		FORCE_COLOR: '1',
		CI: 'true',
		HTTPS_PROXY: 'http://127.0.0.1:9',
	});

	expect(code).toBe(0);
	expect(stdout).toMatch(/^axios-mtls: /);
	expect(stdout).not.toContain('\u001b');
	expect(stdout).not.toContain('✗');
	// Node itself warns about FORCE_COLOR and NO_COLOR together.
	expect(stderr).not.toContain('axios-mtls');
});

test('a reader that goes away ends no command with a crash', {timeout: 60_000}, async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		handler(_request, response) {
			response.end('line\n'.repeat(1_000_000));
			return true;
		},
	});
	const identity = await identityOptions(dir, server.pki);

	for (const argv of [['--help'], ['demo'], ['get', server.url('/'), ...identity]]) {
		const child = start(argv);
		const ended = outcome(child);
		child.stdout?.destroy();
		expect(await ended, argv[0]).toMatchObject({code: 0, signal: null, stderr: ''});
	}

	const child = start(['get', server.url('/'), ...identity]);
	const ended = outcome(child);
	expect(await firstLine(child)).toBe('200 OK');
	child.stdout?.destroy();
	expect(await ended).toMatchObject({code: 0, signal: null, stderr: ''});
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	test(`serve ends with 0 on ${signal}, though a client keeps its connection`, async () => {
		using dir = tempDir();
		await run(['certs', dir.path], fakeIo());
		const child = start(['serve', dir.path, '--port', '0']);
		const ended = outcome(child);
		const origin = /https:\S+/.exec(await firstLine(child))?.[0] ?? '';
		await run(['get', origin, ...files(dir)], fakeIo());

		child.kill(signal);

		const {code, stdout, stderr} = await ended;
		expect(code).toBe(0);
		expect(stdout).toMatch(/#1 GET \/ 404\n[\s\S]*Stopped\.\n$/);
		expect(stderr).toBe('');
	});
}

test.skipIf(!existsSync('/dev/full'))(
	'output that cannot be written is exit code 70, and no stack trace',
	async () => {
		const full = openSync('/dev/full', 'w');
		try {
			const child = spawn(process.execPath, [bin, '--help'], {stdio: ['ignore', full, 'pipe']});
			const {code, stderr} = await outcome(child);
			expect(code).toBe(70);
			expect(stderr).toBe('axios-mtls: cannot write the output: ENOSPC\n');
		} finally {
			closeSync(full);
		}
	},
);

test('serve ends when its log is no longer read', async () => {
	using dir = tempDir();
	await run(['certs', dir.path], fakeIo());
	const child = start(['serve', dir.path, '--port', '0']);
	const ended = outcome(child);
	const origin = /https:\S+/.exec(await firstLine(child))?.[0] ?? '';
	child.stdout?.destroy();

	// The next line of the log is the one that finds nobody.
	await run(['get', origin, ...files(dir)], fakeIo());
	expect(await ended).toMatchObject({code: 0, signal: null, stderr: ''});
});

test('bin.ts is a program for Unix, and a package script', () => {
	expect(readFileSync(bin, 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node');
	const {bin: published, scripts} = JSON.parse(readFileSync('package.json', 'utf8'));
	expect(published).toEqual({'axios-mtls': 'dist/cli/bin.js'});
	expect(scripts.demo).toBe('node src/cli/bin.ts demo');
});

interface Outcome {
	readonly code: number | null;
	readonly signal: string | null;
	readonly stdout: string;
	readonly stderr: string;
}

function start(argv: readonly string[], env: Record<string, string> = {}): ChildProcess {
	return spawn(process.execPath, [bin, ...argv], {
		stdio: ['ignore', 'pipe', 'pipe'],
		env: {PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env},
	});
}

async function outcome(child: ChildProcess): Promise<Outcome> {
	let stdout = '';
	let stderr = '';
	child.stdout?.on('data', (chunk) => {
		stdout += chunk;
	});
	child.stderr?.on('data', (chunk) => {
		stderr += chunk;
	});
	const [code, signal] = await once(child, 'close');
	return {code, signal, stdout, stderr: unfold(stderr)};
}

function execute(argv: readonly string[], env?: Record<string, string>): Promise<Outcome> {
	return outcome(start(argv, env));
}

async function firstLine(child: ChildProcess): Promise<string> {
	if (!child.stdout) throw new Error('the child has no stdout');
	const [line] = await once(createInterface(child.stdout), 'line');
	return line;
}

function files(dir: TempDir): string[] {
	return [
		`--cert=${dir.at('client.crt')}`,
		`--key=${dir.at('client.key')}`,
		`--ca=${dir.at('ca.crt')}`,
	];
}
