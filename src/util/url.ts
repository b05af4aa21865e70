/*
 * Parts of URLs. An IPv6 address has brackets in a URL, and none elsewhere.
 */

/** A host as sockets take it. */
export function bareHost(host: string): string {
	return host.replace(/^\[(.*)\]$/, '$1');
}

/** A bare host as a URL has it. */
export function urlHost(host: string): string {
	return host.includes(':') ? `[${host}]` : host;
}

/** `host:port` as a URL would have it. */
export function authorityOf(host: string, port: number): string {
	return `${urlHost(host)}:${port}`;
}

/** The same for an http or https URL. */
export function authorityOfUrl(url: URL): string {
	return `${url.hostname}:${portOfUrl(url)}`;
}

/** The port of an http or https URL, also where it is the default one. */
export function portOfUrl({protocol, port}: URL): number {
	return Number(port) || (protocol === 'https:' ? 443 : 80);
}

/** Percent-decoded text, as axios reads it: text with a `%` that encodes nothing stays as it is. */
export function decodePercent(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}
