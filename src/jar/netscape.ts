/*
 * Netscape's cookies.txt, as curl, wget and Python's MozillaCookieJar write it: a line a cookie,
 * with seven fields between tabs: domain, whether its subdomains get it, path, Secure, expiry in
 * seconds since the epoch, name, value (https://curl.se/docs/http-cookies.html).
 */
import {isIP} from 'node:net';
import {Cookie, canonicalDomain} from 'tough-cookie';
import {type CookieFormat, Damage, type Entry, idOf} from './entry.ts';

// Python reads no file without the first line.
const header = `# Netscape HTTP Cookie File
# Written by axios-mtls. Whoever reads these cookies has the session.

`;

const httpOnlyPrefix = '#HttpOnly_';

/** The last second that a Date can be. */
const lastSecond = 8_640_000_000_000;

/**
 * Holds no SameSite, no time of creation and no extensions, and seconds only. Its characters are the
 * bytes of the header, as with curl: they are in no encoding.
 */
export const netscape: CookieFormat = {
	parse(bytes, now) {
		const entries = new Map<string, Entry>();
		for (const [index, line] of bytes.toString('latin1').split('\n').entries()) {
			const text = line.replace(/\r$/, '');
			if (isRemark(text)) continue;
			const cookie = parseLine(text, `line ${index + 1}`, new Date(now));
			entries.set(idOf(cookie), {cookie, text});
		}
		return {format: netscape, entries};
	},

	write(cookie) {
		const {domain, path, key, value, secure, httpOnly} = cookie;
		const texts = [domain ?? '', path ?? '', key, value];
		if (!domain || !path?.startsWith('/') || `${key}${value}` === '') return undefined;
		// What would end a field or a line, and what is no byte.
		if (texts.some((text) => /[\0\t\r\n]|[^\0-\xff]/.test(text))) return undefined;
		// An address has no subdomains; with a dot before it Python takes it for a name.
		const wide = !cookie.hostOnly && isIP(domain) === 0;
		return [
			`${httpOnly ? httpOnlyPrefix : ''}${wide ? '.' : ''}${domain}`,
			word(wide),
			path,
			word(secure),
			expirySeconds(cookie),
			key,
			value,
		].join('\t');
	},

	join(texts) {
		return Buffer.from(`${header}${[...texts].map((text) => `${text}\n`).join('')}`, 'latin1');
	},
};

function isRemark(line: string): boolean {
	return line.trim() === '' || (/^\s*#/.test(line) && !line.startsWith(httpOnlyPrefix));
}

function parseLine(line: string, where: string, creation: Date): Cookie {
	const httpOnly = line.startsWith(httpOnlyPrefix);
	const fields = (httpOnly ? line.slice(httpOnlyPrefix.length) : line).split('\t');
	// An editor that trims lines takes the tab before an empty value away.
	if (fields.length !== 7 && fields.length !== 6) {
		throw new Damage(`${where}: expected 7 fields between tabs, found ${fields.length}`);
	}
	const [domain = '', wide = '', path = '', secure = '', expires = '', key = '', value = ''] =
		fields;
	if (!path.startsWith('/')) throw new Damage(`${where}: expected a path in field 3`);
	// Python writes a cookie without `=` like this, and so it is sent again.
	if (key === '' && value === '') throw new Damage(`${where}: expected a name in field 6`);
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
	if (!domain) throw new Damage(`${where}: expected a domain in field 1`);
	return domain;
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
		throw new Damage(`${where}: expected TRUE or FALSE in field ${field}`);
	}
	return text.toUpperCase() === 'TRUE';
}

// A session has no expiry: to curl that is 0, to Python an empty field.
function parseExpiry(text: string, where: string): Date | 'Infinity' {
	if (text === '' || text === '0') return 'Infinity';
	if (!/^-?\d+(\.\d+)?$/.test(text)) {
		throw new Damage(`${where}: expected seconds since the epoch in field 5`);
	}
	return new Date(Math.max(-lastSecond, Math.min(Number(text), lastSecond)) * 1000);
}

function expirySeconds(cookie: Cookie): string {
	const expiry = cookie.expiryTime();
	if (expiry === undefined || !cookie.isPersistent()) return '0';
	// Never 0, which would let a cookie that expired long ago live on.
	return String(Math.max(1, Math.min(Math.floor(expiry / 1000), lastSecond)));
}

function word(flag: boolean): string {
	return flag ? 'TRUE' : 'FALSE';
}
