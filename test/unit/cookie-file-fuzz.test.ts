/*
 * Cookie files that were bent: each is read or damaged, tells no cookie, and what was read is written
 * so that it is read again.
 */
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {cookieJson} from '../../src/jar/cookie-json.ts';
import {Damage} from '../../src/jar/entry.ts';
import {netscape} from '../../src/jar/netscape.ts';
import {parseCookies} from '../../src/jar/read-file.ts';
import {bend, edits} from '../support/bend.ts';
import {plainJar, toCookie} from '../support/cookie-jars.ts';

const now = Date.parse('2026-03-01T00:00:00Z');

// In no message, however the file was bent.
const secret = 'TOPSECRET';
const jars = fc.sample(plainJar, {numRuns: 200, seed: 20_260_301}).filter(({length}) => length > 0);

for (const [name, format] of Object.entries({netscape, json: cookieJson})) {
	const files = jars.map((jar) =>
		format.join(jar.map((each) => format.write(toCookie({...each, value: secret})) ?? '')),
	);

	test(`20,000 files in the form of ${name}`, () => {
		const outcomes = {read: 0, damaged: 0};
		const input = fc.record({
			index: fc.nat(files.length - 1),
			edits,
			other: fc.nat(files.length - 1),
		});
		fc.assert(
			fc.property(input, ({index, edits, other}) => {
				const [file, donor] = [files[index], files[other]];
				if (file === undefined || donor === undefined) throw new Error('no such file');
				outcomes[outcomeOf(bend(file, edits, donor))] += 1;
			}),
			{seed: 20_260_301, numRuns: 20_000},
		);
		expect(outcomes.read).toBeGreaterThan(1_000);
		expect(outcomes.damaged).toBeGreaterThan(1_000);
	});
}

function outcomeOf(bytes: Buffer): 'read' | 'damaged' {
	try {
		const {format, entries, head} = parseCookies(bytes, netscape, now);
		const texts = [...entries.values()].map(({text}) => text);
		const again = parseCookies(format.join(texts, head), format, now).entries;
		if (!sameIds(entries, again)) throw new Error('other cookies the second time');
		const written = [...entries.values()].flatMap(({cookie}) => format.write(cookie) ?? []);
		const rewritten = parseCookies(format.join(written, head), format, now).entries;
		if (!sameIds(entries, rewritten)) throw new Error('other cookies when they were written');
		return 'read';
	} catch (error) {
		// `expect` would take longer than what is tested.
		if (!(error instanceof Damage) || /SECRE|OPSEC/.test(error.message)) throw error;
		return 'damaged';
	}
}

function sameIds(one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>): boolean {
	return JSON.stringify([...one.keys()]) === JSON.stringify([...other.keys()]);
}
