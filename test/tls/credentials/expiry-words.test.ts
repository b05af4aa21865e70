import {describe, expect, test} from 'vitest';
import {describeExpiry, isExpiring} from '../../../src/tls/credentials/expiry.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const end = Date.parse('2026-12-31T12:00:00Z');
const validTo = new Date(end).toISOString();

describe('the words for an expiry', () => {
	test.each([
		['31 days', 31 * DAY_MS, 'expires on 2026-12-31, in 31 days: renew it'],
		['30 days', 30 * DAY_MS, 'expires on 2026-12-31, in 30 days: renew it'],
		[
			'7 days and 2 minutes',
			7 * DAY_MS + 2 * MINUTE_MS,
			'expires on 2026-12-31, in 7 days: renew it',
		],
		['7 days', 7 * DAY_MS, 'expires on 2026-12-31, in 7 days: renew it this week'],
		[
			'7 days less a millisecond',
			7 * DAY_MS - 1,
			'expires on 2026-12-31, in 7 days: renew it this week',
		],
		[
			'a day and 2 minutes',
			DAY_MS + 2 * MINUTE_MS,
			'expires on 2026-12-31, in 1 day: renew it this week',
		],
		['a day', DAY_MS, 'expires on 2026-12-31, in 1 day: renew it today'],
		['an hour', 60 * MINUTE_MS, 'expires on 2026-12-31 12:00 UTC, in 1 hour: renew it today'],
		['no time', 0, 'expires on 2026-12-31 12:00 UTC, in less than an hour: renew it today'],
		['a millisecond too few', -1, 'expired on 2026-12-31 12:00 UTC'],
		['a day too few', -DAY_MS, 'expired on 2026-12-31'],
	])(
		'a certificate with %s left is described with its date and how soon to renew it',
		(_, left, words) => {
			expect(describeExpiry(validTo, end - left)).toBe(words);
		},
	);
});

describe('whether a certificate is about to expire', () => {
	const long = {validFrom: end - 365 * DAY_MS, validTo: end};
	const short = {validFrom: end - 4 * DAY_MS, validTo: end};

	test.each([
		['a year', long, 30 * DAY_MS],
		['four days', short, DAY_MS],
	])(
		'a certificate that lives for %s is expiring from its first warning to its end',
		(_, life, first) => {
			expect(isExpiring(life, end - first - 1)).toBe(false);
			expect(isExpiring(life, end - first)).toBe(true);
			expect(isExpiring(life, end - first + 1)).toBe(true);
			expect(isExpiring(life, end)).toBe(true);
			expect(isExpiring(life, end + 1)).toBe(false);
		},
	);

	test('a certificate that is renewed by a program is expiring later', () => {
		const life = {validFrom: end - 90 * DAY_MS, validTo: end};
		expect(isExpiring(life, end - 23 * DAY_MS)).toBe(true);
		expect(isExpiring(life, end - 23 * DAY_MS, true)).toBe(false);
		expect(isExpiring(life, end - 22 * DAY_MS, true)).toBe(true);
	});
});
