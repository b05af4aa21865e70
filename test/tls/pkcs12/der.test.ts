import {describe, expect, test} from 'vitest';
import {
	childrenOf,
	DerError,
	derKind,
	objectId,
	octetString,
	readDer,
	smallInteger,
} from '../../../src/tls/pkcs12/der.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('a value', () => {
	test.each([
		['a short length', '04 02 aabb', 'aabb'],
		['a long length', '04 81 02 aabb', 'aabb'],
		['four octets of length', '04 84 00000002 aabb', 'aabb'],
		['no content', '04 00', ''],
		['something after it', '04 01 aa bbbb', 'aa'],
		['an open end', '24 80 04 01 aa 04 01 bb 0000', '0401aa0401bb'],
		['an open end in another', '30 80 30 80 0000 0000 ffff', '30800000'],
	])('a DER value with %s is read', (_, bytes, content) => {
		expect(readDer(hex(bytes)).content.toString('hex')).toBe(content);
	});

	test.each([
		['nothing', ''],
		['a tag alone', '04'],
		['less than its length', '04 03 aabb'],
		['less than the octets of its length', '04 84 0000'],
		['a length of five octets', '04 85 0000000001 aa'],
		['a tag of several octets', '1f 81 01 00'],
		['an open end that does not come', '30 80 04 00'],
		['open ends one in another without end', '30 80'.repeat(40)],
	])('a DER value of %s is refused', (_, bytes) => {
		expect(() => readDer(hex(bytes))).toThrow(DerError);
	});

	test('a DER value whose end would be searched again and again is refused at once', () => {
		expect(() => readDer(Buffer.alloc(1_000_000, hex('3080')))).toThrow(DerError);
	});
});

test('pieces of an OCTET STRING are put together', () => {
	expect(octetString(readDer(hex('24 06 04 01 aa 04 01 bb'))).toString('hex')).toBe('aabb');
	expect(octetString(readDer(hex('a0 03 04 01 aa'))).toString('hex')).toBe('aa');
	expect(octetString(readDer(hex('80 01 aa'))).toString('hex')).toBe('aa');
	expect(() => octetString(readDer(hex('24 03 02 01 00')))).toThrow(DerError);
	expect(() => octetString(undefined)).toThrow(DerError);
});

test.each([
	['02 01 00', 0],
	['02 01 7f', 127],
	['02 02 00 ff', 255],
	['02 05 00 ff ff ff ff', 4_294_967_295],
])('the number %s is %i', (bytes, value) => {
	expect(smallInteger(readDer(hex(bytes)))).toBe(value);
});

test.each(['02 00', '02 01 80', '02 06 00 01 00 00 00 00', '04 01 00'])(
	'the bytes %s are not a DER count',
	(bytes) => {
		expect(() => smallInteger(readDer(hex(bytes)))).toThrow(DerError);
	},
);

test.each([
	['06 09 2a 86 48 86 f7 0d 01 07 01', '1.2.840.113549.1.7.1'],
	['06 05 2b 0e 03 02 1a', '1.3.14.3.2.26'],
	['06 09 60 86 48 01 65 03 04 01 2a', '2.16.840.1.101.3.4.1.42'],
	['06 03 55 1d 25', '2.5.29.37'],
])('the bytes %s are the object identifier %s', (bytes, dotted) => {
	expect(objectId(readDer(hex(bytes)))).toBe(dotted);
});

test('a SEQUENCE of which the last is cut short has no children to show', () => {
	expect(() => childrenOf(readDer(hex('30 03 02 04 00')))).toThrow(DerError);
});

test.each([
	['30 80 06 01 2a a0 80 0000 0000', 'PKCS7'],
	['30 05 02 01 03 30 00', 'PKCS12'],
	['30 03 02 01 00', undefined],
])('the bytes %s have the kind %s', (bytes, label) => {
	expect(derKind(hex(bytes))).toMatchObject({label});
});

test('what is no SEQUENCE, or text that begins like one, is no DER', () => {
	expect(derKind(hex('04 00'))).toBeUndefined();
	expect(derKind(Buffer.from('0\nhello'))).toBeUndefined();
	expect(derKind(hex('30 82 0100 00'))).toBe('damaged');
});
