/*
 * When the end of a certificate of ours is told, and in which words.
 */

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Before the end. */
const steps = [30, 7, 1].map((days) => days * DAY_MS);

/**
 * A certificate that lives no longer is renewed by a program, or nobody would have it: what the Baseline
 * Requirements of the CA/Browser Forum (§1.6.1) call short-lived.
 */
const shortLivedMs = 7 * DAY_MS;

/**
 * How long before its end, in ms, there is something to tell of a certificate; the last is 0, its end.
 *
 * Of one that is renewed nothing is told while that goes on: programs renew when half (SPIRE) or a third
 * (cert-manager) of the life is left, so a quarter says that they did not.
 *
 * @param isRenewed - Whether a newer one is looked for.
 */
export function expirySteps(
	{validFrom, validTo}: {readonly validFrom: number; readonly validTo: number},
	isRenewed: boolean,
): number[] {
	const life = validTo - validFrom;
	const [longest = 0] = steps;
	// Where it begins may be no date.
	const quarter = life > 0 ? life / 4 : longest;
	const first = isRenewed || life <= shortLivedMs ? Math.min(longest, quarter) : longest;
	return [first, ...steps.filter((step) => step < first), 0];
}

/** What is to be told of the end of a certificate of ours. */
export type ExpiryNotice =
	| {
			readonly event: 'identity_expiring';
			readonly validTo: string;
			/** Whole days that are left. */
			readonly daysLeft: number;
	  }
	| {readonly event: 'identity_expired'; readonly validTo: string};

export function isExpiry(notice: {readonly event: string}): notice is ExpiryNotice {
	return notice.event === 'identity_expiring' || notice.event === 'identity_expired';
}

/** A timer is late by some ms, and its day is not over. */
const lateMs = MINUTE_MS;

/** What is to be told at `now`, for which a timer has waited. */
export function expiryNotice(validTo: Date, now: number): ExpiryNotice {
	const left = validTo.getTime() - now;
	const date = validTo.toISOString();
	return left < 0
		? {event: 'identity_expired', validTo: date}
		: {
				event: 'identity_expiring',
				validTo: date,
				daysLeft: Math.floor((left + lateMs) / DAY_MS),
			};
}

/** `9 days`, `5 hours`. */
export function inWords(leftMs: number): string {
	const days = Math.floor((leftMs + lateMs) / DAY_MS);
	if (days > 0) return count(days, 'day');
	const hours = Math.floor((leftMs + lateMs) / HOUR_MS);
	return hours > 0 ? count(hours, 'hour') : 'less than an hour';
}

function count(number: number, unit: string): string {
	return number === 1 ? `1 ${unit}` : `${number} ${unit}s`;
}
