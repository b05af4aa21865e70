import {randomBytes} from 'node:crypto';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {makeSeal, SealError} from '../../src/redis/encryption.ts';
import {prints} from '../support/printed-forms.ts';

const [old, current, other] = [randomBytes(32), randomBytes(32), randomBytes(32)];
const place = '["session","field"]';

/** Why a value does not open. */
function refusal(open: () => string): string {
	try {
		return `opens: ${open()}`;
	} catch (error) {
		if (!(error instanceof SealError)) throw error;
		return error.message;
	}
}

describe('with a key', () => {
	const seal = makeSeal([current]);

	test('a value opens where it was sealed, whatever the text', () => {
		fc.assert(
			fc.property(fc.string({unit: 'binary'}), fc.string(), (text, where) => {
				expect(seal.open(seal.seal(text, where), where)).toBe(text);
			}),
		);
	});

	test('a value shows nothing of its text, and no two are alike', () => {
		const values = new Set(Array.from({length: 1_000}, () => seal.seal('MARK-text', place)));

		expect(values.size).toBe(1_000);
		const bytes = [...values].map((value) => Buffer.from(value.slice(3), 'base64'));
		expect(bytes.some((one) => one.includes('MARK'))).toBe(false);
		expect(new Set(bytes.map((one) => one.toString('hex', 0, 12))).size).toBe(1_000);
	});

	test('a value does not open in another place or with another key', () => {
		const value = seal.seal('text', place);
		const changed = 'another one sealed it, or it was changed';

		expect(refusal(() => seal.open(value, '["session","other"]'))).toBe(
			`the key fails: ${changed}`,
		);
		expect(refusal(() => makeSeal([other]).open(value, place))).toBe(`the key fails: ${changed}`);
		expect(refusal(() => makeSeal([other, old]).open(value, place))).toBe(
			`each of the 2 keys fails: ${changed}`,
		);
	});

	test('a value of which any bit is turned does not open', () => {
		const bytes = Buffer.from(seal.seal('text', place).slice(3), 'base64');
		for (let bit = 0; bit < bytes.length * 8; bit++) {
			const turned = Buffer.from(bytes);
			turned.writeUInt8(turned.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);

			expect(refusal(() => seal.open(`v1:${turned.toString('base64')}`, place))).toContain(
				'it was changed',
			);
		}
	});

	test('a value of which the end is missing does not open', () => {
		const bytes = Buffer.from(seal.seal('text', place).slice(3), 'base64');
		for (let length = 0; length < bytes.length; length++) {
			const cut = `v1:${bytes.toString('base64', 0, length)}`;

			expect(refusal(() => seal.open(cut, place))).toMatch(
				length < 28 ? /^it is cut off$/ : /it was changed$/,
			);
		}
	});

	test('a value that was never encrypted does not open', () => {
		expect(refusal(() => seal.open('{"key":"a"}', place))).toBe('it is not encrypted');
		expect(refusal(() => seal.open('', place))).toBe('it is not encrypted');
	});

	test('the key cannot be read off it', () => {
		const mark = 'MARK-of-32-bytes-in-a-key-of-ours';
		const printed = prints(makeSeal([Buffer.from(mark.slice(0, 32))]));

		expect(printed).not.toContain('MARK');
		expect(printed).not.toContain(Buffer.from('MARK').toString('hex'));
	});
});

test('of several keys the first one seals and any opens', () => {
	const before = makeSeal([old]).seal('text', place);
	const both = makeSeal([current, old]);

	expect(both.open(before, place)).toBe('text');
	expect(makeSeal([current]).open(both.seal('text', place), place)).toBe('text');
	expect(refusal(() => makeSeal([old]).open(both.seal('text', place), place))).toContain('fails');
});

test('without a key a value is its text, and an encrypted one does not open', () => {
	const seal = makeSeal([]);

	expect(seal.open(seal.seal('{"key":"a"}', place), place)).toBe('{"key":"a"}');
	expect(refusal(() => seal.open(makeSeal([current]).seal('text', place), place))).toBe(
		'it is encrypted, and no key was given',
	);
});
