import fc from 'fast-check';
import {Cookie} from 'tough-cookie';
import {cookieId} from '../../src/cookies/file/format.ts';

/** What every cookie file holds of a cookie; `expires` in seconds since the epoch, 0 for a session. */
export interface PlainCookie {
	readonly domain: string;
	readonly hostOnly: boolean;
	readonly path: string;
	readonly secure: boolean;
	readonly httpOnly: boolean;
	readonly expires: number;
	readonly key: string;
	readonly value: string;
}

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/);
const name = fc
	.array(label, {minLength: 1, maxLength: 3})
	.map((labels) => `${labels.join('.')}.example`);
const address = fc.constantFrom('127.0.0.1', '192.0.2.17');

const place = fc.oneof(
	{weight: 8, arbitrary: fc.record({domain: name, hostOnly: fc.boolean()})},
	{weight: 1, arbitrary: fc.record({domain: address, hostOnly: fc.constant(true)})},
);

/** RFC 6265 §4.1.1: cookie-octets, and the quotes that may stand around them. */
const octets = fc.stringMatching(/^[!#-+\--:<-[\]-~]{0,40}$/);
const value = fc.oneof(
	octets,
	octets.map((text) => `"${text}"`),
	octets.map((text) => `a b=${text}`),
);

// From 2033 to the last second of 9999.
const expires = fc.oneof(fc.constant(0), fc.integer({min: 2_000_000_000, max: 253_402_300_799}));

const cookie: fc.Arbitrary<PlainCookie> = fc
	.record({
		place,
		path: fc.stringMatching(/^\/[a-zA-Z0-9._~%/-]{0,12}$/),
		secure: fc.boolean(),
		httpOnly: fc.boolean(),
		expires,
		key: fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/),
		value,
	})
	.map(({place, ...rest}) => ({...place, ...rest}));

/** Jars without two of one cookie. */
export const plainJar: fc.Arbitrary<PlainCookie[]> = fc
	.array(cookie, {maxLength: 8})
	// One name never begins another's prefix of curl's, and none is there twice.
	.map((cookies) => cookies.map((each, index) => ({...each, key: `k${index}${each.key}`})));

export function toCookie({expires, ...fields}: PlainCookie): Cookie {
	return new Cookie({
		...fields,
		...(expires > 0 && {expires: new Date(expires * 1000)}),
	});
}

export function toPlain(cookie: Cookie): PlainCookie {
	const {domain, hostOnly, path, secure, httpOnly, key, value} = cookie;
	return {
		domain: domain ?? '',
		hostOnly: hostOnly ?? false,
		path: path ?? '',
		secure,
		httpOnly,
		expires: cookie.isPersistent() ? (cookie.expiryTime() ?? 0) / 1000 : 0,
		key,
		value,
	};
}

/** In an order of their own: files keep none. */
export function sorted<T extends {domain: string | null; path: string | null; key: string}>(
	cookies: readonly T[],
): T[] {
	return [...cookies].sort((a, b) => (cookieId(a) < cookieId(b) ? -1 : 1));
}
