/*
 * The shapes of the bench, each for a moment: the figures mean nothing, but a peer that sends something
 * else than the shape says, or gets something else, ends the run.
 */
// Slow: it runs each shape of the bench once.
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';
import {makeConsumer} from './consumer.ts';

// The others need packages that the bench alone installs.
const peers = ['axios-agent', 'axios-http2', 'ours-direct', 'raw', 'raw-http2', 'core', 'least'];
const titles = [
	'GET',
	'GET, `metadata` in the config',
	'HEAD',
	'POST of JSON',
	"GET, `responseType: 'stream'`, 1 kB",
	'POST of FormData, three strings',
	'POST of FormData with a Blob',
	'HTTP/2 GET',
	'HTTP/2 POST of JSON',
	'HTTP/2 GET through a proxy',
];

test('every shape of the bench runs with the right requests and answers', async () => {
	using app = makeConsumer();
	const run = fileURLToPath(new URL('../../bench/run.js', import.meta.url));
	const only = ['shapes', 'streams', ...peers].flatMap((name) => ['--only', name]);

	const short = ['--rounds', '1', '--seconds', '0.001', '--load', '1'];
	const {code, stdout, stderr} = await app.run(process.execPath, [run, ...only, ...short]);

	expect(stderr).not.toMatch(/Error/);
	expect(code).toBe(0);
	for (const title of titles) expect(stdout).toContain(`\n| ${title} | axios-mtls | `);
	expect(stdout).not.toMatch(/NaN|undefined/);
	expect(stdout).toContain('0 requests, 0 sockets, 0 timers, 0 listeners');
}, 240_000);
