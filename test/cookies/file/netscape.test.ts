import fc from 'fast-check';
import {Cookie} from 'tough-cookie';
import {describe, expect, test} from 'vitest';
import {CorruptFileError} from '../../../src/cookies/file/format.ts';
import {netscape} from '../../../src/cookies/file/netscape.ts';
import {plainJar, toCookie, toPlain} from '../../support/cookie-jars.ts';

const now = Date.parse('2026-03-01T00:00:00Z');
const header = '# Netscape HTTP Cookie File\n';

function parse(text: string) {
	const {entries} = netscape.parse(Buffer.from(text, 'latin1'), now);
	return [...entries.values()].map(({cookie}) => toPlain(cookie));
}

function damageOf(text: string): string {
	try {
		parse(text);
	} catch (error) {
		if (error instanceof CorruptFileError) return error.message;
		throw error;
	}
	throw new Error('it was read');
}

const plain = {
	domain: 'a.test',
	hostOnly: true,
	path: '/',
	secure: false,
	httpOnly: false,
	expires: 0,
	key: 'n',
	value: 'v',
};

describe('what is read', () => {
	test.each([
		['of curl', 'a.test\tFALSE\t/\tFALSE\t0\tn\tv', {}],
		['for subdomains', '.a.test\tTRUE\t/\tFALSE\t0\tn\tv', {hostOnly: false}],
		['of wget, without the dot', 'a.test\tTRUE\t/\tFALSE\t0\tn\tv', {hostOnly: false}],
		['of wget, with a port', 'a.test:8443\tFALSE\t/\tFALSE\t0\tn\tv', {}],
		['with HttpOnly', '#HttpOnly_a.test\tFALSE\t/\tFALSE\t0\tn\tv', {httpOnly: true}],
		['with Secure', 'a.test\tFALSE\t/\tTRUE\t0\tn\tv', {secure: true}],
		['with small words', 'a.test\tfalse\t/\ttrue\t0\tn\tv', {secure: true}],
		['with an expiry', 'a.test\tFALSE\t/\tFALSE\t2000000000\tn\tv', {expires: 2_000_000_000}],
		[
			'with parts of a second',
			'a.test\tFALSE\t/\tFALSE\t2000000000.5\tn\tv',
			{expires: 2_000_000_000.5},
		],
		['with an expiry before 1970', 'a.test\tFALSE\t/\tFALSE\t-1\tn\tv', {expires: -1}],
		[
			'beyond what a Date can be',
			'a.test\tFALSE\t/\tFALSE\t9223372036854775807\tn\tv',
			{expires: 8_640_000_000_000},
		],
		['of a session, as Python writes it', 'a.test\tFALSE\t/\tFALSE\t\tn\tv', {}],
		[
			'of localhost, as Python writes it',
			'localhost.local\tFALSE\t/\tFALSE\t\tn\tv',
			{domain: 'localhost'},
		],
		[
			'of another name that Python may have made',
			'wiki.local\tFALSE\t/\tFALSE\t\tn\tv',
			{domain: 'wiki.local'},
		],
		['without =, as Python writes it', 'a.test\tFALSE\t/\tFALSE\t0\t\tv', {key: ''}],
		['with an empty value', 'a.test\tFALSE\t/\tFALSE\t0\tn\t', {value: ''}],
		['with an empty value and no tab before it', 'a.test\tFALSE\t/\tFALSE\t0\tn', {value: ''}],
		['with = and quotes', 'a.test\tFALSE\t/\tFALSE\t0\tn\t"a=b; c"', {value: '"a=b; c"'}],
		[
			'with bytes that are no ASCII',
			'a.test\tFALSE\t/\tFALSE\t0\tn\t\xe9\xff',
			{value: '\xe9\xff'},
		],
		['of an IPv6 address', '::1\tFALSE\t/\tFALSE\t0\tn\tv', {domain: '::1'}],
		['of an IPv6 address in brackets', '[::1]:8443\tFALSE\t/\tFALSE\t0\tn\tv', {domain: '::1'}],
		['in capitals', 'A.Test\tFALSE\t/\tFALSE\t0\tn\tv', {}],
		['with a carriage return', 'a.test\tFALSE\t/\tFALSE\t0\tn\tv\r', {}],
	])('the parser reads a line %s', (_, line, fields) => {
		expect(parse(`${header}\n# a remark\n${line}\n`)).toEqual([{...plain, ...fields}]);
	});

	test('the parser reads a file without its header, or without its last line end', () => {
		expect(parse('a.test\tFALSE\t/\tFALSE\t0\tn\tv')).toEqual([plain]);
	});

	test('the parser keeps the last of two lines with one cookie', () => {
		const line = (value: string) => `a.test\tFALSE\t/\tFALSE\t0\tn\t${value}\n`;
		expect(parse(line('v') + line('w'))).toEqual([{...plain, value: 'w'}]);
	});

	test('the parser keeps the text of a line as it was', () => {
		const line = 'a.test:8443\tfalse\t/\tFALSE\t\tn\tv';
		const {entries} = netscape.parse(Buffer.from(`${header}${line}\r\n`), now);
		expect([...entries.values()].map(({text}) => text)).toEqual([line]);
	});
});

describe('what is damaged', () => {
	test.each([
		['five fields', 'a.test\tFALSE\t/\tFALSE\t0', 'expected 7 fields between tabs, found 5'],
		[
			'eight fields',
			'a.test\tFALSE\t/\tFALSE\t0\tn\tsecret\t',
			'expected 7 fields between tabs, found 8',
		],
		[
			'spaces for tabs',
			'a.test FALSE / FALSE 0 n secret',
			'expected 7 fields between tabs, found 1',
		],
		['no domain', '\tFALSE\t/\tFALSE\t0\tn\tsecret', 'expected a domain in field 1'],
		['a dot for a domain', '.\tTRUE\t/\tFALSE\t0\tn\tsecret', 'expected a domain in field 1'],
		['a URL', 'https://a.test/\tTRUE\t/\tFALSE\t0\tn\tsecret', 'expected a domain in field 1'],
		['another word', 'a.test\tYES\t/\tFALSE\t0\tn\tsecret', 'expected TRUE or FALSE in field 2'],
		['another word', 'a.test\tTRUE\t/\t1\t0\tn\tsecret', 'expected TRUE or FALSE in field 4'],
		['no path', 'a.test\tTRUE\t\tFALSE\t0\tn\tsecret', 'expected a path in field 3'],
		[
			'a date',
			'a.test\tTRUE\t/\tFALSE\t2026-03-01\tn\tsecret',
			'expected seconds since the epoch in field 5',
		],
		['NUL', 'a.test\tTRUE\t/\tFALSE\t0\tn\tsecret\0', 'expected no control characters'],
		['a lone CR', 'a.test\tTRUE\t/\tFALSE\t0\tn\tsec\rret', 'expected no control characters'],
		['neither name nor value', 'a.test\tTRUE\t/\tFALSE\t0\t\t', 'expected a name in field 6'],
	])('the Netscape file %s is refused as damaged', (_, line, why) => {
		const message = damageOf(`${header}\na.test\tFALSE\t/\tFALSE\t0\tn\tv\n${line}\n`);
		expect(message).toBe(`line 4: ${why}`);
		expect(message).not.toContain('secret');
	});
});

describe('what is written', () => {
	const write = (fields: ConstructorParameters<typeof Cookie>[0]) =>
		netscape.write(new Cookie({...plain, expires: 'Infinity', ...fields}), now);

	test.each([
		['a host-only cookie', {}, 'a.test\tFALSE\t/\tFALSE\t0\tn\tv'],
		[
			'one for subdomains, as Python insists on it',
			{hostOnly: false},
			'.a.test\tTRUE\t/\tFALSE\t0\tn\tv',
		],
		[
			'one of an address, which has no subdomains',
			{domain: '127.0.0.1', hostOnly: false},
			'127.0.0.1\tFALSE\t/\tFALSE\t0\tn\tv',
		],
		[
			'whole seconds',
			{expires: new Date(2_000_000_000_999)},
			'a.test\tFALSE\t/\tFALSE\t2000000000\tn\tv',
		],
		[
			'an expiry in the first second of all',
			{expires: new Date(999)},
			'a.test\tFALSE\t/\tFALSE\t1\tn\tv',
		],
		['an expiry before that', {maxAge: 0}, 'a.test\tFALSE\t/\tFALSE\t1\tn\tv'],
		[
			'Max-Age from when it came',
			{maxAge: 60, lastAccessed: new Date(now)},
			`a.test\tFALSE\t/\tFALSE\t${now / 1000 + 60}\tn\tv`,
		],
		[
			'an expiry that never comes',
			{maxAge: 'Infinity' as const},
			'a.test\tFALSE\t/\tFALSE\t8640000000000\tn\tv',
		],
	])('the writer writes %s as its Netscape line', (_, fields, line) => {
		expect(write(fields)).toBe(line);
	});

	test.each([
		['a tab', {value: 'a\tb'}],
		['a line feed', {value: 'a\nb'}],
		['a carriage return', {key: 'a\rb'}],
		['NUL', {path: '/\0'}],
		['DEL', {value: '\x7f'}],
		['what is no byte', {value: '\u0100'}],
		['no domain', {domain: ''}],
		['no path', {path: 'a'}],
		['neither name nor value', {key: '', value: ''}],
	])('the writer leaves out a cookie with %s', (_, fields) => {
		expect(write(fields)).toBeUndefined();
	});

	test('the writer writes the byte 0xff as it is', () => {
		expect(write({value: '\xff'})).toBe('a.test\tFALSE\t/\tFALSE\t0\tn\t\xff');
	});
});

test('a file of Python is continued as Python would: no expiry for a session, its name for localhost, and its header', () => {
	const file = [
		'# Netscape HTTP Cookie File',
		'# http://curl.haxx.se/rfc/cookie_spec.html',
		'# This is a generated file!  Do not edit.',
		'',
		'a.test\tFALSE\t/\tFALSE\t\tn\tv',
		'localhost.local\tFALSE\t/\tFALSE\t\tn\tv',
		'',
	].join('\n');
	const {format, entries} = netscape.parse(Buffer.from(file), now);
	const texts = [...entries.values()].map(({cookie}) => format.write(cookie, now) ?? '');
	expect(format.serialize(texts).toString()).toBe(file);
	expect(format.parse(format.serialize(texts), now).format).toBe(format);
	expect(netscape.parse(netscape.serialize(texts), now).format).toBe(netscape);
});

test('1,000 jars come back field by field', () => {
	fc.assert(
		fc.property(plainJar, (jar) => {
			const lines = jar.map((each) => netscape.write(toCookie(each), now) ?? '');
			expect(parse(netscape.serialize(lines).toString('latin1'))).toEqual(jar);
		}),
		{numRuns: 1_000},
	);
});
