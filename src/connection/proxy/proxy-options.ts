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

export interface ProxyParts {
	readonly host: string;
	readonly port: number;
	/** The connection to it is TLS. */
	readonly secure: boolean;
	/** `user:password`, decoded. */
	readonly credentials: string | undefined;
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
	const secure = isSecure(given.protocol ?? 'http', 'proxy.protocol');
	const host = hostOf(given.hostname || given.host);
	const port = portOf(given.port, secure, 'proxy.port');
	const credentials = credentialsOf(given);
	const headers = headersOf(given.headers);
	if (credentials !== undefined && headers.some(([name]) => isLogin(name))) {
		throw bad('proxy.headers', '`auth` says the Proxy-Authorization: give one of the two');
	}
	return {host, port, secure, credentials, headers};
}

export function isLogin(name: string): boolean {
	return name.toLowerCase() === 'proxy-authorization';
}

/** Reads the URL of a proxy; one without a scheme is `http://`. @param option - For messages. */
export function readProxyUrl(text: string, option: string): ProxyParts {
	const url = URL.parse(/^\s*[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text.trim()}`);
	if (url === null) {
		throw bad(option, 'expected the URL of an http or https proxy, found text that is no URL');
	}
	const {protocol, hostname, port, username, password} = url;
	const secure = isSecure(protocol, option);
	return {
		host: bareHost(hostname),
		port: portOf(port, secure, option),
		secure,
		credentials:
			username || password ? `${decodePercent(username)}:${decodePercent(password)}` : undefined,
		headers: [],
	};
}

// Proxies that are not supported.
const otherSchemes = /^(socks|socks4|socks4a|socks5|socks5h|ftp|ws|wss|pac)$/;

function isSecure(protocol: unknown, option: string): boolean {
	const scheme = typeof protocol === 'string' ? protocol.toLowerCase().replace(/:$/, '') : '';
	if (scheme === 'http' || scheme === 'https') return scheme === 'https';
	const found = otherSchemes.test(scheme) ? scheme : 'something else';
	throw bad(option, `expected an http or https proxy, found ${found}`);
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

function portOf(port: unknown, secure: boolean, option: string): number {
	const defaultPort = secure ? 443 : 80;
	const number = port === undefined || port === null || port === '' ? defaultPort : Number(port);
	if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
	throw bad(option, `expected a port from 1 to 65535, found ${numberOrType(port)}`);
}

// axios accepts a string too, and ignores empty parts.
function credentialsOf({auth, username, password}: Given): string | undefined {
	if (username) return loginOf(username, password, 'proxy.username');
	if (!auth) return undefined;
	if (typeof auth === 'string') return auth;
	assertObject(auth, 'proxy.auth', 'an object with username and password');
	return loginOf(memberOf(auth, 'username'), memberOf(auth, 'password'), 'proxy.auth');
}

function loginOf(username: unknown, password: unknown, option: string): string {
	if (username || password) return `${username ?? ''}:${password ?? ''}`;
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
