import {createHmac, randomBytes} from 'node:crypto';
import type {ProxyOptions, ProxySetting} from '../../options.ts';
import {basicAuthorization} from '../../util/basic-authorization.ts';
import {BoundedMap} from '../../util/bounded-map.ts';
import {authorityOf} from '../../util/url.ts';
import {bypassesProxy} from './no-proxy.ts';
import {
	isLogin,
	type ProxyLogin,
	type ProxyParts,
	type ProxyProtocol,
	proxyProtocols,
	readProxy,
	readProxyUrl,
} from './proxy-options.ts';

const poolKeySecret = randomBytes(32);

// Both take as long as a tenth of a small request, and most apps have one proxy.
const digests = new BoundedMap<string, string>({maxEntries: 100, maxBytes: 256 * 1024});
const proxiesByUrl = new BoundedMap<string, ProxyServer>({maxEntries: 100, maxBytes: 256 * 1024});

function digestOf(text: string): string {
	let digest = digests.get(text);
	if (digest === undefined) {
		digest = createHmac('sha256', poolKeySecret).update(text).digest('base64url').slice(0, 16);
		digests.set(text, digest, 200 + 2 * text.length);
	}
	return digest;
}

/** @param variable - That of the environment which has the URL; without it the option `proxy` has. */
function proxyAt(url: string, variable?: string): ProxyServer {
	const key = `${variable ?? ''} ${url}`;
	let proxy = proxiesByUrl.get(key);
	if (proxy === undefined) {
		proxy = new ProxyServer(readProxyUrl(url, variable ?? 'proxy'), {variable, isUrl: true});
		proxiesByUrl.set(key, proxy, 500 + 4 * url.length);
	}
	return proxy;
}

/** A proxy. Its login and headers are private fields, so that they are never printed. */
export class ProxyServer {
	readonly protocol: ProxyProtocol;
	readonly host: string;
	readonly port: number;
	/** The variable of the environment that named it; `undefined`: the option `proxy`. */
	readonly variable: string | undefined;
	/** Given as a URL, by a variable or the option, rather than as an object. */
	readonly isUrl: boolean;
	readonly #login: ProxyLogin | undefined;
	readonly #headers: ProxyParts['headers'];

	constructor(
		{protocol, host, port, login, headers}: ProxyParts,
		{variable, isUrl = false}: {variable?: string | undefined; isUrl?: boolean} = {},
	) {
		this.protocol = protocol;
		this.host = host;
		this.port = port;
		this.variable = variable;
		this.isUrl = isUrl;
		this.#login = login;
		this.#headers = headers;
	}

	/** An `https://` proxy: the connection to it is TLS. */
	get secure(): boolean {
		return this.protocol === 'https';
	}

	/** A SOCKS proxy: it gives a tunnel for plain http too, and knows no HTTP. */
	get isSocks(): boolean {
		return proxyProtocols[this.protocol].socks;
	}

	/** User and password of a SOCKS proxy (RFC 1929). */
	get socksLogin(): ProxyLogin | undefined {
		return this.isSocks ? this.#login : undefined;
	}

	/** The `Proxy-Authorization` header: from `headers`, or else Basic (RFC 7617). */
	get authorization(): string | undefined {
		if (this.isSocks) return undefined;
		const given = this.#headers.find(([name]) => isLogin(name));
		if (given !== undefined) return given[1];
		if (this.#login === undefined) return undefined;
		const {username, password} = this.#login;
		const text = password === undefined ? username : `${username}:${password}`;
		return basicAuthorization(text);
	}

	/** This proxy, with a `Proxy-Authorization` if it has none. */
	withAuthorization(value: string): ProxyServer {
		if (this.isSocks || this.authorization !== undefined) return this;
		const {protocol, host, port, variable, isUrl} = this;
		const headers = [...this.#headers, ['Proxy-Authorization', value] as const];
		const parts = {protocol, host, port, login: undefined, headers};
		return new ProxyServer(parts, {variable, isUrl});
	}

	/** Other headers of CONNECT, each with its line end. */
	get connectHeaders(): string {
		return this.#headers
			.filter(([name]) => !isLogin(name))
			.map(([name, value]) => `${name}: ${value}\r\n`)
			.join('');
	}

	get hasCredentials(): boolean {
		return this.#login !== undefined || this.authorization !== undefined;
	}

	/** Where its login is set, or where one is to be set. */
	get loginPlace(): 'url' | 'auth' | 'header' {
		if (this.#login === undefined && this.authorization !== undefined) return 'header';
		return this.isUrl ? 'url' : 'auth';
	}

	/** Whether axios's own adapter cannot use it. */
	get exceedsAxios(): boolean {
		return this.protocol !== 'http' || this.#headers.length > 0;
	}

	/** In the form of axios's own adapter, with the credentials; not for one of SOCKS. */
	toAxios(): ProxyOptions & {port: number} {
		const {protocol, host, port} = this;
		const login = this.#login;
		const auth = login && {username: login.username, password: login.password ?? ''};
		return {protocol, host, port, ...(auth && {auth})};
	}

	/** Identifies the proxy in a pool key: it differs by login, and does not reveal it. */
	get poolKey(): string {
		const login = this.#login;
		if (login === undefined && this.#headers.length === 0) return String(this);
		const own = JSON.stringify([login?.username, login?.password, this.#headers]);
		return `${this}#${digestOf(own)}`;
	}

	toString(): string {
		return `${this.protocol}://${authorityOf(this.host, this.port)}`;
	}
}

/**
 * The proxy for `url`: as `config.proxy` says, else `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
 * `NO_PROXY`, in lower or upper case, read at each call.
 *
 * @throws {MtlsConfigError} when it cannot be used; it names the variable of the environment.
 */
export function resolveProxy(
	setting: ProxySetting | null | undefined,
	url: URL,
): ProxyServer | undefined {
	if (setting === false) return undefined;
	if (typeof setting === 'string' && setting) return proxyAt(setting);
	// An instance of URL has all of it in its own text.
	if (setting) return new ProxyServer(readProxy(setting), {isUrl: Object(setting) instanceof URL});
	const own = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
	const proxy = variableOf(own, 'all_proxy');
	if (proxy === undefined || bypassesProxy(url, variableOf('no_proxy')?.text ?? ''))
		return undefined;
	return proxyAt(proxy.text, proxy.name);
}

/** The first variable that is set; in lower case first, as curl does. */
function variableOf(...names: readonly string[]): {name: string; text: string} | undefined {
	for (const name of names.flatMap((lower) => [lower, lower.toUpperCase()])) {
		// Security: the environment has a prototype as well.
		const text = Object.hasOwn(process.env, name) ? process.env[name] : undefined;
		if (text) return {name, text};
	}
	return undefined;
}
