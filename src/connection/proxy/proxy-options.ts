/*
 * Reads the `proxy` option: a URL, or the parts of one. No message quotes it, because a password may be
 * in the wrong place. The TLS to an `https://` proxy is `mtls.proxy`, in tls/tls-options.ts.
 */
import {isIP} from 'node:net';
import {MtlsConfigError} from '../../config-error.ts';
import type {ProxyOptions, ProxySetting} from '../../options.ts';
import {
	assertObject,
	describeType,
	memberOf,
	numberOrType,
	readOptions,
} from '../../util/check-options.ts';
import {bareHost, decodePercent} from '../../util/url.ts';

/** What the scheme of a proxy means: its default port, and how it is asked for a connection. */
export const proxyProtocols = {
	http: {port: 80, socks: false},
	https: {port: 443, socks: false},
	/** The name of the server is looked up here. */
	socks5: {port: 1080, socks: true},
	/** The name of the server is looked up by the proxy. */
	socks5h: {port: 1080, socks: true},
} as const;

export type ProxyProtocol = keyof typeof proxyProtocols;

/** User and password, decoded. */
export interface ProxyLogin {
	readonly username: string;
	/** `undefined` in a text without a colon. */
	readonly password: string | undefined;
}

export interface ProxyParts {
	readonly protocol: ProxyProtocol;
	readonly host: string;
	readonly port: number;
	readonly login: ProxyLogin | undefined;
	/** Names and values, for CONNECT. */
	readonly headers: readonly (readonly [string, string])[];
}

/** The option as given, with fields that axios reads but that its types lack. */
interface Given extends Omit<ProxyOptions, 'auth'> {
	readonly hostname?: string;
	readonly auth?: unknown;
	readonly username?: string;
	readonly password?: string;
}

const known = [
	'host',
	'port',
	'protocol',
	'auth',
	'headers',
	'hostname',
	'username',
	'password',
] as const;

/**
 * Reads a proxy.
 *
 * @throws {MtlsConfigError} for the part that cannot be used.
 */
export function readProxy(setting: Exclude<ProxySetting, false>): ProxyParts {
	if (typeof setting === 'string') return readProxyUrl(setting, 'proxy');
	assertObject(setting, 'proxy', 'a URL, an object with host and port, or false');
	// A URL of any realm, or the result of `url.parse`.
	const href = memberOf(setting, 'href');
	if (typeof href === 'string') return readProxyUrl(href, 'proxy');

	const given = readOptions<Given>(setting, {known, option: 'proxy'});
	const protocol = protocolOf(given.protocol ?? 'http', 'proxy.protocol');
	const host = hostOf(given.hostname || given.host);
	const port = portOf(given.port, protocol, 'proxy.port');
	const login = loginOf(given);
	const headers = headersOf(given.headers);
	if (proxyProtocols[protocol].socks) {
		assertSocksLogin(login, given.username ? 'proxy.username' : 'proxy.auth');
		if (headers.length > 0) throw bad('proxy.headers', 'a SOCKS proxy takes none');
	}
	if (login !== undefined && headers.some(([name]) => isLogin(name))) {
		throw bad('proxy.headers', '`auth` says the Proxy-Authorization: give one of the two');
	}
	return {protocol, host, port, login, headers};
}

export function isLogin(name: string): boolean {
	return name.toLowerCase() === 'proxy-authorization';
}

/**
 * Reads the URL of a proxy; one without a scheme is `http://`.
 *
 * @param option - For messages.
 * @throws {MtlsConfigError} for text that is no such URL, or one with a path, a query or a fragment.
 */
export function readProxyUrl(text: string, option: string): ProxyParts {
	const url = URL.parse(/^\s*[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text.trim()}`);
	if (url === null) throw notUrl(option);
	// Security: in front of an unescaped `#`, `/` or `?` of a login the parser takes a part of the password
	// for the host, which is looked up and printed.
	if (!/^\/?$/.test(url.pathname) || /[?#]/.test(url.href)) {
		throw bad(option, `expected the URL of a proxy, found more than its host and port; ${escapes}`);
	}
	const {username, password} = url;
	const protocol = protocolOf(url.protocol, option);
	// The URL parser reads a host as a domain name or an address only where it knows the scheme.
	const known = proxyProtocols[protocol].socks ? URL.parse(`http://${url.host}`) : url;
	if (known === null) throw notUrl(option);
	const login =
		username || password
			? {username: decodePercent(username), password: decodePercent(password)}
			: undefined;
	if (proxyProtocols[protocol].socks) assertSocksLogin(login, option);
	return {
		protocol,
		host: bareHost(known.hostname),
		port: portOf(url.port, protocol, option),
		login,
		headers: [],
	};
}

const expectedProxy = 'an http, https, socks5 or socks5h proxy';

/** RFC 3986 §2.1. */
const escapes = 'in a user or password write @ # / ? as %40 %23 %2F %3F';

function notUrl(option: string): MtlsConfigError {
	return bad(option, `expected the URL of ${expectedProxy}, found text that is no URL; ${escapes}`);
}

// Proxies that are not supported.
const otherSchemes = /^(socks|socks4|socks4a|ftp|ws|wss|pac)$/;

function protocolOf(given: unknown, option: string): ProxyProtocol {
	const scheme = typeof given === 'string' ? given.toLowerCase().replace(/:$/, '') : '';
	if (Object.hasOwn(proxyProtocols, scheme)) return scheme as ProxyProtocol;
	const found = otherSchemes.test(scheme) ? scheme : 'something else';
	throw bad(option, `expected ${expectedProxy}, found ${found}`);
}

/** The length of each is one byte (RFC 1929 §2). */
const maxLoginBytes = 255;

function assertSocksLogin(login: ProxyLogin | undefined, option: string): void {
	for (const part of ['username', 'password'] as const) {
		const bytes = Buffer.byteLength(login?.[part] ?? '');
		if (bytes <= maxLoginBytes) continue;
		const expected = `a ${part} of at most ${maxLoginBytes} bytes for a SOCKS proxy`;
		throw bad(option, `expected ${expected}, found ${bytes}`);
	}
}

function hostOf(given: unknown): string {
	const expected = 'expected a name or an address';
	if (typeof given !== 'string' || given === '') {
		throw bad(
			'proxy.host',
			`${expected}, found ${given === undefined ? 'none' : describeType(given)}`,
		);
	}
	if (given.includes('://')) {
		throw bad('proxy.host', `${expected}, found a URL: give it as text, proxy: 'http://…'`);
	}
	const host = bareHost(given);
	if (isIP(host) || (!/[\s:/?#@\\[\]]/.test(host) && URL.canParse(`http://${host}`))) return host;
	throw bad('proxy.host', `${expected} without a port, found something else`);
}

function portOf(port: unknown, protocol: ProxyProtocol, option: string): number {
	const missing = port === undefined || port === null || port === '';
	const number = missing ? proxyProtocols[protocol].port : Number(port);
	if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
	throw bad(option, `expected a port from 1 to 65535, found ${numberOrType(port)}`);
}

// axios accepts a string too, and ignores empty parts.
function loginOf({auth, username, password}: Given): ProxyLogin | undefined {
	if (username) return loginFrom(username, password, 'proxy.username');
	if (!auth) return undefined;
	if (typeof auth === 'string') {
		const [name = '', rest] = auth.split(/:(.*)/s, 2);
		return {username: name, password: rest};
	}
	assertObject(auth, 'proxy.auth', 'an object with username and password');
	return loginFrom(memberOf(auth, 'username'), memberOf(auth, 'password'), 'proxy.auth');
}

function loginFrom(username: unknown, password: unknown, option: string): ProxyLogin {
	if (username || password) {
		return {username: String(username ?? ''), password: String(password ?? '')};
	}
	throw bad(option, 'expected a username, a password or both, found neither');
}

/** Headers that would frame a body, or contradict CONNECT (RFC 9110 §9.3.6). */
const refusedHeaders = /^(host|content-length|transfer-encoding|te|trailer|upgrade|expect)$/i;

/** RFC 9110 §5.6.2 and §5.5. */
const token = /^[!#$%&'*+.^_`|~\w-]+$/;
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

function headersOf(given: unknown): [string, string][] {
	if (given === undefined) return [];
	assertObject(given, 'proxy.headers', 'an object of names and values');
	// Also a `Headers`, a Map or an AxiosHeaders.
	const isIterable = Symbol.iterator in given;
	const entries: Iterable<[unknown, unknown]> = isIterable
		? (given as Iterable<[unknown, unknown]>)
		: Object.entries(given);
	return Array.from(entries, ([name, value]) => {
		if (typeof name !== 'string' || !token.test(name)) {
			throw bad('proxy.headers', 'expected names of headers, found one that HTTP cannot carry');
		}
		if (refusedHeaders.test(name))
			throw bad('proxy.headers', `${name.toLowerCase()} cannot be given`);
		if (typeof value !== 'string' || !fieldValue.test(value)) {
			const found =
				typeof value === 'string' ? 'characters that it cannot carry' : describeType(value);
			throw bad('proxy.headers', `expected text for ${name.toLowerCase()}, found ${found}`);
		}
		return [name, value];
	});
}

function bad(option: string, message: string): MtlsConfigError {
	return new MtlsConfigError('ERR_MTLS_BAD_OPTION', option, message);
}
