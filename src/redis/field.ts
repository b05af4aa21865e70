/** What makes two cookies one (RFC 6265 §5.3, step 11). */
export interface CookieId {
	readonly domain: string;
	readonly path: string;
	readonly key: string;
}

/**
 * The field of a cookie: `["bank.example","/","session"]`. JSON, in which no domain can be mistaken
 * for the beginning of a path.
 */
export function fieldOf({domain, path, key}: CookieId): string {
	return JSON.stringify([domain, path, key]);
}

/** What the fields of a domain begin with, or those of one of its paths; and no other field. */
export function fieldsBelow(domain: string, path: string | undefined): string {
	return `${JSON.stringify(path === undefined ? [domain] : [domain, path]).slice(0, -1)},`;
}

/** @returns `undefined` for a field that {@link fieldOf} did not write. */
export function parseField(field: string): CookieId | undefined {
	try {
		const parts: unknown = JSON.parse(field);
		if (!Array.isArray(parts) || parts.length !== 3) return undefined;
		const [domain, path, key] = parts.map((part) => (typeof part === 'string' ? part : undefined));
		if (domain === undefined || path === undefined || key === undefined) return undefined;
		return {domain, path, key};
	} catch {
		return undefined;
	}
}
