import {createHmac, randomBytes} from 'node:crypto';
import type {ProxyOptions, ProxySetting} from '../../options.ts';
import {authorityOf} from '../../util/url.ts';
import {bypassesProxy} from './no-proxy.ts';
import {isLogin, type ProxyParts, readProxy, readProxyUrl} from './proxy-options.ts';

const poolKeySecret = randomBytes(32);

/** An HTTP proxy. Its credentials and headers are private fields, so that no print of it shows them. */
export class HttpProxy {
	readonly host: string;
	readonly port: number;
	/** Whether the connection to it is TLS: an `https://` proxy. */
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

	/** Value of the `Proxy-Authorization` header: that of its headers, or else of RFC 7617. */
	get authorization(): string | undefined {
		const given = this.#headers.find(([name]) => isLogin(name));
		if (given !== undefined) return given[1];
		return this.#credentials === undefined
			? undefined
			: `Basic ${Buffer.from(this.#credentials, 'utf8').toString('base64')}`;
	}

	/** The same with a `Proxy-Authorization`, unless it has one. */
	withAuthorization(value: string): HttpProxy {
		if (this.authorization !== undefined) return this;
		const headers = [...this.#headers, ['Proxy-Authorization', value] as const];
		return new HttpProxy(this.host, this.port, undefined, this.secure, headers);
	}

	/** What is sent with CONNECT besides, each with its line end. */
	get connectHeaders(): string {
		return this.#headers
			.filter(([name]) => !isLogin(name))
			.map(([name, value]) => `${name}: ${value}\r\n`)
			.join('');
	}

	get hasCredentials(): boolean {
		return this.authorization !== undefined;
	}

	/** Whether more is to be known of it than axios's own adapter does. */
	get isOurs(): boolean {
		return this.secure || this.#headers.length > 0;
	}

	/** The same for axios's own adapter, credentials included. */
	toAxios(): ProxyOptions & {port: number} {
		const [username = '', ...password] = this.#credentials?.split(':') ?? [];
		return {
			protocol: this.secure ? 'https' : 'http',
			host: this.host,
			port: this.port,
			...(this.#credentials !== undefined && {auth: {username, password: password.join(':')}}),
		};
	}

	/** Names the proxy in a pool key. Two logins differ in it, and neither can be read from it. */
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
 * `NO_PROXY`, in either case, read at each call.
 *
 * @throws {MtlsConfigError} when what is set is no HTTP proxy; of the environment it names the variable.
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

/** The first variable that is set: each in lower case first, as curl does. */
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
