/**
 * The day of an ISO 8601 date, for a sentence: `2026-11-30`. Any other text is returned as it is.
 *
 * @param now - On this very day the time is told too: `2026-11-30 14:05 UTC`.
 */
export function day(date: string, now?: number): string {
	if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(date)) return date;
	const text = date.slice(0, 10);
	if (now === undefined || new Date(now).toISOString().slice(0, 10) !== text) return text;
	return `${text} ${date.slice(11, 16)} UTC`;
}
