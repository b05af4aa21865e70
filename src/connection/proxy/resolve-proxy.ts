import {createHmac, randomBytes} from 'node:crypto';
import type {ProxyOptions, ProxySetting} from '../../options.ts';
import {authorityOf} from '../../util/url.ts';
import {bypassesProxy} from './no-proxy.ts';
import {isLogin, type ProxyParts, readProxy, readProxyUrl} from './proxy-options.ts';

const poolKeySecret = randomBytes(32);

/** An HTTP proxy. Its credentials and headers are private fields, so that they are never printed. */
export class HttpProxy {
	readonly host: string;
	readonly port: number;
	/** An `https://` proxy: the connection to it is TLS. */
	readonly secure: boolean;
	readonly #credentials: string | undefined;
	readonly #headers: ProxyParts['headers'];

	constructor(
		host: string,
		port: number,
		credentials?: string,
		secure = false,
		headers: ProxyParts['headers'] = [],
	) {
		this.host = host;
		this.port = port;
		this.secure = secure;
		this.#credentials = credentials;
		this.#headers = headers;
	}

	/** The `Proxy-Authorization` header: from `headers`, or else Basic (RFC 7617). */
	get authorization(): string | undefined {
		const given = this.#headers.find(([name]) => isLogin(name));
		if (given !== undefined) return given[1];
		return this.#credentials === undefined
			? undefined
			: `Basic ${Buffer.from(this.#credentials, 'utf8').toString('base64')}`;
	}

	/** This proxy, with a `Proxy-Authorization` if it has none. */
	withAuthorization(value: string): HttpProxy {
		if (this.authorization !== undefined) return this;
		const headers = [...this.#headers, ['Proxy-Authorization', value] as const];
		return new HttpProxy(this.host, this.port, undefined, this.secure, headers);
	}

	/** Other headers of CONNECT, each with its line end. */
	get connectHeaders(): string {
		return this.#headers
			.filter(([name]) => !isLogin(name))
			.map(([name, value]) => `${name}: ${value}\r\n`)
			.join('');
	}

	get hasCredentials(): boolean {
		return this.authorization !== undefined;
	}

	/** Whether axios's own adapter cannot use it. */
	get exceedsAxios(): boolean {
		return this.secure || this.#headers.length > 0;
	}

	/** In the form of axios's own adapter, with the credentials. */
	toAxios(): ProxyOptions & {port: number} {
		const [username = '', ...password] = this.#credentials?.split(':') ?? [];
		return {
			protocol: this.secure ? 'https' : 'http',
			host: this.host,
			port: this.port,
			...(this.#credentials !== undefined && {auth: {username, password: password.join(':')}}),
		};
	}

	/** Identifies the proxy in a pool key: it differs by login, and does not reveal it. */
	get poolKey(): string {
		const own = JSON.stringify([this.#credentials ?? null, this.#headers]);
		const digest =
			this.#credentials === undefined && this.#headers.length === 0
				? ''
				: createHmac('sha256', poolKeySecret).update(own).digest('base64url');
		return `${this}${digest && `#${digest.slice(0, 16)}`}`;
	}

	toString(): string {
		return `${this.secure ? 'https' : 'http'}://${authorityOf(this.host, this.port)}`;
	}
}

/**
 * The proxy for `url`: as `config.proxy` says, else `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
 * `NO_PROXY`, in lower or upper case, read at each call.
 *
 * @throws {MtlsConfigError} when it is not an HTTP proxy; it names the variable of the environment.
 */
export function resolveProxy(
	setting: ProxySetting | null | undefined,
	url: URL,
): HttpProxy | undefined {
	if (setting === false) return undefined;
	if (setting) return proxyOf(readProxy(setting));
	const own = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
	const proxy = variableOf(own, 'all_proxy');
	if (proxy === undefined || bypassesProxy(url, variableOf('no_proxy')?.text ?? ''))
		return undefined;
	return proxyOf(readProxyUrl(proxy.text, proxy.name));
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

function proxyOf({host, port, credentials, secure, headers}: ProxyParts): HttpProxy {
	return new HttpProxy(host, port, credentials, secure, headers);
}
