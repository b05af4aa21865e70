// Slow: it starts a process for each error, to read its last words.
import {execFile} from 'node:child_process';
import {createServer} from 'node:http';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {beforeAll, expect, onTestFinished, test} from 'vitest';
import {createFixture, type Fixture} from '../support/fixture.ts';

// Node prints an error that nobody has caught with all its enumerable fields, and asks neither
// `toJSON` nor `inspect.custom`: with axios's own that is the whole config, the request and the socket.

const child = fileURLToPath(new URL('../support/child-uncaught.ts', import.meta.url));
const secret = 'hunter2-of-the-app';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

async function dyingWords(url: string, env: Record<string, string> = {}): Promise<string> {
	const run = promisify(execFile)(process.execPath, ['--no-warnings', child], {
		env: {URL: url, SECRET: secret, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env},
	});
	const {code, stderr} = await run.then(
		() => ({code: 0, stderr: ''}),
		(error: {code: number; stderr: string}) => error,
	);
	expect(code).toBe(1);
	return stderr;
}

async function refusing(): Promise<string> {
	const server = createServer((_, response) => response.writeHead(403).end('no'));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => void server.close());
	const address = server.address();
	return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
}

test('the last words of a process that caught no failed connection hold no secret', async () => {
	const {origin} = await fixture.server();
	const words = await dyingWords(origin);
	expect(words).toContain('untrusted-issuer');
	expect(words).not.toContain(secret);
});

test('the last words of a process that caught no refused request hold no secret', async () => {
	const words = await dyingWords(await refusing());
	expect(words).toContain('Request failed with status code 403');
	expect(words).not.toContain(secret);
});

test("an uncaught error of axios's own adapter does print a secret, so that the tests show something", async () => {
	expect(await dyingWords(await refusing(), {TWIN: '1'})).toContain(secret);
});
