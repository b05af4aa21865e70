import {Cookie} from 'tough-cookie';
import {expiresAt, maxLifetimeMs} from '../cookies/expiry.ts';

/** A cookie as it lies in the store. */
export interface CookieRecord {
	readonly cookie: Cookie;
	/** When it ends, in ms since the epoch. */
	readonly until: number;
}

/**
 * How long a cookie that is stored now is kept, in ms; 0 for one that is over.
 *
 * @param sessionMs - For a cookie that names no end.
 */
export function ttlOf(cookie: Cookie, sessionMs: number, now: number): number {
	const end = expiresAt(cookie, now);
	const endless = Number.isNaN(end) || end === Number.POSITIVE_INFINITY;
	const left = endless ? sessionMs : Math.ceil(end - now);
	return Math.max(0, Math.min(left, maxLifetimeMs));
}

export function writeRecord({cookie, until}: CookieRecord): string {
	// The index orders the cookies of one answer, which are of one millisecond (RFC 6265 §5.4). It is
	// not in tough-cookie's JSON.
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
