import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';

const script = fileURLToPath(new URL('./trips.ts', import.meta.url));

test('a second GET, createClient and a failed handshake enter no more files than they did', async () => {
	// It fails when a trip enters more than it may.
	const {stdout} = await promisify(execFile)(process.execPath, ['--no-warnings', script]);
	expect(stdout).toMatch(/^createClient: \d+ files, at most \d+\n {2}client\//);
	expect(stdout.match(/ files, at most /g)).toHaveLength(3);
});
