import {AxiosHeaders} from 'axios';

/**
 * A copy of the class that our axios knows. The headers of a CommonJS app are of another class of that
 * name, of which ours would drop those that are switched off with `false`, and put its own in their place.
 */
export function copyHeaders(headers: AxiosHeaders): AxiosHeaders {
	return new AxiosHeaders({...headers});
}

/** What an app has put together itself: nothing is added, so that what it has taken away stays away. */
export function exactHeaders(headers: unknown): AxiosHeaders {
	const exact = new AxiosHeaders(asObject(headers));
	for (const name of ['User-Agent', 'Accept-Encoding', 'Content-Length']) {
		if (!exact.has(name)) exact.set(name, false);
	}
	return exact;
}

// As follow-redirects reads them: names and values in turn are headers too.
function asObject(headers: unknown): Record<string, string> {
	if (!Array.isArray(headers)) return {...(headers as Record<string, string> | undefined)};
	return Object.fromEntries(
		headers.flatMap((name, i) => (i % 2 === 0 ? [[String(name), headers[i + 1]]] : [])),
	);
}

/**
 * Brings back to `headers` what an exchange has made of their copy: the app reads there what was sent,
 * and the next hop begins with it.
 *
 * @param own - Names in lower case that the copy alone was given, for its one hop.
 */
export function adoptHeaders(
	headers: AxiosHeaders,
	copy: AxiosHeaders,
	own: readonly string[],
): void {
	const isOwn = (name: string) => own.includes(name.toLowerCase());
	for (const name of Object.keys(headers)) {
		if (headers[name] !== undefined && !copy.has(name) && !isOwn(name)) headers.delete(name);
	}
	for (const [name, value] of Object.entries(copy)) {
		if (!isOwn(name)) headers.set(name, value, true);
	}
}
