import {AxiosHeaders} from 'axios';

/**
 * A copy in the class of the axios that is imported here. A CommonJS app has another class of that name;
 * of its headers this axios would drop those that are switched off with `false`, and add its own instead.
 */
export function copyHeaders(headers: AxiosHeaders): AxiosHeaders {
	return new AxiosHeaders({...headers});
}

/** Headers that an app has put together itself: axios adds none, so that what is left out stays out. */
export function exactHeaders(headers: unknown): AxiosHeaders {
	const exact = new AxiosHeaders(asObject(headers));
	for (const name of ['User-Agent', 'Accept-Encoding', 'Content-Length']) {
		if (!exact.has(name)) exact.set(name, false);
	}
	return exact;
}

// As follow-redirects does, takes names and values in turn too.
function asObject(headers: unknown): Record<string, string> {
	if (!Array.isArray(headers)) return {...(headers as Record<string, string> | undefined)};
	return Object.fromEntries(
		headers.flatMap((name, i) => (i % 2 === 0 ? [[String(name), headers[i + 1]]] : [])),
	);
}

/**
 * Writes to `headers` what an exchange has changed in their copy: the app reads there what was sent, and
 * the next hop begins with it.
 *
 * @param own - Names in lower case that belong to the copy only.
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
