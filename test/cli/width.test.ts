/*
 * Whatever the command line prints fits a terminal of 80 columns: each line that is wider is one word.
 */
import {createServer} from 'node:net';
import {expect, onTestFinished, test} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {createTestPki, startMtlsServer} from '../../src/testing/index.ts';
import {fakeIo, identityOptions, type TempDir, tempDir} from '../support/fake-io.ts';

/** The lines that are too wide, and have a space at which they could be broken. */
function wideLines(text: string): string[] {
	// The drawing of a chain stands before some.
	const oneWord = /^[ │└─]*(?:\S+|'[^']*'\S*|`[^`]*`\S*)(?: \\)?$/;
	return text.split('\n').filter((line) => line.length > 80 && !oneWord.test(line));
}

async function expectNarrow(argv: readonly string[], program?: string): Promise<void> {
	const io = fakeIo(program === undefined ? {} : {program});
	// Only serve waits for it.
	io.stop();
	await run(argv, io);
	// The body of a response is the server's.
	const out = argv[0] === 'get' ? (io.out().split('\n')[0] ?? '') : io.out();
	expect(out + io.err()).not.toBe('');
	expect(wideLines(`${out}\n${io.err()}`)).toEqual([]);
}

test('a line of 80 columns fits, and one of 81 does only if it is one word', () => {
	const words = (length: number) => `${'x'.repeat(length - 2)} y`;
	expect(wideLines(words(80))).toEqual([]);
	expect(wideLines(words(81))).toEqual([words(81)]);
	expect(wideLines(`  ${'x'.repeat(100)}`)).toEqual([]);
	expect(wideLines(`  '${'x '.repeat(50)}' \\`)).toEqual([]);
	expect(wideLines(`--cert '${'x '.repeat(50)}'`)).toHaveLength(1);
});

const programs = ['axios-mtls', 'npx axios-mtls', 'node some/where/else/dist/cli/bin.js'];
const commands = ['get', 'check', 'inspect', 'certs', 'serve', 'demo'];

test.each(programs)('the help of each command fits when %s starts it', async (program) => {
	for (const argv of [['--help'], ...commands.map((each) => [each, '--help'])]) {
		await expectNarrow(argv, program);
	}
});

test('certs, serve and demo print lines that fit', async () => {
	using dir = tempDir();
	const pki = dir.at('a folder with a name that is longer than most others are');
	await expectNarrow(['certs', pki]);
	// They exist now.
	await expectNarrow(['certs', pki]);
	await expectNarrow(['serve', pki, '--port', '0']);
	await expectNarrow(['serve', dir.path]);
	await expectNarrow(['demo']);
});

/** Command lines of get and check, from what succeeds to what fails in each way. */
async function requests(dir: TempDir): Promise<(readonly string[])[]> {
	const pki = await createTestPki({commonName: 'The Certification Authority of a Long Name, Ltd'});
	const names = Array.from(
		{length: 30},
		(_, index) => `host-${index}.of.a.hosting.provider.example`,
	);
	const servers = await Promise.all([
		startMtlsServer({pki}),
		startMtlsServer({pki, clientAuth: 'request'}),
		startMtlsServer({pki, clientAuth: 'none'}),
		startMtlsServer({pki, credential: await pki.server({expired: true})}),
		startMtlsServer({pki, credential: await pki.server({notYetValid: true})}),
		startMtlsServer({pki, credential: await pki.server({names})}),
		startMtlsServer({pki, credential: await pki.server({selfSigned: true})}),
		startMtlsServer({clientAuth: 'request'}),
		startMtlsServer({pki, maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA'}),
	]);
	onTestFinished(async () => {
		await Promise.all(servers.map((server) => server.close()));
	});
	const silent = createServer((socket) => socket.destroy());
	await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => {
		silent.close();
	});
	const address = silent.address();
	const port = typeof address === 'object' && address !== null ? address.port : 0;
	const identity = await identityOptions(dir, pki);
	const ca = identity.filter((flag) => flag.startsWith('--ca'));
	const urls = servers.map((server) => server.url('/whoami'));
	return [
		...urls.map((url) => [url, ...identity]),
		...urls.slice(0, 2).map((url) => [url, ...ca]),
		[urls[1] ?? '', ...identity, '--pin', `sha256//${'A'.repeat(43)}=`],
		[urls[1] ?? '', ...identity, '--spiffe-id', 'spiffe://bank.example/of/a/workload'],
		[`https://localhost:${port}/`, ...ca],
		['https://localhost:1/', ...identity],
		[urls[0] ?? '', ...identity, '--proxy', 'http://localhost:1'],
		[urls[0] ?? '', ...identity, '--proxy', `http://localhost:${port}`],
		[urls[0] ?? '', '--cert', dir.at('a path/that is not there/client-certificate.pem')],
	];
}

test.each(['get', 'check'])(
	'%s prints lines that fit, of a success and of each failure',
	async (command) => {
		using dir = tempDir();
		for (const argv of await requests(dir)) await expectNarrow([command, ...argv]);
	},
);

test('inspect prints lines that fit', async () => {
	using dir = tempDir();
	const pki = await createTestPki({commonName: 'The Certification Authority of a Long Name, Ltd'});
	const names = Array.from(
		{length: 30},
		(_, index) => `host-${index}.of.a.hosting.provider.example`,
	);
	const {cert, key} = await pki.server({names, expired: true});
	const file = dir.write('a-file-with-a-name-that-is-longer-than-most.pem', cert + pki.ca);
	await expectNarrow(['inspect', file, '--key', dir.write('key.pem', key)]);
	await expectNarrow(['inspect', file, '--key', dir.write('other.pem', pki.key)]);
	await expectNarrow(['inspect', dir.at('missing')]);
});
