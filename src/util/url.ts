/*
 * Hosts in the two ways they are written: an IPv6 address with brackets in a URL, without elsewhere.
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

/** The same for the place of an http or https URL. */
export function authorityOfUrl(url: URL): string {
	return `${url.hostname}:${portOfUrl(url)}`;
}

/** The port of an http or https URL, which it need not name. */
export function portOfUrl({protocol, port}: URL): number {
	return Number(port) || (protocol === 'https:' ? 443 : 80);
}
