// Slow: it makes thousands of requests in a process of its own, to see what memory they leave.
import {execFile} from 'node:child_process';
import {createServer} from 'node:net';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';
import {listening} from '../support/listening.ts';

const child = fileURLToPath(new URL('../support/child-chunks.ts', import.meta.url));
const chunks = 3_000;
const extension = 'x'.repeat(10_000);

// Seen: `maxContentLength` counts the bytes of a body, and each piece of it kept all that was read with
// it: 1 byte, and 15 kB of an extension (RFC 9112 §7.1.1) that nobody asks for.
test('the chunks of a body hold no more memory than they count for', {
	timeout: 60_000,
}, async () => {
	const server = createServer((socket) => {
		socket.on('error', () => {});
		socket.once('data', async () => {
			socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
			for (let i = 0; i < chunks; i += 1) {
				if (socket.write(`1;${extension}\r\na\r\n`)) continue;
				await new Promise((resolve) => socket.once('drain', resolve));
			}
			socket.end('0\r\n\r\n');
		});
	});
	const url = `http://127.0.0.1:${await listening(server)}/`;

	const argv = ['--no-warnings', '--expose-gc', child];
	const {stdout} = await promisify(execFile)(process.execPath, argv, {env: {URL: url}});

	const {received, heldBytes} = JSON.parse(stdout);
	expect(received).toBe(chunks);
	expect(heldBytes).toBeLessThan(8 * 1024 * 1024);
});
