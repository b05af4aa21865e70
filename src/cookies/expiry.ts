import type {Cookie} from 'tough-cookie';
import {sharedByCopies} from '../copies.ts';

/** The longest lifetime of a cookie (RFC 6265bis §5.5), in ms. */
export const maxLifetimeMs = 400 * 86_400_000;

type Start = Pick<Cookie, 'maxAge'> & {readonly startMs: number};

const starts = sharedByCopies('maxAgeStarts', () => new WeakMap<Cookie, Start>());

/**
 * When a cookie expires, in ms since the epoch: `Infinity` for a session cookie, NaN where the app
 * gave it an invalid date. All code that reads, keeps, writes or sends a cookie uses this.
 */
export function expiresAt(cookie: Cookie, now: number): number {
	const {maxAge, expires} = cookie;
	if (maxAge === null)
		return expires instanceof Date ? expires.getTime() : Number.POSITIVE_INFINITY;
	const seconds = Number(maxAge);
	return seconds <= 0 ? Number.NEGATIVE_INFINITY : maxAgeStart(cookie, now) + seconds * 1_000;
}

export function isExpired(cookie: Cookie, now: number): boolean {
	return expiresAt(cookie, now) <= now;
}

/**
 * The time from which `Max-Age` counts, in ms since the epoch: when the cookie was set (RFC 6265
 * §5.3), or first seen. tough-cookie starts again each time that the cookie is read, so that one in
 * use would never expire.
 */
export function maxAgeStart(cookie: Cookie, now: number): number {
	const {maxAge, lastAccessed} = cookie;
	const known = maxAge === null ? undefined : starts.get(cookie);
	if (known !== undefined && known.maxAge === maxAge) return known.startMs;
	const startMs = lastAccessed instanceof Date ? lastAccessed.getTime() : now;
	if (maxAge !== null) starts.set(cookie, {maxAge, startMs});
	return startMs;
}
