// Slow: it makes a handshake for each of a corpus of chains, in processes of its own.
import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {expect, type TestContext, test} from 'vitest';
import {needs} from '../../support/servers/programs.ts';
import {readCases, readVerdicts, whyNoLimbo} from '../../support/x509-limbo.ts';
import type {CaseResult} from '../../support/x509-limbo-handshake.ts';

const cases = whyNoLimbo === undefined ? readCases() : [];
const dates = new Set(cases.map(({validation_time: time}) => time));
dates.delete(null);

/** Where our verdict is not the one that Node gave when it was recorded, and why. */
const ours: Readonly<Record<string, string>> = {
	// Node 22.23 finds no IPv6 address in any certificate (https://github.com/nodejs/node/issues/64144).
	// We do (src/tls/trust/verification.ts), and so say on each Node what 24 and 26 say.
	'rfc5280::nc::permitted-ipv6-match': 'OK',
	'webpki::cn::ipv6-non-rfc5952-mismatch': 'OK',
	'webpki::cn::ipv6-uncompressed-mismatch': 'OK',
	'webpki::cn::ipv6-uppercase-mismatch': 'OK',
};

test('171 cases of x509-limbo can be played', (context) => {
	needsLimbo(context);
	expect(cases).toHaveLength(171);
	const verdicts = readVerdicts();
	expect(cases.map(({id}) => id).sort()).toEqual([...verdicts.keys()].sort());
	expect(cases.map(({id}) => id)).toEqual(expect.arrayContaining(Object.keys(ours)));
});

test('a case without a date ends as Node itself ends it', async (context) => {
	needsLimbo(context);
	const [result] = await play(process.execPath, []);
	expect(result?.outcomes).toEqual(expectedAt(null));
});

const times = [...dates].map(String);
let played: readonly CaseResult[] | undefined;

// One process plays them all, and sets its clock for each.
async function playAll(context: TestContext): Promise<readonly CaseResult[]> {
	needsLimbo(context);
	const faketime = needs(context, 'faketime');
	// What measures durations goes on.
	const clock = ['--exclude-monotonic', '-f', '2024-01-01 00:00:00'];
	played ??= await play(faketime, [...clock, process.execPath], ...times);
	return played;
}

test.for(times)('a case of %s ends as Node itself ends it', async (time, context) => {
	const {now, outcomes} = (await playAll(context))[times.indexOf(time)] ?? {};
	expect(now).toBe(new Date(time).toISOString());
	expect(outcomes).toEqual(expectedAt(time));
});

/** The cases lie outside of the clone, so their absence is a skip on CI too. */
function needsLimbo({skip}: TestContext): void {
	if (whyNoLimbo !== undefined) skip(whyNoLimbo);
}

/** Plays the cases of each of `times` in a process that `program` starts. */
async function play(
	program: string,
	argv: readonly string[],
	...times: readonly string[]
): Promise<CaseResult[]> {
	const script = fileURLToPath(new URL('../../support/x509-limbo-handshake.ts', import.meta.url));
	const {PATH} = process.env;
	const {stdout} = await promisify(execFile)(program, [...argv, script, ...times], {
		// faketime reads local time.
		env: {
			PATH,
			TZ: 'UTC',
			FAKETIME_NO_CACHE: '1',
			NODE_NO_WARNINGS: '1',
			NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
		},
	});
	return stdout
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line) as CaseResult);
}

/** Nothing reaches a server that was not accepted. */
function expectedAt(time: string | null): CaseResult['outcomes'] {
	const verdicts = readVerdicts();
	return Object.fromEntries(
		cases
			.filter(({validation_time}) => validation_time === time)
			.map(({id}) => {
				const verdict = ours[id] ?? verdicts.get(id) ?? 'no verdict';
				return [id, {verdict, requests: verdict === 'OK' ? 1 : 0}];
			}),
	);
}
