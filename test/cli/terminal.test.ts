import {readFileSync} from 'node:fs';
import {get} from 'node:https';
import {expect, onTestFinished, test, vi} from 'vitest';
import {run} from '../../src/cli/run.ts';
import {createServeLog} from '../../src/cli/serve.ts';
import {createTestPki, startMtlsServer, type TestPki} from '../../src/testing/index.ts';
import {fakeIo, identityOptions, tempDir} from '../support/fake-io.ts';
import {createFixture, failureOf} from '../support/fixture.ts';

// Seen: `check --json` wrote what JSON.stringify leaves, and the text of a certificate's subject turned
// the direction of a line.

/** Each moves the cursor, erases, or turns the direction of writing. */
const hostile = 'ok\u009b2K\u009b1A\u202egnissap\u200f';

/** What no line of output may hold. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

function expectHarmless(text: string): void {
	expect(text).not.toBe('');
	for (const line of text.split('\n')) expect(line).not.toMatch(unseen);
}

async function impostor(pki: TestPki) {
	const credential = await pki.server({commonName: hostile, selfSigned: true});
	return startMtlsServer({pki, credential});
}

test('a hostile subject is harmless in the text, the JSON and the page of check, and in get', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	await using server = await impostor(pki);
	const ca = ['--ca', dir.write('ca.crt', pki.ca)];
	const url = server.url('/');
	const page = dir.at('page.html');

	for (const argv of [
		['check', url, ...ca],
		['check', url, ...ca, '--json'],
		['check', url, ...ca, '--html', page],
		['get', url, ...ca],
	]) {
		const io = fakeIo({env: {AXIOS_MTLS_DEBUG: '1'}});
		expect(await run(argv, io)).toBe(1);
		expectHarmless(io.out() + io.err());
		expect(io.out() + io.err()).toContain('gnissap');
	}
	expectHarmless(readFileSync(page, 'utf8').replaceAll('\t', ' '));
});

test('the values of the JSON output are the original text', async () => {
	using dir = tempDir();
	const pki = await createTestPki();
	await using server = await impostor(pki);
	const io = fakeIo();
	await run(['check', server.url('/'), '--ca', dir.write('ca.crt', pki.ca), '--json'], io);
	expect(JSON.parse(io.out()).chain[0].subject).toBe(`CN=${hostile}`);
	expect(io.out()).toContain('CN=ok\\u009b2K\\u009b1A\\u202egnissap\\u200f');
});

test('a reason phrase, a cookie and a Location that are hostile are harmless in check and get', async () => {
	using dir = tempDir();
	await using server = await startMtlsServer({
		handler(_request, response) {
			// On the wire a character is a byte.
			response.writeHead(302, 'Gone\u009b2K', {
				'Set-Cookie': 'a\u009b2K=b; Path=/\u009b1A',
				Location: '/\u009b2K',
			});
			response.end();
			return true;
		},
	});
	const identity = await identityOptions(dir, server.pki);
	const url = server.url('/');
	for (const argv of [
		['check', url, ...identity],
		['check', url, ...identity, '--json'],
		['get', url, ...identity],
	]) {
		const io = fakeIo();
		expect(await run(argv, io)).toBe(0);
		expectHarmless(io.out());
		expect(io.out()).toContain('302');
	}
});

test('a file with a hostile subject is harmless in inspect', async () => {
	using dir = tempDir();
	const {cert, key} = await (await createTestPki()).client({commonName: hostile});
	const io = fakeIo();
	const argv = ['inspect', dir.write('a.crt', cert), '--key', dir.write('a.key', key)];
	expect(await run(argv, io)).toBe(0);
	expectHarmless(io.out());
	expect(io.out()).toContain('gnissap');
});

test('a client with a hostile subject is harmless in the log of serve', async () => {
	const pki = await createTestPki();
	const io = fakeIo();
	const log = createServeLog(io);
	await using server = await startMtlsServer({pki, handler: log.handler});
	const unfollow = log.follow(server);
	onTestFinished(unfollow);
	const {cert, key} = await pki.client({commonName: hostile});
	await new Promise((resolve, reject) => {
		const agent = {cert, key, ca: pki.ca, agent: false} as const;
		get(server.url('/a%C2%9B2K'), agent, (response) => response.resume().once('end', resolve)).once(
			'error',
			reject,
		);
	});
	await io.lineOut(/GET/);
	expectHarmless(io.out());
	expect(io.out()).toContain('gnissap');
});

test('a hostile subject is harmless in the message, the reasons and the log of the library', async () => {
	const fixture = await createFixture();
	const server = await impostor(fixture.pki);
	onTestFinished(() => server.close());
	const log = {error: vi.fn(), warn: vi.fn()};
	const error = await failureOf(fixture.client({logger: log}).get(server.url('/')));
	expect(error.message).toContain("'CN=ok\\x9b2K\\x9b1A\\u202egnissap\\u200f'");
	expectHarmless(error.message);
	expect(error).toMatchObject({failure: {peer: {subject: `CN=${hostile}`}}});

	const [[fields, message] = []] = log.error.mock.calls;
	expectHarmless(message);
	expect(fields).toMatchObject({peer: {subject: 'CN=ok\\x9b2K\\x9b1A\\u202egnissap\\u200f'}});

	const report = fixture.client({logger: log, mtls: {verify: 'report'}});
	await report.get(server.url('/')).catch(() => {});
	expect(log.warn).toHaveBeenCalled();
	for (const [, told] of log.warn.mock.calls) expectHarmless(told);
});

test('a client certificate with a hostile subject is harmless in what is printed of it', async () => {
	const fixture = await createFixture();
	const DAY_MS = 24 * 60 * 60 * 1000;
	const validFrom = new Date(Date.now() - 80 * DAY_MS);
	const validTo = new Date(Date.now() + 5 * DAY_MS);
	const [own, other] = await Promise.all([
		fixture.pki.client({commonName: hostile, validFrom, validTo}),
		fixture.pki.client(),
	]);
	const log = {error: vi.fn(), warn: vi.fn()};
	fixture.client({mtls: {cert: own.cert, key: own.key}, logger: log});
	expect(log.warn).toHaveBeenCalledOnce();
	expectHarmless(log.warn.mock.calls[0]?.[1]);

	let refused: unknown;
	try {
		fixture.client({mtls: {cert: own.cert, key: other.key}});
	} catch (error) {
		refused = error;
	}
	expect(refused).toMatchObject({code: 'ERR_MTLS_KEY_MISMATCH'});
	expectHarmless((refused as Error).message);
});
