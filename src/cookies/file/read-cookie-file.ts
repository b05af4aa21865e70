import {lstatSync, readFileSync, readlinkSync, realpathSync, statSync} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';
import type {Content, CookieFormat} from './format.ts';
import {cookieJson} from './json.ts';
import {netscape} from './netscape.ts';

/** A larger file is not a cookie file: the largest of a browser is a hundredth of this. */
export const largestBytes = 64 * 1024 * 1024;

/** By the values of the `format` option. */
export const formats = {netscape, json: cookieJson} as const;

/**
 * Reads a cookie file; a missing file is an empty one.
 *
 * @throws {CorruptFileError} when a part of it cannot be parsed, or what `node:fs` throws.
 */
export function readCookieFile(path: string, fallback: CookieFormat, now: number): Content {
	const stat = statSync(path, {throwIfNoEntry: false});
	// Reading a pipe would block.
	if (stat && !stat.isFile()) throw notCookieFile(stat.isDirectory() ? 'EISDIR' : 'EINVAL');
	if (stat && stat.size > largestBytes) throw notCookieFile('EFBIG');
	return parseCookies((stat && readIfThere(path)) ?? Buffer.alloc(0), fallback, now);
}

/**
 * Parses cookies in the format that they are in; `fallback` is that of an empty file.
 *
 * @throws {CorruptFileError}
 */
function parseCookies(bytes: Buffer, fallback: CookieFormat, now: number): Content {
	const content = withoutByteOrderMark(bytes);
	const first = content.find((byte) => !isSpace(byte));
	// An empty file, as `touch` and mktemp make it: there is nothing in it to lose.
	if (first === undefined) return {format: fallback, entries: new Map()};
	return (first === openingBrace ? cookieJson : netscape).parse(content, now);
}

const openingBrace = 0x7b;

/** The target of a path through symbolic links, even if it does not exist yet. */
export function resolveLinks(path: string): string {
	try {
		return realpathSync(path);
	} catch (error) {
		if (!isNoEntry(error)) throw error;
	}
	const folder = realpathSync(dirname(path));
	if (!lstatSync(path, {throwIfNoEntry: false})?.isSymbolicLink()) {
		return join(folder, basename(path));
	}
	return resolveLinks(resolve(folder, readlinkSync(path)));
}

// Windows editors write one.
function withoutByteOrderMark(bytes: Buffer): Buffer {
	return bytes.subarray(0, 3).equals(Buffer.from('\ufeff')) ? bytes.subarray(3) : bytes;
}

function isSpace(byte: number): boolean {
	return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function readIfThere(path: string): Buffer | undefined {
	try {
		return readFileSync(path);
	} catch (error) {
		if (isNoEntry(error)) return undefined;
		throw error;
	}
}

function notCookieFile(code: string): Error {
	return Object.assign(new Error('not a file of cookies'), {code});
}

function isNoEntry(error: unknown): boolean {
	return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
