export const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The day of an ISO 8601 date, for a sentence: `2026-11-30`. Any other text is returned as it is.
 *
 * @param other - The time in ms that it is compared with: on this very day the minute is told too,
 * `2026-11-30 14:05 UTC`.
 */
export function day(date: string, other?: number): string {
	if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(date)) return date;
	const text = date.slice(0, 10);
	const isSameDay =
		other !== undefined && Math.floor(other / DAY_MS) === Math.floor(Date.parse(date) / DAY_MS);
	return isSameDay ? `${text} ${date.slice(11, 16)} UTC` : text;
}
