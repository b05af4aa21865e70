import {randomBytes} from 'node:crypto';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {createCookieCipher, DecryptionError} from '../../src/redis/encryption.ts';
import {printedForms} from '../support/printed-forms.ts';

const [old, current, other] = [randomBytes(32), randomBytes(32), randomBytes(32)];
const associatedData = '["session","field"]';

/** Why a value does not open. */
function refusal(open: () => string): string {
	try {
		return `opens: ${open()}`;
	} catch (error) {
		if (!(error instanceof DecryptionError)) throw error;
		return error.message;
	}
}

describe('with a key', () => {
	const cipher = createCookieCipher([current]);

	test('a value is decrypted where it was encrypted, whatever the text', () => {
		fc.assert(
			fc.property(fc.string({unit: 'binary'}), fc.string(), (text, where) => {
				expect(cipher.decrypt(cipher.encrypt(text, where), where)).toBe(text);
			}),
		);
	});

	test('a value shows nothing of its text, and no two are alike', () => {
		const values = new Set(
			Array.from({length: 1_000}, () => cipher.encrypt('MARK-text', associatedData)),
		);

		expect(values.size).toBe(1_000);
		const bytes = [...values].map((value) => Buffer.from(value.slice(3), 'base64'));
		expect(bytes.some((one) => one.includes('MARK'))).toBe(false);
		expect(new Set(bytes.map((one) => one.toString('hex', 0, 12))).size).toBe(1_000);
	});

	test('a value is not decrypted in another field or with another key', () => {
		const value = cipher.encrypt('text', associatedData);
		const changed = 'another one encrypted it, or it was changed';

		expect(refusal(() => cipher.decrypt(value, '["session","other"]'))).toBe(
			`the key fails: ${changed}`,
		);
		expect(refusal(() => createCookieCipher([other]).decrypt(value, associatedData))).toBe(
			`the key fails: ${changed}`,
		);
		expect(refusal(() => createCookieCipher([other, old]).decrypt(value, associatedData))).toBe(
			`each of the 2 keys fails: ${changed}`,
		);
	});

	test('a value of which any bit is flipped is not decrypted', () => {
		const bytes = Buffer.from(cipher.encrypt('text', associatedData).slice(3), 'base64');
		for (let bit = 0; bit < bytes.length * 8; bit++) {
			const turned = Buffer.from(bytes);
			turned.writeUInt8(turned.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);

			expect(
				refusal(() => cipher.decrypt(`v1:${turned.toString('base64')}`, associatedData)),
			).toContain('it was changed');
		}
	});

	test('a value of which the end is missing is not decrypted', () => {
		const bytes = Buffer.from(cipher.encrypt('text', associatedData).slice(3), 'base64');
		for (let length = 0; length < bytes.length; length++) {
			const cut = `v1:${bytes.toString('base64', 0, length)}`;

			expect(refusal(() => cipher.decrypt(cut, associatedData))).toMatch(
				length < 28 ? /^it is cut off$/ : /it was changed$/,
			);
		}
	});

	test('a value that was never encrypted is not decrypted', () => {
		expect(refusal(() => cipher.decrypt('{"key":"a"}', associatedData))).toBe(
			'it is not encrypted',
		);
		expect(refusal(() => cipher.decrypt('', associatedData))).toBe('it is not encrypted');
	});

	test('the key cannot be read from the cipher object', () => {
		const mark = 'MARK-of-32-bytes-in-a-key-of-ours';
		const printed = printedForms(createCookieCipher([Buffer.from(mark.slice(0, 32))]));

		expect(printed).not.toContain('MARK');
		expect(printed).not.toContain(Buffer.from('MARK').toString('hex'));
	});
});

test('the first of several keys encrypts, and any of them decrypts', () => {
	const before = createCookieCipher([old]).encrypt('text', associatedData);
	const both = createCookieCipher([current, old]);

	expect(both.decrypt(before, associatedData)).toBe('text');
	expect(
		createCookieCipher([current]).decrypt(both.encrypt('text', associatedData), associatedData),
	).toBe('text');
	expect(
		refusal(() =>
			createCookieCipher([old]).decrypt(both.encrypt('text', associatedData), associatedData),
		),
	).toContain('fails');
});

test('a value without a key is its text, and an encrypted one is refused', () => {
	const cipher = createCookieCipher([]);

	expect(cipher.decrypt(cipher.encrypt('{"key":"a"}', associatedData), associatedData)).toBe(
		'{"key":"a"}',
	);
	expect(
		refusal(() =>
			cipher.decrypt(createCookieCipher([current]).encrypt('text', associatedData), associatedData),
		),
	).toBe('it is encrypted, and no key was given');
});
