import type {Cookie} from 'tough-cookie';

const ends = new WeakMap<Cookie, Pick<Cookie, 'maxAge'> & {readonly end: number}>();

/**
 * When a cookie expires, in ms since the epoch: `Max-Age` counts from when it was set (RFC 6265
 * §5.3), or was seen first. tough-cookie lets it begin anew each time that the cookie is read, so
 * that one in use would never expire.
 */
export function endOf(cookie: Cookie): number {
	const {maxAge} = cookie;
	const known = maxAge === null ? undefined : ends.get(cookie);
	if (known !== undefined && known.maxAge === maxAge) return known.end;
	const end = cookie.expiryTime() ?? Number.POSITIVE_INFINITY;
	if (maxAge !== null) ends.set(cookie, {maxAge, end});
	return end;
}
