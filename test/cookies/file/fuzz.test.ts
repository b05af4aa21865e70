/*
 * Cookie files that were mutated, with LONG a hundred thousand: each is read as it is, or is refused as
 * damaged, and stays.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import fc from 'fast-check';
import {CookieJar} from 'tough-cookie';
import {expect, test, vi} from 'vitest';
import {
	type Content,
	type CookieFormat,
	CorruptFileError,
} from '../../../src/cookies/file/format.ts';
import {formats} from '../../../src/cookies/file/read-cookie-file.ts';
import {fileJar, MtlsConfigError} from '../../../src/index.ts';
import {iterations} from '../../support/iterations.ts';
import {mutate} from '../../support/mutate.ts';
import {type MutatedHeader, mutatedHeaders, pick} from '../../support/mutated-headers.ts';
import {tempFile} from '../../support/temp-file.ts';

const seed = 20_260_301;
const now = Date.parse('2026-03-01T00:00:00Z');
vi.setConfig({testTimeout: 120_000});

const line = (...fields: string[]) => `${fields.join('\t')}\n`;
const text = (...lines: string[]) => Buffer.from(lines.join(''), 'latin1');

const netscapeFiles = [
	text(
		'# Netscape HTTP Cookie File\n# https://curl.se/docs/http-cookies.html\n\n',
		line('#HttpOnly_.a.test', 'TRUE', '/', 'TRUE', '1900000000', 'id', 's3cret'),
		line('a.test', 'FALSE', '/app', 'FALSE', '0', 'other', 's3cret'),
	),
	text(
		'# HTTP Cookie File\n',
		line('localhost:8443', 'FALSE', '/', 'FALSE', '1900000000', 'wget', 's3cret'),
		line('127.0.0.1', 'FALSE', '/', 'FALSE', '1', 'old', 's3cret\u00e9'),
	),
	text(
		'# Netscape HTTP Cookie File\r\n# This is a generated file!  Do not edit.\r\n\r\n',
		line('.a.test', 'TRUE', '/', 'FALSE', '', '', 's3cret'),
		line('::1', 'FALSE', '/', 'FALSE', '1900000000.5', 'python', 's3cret'),
	),
];

const jar = new CookieJar();
for (const each of [
	'id=s3cret; Max-Age=100; HttpOnly',
	'b=s3cret; Path=/x; SameSite=Lax; Extra=1',
]) {
	jar.setCookieSync(each, 'https://a.test/', {now: new Date(now)});
}
const jsonFiles = [
	Buffer.from(JSON.stringify(jar)),
	Buffer.from(JSON.stringify(jar, null, '\t')),
	Buffer.from(
		'{"version":"tough-cookie@6.1.0","cookies":[{"key":"a","value":"s3cret","domain":"a.test","path":"/","maxAge":"Infinity","expires":"Infinity","creation":null}]}',
	),
];

function bendFile(files: readonly Buffer[], {index, edits, choice}: MutatedHeader): Buffer {
	return mutate(pick(files, index), edits, pick(files, index + choice));
}

/** Whether it was read; then it can be written, and read again. */
function isRead(format: CookieFormat, bytes: Buffer): boolean {
	const content = parse(format, bytes);
	if (content === undefined) return false;
	const {entries, head} = content;
	const texts = [...entries.values()].map((entry) => entry.text);
	const written = [...entries.values()].map(({cookie}) => format.write(cookie, now) ?? '');
	for (const each of [texts, written]) {
		const again = parse(format, format.serialize(each, head));
		if (String([...(again?.entries.keys() ?? [])]) === String([...entries.keys()])) continue;
		throw new Error(`${JSON.stringify(bytes.toString('latin1'))} is written as other cookies`);
	}
	return true;
}

/** `undefined` for a file that is damaged. */
function parse(format: CookieFormat, bytes: Buffer): Content | undefined {
	try {
		return format.parse(bytes, now);
	} catch (error) {
		if (!(error instanceof CorruptFileError) || /s3c|cret/.test(error.message)) throw error;
		return undefined;
	}
}

test.each([
	['netscape', netscapeFiles, iterations({usual: 6_600, long: 66_000})],
	['json', jsonFiles, iterations({usual: 3_300, long: 33_000})],
] as const)(
	'a mutated cookie file of format %s is read and written again, or is refused as damaged',
	(name, files, runs) => {
		let read = 0;
		const property = fc.property(mutatedHeaders, (one) => {
			read += Number(isRead(formats[name], bendFile(files, one)));
		});
		fc.assert(property, {seed, numRuns: runs});
		expect(read).toBeGreaterThan(runs / 20);
		expect(runs - read).toBeGreaterThan(runs / 20);
	},
);

test('a mutated cookie file on the disk loads or is refused, and stays as it is', () => {
	const path = tempFile('cookies');
	const outcomes = new Map<string, number>();
	const property = fc.property(mutatedHeaders, (one) => {
		const bytes = bendFile([...netscapeFiles, ...jsonFiles], one);
		writeFileSync(path, bytes, {mode: 0o600});
		let outcome = 'loaded';
		try {
			fileJar(path, {logger: false}).getCookiesSync('https://a.test/app');
		} catch (error) {
			if (!(error instanceof MtlsConfigError) || error.option !== 'jar') throw error;
			if (/s3c|cret/.test(error.message)) throw error;
			outcome = error.code;
		}
		if (!readFileSync(path).equals(bytes)) throw new Error('the file has changed');
		outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
	});
	fc.assert(property, {seed, numRuns: iterations({usual: 300, long: 1_000})});
	expect([...outcomes.keys()].sort()).toEqual(['ERR_MTLS_JAR_DAMAGED', 'loaded']);
});
