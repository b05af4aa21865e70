import type {CookieJar} from 'tough-cookie';

/**
 * The URL to give to `jar`, so that it compares the path of a request as it is written (RFC 6265
 * §5.1.4). tough-cookie decodes the path that it is given: `/my%20app` would never match
 * `Path=/my%20app`, and `/%E2%82%AC/` would be a default path that no cookie file can hold.
 *
 * @param path - As in the request line, without its query.
 */
export function jarUrl(jar: Partial<CookieJar>, {origin}: URL, path: string): string {
	// A jar without a store is not one of tough-cookie.
	return origin + (jar.store === undefined ? path : path.replaceAll('%', '%25'));
}

/** The path that {@link jarUrl} was given for a jar with a store. */
export function writtenPath({pathname}: URL): string {
	return pathname.replaceAll('%25', '%');
}
