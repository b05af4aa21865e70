import {Cookie, version} from 'tough-cookie';
import {maxAgeStart} from '../expiry.ts';
import {type CookieFormat, CorruptFileError, cookieId, type Entry, hasControls} from './format.ts';

/** tough-cookie's own serialization, which `CookieJar.fromJSON` reads. It holds all fields of a cookie. */
export const cookieJson: CookieFormat = {
	parse(bytes) {
		const file = parseObject(bytes);
		const {cookies, ...head} = file;
		if (!Array.isArray(cookies))
			throw new CorruptFileError('expected an object with a list `cookies`');
		const entries = new Map<string, Entry>();
		for (const [index, each] of cookies.entries()) {
			const cookie = parseCookie(each, `cookie ${index + 1} of ${cookies.length}`);
			entries.set(cookieId(cookie), {cookie, text: JSON.stringify(each)});
		}
		return {format: cookieJson, entries, head};
	},

	write(cookie, now) {
		const {domain, path, key, value} = cookie;
		if (!domain || !path?.startsWith('/')) return undefined;
		if ([domain, path, key, value].some(hasControls)) return undefined;
		try {
			const json = cookie.toJSON();
			if (cookie.maxAge === null) return JSON.stringify(json);
			// A reader of the file counts `Max-Age` from here, so it is not the time of the last read.
			const lastAccessed = new Date(maxAgeStart(cookie, now)).toISOString();
			return JSON.stringify({...json, lastAccessed});
		} catch {
			// The app set an invalid date.
			return undefined;
		}
	},

	// One line for each cookie, so that two files can be compared.
	serialize(texts, head = {version: `tough-cookie@${version}`, storeType: 'MemoryCookieStore'}) {
		const fields = Object.entries(head).map(
			([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)},`,
		);
		const cookies = `"cookies": [${[...texts].map((text) => `\n\t\t${text}`).join(',')}\n\t]`;
		return Buffer.from(`{\n\t${[...fields, cookies].join('\n\t')}\n}\n`);
	},
};

function parseObject(bytes: Buffer): Record<string, unknown> {
	let text: string;
	try {
		text = new TextDecoder('utf-8', {fatal: true}).decode(bytes);
	} catch {
		throw new CorruptFileError('expected JSON in UTF-8');
	}
	try {
		const value: unknown = JSON.parse(text);
		if (isObject(value)) return value;
	} catch (error) {
		// Security: the rest of V8's message quotes the text, which may be a cookie.
		const line = /\(line (\d+) column \d+\)$/.exec(String(error))?.[1];
		throw new CorruptFileError(`${line === undefined ? '' : `line ${line}: `}expected JSON`);
	}
	throw new CorruptFileError('expected an object with a list `cookies`');
}

const isText = (value: unknown) => typeof value === 'string' && !hasControls(value);
const isFlag = (value: unknown) => typeof value === 'boolean';
const isTime = (value: unknown) =>
	value === null ||
	value === 'Infinity' ||
	((typeof value === 'string' || typeof value === 'number') &&
		!Number.isNaN(new Date(value).getTime()));

// The values that tough-cookie accepts. It drops any other without an error, and the next save would
// lose it.
const checks: Readonly<Record<string, (value: unknown) => boolean>> = {
	key: isText,
	value: isText,
	expires: isTime,
	maxAge: (value) =>
		value === null || typeof value === 'number' || value === 'Infinity' || value === '-Infinity',
	domain: (value) => value !== '' && isText(value),
	path: (value) => isText(value) && String(value).startsWith('/'),
	secure: isFlag,
	httpOnly: isFlag,
	extensions: (value) => value === null || (Array.isArray(value) && value.every(isText)),
	hostOnly: (value) => value === null || isFlag(value),
	pathIsDefault: (value) => value === null || isFlag(value),
	creation: isTime,
	lastAccessed: isTime,
	sameSite: isText,
};

const required = ['domain', 'path'];

function parseCookie(value: unknown, where: string): Cookie {
	if (!isObject(value)) throw new CorruptFileError(`${where}: expected an object`);
	for (const [name, isValid] of Object.entries(checks)) {
		const given = Object.hasOwn(value, name);
		if (given ? isValid(value[name]) : !required.includes(name)) continue;
		throw new CorruptFileError(`${where}: expected another \`${name}\``);
	}
	const cookie = Cookie.fromJSON(value);
	if (!cookie) throw new CorruptFileError(`${where}: expected a cookie`);
	return cookie;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}
