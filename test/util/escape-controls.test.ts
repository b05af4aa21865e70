import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {escapeControls, escapeJson} from '../../src/util/escape-controls.ts';

// What a terminal, or an eye, is misled by: never in what is printed of a stranger.
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const anything = fc.string({unit: 'binary'});

describe('text of a stranger', () => {
	test.each([
		['an escape sequence', 'ok\u001b[2K', 'ok\\x1b[2K'],
		['its form in one byte', 'ok\u009b2K', 'ok\\x9b2K'],
		['a line of its own', 'ok\r\n✓ trusted', 'ok\\x0d\\x0a✓ trusted'],
		['DEL', '\u007f', '\\x7f'],
		['the right-to-left override', 'a\u202egpj.exe', 'a\\u202egpj.exe'],
		['an isolate', '\u2066a\u2069', '\\u2066a\\u2069'],
		['a mark of direction', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
		['what has no width', 'ba\u200bnk\ufeff', 'ba\\u200bnk\\ufeff'],
		['a soft hyphen', 'ba\u00adnk', 'ba\\xadnk'],
		['a line separator', '\u2028\u2029', '\\u2028\\u2029'],
		['a tag', '\u{e0041}', '\\u{e0041}'],
		['half a character', '\ud800', '\\ud800'],
	])('escaped text shows %s as an escape', (_, text, shown) => {
		expect(escapeControls(text)).toBe(shown);
	});

	test.each(['CN=bank.example, O=Bank', 'Zürich', '銀行', 'بنك', '😀', 'a\'b"c\\d', ''])(
		'visible text stays as it is: %s',
		(text) => {
			expect(escapeControls(text)).toBe(text);
			expect(escapeJson(JSON.stringify(text))).toBe(JSON.stringify(text));
		},
	);

	test('escaped text holds nothing invisible, whatever it was', () => {
		fc.assert(fc.property(anything, (text) => !unseen.test(escapeControls(text))));
	});
});

describe('JSON for a terminal', () => {
	test('JSON for a terminal escapes what JSON.stringify leaves, and keeps its lines', () => {
		const json = JSON.stringify({a: ['ok\u009b2K', '\u202e\u{e0041}\u007f\n']}, null, 2);
		expect(escapeJson(json)).toBe(
			'{\n  "a": [\n    "ok\\u009b2K",\n    "\\u202e\\udb40\\udc41\\u007f\\n"\n  ]\n}',
		);
	});

	test('JSON for a terminal parses to the same value, whatever it holds', () => {
		fc.assert(
			fc.property(fc.dictionary(anything, anything), (value) => {
				const escaped = escapeJson(JSON.stringify(value, null, 2));
				expect(JSON.parse(escaped)).toEqual(JSON.parse(JSON.stringify(value)));
				expect(escaped.split('\n').join('')).not.toMatch(unseen);
			}),
		);
	});
});
