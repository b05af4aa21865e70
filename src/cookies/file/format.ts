import type {Cookie} from 'tough-cookie';
import {isExpired} from '../expiry.ts';

/** A cookie of a file, and the text that stands for it there. */
export interface Entry {
	readonly cookie: Cookie;
	readonly text: string;
}

/** What a cookie file holds. */
export interface Content {
	readonly format: CookieFormat;
	/** By {@link cookieId}, in the order of the file. */
	readonly entries: ReadonlyMap<string, Entry>;
	/** What else is to be kept of the file, for {@link CookieFormat.serialize}. */
	readonly head?: object;
}

/** A way to write cookies down. */
export interface CookieFormat {
	/** @throws {CorruptFileError} when a part of it cannot be read. */
	parse(bytes: Buffer, now: number): Content;
	/** The text of one cookie, or `undefined` for one that the format cannot hold. */
	write(cookie: Cookie, now: number): string | undefined;
	/** A whole file. */
	serialize(texts: Iterable<string>, head?: object): Buffer;
}

/** What is wrong with the content of a file. Security: the message never quotes it. */
export class CorruptFileError extends Error {}

/** What RFC 6265 §5.3, step 11, takes for one and the same cookie. */
export function cookieId({domain, path, key}: Pick<Cookie, 'domain' | 'path' | 'key'>): string {
	return JSON.stringify([domain, path, key]);
}

/** What no header can carry (RFC 6265 §4.1.1), so that a cookie with it would fail every request. */
export function hasControls(text: string): boolean {
	return /[^ -~\x80-\uffff]/.test(text);
}

/** Which cookies a file is for, in the words of Python's `http.cookiejar`. */
export interface RetentionOptions {
	/** Also those that end with the session. */
	readonly ignoreDiscard: boolean;
	/** Also those that have expired. */
	readonly ignoreExpires: boolean;
}

export function isKept(
	cookie: Cookie,
	{ignoreDiscard, ignoreExpires}: RetentionOptions,
	now: number,
): boolean {
	return (ignoreDiscard || cookie.isPersistent()) && (ignoreExpires || !isExpired(cookie, now));
}
