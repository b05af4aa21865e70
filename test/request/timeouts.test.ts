import {describe, expect, test} from 'vitest';
import {MtlsConfigError} from '../../src/errors.ts';
import {createAdapter, createClient} from '../../src/index.ts';
import {resolveTimeouts} from '../../src/request/timeouts.ts';

function refusalOf(own: unknown): unknown {
	try {
		resolveTimeouts(own);
	} catch (error) {
		expect(error).toBeInstanceOf(MtlsConfigError);
		return error;
	}
	throw new Error('it was accepted');
}

test('a request has the deadlines of its client, but for those that it gives itself', () => {
	const base = {connectMs: 1, handshakeMs: 2};
	expect(resolveTimeouts(undefined, base)).toBe(base);
	expect(resolveTimeouts({handshakeMs: 0, requestMs: 3, connectMs: undefined}, base)).toEqual({
		connectMs: 1,
		handshakeMs: 0,
		requestMs: 3,
	});
	expect(base).toEqual({connectMs: 1, handshakeMs: 2});
});

test.each([0, 1, 2 ** 31 - 1])('a timeout of %s ms is accepted', (limit) => {
	expect(resolveTimeouts({firstByteMs: limit})).toEqual({firstByteMs: limit});
});

test.each([-1, 2 ** 31, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
	'a timeout of %s ms is refused',
	(limit) => {
		expect(refusalOf({firstByteMs: limit})).toMatchObject({
			code: 'ERR_MTLS_BAD_OPTION',
			option: 'timeouts.firstByteMs',
			message: `timeouts.firstByteMs: expected whole milliseconds from 0 to 2147483647, found ${limit}`,
		});
	},
);

test.each([
	['text', '100', 'string'],
	['null', null, 'null'],
	['a list', [100], 'an array'],
])('the value %s is not a time', (_, limit, found) => {
	expect(refusalOf({connectMs: limit})).toMatchObject({
		code: 'ERR_MTLS_BAD_OPTION',
		option: 'timeouts.connectMs',
		message: expect.stringMatching(new RegExp(`found ${found}$`)),
	});
});

test.each([
	[1_000, '1000'],
	[null, 'null'],
	[[], 'an array'],
	['fast', 'string'],
])('the value %s is refused for `timeouts`', (own, found) => {
	expect(refusalOf(own)).toMatchObject({
		code: 'ERR_MTLS_BAD_OPTION',
		option: 'timeouts',
		message: `timeouts: expected an object, found ${found}`,
	});
});

test('a deadline of another name is refused', () => {
	expect(refusalOf({connect: 1})).toMatchObject({
		code: 'ERR_MTLS_UNKNOWN_OPTION',
		option: 'timeouts.connect',
		message: expect.stringContaining('did you mean `connectMs`?'),
	});
});

test('a deadline of a name like no other is refused with the names that there are', () => {
	expect(refusalOf({patience: 1})).toMatchObject({
		code: 'ERR_MTLS_UNKNOWN_OPTION',
		option: 'timeouts.patience',
		message: expect.stringContaining('connectMs, handshakeMs, firstByteMs, requestMs'),
	});
});

describe('a mistake is told', () => {
	const timeouts = {connectMs: -1};
	const told = expect.objectContaining({
		name: 'MtlsConfigError',
		code: 'ERR_MTLS_BAD_OPTION',
		option: 'timeouts.connectMs',
	});

	test('a mistake in `timeouts` is refused when the client is made', () => {
		expect(() => createClient({timeouts})).toThrow(told);
		expect(() => createAdapter({timeouts})).toThrow(told);
		expect(() => createClient().create({timeouts})).toThrow(told);
	});

	test('a mistake in the `timeouts` of a request is refused when it is made', async () => {
		const request = createClient({logger: false}).get('https://localhost/', {timeouts});
		await expect(request).rejects.toEqual(told);
	});
});
