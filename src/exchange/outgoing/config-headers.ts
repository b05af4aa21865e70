import {AxiosHeaders} from 'axios';

/**
 * A copy in the class of the axios that is imported here. A CommonJS app has another class of that name:
 * this axios would drop those of its headers that are switched off with `false`, and add its own instead.
 */
export function copyHeaders(headers: AxiosHeaders): AxiosHeaders {
	return new AxiosHeaders({...headers});
}

/** The exact headers of an app: axios adds none of its defaults that the app left out. */
export function exactHeaders(headers: unknown): AxiosHeaders {
	const exact = new AxiosHeaders(asObject(headers));
	for (const name of ['User-Agent', 'Accept-Encoding', 'Content-Length']) {
		if (!exact.has(name)) exact.set(name, false);
	}
	return exact;
}

// Like follow-redirects, also accepts names and values in turn.
function asObject(headers: unknown): Record<string, string> {
	if (!Array.isArray(headers)) return {...(headers as Record<string, string> | undefined)};
	return Object.fromEntries(
		headers.flatMap((name, i) => (i % 2 === 0 ? [[String(name), headers[i + 1]]] : [])),
	);
}

/**
 * Writes the changes that an exchange made to `copy` back to `headers`: the app reads there what was
 * sent, and the next hop begins with it.
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
