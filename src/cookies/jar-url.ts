import type {CookieJar} from 'tough-cookie';

/**
 * The URL by which `jar` compares the path of a request as it is written, which RFC 6265 §5.1.4
 * demands: tough-cookie decodes the path of what it is given, so that `/my%20app` would never match
 * `Path=/my%20app`, and `/%E2%82%AC/` would be the default path of a cookie that no file can hold.
 *
 * @param path - As it goes on the wire, without its query.
 */
export function jarUrl(jar: Partial<CookieJar>, {origin}: URL, path: string): string {
	// A jar without a store is not of tough-cookie's making.
	return origin + (jar.store === undefined ? path : path.replaceAll('%', '%25'));
}

/** The path that {@link jarUrl} was given for a jar with a store. */
export function writtenPath({pathname}: URL): string {
	return pathname.replaceAll('%25', '%');
}
