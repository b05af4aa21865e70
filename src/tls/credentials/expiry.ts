import {DAY_MS, day} from '../../util/day.ts';

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;

/** When a long-lived certificate gets its warnings, in ms before its end, and how soon it must be renewed. */
const warnings = [
	{beforeMs: 30 * DAY_MS, advice: 'renew it'},
	{beforeMs: 7 * DAY_MS, advice: 'renew it this week'},
	{beforeMs: DAY_MS, advice: 'renew it today'},
] as const;

const warningSteps = warnings.map(({beforeMs}) => beforeMs);

/**
 * A certificate that is valid no longer than this is renewed by a program: it is short-lived in the sense
 * of the Baseline Requirements of the CA/Browser Forum (§1.6.1).
 */
const shortLivedMs = 7 * DAY_MS;

/**
 * How long before its end, in ms, a certificate gets each of its warnings; the last is 0, its end.
 *
 * For one that is renewed the first comes later: programs renew when half (SPIRE) or a third
 * (cert-manager) of the validity is left, so at a quarter they have failed to.
 *
 * @param isRenewed - Whether `mtls.reload` or `mtls.identity` brings a newer one.
 */
export function expirySteps(
	{validFrom, validTo}: {readonly validFrom: number; readonly validTo: number},
	isRenewed: boolean,
): number[] {
	const life = validTo - validFrom;
	const [longest = 0] = warningSteps;
	// `life` is NaN where validFrom is not a date.
	const quarter = life > 0 ? life / 4 : longest;
	const first = isRenewed || life <= shortLivedMs ? Math.min(longest, quarter) : longest;
	return [first, ...warningSteps.filter((step) => step < first), 0];
}

/**
 * Whether a certificate is valid and so near its end that it is worth a warning.
 *
 * @param isRenewed - As for {@link expirySteps}.
 */
export function isExpiring(
	{validFrom, validTo}: {readonly validFrom: number; readonly validTo: number},
	now: number,
	isRenewed = false,
): boolean {
	const [first = 0] = expirySteps({validFrom, validTo}, isRenewed);
	const left = validTo - now;
	return left >= 0 && left <= first;
}

/**
 * The end of a certificate in a sentence, with the same words wherever it is told: `expires on 2026-12-05,
 * in 5 days: renew it this week`, `expired on 2026-11-05`.
 *
 * @param validTo - ISO 8601.
 */
export function describeExpiry(validTo: string, now: number): string {
	const left = Date.parse(validTo) - now;
	const date = day(validTo, now);
	if (left < 0) return `expired on ${date}`;
	const step = warnings.findLast(({beforeMs}) => left <= beforeMs + lateMs) ?? warnings[0];
	return `expires on ${date}, in ${formatTimeLeft(left)}: ${step.advice}`;
}

export type ExpiryWarning =
	| {
			readonly event: 'identity_expiring';
			readonly validTo: string;
			/** Whole days that are left. */
			readonly daysLeft: number;
	  }
	| {readonly event: 'identity_expired'; readonly validTo: string};

export function isExpiry(warning: {readonly event: string}): warning is ExpiryWarning {
	return warning.event === 'identity_expiring' || warning.event === 'identity_expired';
}

/** Added to the time that is left, because a timer fires some ms late. */
const lateMs = MINUTE_MS;

/** The warning at `now`, when a timer has fired. */
export function expiryWarning(validTo: Date, now: number): ExpiryWarning {
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
export function formatTimeLeft(leftMs: number): string {
	const days = Math.floor((leftMs + lateMs) / DAY_MS);
	if (days > 0) return count(days, 'day');
	const hours = Math.floor((leftMs + lateMs) / HOUR_MS);
	return hours > 0 ? count(hours, 'hour') : 'less than an hour';
}

function count(number: number, unit: string): string {
	return number === 1 ? `1 ${unit}` : `${number} ${unit}s`;
}
