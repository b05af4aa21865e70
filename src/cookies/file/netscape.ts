/*
 * Netscape's cookies.txt, as curl, wget and Python's MozillaCookieJar write it: a line a cookie,
 * with seven fields between tabs: domain, whether its subdomains get it, path, Secure, expiry in
 * seconds since the epoch, name, value (https://curl.se/docs/http-cookies.html).
 */
import {isIP} from 'node:net';
import {Cookie, canonicalDomain} from 'tough-cookie';
import {expiresAt} from '../expiry.ts';
import {type CookieFormat, CorruptFileError, cookieId, type Entry, hasControls} from './format.ts';

const httpOnlyPrefix = '#HttpOnly_';

// Of every name without a dot it makes one; for any but this it may as well be the name of a host.
const localhostOfPython = 'localhost.local';

/** The last second that a Date can be. */
const lastSecond = 8_640_000_000_000;

/**
 * Holds no SameSite, no time of creation and no extensions, and seconds only. Its characters are the
 * bytes of the header, as with curl: they are in no encoding.
 */
export const netscape = dialect({
	// Python reads no file without the first line.
	header: `# Netscape HTTP Cookie File
# Written by axios-mtls. Whoever reads these cookies has the session.

`,
	session: '0',
	localhost: 'localhost',
});

/**
 * The same as Python writes it. There a session has no expiry: a 0 would be long ago, and to curl an
 * empty field is none at all, so that a file is for the one or the other.
 */
const pythons = dialect({
	header: `# Netscape HTTP Cookie File
# http://curl.haxx.se/rfc/cookie_spec.html
# This is a generated file!  Do not edit.

`,
	session: '',
	localhost: localhostOfPython,
});

/** How a program writes what the format leaves open. */
interface Dialect {
	readonly header: string;
	/** The expiry of what ends with the session. */
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
				if (isRemark(text)) continue;
				const cookie = parseLine(text, `line ${index + 1}`, new Date(now));
				entries.set(cookieId(cookie), {cookie, text});
			}
			return {format: isPythons(file) ? pythons : netscape, entries};
		},
		write: (cookie, now) => writeLine(cookie, words, now),
		serialize(texts) {
			const lines = [...texts].map((text) => `${text}\n`);
			return Buffer.from(header + lines.join(''), 'latin1');
		},
	};
}

function isPythons(file: string): boolean {
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
	// Or what is no byte.
	if (texts.some((text) => hasControls(text) || /[^\0-\xff]/.test(text))) return undefined;
	// An address has no subdomains; with a dot before it Python takes it for a name.
	const wide = !cookie.hostOnly && isIP(domain) === 0;
	return [
		`${httpOnly ? httpOnlyPrefix : ''}${wide ? '.' : ''}${domain === 'localhost' ? words.localhost : domain}`,
		word(wide),
		path,
		word(secure),
		expirySeconds(cookie, now) ?? words.session,
		key,
		value,
	].join('\t');
}

function isRemark(line: string): boolean {
	return line.trim() === '' || (/^\s*#/.test(line) && !line.startsWith(httpOnlyPrefix));
}

function parseLine(line: string, where: string, creation: Date): Cookie {
	const httpOnly = line.startsWith(httpOnlyPrefix);
	const fields = (httpOnly ? line.slice(httpOnlyPrefix.length) : line).split('\t');
	// An editor that trims lines takes the tab before an empty value away.
	if (fields.length !== 7 && fields.length !== 6) {
		throw new CorruptFileError(`${where}: expected 7 fields between tabs, found ${fields.length}`);
	}
	const [domain = '', wide = '', path = '', secure = '', expires = '', key = '', value = ''] =
		fields;
	if (fields.some(hasControls))
		throw new CorruptFileError(`${where}: expected no control characters`);
	if (!path.startsWith('/')) throw new CorruptFileError(`${where}: expected a path in field 3`);
	// Python writes a cookie without `=` like this, and so it is sent again.
	if (key === '' && value === '')
		throw new CorruptFileError(`${where}: expected a name in field 6`);
	return new Cookie({
		key,
		value,
		domain: parseDomain(domain, where),
		path,
		hostOnly: !parseWord(wide, 2, where),
		secure: parseWord(secure, 4, where),
		httpOnly,
		expires: parseExpiry(expires, where),
		creation,
	});
}

function parseDomain(text: string, where: string): string {
	// wget adds a port that is not the scheme's own; cookies know none (RFC 6265 §8.5).
	const name = text.replace(/^([^:]+|\[.*\]):\d+$/, '$1').replace(/^\./, '');
	const domain = /^[^\s/?#@]+$/.test(name) ? canonical(name) : undefined;
	if (!domain) throw new CorruptFileError(`${where}: expected a domain in field 1`);
	return domain === localhostOfPython ? 'localhost' : domain;
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
	// Never 0, which would let a cookie that expired long ago live on.
	return String(Math.max(1, Math.min(Math.floor(expiry / 1000), lastSecond)));
}

function word(flag: boolean): string {
	return flag ? 'TRUE' : 'FALSE';
}
