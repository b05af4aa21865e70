import {isIPv6} from 'node:net';
import type {CertificateFacts} from '../../index.ts';
import {isExpiring} from '../../tls/credentials/expiry.ts';
import {DAY_MS} from '../../util/day.ts';

export {day} from '../../util/day.ts';

/** The common name of a certificate, else all of its subject. */
export function commonName(distinguished: string): string {
	// A comma in a name is escaped (RFC 4514 §2.4).
	const name = /(?:^|, )CN=((?:\\.|[^,\\])*)/.exec(distinguished)?.[1]?.replace(/\\(.)/g, '$1');
	return name || distinguished || '(no name)';
}

/** A subjectAltName as OpenSSL prints it, `DNS:localhost` or `IP Address:0:0:0:0:0:0:0:1`, without its type. */
export function shortName(altName: string): string {
	const [kind = '', ...rest] = altName.split(':');
	const name = rest.join(':');
	return kind === 'IP Address' && isIPv6(name)
		? new URL(`http://[${name}]`).hostname.slice(1, -1)
		: name || altName;
}

/** The first names; a certificate of a hoster has hundreds. */
export function listNames(altNames: readonly string[], limit = 6): string {
	if (altNames.length === 0) return 'none';
	const more = altNames.length - limit;
	const names = altNames.slice(0, limit).map(shortName).join(', ');
	return more > 0 ? `${names} and ${more} more` : names;
}

/** Whole days from `now` to `date`, negative when it has passed; `NaN` when it is no date. */
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

/** Whether a certificate is valid and has to be renewed now. */
export function endsSoon({validFrom, validTo}: Validity, now: Date): boolean {
	const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
	return isExpiring({validFrom: from, validTo: to}, now.getTime());
}

type Validity = Pick<CertificateFacts, 'validFrom' | 'validTo'>;

export function validityOf(
	{validFrom, validTo}: Validity,
	now: Date,
): 'valid' | 'expired' | 'not-yet-valid' {
	if (Date.parse(validTo) < now.getTime()) return 'expired';
	return Date.parse(validFrom) > now.getTime() ? 'not-yet-valid' : 'valid';
}
