import {execFileSync} from 'node:child_process';
import {createPrivateKey, X509Certificate} from 'node:crypto';
import {chmodSync, readdirSync, readFileSync, statSync} from 'node:fs';
import {expect, test} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {fakeIo, tempDir} from '../support/fake-io.ts';

const names = ['ca.crt', 'ca.key', 'client.crt', 'client.key', 'server.crt', 'server.key'];

test('certs makes six files that belong together, the keys for the owner alone', async () => {
	using dir = tempDir();
	const io = fakeIo();

	expect(await run(['certs', dir.at('pki')], io)).toBe(0);

	expect(readdirSync(dir.at('pki')).sort()).toEqual(names);
	const ca = new X509Certificate(readFileSync(dir.at('pki/ca.crt')));
	for (const role of ['ca', 'server', 'client']) {
		const certificate = new X509Certificate(readFileSync(dir.at(`pki/${role}.crt`)));
		const key = createPrivateKey(readFileSync(dir.at(`pki/${role}.key`)));
		expect(certificate.checkPrivateKey(key), role).toBe(true);
		expect(certificate.verify(ca.publicKey), role).toBe(true);
		expect(statSync(dir.at(`pki/${role}.key`)).mode & 0o777, role).toBe(0o600);
	}
	expect(io.errText()).toBe('');
});

test('openssl accepts the certificates for their purpose', async () => {
	using dir = tempDir();
	await run(['certs', dir.path], fakeIo());

	for (const role of ['server', 'client']) {
		const argv = ['verify', '-x509_strict', '-purpose', `ssl${role}`, '-CAfile', dir.at('ca.crt')];
		const said = execFileSync('openssl', [...argv, dir.at(`${role}.crt`)], {encoding: 'utf8'});
		expect(said).toContain(': OK');
	}
});

test('certs says for each file the names and the last day, and what to try next', async () => {
	using dir = tempDir();
	const io = fakeIo();
	await run(['certs', dir.at('my pki')], io);

	const lines = io.out().split('\n');
	const until = new X509Certificate(readFileSync(dir.at('my pki/server.crt'))).validToDate;
	expect(lines.find((line) => line.includes('server.crt'))).toContain(
		`localhost, 127.0.0.1, ::1; valid until ${until.toISOString().slice(0, 10)}`,
	);
	for (const name of names) expect(lines.some((line) => line.startsWith(`  ${name}`))).toBe(true);
	const commands = lines.filter((line) => /^ {2}(axios-mtls|curl) /.test(line));
	expect(commands.map((line) => line.trim().split(' ', 2).join(' '))).toEqual([
		'axios-mtls serve',
		'axios-mtls get',
		'curl https://localhost:8443/whoami',
	]);
	// Fit to be pasted.
	expect(commands[0]).toContain(`'${dir.at('my pki')}'`);
	expect(io.out()).not.toContain('PRIVATE KEY');
});

test('certs overwrites nothing, not even when one file of the six is there', async () => {
	using dir = tempDir();
	dir.write('client.key', 'mine');
	const io = fakeIo();

	expect(await run(['certs', dir.path], io)).toBe(64);

	expect(io.out()).toBe('');
	expect(io.errText()).toBe(
		`axios-mtls: certs ${dir.path}: client.key exists already\n` +
			'  --force overwrites; what the old CA has signed is then no longer trusted\n',
	);
	expect(readdirSync(dir.path)).toEqual(['client.key']);
	expect(readFileSync(dir.at('client.key'), 'utf8')).toBe('mine');
});

test('certs --force replaces all six, and closes a key that others could read', async () => {
	using dir = tempDir();
	await run(['certs', dir.path], fakeIo());
	const before = readFileSync(dir.at('server.key'), 'utf8');
	chmodSync(dir.at('server.key'), 0o644);

	expect(await run(['certs', dir.path, '--force'], fakeIo())).toBe(0);

	expect(readFileSync(dir.at('server.key'), 'utf8')).not.toBe(before);
	expect(statSync(dir.at('server.key')).mode & 0o777).toBe(0o600);
	expect(readdirSync(dir.path).sort()).toEqual(names);
});

test('certs in a place that is no directory is exit code 64', async () => {
	using dir = tempDir();
	const io = fakeIo();

	expect(await run(['certs', dir.write('file', '')], io)).toBe(64);
	expect(io.errText()).toMatch(/^axios-mtls: certs .*: cannot write there: (EEXIST|ENOTDIR)\n$/);
});
