import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {beforeAll, expect, test} from 'vitest';
import type {Leftovers} from '../support/abort-scenarios.ts';

/** Far below the deadlines of its requests: a timer that was left would be seen. */
const endsWithinMs = 45_000;

let all: readonly Leftovers[];
beforeAll(async () => {
	const script = fileURLToPath(new URL('../support/abort-scenarios.ts', import.meta.url));
	const {NODE_OPTIONS: _, ...inherited} = process.env;
	const {stdout} = await promisify(execFile)(process.execPath, [script], {
		env: {...inherited, NODE_NO_WARNINGS: '1'},
		timeout: endsWithinMs,
	});
	all = JSON.parse(stdout);
}, endsWithinMs + 5_000);

// The process that played them has ended by itself, though no client was closed.
test.each([
	'waiting for the jar',
	'waiting for our identity',
	'looking a name up',
	'digging a tunnel',
	'shaking hands',
	'sending the body',
	'waiting for the answer',
	'reading the body',
	'reading the body of a redirect',
	'reading a stream',
])('a request that is given up while it is %s leaves nothing behind', (phase) => {
	const played = all.filter((one) => one.phase === phase);
	// Two exchanges; a signal and a token; three kinds of deadlines.
	expect(played).toHaveLength(12);
	for (const one of played) {
		expect(one).toMatchObject({
			code: 'ERR_CANCELED',
			listeners: 0,
			sockets: {active: 0, queued: 0},
			open: 0,
			resources: [],
		});
	}
});
