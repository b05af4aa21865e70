import {isIPv6} from 'node:net';

/** The name by which a person knows a certificate: its common name, else all of its subject. */
export function commonName(distinguished: string): string {
	const name = /(?:^|, )CN=([^,]*)/.exec(distinguished)?.[1];
	return name || distinguished || '(no name)';
}

/** `DNS:localhost`, `IP Address:0:0:0:0:0:0:0:1`, as OpenSSL prints them, without their kind. */
export function shortName(altName: string): string {
	const [kind = '', ...rest] = altName.split(':');
	const name = rest.join(':');
	return kind === 'IP Address' && isIPv6(name)
		? new URL(`http://[${name}]`).hostname.slice(1, -1)
		: name || altName;
}

/** Names as a list of words; a certificate of a hoster has hundreds. */
export function listNames(altNames: readonly string[], told = 6): string {
	if (altNames.length === 0) return 'none';
	const more = altNames.length - told;
	const names = altNames.slice(0, told).map(shortName).join(', ');
	return more > 0 ? `${names} and ${more} more` : names;
}

/** `2026-11-24` of an ISO date; a text that is no date comes back as it is. */
export function day(date: string): string {
	return /^\d{4}-\d\d-\d\dT/.test(date) ? date.slice(0, 10) : date;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Whole days from `now` to `date`, negative when it has passed; `NaN` for what is no date. */
export function daysUntil(date: string, now: Date): number {
	return Math.floor((Date.parse(date) - now.getTime()) / DAY_MS);
}

/** `in 90 days`, `3 years ago`. */
export function fromNow(date: string, now: Date): string {
	const milliseconds = Date.parse(date) - now.getTime();
	if (Number.isNaN(milliseconds)) return 'no date';
	const span = spanOf(Math.abs(milliseconds) / DAY_MS);
	return milliseconds < 0 ? `${span} ago` : `in ${span}`;
}

function spanOf(days: number): string {
	if (days < 1) return 'less than a day';
	if (days < 2) return '1 day';
	// Below two years a person plans in days.
	if (days < 730) return `${Math.floor(days)} days`;
	return `${Math.floor(days / 365.25)} years`;
}
