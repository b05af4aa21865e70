// Slow: it makes thousands of requests in a process of its own, to see what memory they leave.
import {execFile} from 'node:child_process';
import {once} from 'node:events';
import https from 'node:https';
import type {AddressInfo} from 'node:net';
import {promisify} from 'node:util';
import {expect, onTestFinished, test} from 'vitest';
import {createTestPki} from '../../src/testing/index.ts';

const child = new URL('../support/child-cookie-memory.ts', import.meta.url).pathname;
const paths = 40;

// Seen: a verified server sets 1.2 MB of cookies, each distinct path then costs 2.4 MB, and a heap of
// 1 GB ends after some 410 requests. Why: a thousand lists of cookies were remembered, whatever their
// size. Now: a MiB of them.
test(`${paths} paths under a jar of 1.2 MB stay under 64 MB above the start`, {
	timeout: 120_000,
}, async () => {
	const pki = await createTestPki();
	const {cert, key} = await pki.server();
	const sizes: number[] = [];
	const server = https.createServer({cert, key, maxHeaderSize: 2_000_000}, (request, response) => {
		sizes.push(request.headers.cookie?.length ?? 0);
		response.end('{}');
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(async () => {
		server.closeAllConnections();
		server.close();
		await once(server, 'close');
	});
	const origin = `https://localhost:${(server.address() as AddressInfo).port}`;
	const argv = ['--expose-gc', '--max-old-space-size=200', child, origin, pki.ca, String(paths)];
	const {stdout} = await promisify(execFile)(process.execPath, argv, {env: {}});

	expect(sizes).toHaveLength(paths + 1);
	expect(Math.min(...sizes)).toBeGreaterThan(1_200_000);
	expect(JSON.parse(stdout).grown).toBeLessThan(64 * 1024 * 1024);
});
