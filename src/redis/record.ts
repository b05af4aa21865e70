import {Cookie} from 'tough-cookie';
import {expiresAt, maxLifetimeMs} from '../cookies/expiry.ts';

/** What identifies a cookie (RFC 6265 §5.3, step 11). */
export interface CookieId {
	readonly domain: string;
	readonly path: string;
	readonly key: string;
}

/**
 * The hash field of a cookie: `["bank.example","/","session"]`. JSON, so that no domain can be
 * mistaken for the beginning of a path.
 */
export function fieldOf({domain, path, key}: CookieId): string {
	return JSON.stringify([domain, path, key]);
}

/** The prefix of all fields of a domain, or of one of its paths, and of no other field. */
export function fieldPrefix(domain: string, path: string | undefined): string {
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

/** The value of a hash field. */
export interface CookieRecord {
	readonly cookie: Cookie;
	/** When the record expires, in ms since the epoch. */
	readonly until: number;
}

/**
 * How long a cookie that is stored now is kept, in ms; 0 for an expired one.
 *
 * @param sessionMs - For a session cookie.
 */
export function ttlOf(cookie: Cookie, sessionMs: number, now: number): number {
	const expiry = expiresAt(cookie, now);
	const isSessionCookie = Number.isNaN(expiry) || expiry === Number.POSITIVE_INFINITY;
	const left = isSessionCookie ? sessionMs : Math.ceil(expiry - now);
	return Math.max(0, Math.min(left, maxLifetimeMs));
}

export function writeRecord({cookie, until}: CookieRecord): string {
	// The index orders cookies of one response, created in the same millisecond (RFC 6265 §5.4).
	// tough-cookie's JSON lacks it.
	return JSON.stringify({...cookie.toJSON(), creationIndex: cookie.creationIndex, until});
}

/** @returns `undefined` for a text that {@link writeRecord} did not write. */
export function readRecord(text: string): CookieRecord | undefined {
	let json: Record<string, unknown> | null;
	try {
		json = JSON.parse(text);
	} catch {
		return undefined;
	}
	const cookie = Cookie.fromJSON(json);
	const {until, creationIndex} = json ?? {};
	if (!cookie || typeof until !== 'number' || typeof creationIndex !== 'number') return undefined;
	cookie.creationIndex = creationIndex;
	return {cookie, until};
}
