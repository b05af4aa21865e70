import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {exitCodes} from '../../src/cli/shared/exit-codes.ts';
import {createTestPki} from '../../src/testing/index.ts';
import {fakeIo, identityOptions, tempDir} from '../support/fake-io.ts';

for (const argv of [[], ['-h'], ['--help'], ['help']]) {
	test(`axios-mtls ${argv.join(' ')} shows worked examples, the commands and the exit codes`, async () => {
		const io = fakeIo();

		expect(await run(argv, io)).toBe(0);

		expect(io.errText()).toBe('');
		for (const example of [
			'\n  axios-mtls demo\n',
			'\n  axios-mtls certs pki\n  axios-mtls serve pki\n',
			'\n  axios-mtls get https://localhost:8443/whoami --cert pki/client.crt \\\n    --key ',
			'\n  axios-mtls localhost 8443 pki/client.key pki/client.crt pki/ca.crt\n',
		]) {
			expect(io.out()).toContain(example);
		}
		for (const command of ['get', 'check', 'inspect', 'certs', 'serve', 'demo']) {
			expect(io.out()).toMatch(new RegExp(`^  ${command} .*`, 'm'));
		}
	});
}

const documentedCodes = (help: string) =>
	help
		.split('Exit codes:\n')[1]
		?.match(/^ {2}\d+/gm)
		?.map(Number);

/** The rows of the table in docs/cli.md; each of them is tried in exit-codes-table.test.ts. */
const tableOfCodes = [
	...readFileSync('docs/cli.md', 'utf8').matchAll(/^\| (\d+) \| (.*?) \|/gm),
].map(([, code, of = '']) => ({code: Number(code), of}));

test('--help shows every exit code', async () => {
	const io = fakeIo();
	await run(['--help'], io);
	expect(documentedCodes(io.out())).toEqual(Object.values(exitCodes));
	expect(tableOfCodes.map(({code}) => code)).toEqual(Object.values(exitCodes));
});

test.each([
	['get', true, true],
	['check', true, true],
	['inspect', true, false],
	['certs', false, false],
	['serve', false, false],
	['demo', false, false],
] as const)(
	'%s -h names the variables of the environment that it reads',
	async (command, key, proxy) => {
		const io = fakeIo();
		await run([command, '-h'], io);
		const [, environment = ''] = io.out().split('Environment:\n');
		expect(environment.includes('AXIOS_MTLS_PASSPHRASE')).toBe(key);
		expect(environment.includes('HTTPS_PROXY')).toBe(proxy);
		expect(environment).toContain('NO_COLOR');
	},
);

for (const command of ['get', 'check', 'inspect', 'certs', 'serve', 'demo']) {
	test(`${command} -h shows examples of it and its own exit codes`, async () => {
		const io = fakeIo();

		expect(await run([command, '-h'], io)).toBe(0);

		expect(io.out()).toMatch(new RegExp(`^  axios-mtls ${command}`, 'm'));
		const own = tableOfCodes.filter(({of}) => of === 'all' || of.includes(`\`${command}\``));
		expect(documentedCodes(io.out())).toEqual(own.map(({code}) => code));
		expect(io.out()).not.toMatch(command === 'get' ? /\bcheck: / : /\b(check|certs, .*): /);
	});
}

test('--version is the version of the package', async () => {
	const io = fakeIo();
	const {version} = JSON.parse(readFileSync('package.json', 'utf8'));

	expect(await run(['--version'], io)).toBe(0);
	expect(io.out()).toBe(`${version}\n`);
});

const mistakes: readonly (readonly [argv: readonly string[], told: string | RegExp])[] = [
	[['frobnicate'], 'axios-mtls: frobnicate: no such command'],
	[['chekc'], 'axios-mtls: chekc: no such command\n  did you mean check?\n'],
	[['help', 'gte'], 'axios-mtls: gte: no such command\n  did you mean get?\n'],
	[
		['get', 'https://a.example/', '--crt', 'x'],
		"axios-mtls: get: unknown option '--crt'\n  did you mean --cert?\n",
	],
	[
		['inspect', 'x', '--kye', 'y'],
		"axios-mtls: inspect: unknown option '--kye'\n  did you mean --key?\n",
	],
	[['--frobnicate'], "axios-mtls: --frobnicate: unknown option '--frobnicate'"],
	[['get'], "axios-mtls: get: missing required argument 'url'"],
	[['get', 'https://a.example/', 'https://b.example/'], 'axios-mtls: get: too many arguments'],
	[['get', 'a.example'], 'axios-mtls: get: the URL must begin with https://'],
	[['get', 'localhost:8443/'], 'axios-mtls: get: the URL must begin with https://'],
	[['get', 'https://'], 'axios-mtls: get: the URL must begin with https://'],
	[['get', 'ftp://a.example/'], 'axios-mtls: get: the URL must begin with https://'],
	[
		['get', 'http://a.example/', '--cert', 'x'],
		'axios-mtls: get: a certificate cannot be shown over http://',
	],
	[
		['get', 'https://a.example/', '--cert'],
		"axios-mtls: get: option '--cert <file>' argument missing",
	],
	[
		['get', 'https://a.example/', '--timeout', '0'],
		"axios-mtls: --timeout: '0' is not a number of seconds above 0",
	],
	[['get', 'https://a.example/', '--timeout', '-1'], /--timeout/],
	[
		['get', 'https://a.example/', '--timeout', '10s'],
		"axios-mtls: --timeout: '10s' is not a number of seconds above 0",
	],
	[['get', 'https://a.example/', '--timeout', '2147484'], /--timeout: '2147484' is not/],
	[
		['get', 'https://a.example/', '--insecure'],
		/^axios-mtls: get: unknown option '--insecure'\n {2}there is no such switch/,
	],
	[['get', 'https://a.example/', '--proxy', 'http://'], 'axios-mtls: --proxy: not a URL'],
	[
		['get', 'https://a.example/', '--proxy', 'http://u:12345#x@p:1'],
		/^axios-mtls: --proxy: expected the URL of a proxy, found more than its host and port; in a user/,
	],
	[
		['get', 'https://a.example/', '--proxy', 'http://u:p#x@p:1'],
		/^axios-mtls: --proxy: not a URL\n {2}.* with @ # \/ \? in a password as %40 %23/,
	],
	[
		['get', 'https://a.example/', '--proxy', 'socks4://p:1080'],
		/^axios-mtls: --proxy: expected an http, https, socks5 or socks5h proxy, found socks4/,
	],
	[
		['get', 'https://a.example/', '--passphrase-file', '/no/such'],
		"axios-mtls: --passphrase-file: cannot read '/no/such': ENOENT",
	],
	[['check'], "axios-mtls: check: missing required argument 'url'"],
	[['check', 'http://a.example/'], 'axios-mtls: check: the URL must begin with https://'],
	[['check', 'a.example'], 'axios-mtls: check: the URL must begin with https://'],
	[['check', 'https://a.example/', '--timeout', '0'], /--timeout: '0' is not a number/],
	[['check', 'https://a.example/', '--pin', 'sha1//x'], /^axios-mtls: --pin: /],
	[['check', 'https://a.example/', '--spiffe-id', 'x'], /^axios-mtls: --spiffe-id: /],
	[['check', 'https://a.example/', '--html', '/tmp'], "axios-mtls: --html: '/tmp' is a folder"],
	[
		['check', 'https://a.example/', '--html', '/no/such/dir/page.html'],
		"axios-mtls: --html: cannot write '/no/such/dir/page.html': ENOENT",
	],
	[['inspect'], "axios-mtls: inspect: missing required argument 'file'"],
	[['inspect', '/no/such'], 'axios-mtls: inspect /no/such: no such file'],
	[['certs'], "axios-mtls: certs: missing required argument 'dir'"],
	[['serve', 'pki', '--port', '70000'], /--port: '70000' is not a port|serve pki: no/],
	[['demo', 'x'], 'axios-mtls: demo: too many arguments'],
	[
		['localhost', 'https', 'k', 'c', 'a'],
		"axios-mtls: host port key_file cert_file ca_file: 'https' is not a port",
	],
	[
		['localhost', '0', 'k', 'c', 'a'],
		"axios-mtls: host port key_file cert_file ca_file: '0' is not a port",
	],
	[
		['localhost', '65536', 'k', 'c', 'a'],
		"axios-mtls: host port key_file cert_file ca_file: '65536' is not a port",
	],
	[
		['a/b', '443', 'k', 'c', 'a'],
		"axios-mtls: host port key_file cert_file ca_file: 'a/b' is not a host name",
	],
	[['localhost', '443', 'k', 'c'], 'axios-mtls: localhost: no such command'],
];

for (const [argv, told] of mistakes) {
	test(`\`axios-mtls ${argv.join(' ')}\` is exit code 64, in plain words`, async () => {
		const io = fakeIo();

		expect(await run(argv, io)).toBe(64);

		expect(io.out()).toBe('');
		if (typeof told === 'string') expect(io.errText().startsWith(told), io.errText()).toBe(true);
		else expect(io.errText()).toMatch(told);
		expect(io.errText()).not.toMatch(/^\s+at /m);
	});
}

test.each([
	['get', '--cacert', '--ca'],
	['check', '--cacert', '--ca'],
	['check', '--capath', '--ca'],
	['get', '--ca-native', '--ca system'],
	['get', '--certificate', '--cert'],
	['get', '-E', '--cert'],
	['get', '--private-key', '--key'],
	['get', '--crlfile', '--crl'],
	['get', '--pinnedpubkey', '--pin'],
	['get', '--tlsv1.3', '--tls-min TLSv1.3'],
	['get', '--proxy-cacert', '--proxy-ca'],
	['get', '-b', '--jar'],
	['get', '--max-time', '--timeout'],
	['get', '--certt', '--cert'],
	['serve', '--portt', '--port'],
])('%s %s is answered with %s', async (command, flag, meant) => {
	const io = fakeIo();
	expect(await run([command, 'https://a.example/', flag, 'secret'], io)).toBe(64);
	expect(io.errText()).toContain(`unknown option '${flag}'\n  did you mean ${meant}?\n`);
	expect(io.errText()).not.toContain('secret');
});

test.each([
	['get', '--pass', /use --passphrase-file/],
	['get', '-k', /no such switch: name the CA of the server with --ca$/m],
	['check', '--no-check-certificate', /no such switch: name the CA of the server with --ca$/m],
	['check', '--proxy-insecure', /no such switch: name the CA of the proxy with --proxy-ca$/m],
	['certs', '--cacert', /`axios-mtls --help` shows examples$/m],
])('%s %s is answered with what to do instead', async (command, flag, says) => {
	const io = fakeIo();
	expect(await run([command, 'dir', flag], io)).toBe(64);
	expect(io.errText()).toMatch(says);
});

test('files that cannot be used are exit code 64, and name the option to repair', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const {cert, key} = await pki.client({passphrase: 'open sesame'});
	const other = await pki.client();
	const good = {cert: dir.write('c', cert), key: dir.write('k', key), ca: dir.write('ca', pki.ca)};
	const cases = [
		[{...good, cert: dir.at('missing')}, /^axios-mtls: --cert: no such file /],
		[{...good, key: dir.at('missing')}, /^axios-mtls: --key: no such file /],
		[{...good, ca: dir.at('missing')}, /^axios-mtls: --ca: no such file /],
		[{...good, ca: dir.write('junk', 'junk')}, /^axios-mtls: --ca: expected PEM /],
		[{...good, key: dir.write('other', other.key)}, /^axios-mtls: --key: .*does not fit/],
	] as const;

	for (const [files, told] of cases) {
		const io = fakeIo({env: {AXIOS_MTLS_PASSPHRASE: 'open sesame'}});
		const options = Object.entries(files).map(([name, path]) => `--${name}=${path}`);
		expect(await run(['get', 'https://localhost:1/', ...options], io)).toBe(64);
		expect(io.errText()).toMatch(told);
	}
});

test('an encrypted key without a passphrase is exit code 64, and names both ways to give one', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const options = await identityOptions(dir, pki, await pki.client({passphrase: 'open sesame'}));
	const io = fakeIo();

	expect(await run(['get', 'https://localhost:1/', ...options], io)).toBe(64);
	expect(io.errText()).toMatch(
		/^axios-mtls: --passphrase-file or AXIOS_MTLS_PASSPHRASE: .* no passphrase was given\n$/,
	);
});

test('a wrong passphrase is exit code 64, and is not printed', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	const options = await identityOptions(dir, pki, await pki.client({passphrase: 'open sesame'}));
	const io = fakeIo({env: {AXIOS_MTLS_PASSPHRASE: 'close sesame', AXIOS_MTLS_DEBUG: '1'}});

	expect(await run(['get', 'https://localhost:1/', ...options], io)).toBe(64);
	expect(io.errText()).toMatch(
		/^axios-mtls: --passphrase-file or .*: the passphrase does not open the key/,
	);
	expect(io.errText()).not.toContain('sesame');
});

test('secrets given in the wrong place are not repeated', async () => {
	for (const argv of [
		['get', 'https://a.example/', '--passphrase=top-secret'],
		['get', 'https://a.example/', '--passphrase', 'top-secret'],
		['get', 'https://a.example/', '--proxy', 'http://user:top-secret@p:99999'],
		['get', 'https://a.example/', '--proxy', 'socks4://user:top-secret@p:1080'],
		['get', 'https://user:top-secret@'],
	]) {
		const io = fakeIo();
		expect(await run(argv, io)).toBe(64);
		expect(io.errText()).not.toContain('top-secret');
	}
});
