/*
 * The commands that `check` prints under "Next", read by a shell as they are printed.
 */
import {exec} from 'node:child_process';
import {existsSync} from 'node:fs';
import https from 'node:https';
import type {AddressInfo} from 'node:net';
import {fileURLToPath} from 'node:url';
import {expect, onTestFinished, test} from 'vitest';
import type {CheckReport} from '../../../src/cli/check/report.ts';
import {run} from '../../../src/cli/run.ts';
import {createTestPki, startMtlsServer} from '../../../src/testing/index.ts';
import {startConnectProxy} from '../../support/connect-proxy.ts';
import {fakeIo, identityOptions, type TempDir, tempDir} from '../../support/fake-io.ts';

const bin = fileURLToPath(new URL('../../../src/cli/bin.ts', import.meta.url));

// In the place of a process of ours, the shell prints the arguments that it would start one with.
const program = "printf '%s\\0'";

interface Ran {
	readonly command: string;
	readonly code: number;
	readonly out: string;
}

function shell(command: string, cwd: string): Promise<Ran> {
	return new Promise((resolve) => {
		const child = exec(command, {cwd, shell: '/bin/bash'}, (_error, out) => {
			resolve({
				command: command.replaceAll(program, 'axios-mtls'),
				code: child.exitCode ?? -1,
				out,
			});
		});
	});
}

/** Runs a command in `cwd`: what is ours in this process, with the arguments that the shell makes. */
async function follow(command: string, cwd: string): Promise<Ran> {
	const ran = await shell(command, cwd);
	if (!command.startsWith(program)) return ran;
	const io = fakeIo();
	const before = process.cwd();
	process.chdir(cwd);
	try {
		const code = await run(ran.out.split('\0').slice(0, -1), io);
		return {...ran, code, out: io.out()};
	} finally {
		process.chdir(before);
	}
}

/** Runs `check`, then each command that it prints, one after the other in `dir`. */
async function checkAndFollow(dir: TempDir, ...argv: readonly string[]) {
	const io = {...fakeIo(), program};
	await run(['check', ...argv, '--json'], io);
	const report: CheckReport = JSON.parse(io.out());
	const ran: Ran[] = [];
	for (const command of report.next) ran.push(await follow(command, dir.path));
	return {report, ran};
}

const verified = /The server is who it says it is/;

test('the commands after a self-signed certificate save, print and trust it', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const credential = await pki.server({selfSigned: true});
	await using server = await startMtlsServer({pki, credential, clientAuth: 'none'});
	const ca = dir.write('ca.crt', pki.ca);

	const {report, ran} = await checkAndFollow(dir, server.url('/whoami?page=2'), '--ca', ca);

	expect(report.failure?.kind).toBe('self-signed');
	expect(ran.map(({code}) => code)).toEqual([0, 0, 0, 0]);
	expect(ran[1]?.out).toContain(report.chain[0]?.fingerprint256);
	expect(ran[2]?.command).toMatch(/^# .*SHA-256/);
	expect(ran[3]?.out).toMatch(verified);
	// The query carries no secret.
	expect(server.requests.map((each) => each.url)).toEqual(['/whoami?page=2']);
});

test('the commands after an untrusted issuer print the CA that is trusted and the one that is not', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const other = await createTestPki({commonName: 'Other CA'});
	await using server = await startMtlsServer({pki: other, clientAuth: 'none'});
	const ca = dir.write('ca.crt', pki.ca);

	const {report, ran} = await checkAndFollow(dir, server.url('/?token=MARK'), '--ca', ca);

	expect(report.failure?.kind).toBe('untrusted-issuer');
	expect(ran.map(({code}) => code)).toEqual([0, 0, 0]);
	expect(ran[0]?.out).toContain('Test Root CA');
	expect(ran[2]?.out).toContain('Other CA');
	expect(report.next.join()).not.toContain('MARK');
});

test('the commands after a wrong name check the name that the certificate has, and look ours up', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const credential = await pki.server({names: ['bank.test']});
	await using server = await startMtlsServer({pki, credential, clientAuth: 'none'});
	const ca = dir.write('ca.crt', pki.ca);

	const {report, ran} = await checkAndFollow(dir, server.url('/'), '--ca', ca);

	expect(report.failure?.kind).toBe('wrong-name');
	expect(ran.map(({code}) => code)).toEqual([0, 0, 0]);
	expect(ran[0]?.command).toMatch(/^# .*operator/);
	expect(ran[1]?.command).toContain('--servername bank.test');
	expect(ran[1]?.out).toMatch(verified);
	expect(ran[2]?.out).toContain('localhost');
});

test('the command after a missing client certificate succeeds with the files that it names', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const {cert, key} = await server.pki.client();
	dir.write('YOUR-CERTIFICATE.pem', cert);
	dir.write('YOUR-KEY.pem', key);
	const ca = dir.write('ca.crt', server.ca);

	const {report, ran} = await checkAndFollow(dir, server.url('/'), '--ca', ca);

	expect(report.failure?.kind).toBe('client-certificate-required');
	expect(ran.map(({code}) => code)).toEqual([0]);
	expect(ran[0]?.out).toContain('it accepts our certificate');
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
	'the commands after a refused certificate over %s print it, and the CAs that the server accepts',
	async (version) => {
		using dir = tempDir();
		const other = await createTestPki({commonName: 'Other CA'});
		const versions = {minVersion: version, maxVersion: version};
		await using server = await startMtlsServer(versions);
		const identity = await identityOptions(dir, server.pki, await other.client());

		const {report, ran} = await checkAndFollow(dir, server.url('/'), ...identity);

		expect(report.failure?.kind).toBe('client-certificate-refused');
		expect(ran[0]).toMatchObject({code: 0, out: expect.stringContaining('Other CA')});
		// With TLS 1.3 the list is encrypted: OpenSSL reads it. The server wants a certificate of it too.
		const more = version === 'TLSv1.2' ? [] : [expect.stringContaining('Test Root CA')];
		expect(ran.slice(1).map(({out}) => out)).toEqual(more);
	},
);

test('the command after a server of an old TLS version connects to it', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const {cert, key} = await pki.server();
	const old = {minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0'} as const;
	const server = https.createServer({cert, key, ...old}, (_request, response) => response.end());
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => {
		server.close();
		server.closeAllConnections();
	});
	const url = `https://localhost:${(server.address() as AddressInfo).port}/`;

	const {report, ran} = await checkAndFollow(dir, url, '--ca', dir.write('ca.crt', pki.ca));

	expect(report.failure?.kind).toBe('protocol-mismatch');
	expect(ran.map(({code}) => code)).toEqual([0]);
	expect(ran[0]?.out).toMatch(/protocol +TLSv1\.1, /);
	expect(ran[0]?.out).toMatch(verified);
});

test('the commands after a self-signed certificate go through the proxy of the check', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const credential = await pki.server({selfSigned: true});
	await using server = await startMtlsServer({pki, credential, clientAuth: 'none'});
	await using proxy = await startConnectProxy();
	const argv = [server.url('/'), '--ca', dir.write('ca.crt', pki.ca), '--proxy', proxy.url];

	const {report, ran} = await checkAndFollow(dir, ...argv);
	const before = proxy.tunnels.length;

	expect(report.failure?.kind).toBe('self-signed');
	expect(ran.map(({code}) => code)).toEqual([0, 0, 0, 0]);
	expect(ran[0]?.command).toContain(`-proxy 127.0.0.1:${proxy.port}`);
	expect(ran[1]?.out).toContain(report.chain[0]?.fingerprint256);
	expect(ran[3]?.out).toMatch(verified);
	expect(ran[3]?.out).toMatch(/✓ tunnel/);
	// Of the check two, of OpenSSL one, of the second check one.
	expect(before).toBe(4);
});

test('the command after a success sends the request that was checked', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	const identity = await identityOptions(dir, server.pki);

	const {report, ran} = await checkAndFollow(dir, server.url('/whoami?format=json'), ...identity);

	expect(report.exitCode).toBe(0);
	expect(ran.map(({code}) => code)).toEqual([0]);
	expect(ran[0]?.out).toContain('client');
	expect(server.requests.map((each) => each.url)).toEqual([
		'/whoami?format=json',
		'/whoami?format=json',
	]);
});

test('no command that trusts what an unverified server names shows it the client certificate', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const intermediate = await pki.intermediate();
	const impostors = [
		{kind: 'self-signed', credential: await pki.server({selfSigned: true})},
		{
			kind: 'missing-intermediate',
			credential: await intermediate.server({omitIntermediates: true}),
		},
		{kind: 'wrong-name', credential: await pki.server({names: ['bank.test']})},
	];
	const identity = await identityOptions(dir, pki);
	for (const {kind, credential} of impostors) {
		await using server = await startMtlsServer({pki, credential, clientAuth: 'request'});
		const io = {...fakeIo(), program};
		await run(['check', server.url('/'), ...identity, '--json'], io);
		const report: CheckReport = JSON.parse(io.out());

		expect(report.failure?.kind).toBe(kind);
		const checks = report.next.filter((command) => command.includes(' check '));
		expect(checks).toHaveLength(1);
		expect(checks[0]).not.toMatch(/--(cert|key) /);
		expect(checks[0]).toContain('--ca ');
		const before = report.next[report.next.indexOf(checks[0] ?? '') - 1];
		expect(before).toMatch(/^# go on only if its .*operator/);
		// A shell does not continue a comment after a backslash.
		expect(before?.length).toBeLessThan(77);
		const asked = kind === 'missing-intermediate';
		expect(/by another way first\b/.test(report.failure?.hint ?? '')).toBe(
			asked || kind === 'self-signed',
		);
	}
});

test('check reads a certificate, a key and a CA from pipes', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer();
	await identityOptions(dir, server.pki);
	for (const file of ['ca.crt', 'client.crt', 'client.key'])
		expect(existsSync(dir.at(file))).toBe(true);
	const pipes =
		'--cert <(cat client.crt) --key <(cat client.key) --ca default --ca <(cat ca.crt) --timeout 20';
	for (const command of ['check', 'get']) {
		const {code, out} = await shell(
			`node ${bin} ${command} ${server.url('/whoami')} ${pipes}`,
			dir.path,
		);
		expect(code).toBe(0);
		expect(out).toMatch(command === 'check' ? /it accepts our certificate/ : /^200 OK/);
	}
});
