import {chmodSync, readdirSync, readFileSync, statSync, symlinkSync} from 'node:fs';
import {expect, test} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {type MtlsServerOptions, startMtlsServer} from '../../src/testing/index.ts';
import {fakeIo, identityOptions, tempDir} from '../support/fake-io.ts';

/** Logs in by GET, so that a command line can do it: the cookie is set on the 302. */
const loginByGet: NonNullable<MtlsServerOptions['handler']> = ({url}, response) => {
	if (url !== '/start') return false;
	const cookies = [
		'session=secret-of-the-session; Path=/; HttpOnly; Secure; SameSite=Lax',
		'theme=dark; Path=/; Max-Age=86400',
	];
	response.writeHead(302, {location: '/echo', 'set-cookie': cookies}).end();
	return true;
};

test('--jar keeps the cookies of the session between runs, in a file for the owner alone', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({handler: loginByGet});
	const jar = ['--jar', dir.at('session.json')];
	const identity = await identityOptions(dir, server.pki);

	expect(await run(['get', server.url('/start'), '-L', ...jar, ...identity], fakeIo())).toBe(0);
	expect(await run(['get', server.url('/echo'), ...jar, ...identity], fakeIo())).toBe(0);
	expect(await run(['get', server.url('/echo'), ...identity], fakeIo())).toBe(0);

	expect(server.requests.map(({url, headers}) => [url, headers.cookie])).toEqual([
		['/start', undefined],
		['/echo', 'session=secret-of-the-session; theme=dark'],
		['/echo', 'session=secret-of-the-session; theme=dark'],
		['/echo', undefined],
	]);
	expect(statSync(dir.at('session.json')).mode & 0o777).toBe(0o600);
	expect(readdirSync(dir.path).filter((name) => name.includes('tmp'))).toEqual([]);
});

test('a jar that others could read is closed to them when it is written', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({handler: loginByGet});
	const file = dir.write('session.json', '{"cookies": []}');
	chmodSync(file, 0o644);

	const argv = ['get', server.url('/start'), '--jar', file];
	expect(await run([...argv, ...(await identityOptions(dir, server.pki))], fakeIo())).toBe(0);
	expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a jar behind a symbolic link is written where the link leads', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({handler: loginByGet});
	const file = dir.write('real.json', '{"cookies": []}');
	symlinkSync(file, dir.at('link.json'));

	const argv = ['get', server.url('/start'), '--jar', dir.at('link.json')];
	expect(await run([...argv, ...(await identityOptions(dir, server.pki))], fakeIo())).toBe(0);
	expect(JSON.parse(readFileSync(file, 'utf8')).cookies).toHaveLength(2);
});

test('the cookies of a first hop are kept when a later one fails', async () => {
	using dir = tempDir();
	await using impostor = await startMtlsServer();
	await using server = await startMtlsServer({
		handler(_request, response) {
			const location = impostor.url('/');
			response.writeHead(302, {location, 'set-cookie': 'session=kept; Secure'}).end();
			return true;
		},
	});
	const argv = ['get', server.url('/'), '-L', '--jar', dir.at('session.json')];

	expect(await run([...argv, ...(await identityOptions(dir, server.pki))], fakeIo())).toBe(1);
	expect(readFileSync(dir.at('session.json'), 'utf8')).toContain('"kept"');
});

const damages = [
	['is no JSON', 'session=top-secret'],
	[
		'is cut short',
		'{"version":"tough-cookie@6.1.0","cookies":[{"key":"session","value":"top-secret"',
	],
	['is other JSON', '{"name":"axios-mtls"}'],
	['is JSON null', 'null'],
	['holds a cookie that cannot be read', '{"cookies":[{"key":"session","value":"top-secret"}]}'],
	['holds something that is no cookie', '{"cookies":[42]}'],
] as const;

for (const [title, content] of damages) {
	test(`a jar that ${title} is exit code 64, left as it was, and nothing is sent`, async () => {
		using dir = tempDir();
		await using server = await startMtlsServer({handler: loginByGet});
		const file = dir.write('session.json', content);
		const io = fakeIo();

		const argv = ['get', server.url('/start'), '--jar', file];
		expect(await run([...argv, ...(await identityOptions(dir, server.pki))], io)).toBe(64);

		expect(io.errText()).toMatch(
			/^axios-mtls: --jar: file '.*session\.json' is damaged: .*; it was left as it is\n$/,
		);
		expect(io.errText()).not.toContain('top-secret');
		expect(readFileSync(file, 'utf8')).toBe(content);
		expect(server.connections).toHaveLength(0);
	});
}

test('a jar that could not be written is exit code 64 before anything is sent', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({handler: loginByGet});
	const io = fakeIo();

	const argv = ['get', server.url('/start'), '--jar', dir.at('missing/session.json')];
	expect(await run([...argv, ...(await identityOptions(dir, server.pki))], io)).toBe(64);

	expect(io.errText()).toMatch(/^axios-mtls: --jar: no such folder '.*missing'\n$/);
	expect(server.connections).toHaveLength(0);
});

test('a jar whose cookies have not changed is not written', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({handler: loginByGet});
	const argv = ['--jar', dir.at('session.json'), ...(await identityOptions(dir, server.pki))];
	await run(['get', server.url('/start'), ...argv], fakeIo());
	const before = statSync(dir.at('session.json'), {bigint: true}).ino;
	const text = readFileSync(dir.at('session.json'), 'utf8');

	await run(['get', server.url('/echo'), ...argv], fakeIo());
	expect(statSync(dir.at('session.json'), {bigint: true}).ino).toBe(before);
	expect(readFileSync(dir.at('session.json'), 'utf8')).toBe(text);
});

test('a jar of curl is gone on with, and stays one', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({handler: loginByGet});
	const {hostname} = new URL(server.origin);
	const line = `#HttpOnly_${hostname}\tFALSE\t/\tTRUE\t0\told\tkept`;
	const file = dir.write('cookies.txt', `# Netscape HTTP Cookie File\n${line}\n`);

	const argv = ['get', server.url('/start'), '-L', '--jar', file];
	expect(await run([...argv, ...(await identityOptions(dir, server.pki))], fakeIo())).toBe(0);
	expect(server.requests.map(({headers}) => headers.cookie)).toEqual([
		'old=kept',
		'old=kept; session=secret-of-the-session; theme=dark',
	]);
	const lines = readFileSync(file, 'utf8').split('\n');
	expect(lines).toContain(line);
	expect(lines).toContain(
		`#HttpOnly_${hostname}\tFALSE\t/\tTRUE\t0\tsession\tsecret-of-the-session`,
	);
});

test('cookies that cannot be written are exit code 64, whatever the answer was', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({handler: loginByGet});
	const file = dir.at('session.json');
	// In the way of the lock.
	dir.write('session.json.lock', '');
	const io = fakeIo();

	const argv = ['get', server.url('/start'), '--jar', file];
	expect(await run([...argv, ...(await identityOptions(dir, server.pki))], io)).toBe(64);
	expect(io.errText()).toMatch(
		/^axios-mtls: --jar: cannot save cookies to '.*session\.json': ENOTDIR on '.*session\.json\.lock'\n$/,
	);
});

test('a cookie that --jar does not keep is named on stderr, with its domain and the reason', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		handler({url}, response) {
			if (url !== '/login') return false;
			const cookies = [
				'session=top-secret; Domain=bank.example; Secure',
				'__Host-id=top-secret; Path=/',
				'kept=top-secret',
			];
			response.writeHead(200, {'set-cookie': cookies}).end();
			return true;
		},
	});
	const identity = await identityOptions(dir, server.pki);
	const [io, without] = [fakeIo(), fakeIo()];

	const jar = ['--jar', dir.at('session.json')];
	expect(await run(['get', server.url('/login'), ...jar, ...identity], io)).toBe(0);
	expect(await run(['get', server.url('/login'), ...identity], without)).toBe(0);

	expect(io.out()).toBe('200 OK\n\n');
	expect(io.errText()).toBe(
		"axios-mtls: the cookie 'session' of localhost for the domain 'bank.example' was refused: its domain is not that of the host\n" +
			"axios-mtls: the cookie '__Host-id' of localhost was refused: it is not what its prefix promises\n",
	);
	expect(readFileSync(dir.at('session.json'), 'utf8')).toContain('"kept"');
	expect(without.err()).toBe('');
});
