/*
 * Netscape's cookies.txt, as curl, wget and Python's MozillaCookieJar write it: one line for each
 * cookie, with seven fields between tabs: domain, whether its subdomains get it, path, Secure, expiry
 * in seconds since the epoch, name, value (https://curl.se/docs/http-cookies.html).
 */
import {isIP} from 'node:net';
import {Cookie, canonicalDomain} from 'tough-cookie';
import {expiresAt} from '../expiry.ts';
import {type CookieFormat, CorruptFileError, cookieId, type Entry, hasControls} from './format.ts';

const httpOnlyPrefix = '#HttpOnly_';

// Python adds `.local` to each name without a dot. In any other name it may be part of the host.
const pythonLocalhost = 'localhost.local';

/** The last second that a Date can hold. */
const lastSecond = 8_640_000_000_000;

/**
 * Holds no SameSite, no time of creation and no extensions, and whole seconds only. Its characters are
 * the bytes of the header, as with curl, without an encoding.
 */
export const netscape = dialect({
	// Python refuses a file without the first line.
	header: `# Netscape HTTP Cookie File
# Written by axios-mtls. Whoever reads these cookies has the session.

`,
	session: '0',
	localhost: 'localhost',
});

/**
 * The same as Python writes it. There a session cookie has an empty expiry: 0 would be long ago. curl
 * does not accept an empty field, so a file works with one of the two only.
 */
const pythonDialect = dialect({
	header: `# Netscape HTTP Cookie File
# http://curl.haxx.se/rfc/cookie_spec.html
# This is a generated file!  Do not edit.

`,
	session: '',
	localhost: pythonLocalhost,
});

/** How a program writes what the format does not define. */
interface Dialect {
	readonly header: string;
	/** The expiry of a session cookie. */
	readonly session: string;
	readonly localhost: string;
}

function dialect({header, ...words}: Dialect): CookieFormat {
	return {
		parse(bytes, now) {
			const file = bytes.toString('latin1');
			const entries = new Map<string, Entry>();
			for (const [index, line] of file.split('\n').entries()) {
				const text = line.replace(/\r$/, '');
				if (isComment(text)) continue;
				const cookie = parseLine(text, `line ${index + 1}`, new Date(now));
				entries.set(cookieId(cookie), {cookie, text});
			}
			return {format: isPythonFile(file) ? pythonDialect : netscape, entries};
		},
		write: (cookie, now) => writeLine(cookie, words, now),
		serialize(texts) {
			const lines = [...texts].map((text) => `${text}\n`);
			return Buffer.from(header + lines.join(''), 'latin1');
		},
	};
}

function isPythonFile(file: string): boolean {
	return /^# This is a generated file! {2}Do not edit\.\r?$/m.test(file);
}

function writeLine(
	cookie: Cookie,
	words: Omit<Dialect, 'header'>,
	now: number,
): string | undefined {
	const {domain, path, key, value, secure, httpOnly} = cookie;
	const texts = [domain ?? '', path ?? '', key, value];
	if (!domain || !path?.startsWith('/') || `${key}${value}` === '') return undefined;
	// The second test finds characters that are not a byte.
	if (texts.some((text) => hasControls(text) || /[^\0-\xff]/.test(text))) return undefined;
	// An address has no subdomains; with a leading dot Python reads it as a name.
	const withSubdomains = !cookie.hostOnly && isIP(domain) === 0;
	return [
		`${httpOnly ? httpOnlyPrefix : ''}${withSubdomains ? '.' : ''}${domain === 'localhost' ? words.localhost : domain}`,
		word(withSubdomains),
		path,
		word(secure),
		expirySeconds(cookie, now) ?? words.session,
		key,
		value,
	].join('\t');
}

function isComment(line: string): boolean {
	return line.trim() === '' || (/^\s*#/.test(line) && !line.startsWith(httpOnlyPrefix));
}

function parseLine(line: string, where: string, creation: Date): Cookie {
	const httpOnly = line.startsWith(httpOnlyPrefix);
	const fields = (httpOnly ? line.slice(httpOnlyPrefix.length) : line).split('\t');
	// An editor that trims lines removes the tab before an empty value.
	if (fields.length !== 7 && fields.length !== 6) {
		throw new CorruptFileError(`${where}: expected 7 fields between tabs, found ${fields.length}`);
	}
	const [domain = '', subdomains = '', path = '', secure = '', expires = '', key = '', value = ''] =
		fields;
	if (fields.some(hasControls))
		throw new CorruptFileError(`${where}: expected no control characters`);
	if (!path.startsWith('/')) throw new CorruptFileError(`${where}: expected a path in field 3`);
	// An empty name with a value is valid: Python writes a cookie without `=` like this, and sends it so.
	if (key === '' && value === '')
		throw new CorruptFileError(`${where}: expected a name in field 6`);
	return new Cookie({
		key,
		value,
		domain: parseDomain(domain, where),
		path,
		hostOnly: !parseWord(subdomains, 2, where),
		secure: parseWord(secure, 4, where),
		httpOnly,
		expires: parseExpiry(expires, where),
		creation,
	});
}

function parseDomain(text: string, where: string): string {
	// wget adds a port that is not the default one; cookies have none (RFC 6265 §8.5).
	const name = text.replace(/^([^:]+|\[.*\]):\d+$/, '$1').replace(/^\./, '');
	const domain = /^[^\s/?#@]+$/.test(name) ? canonical(name) : undefined;
	if (!domain) throw new CorruptFileError(`${where}: expected a domain in field 1`);
	return domain === pythonLocalhost ? 'localhost' : domain;
}

function canonical(name: string): string | undefined {
	try {
		return canonicalDomain(name);
	} catch {
		return undefined;
	}
}

function parseWord(text: string, field: number, where: string): boolean {
	if (!/^(TRUE|FALSE)$/i.test(text)) {
		throw new CorruptFileError(`${where}: expected TRUE or FALSE in field ${field}`);
	}
	return text.toUpperCase() === 'TRUE';
}

function parseExpiry(text: string, where: string): Date | 'Infinity' {
	if (text === '' || text === '0') return 'Infinity';
	if (!/^-?\d+(\.\d+)?$/.test(text)) {
		throw new CorruptFileError(`${where}: expected seconds since the epoch in field 5`);
	}
	return new Date(Math.max(-lastSecond, Math.min(Number(text), lastSecond)) * 1000);
}

function expirySeconds(cookie: Cookie, now: number): string | undefined {
	const expiry = expiresAt(cookie, now);
	if (Number.isNaN(expiry) || !cookie.isPersistent()) return undefined;
	// Never 0: a cookie that expired long ago would become a session cookie.
	return String(Math.max(1, Math.min(Math.floor(expiry / 1000), lastSecond)));
}

function word(flag: boolean): string {
	return flag ? 'TRUE' : 'FALSE';
}
