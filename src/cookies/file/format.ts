import type {Cookie} from 'tough-cookie';
import {isExpired} from '../expiry.ts';

/** A cookie of a file, and its text there. */
export interface Entry {
	readonly cookie: Cookie;
	readonly text: string;
}

/** What a cookie file holds. */
export interface Content {
	readonly format: CookieFormat;
	/** By {@link cookieId}, in the order of the file. */
	readonly entries: ReadonlyMap<string, Entry>;
	/** The other fields of the file, for {@link CookieFormat.serialize}. */
	readonly head?: object;
}

/** A file format. */
export interface CookieFormat {
	/** @throws {CorruptFileError} when a part of it cannot be read. */
	parse(bytes: Buffer, now: number): Content;
	/** The text of one cookie; `undefined` where the format cannot hold it. */
	write(cookie: Cookie, now: number): string | undefined;
	/** A whole file. */
	serialize(texts: Iterable<string>, head?: object): Buffer;
}

/** What is wrong with the content of a file. Security: the message never quotes it. */
export class CorruptFileError extends Error {}

/** What identifies a cookie (RFC 6265 §5.3, step 11). */
export function cookieId({domain, path, key}: Pick<Cookie, 'domain' | 'path' | 'key'>): string {
	return JSON.stringify([domain, path, key]);
}

/** Characters that no header can carry (RFC 6265 §4.1.1): a cookie with one would fail every request. */
export function hasControls(text: string): boolean {
	return /[^ -~\x80-\uffff]/.test(text);
}

/** Which cookies a file keeps, in the words of Python's `http.cookiejar`. */
export interface RetentionOptions {
	/** Session cookies too. */
	readonly ignoreDiscard: boolean;
	/** Expired cookies too. */
	readonly ignoreExpires: boolean;
}

export function isKept(
	cookie: Cookie,
	{ignoreDiscard, ignoreExpires}: RetentionOptions,
	now: number,
): boolean {
	return (ignoreDiscard || cookie.isPersistent()) && (ignoreExpires || !isExpired(cookie, now));
}
