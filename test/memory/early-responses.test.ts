// Slow: it makes thousands of requests in a process of its own, to see what memory they leave.
import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {beforeAll, expect, test} from 'vitest';
import {type EarlyRequest, startEarlyServer} from '../support/early-server.ts';
import {createFixture, type Fixture} from '../support/fixture.ts';
import {type H2Request, startH2Server} from '../support/h2-server.ts';
import {iterations} from '../support/iterations.ts';

let fixture: Fixture;
beforeAll(async () => {
	fixture = await createFixture();
});

const megabyte = 1_000_000;
const script = fileURLToPath(new URL('../support/child-early.ts', import.meta.url));

/** What a process of its own keeps of uploads that are answered early. */
async function keptBy(url: string, exchange: string, bytes: number, count: number) {
	const {cert, key} = fixture.alice;
	const args = ['--expose-gc', script, url, exchange, String(bytes), String(count)];
	const env = {...process.env, CA: fixture.pki.ca, CERT: cert, KEY: key};
	const {stdout} = await promisify(execFile)(process.execPath, args, {env});
	return JSON.parse(stdout);
}

async function stoppingServer(status: number) {
	const {cert, key} = await fixture.pki.server();
	const secure = {cert, key, ca: fixture.pki.ca, requestCert: true, rejectUnauthorized: true};
	let requests: readonly EarlyRequest[] = [];
	const server = await startEarlyServer(() => {
		// What it has not read is the system's to keep until its end is closed.
		requests.at(-30)?.socket.destroy();
		return {status, next: 'stops reading'};
	}, secure);
	({requests} = server);
	return `https://localhost:${server.port}/`;
}

/** Answers, and reads no more of a stream. */
function stop({stream}: H2Request): void {
	stream.pause();
	stream.respond({':status': 413});
	stream.end('early');
}

test.each([
	['undici', 413, megabyte, iterations({usual: 100, short: 100, long: 1_000})],
	['axios', 413, megabyte, iterations({usual: 100, short: 100, long: 1_000})],
	// More than the system takes that nobody reads.
	['undici', 200, 12 * megabyte, iterations({usual: 15, short: 6, long: 100})],
	['axios', 200, 12 * megabyte, iterations({usual: 15, short: 6, long: 100})],
	['http2', 413, megabyte, iterations({usual: 100, short: 100, long: 1_000})],
])(
	'uploads over %s that are answered early with %i leave no memory behind: %i bytes, %i times',
	async (exchange, status, bytes, count) => {
		const url =
			exchange === 'http2'
				? (await startH2Server(fixture.pki, {pages: {'/': stop}})).url()
				: await stoppingServer(status);
		const {answered, grown, sockets} = await keptBy(url, exchange, bytes, count);
		expect(answered).toBe(count);
		expect(grown / megabyte).toBeLessThan(16);
		expect(sockets).toMatchObject({active: 0, queued: 0});
		expect(sockets.idle).toBeLessThanOrEqual(1);
	},
	180_000,
);
