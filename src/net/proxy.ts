import {createHmac, randomBytes} from 'node:crypto';
import {MtlsConfigError} from '../errors.ts';
import {authorityOf, bareHost} from '../host.ts';
import {decodePercent} from '../percent.ts';
import {isKeptOff} from './no-proxy.ts';

/** What axios takes as `config.proxy`; `undefined` leaves it to the environment, `false` means none. */
export type ProxySetting =
	| false
	| undefined
	| {
			readonly host: string;
			readonly port: number;
			readonly protocol?: string;
			readonly auth?: {readonly username: string; readonly password: string};
	  };

/** Fields that axios reads too, though its types do not name them. */
type Given = Exclude<ProxySetting, false | undefined> & {readonly hostname?: string};

const poolKeySecret = randomBytes(32);

/** An HTTP proxy. Its credentials are a private field, so that no print of it shows them. */
export class HttpProxy {
	readonly host: string;
	readonly port: number;
	/** Whether the connection to it is TLS: an `https://` proxy. */
	readonly secure: boolean;
	readonly #credentials: string | undefined;

	constructor(host: string, port: number, credentials?: string, secure = false) {
		this.host = host;
		this.port = port;
		this.secure = secure;
		this.#credentials = credentials;
	}

	/** Value of the `Proxy-Authorization` header (RFC 7617), if the proxy has credentials. */
	get authorization(): string | undefined {
		return this.#credentials === undefined
			? undefined
			: `Basic ${Buffer.from(this.#credentials, 'utf8').toString('base64')}`;
	}

	get hasCredentials(): boolean {
		return this.#credentials !== undefined;
	}

	/** The same for axios's own adapter, credentials included. */
	toAxios(): Exclude<ProxySetting, false | undefined> {
		const [username = '', ...password] = this.#credentials?.split(':') ?? [];
		return {
			protocol: 'http',
			host: this.host,
			port: this.port,
			...(this.hasCredentials && {auth: {username, password: password.join(':')}}),
		};
	}

	/** Names the proxy in a pool key. Two logins differ in it, and neither can be read from it. */
	get poolKey(): string {
		const login =
			this.#credentials === undefined
				? ''
				: createHmac('sha256', poolKeySecret).update(this.#credentials).digest('base64url');
		return `${this}${login && `#${login.slice(0, 16)}`}`;
	}

	toString(): string {
		return `${this.secure ? 'https' : 'http'}://${authorityOf(this.host, this.port)}`;
	}
}

/**
 * The proxy for `url`: as `config.proxy` says, else `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
 * `NO_PROXY`, in either case, read at each call.
 *
 * @throws {MtlsConfigError} when what is set is no HTTP proxy.
 */
export function resolveProxy(setting: ProxySetting, url: URL): HttpProxy | undefined {
	if (setting === false) return undefined;
	if (setting) return fromSetting(setting);
	const {env} = process;
	// Lower case first, as curl does.
	const own =
		url.protocol === 'https:'
			? env.https_proxy || env.HTTPS_PROXY
			: env.http_proxy || env.HTTP_PROXY;
	const text = own || env.all_proxy || env.ALL_PROXY;
	if (!text || isKeptOff(url, env.no_proxy || env.NO_PROXY || '')) return undefined;
	return fromText(text);
}

function fromSetting(setting: Exclude<ProxySetting, false | undefined>): HttpProxy {
	if (setting instanceof URL) return fromUrl(setting);
	// Security: as in axios, what somebody has put into Object.prototype is no proxy of the app's.
	const {hostname, host, port, protocol, auth}: Given = Object.assign(Object.create(null), setting);
	const secure = isSecure(protocol ?? 'http:', 'proxy.protocol');
	const name = hostname || host;
	if (!name) throw new MtlsConfigError('ERR_MTLS_BAD_OPTION', 'proxy.host', 'no host is given');
	return new HttpProxy(bareHost(name), portOf(port, secure), auth && loginOf(auth), secure);
}

function portOf(port: unknown, secure: boolean): number {
	const usual = secure ? 443 : 80;
	const given = port === undefined || port === null || port === '' ? usual : Number(port);
	if (Number.isInteger(given) && given > 0 && given < 65_536) return given;
	throw new MtlsConfigError('ERR_MTLS_BAD_OPTION', 'proxy.port', `no port: '${port}'`);
}

// axios takes a string too, and leaves out what is not given.
function loginOf(auth: string | {readonly username?: string; readonly password?: string}): string {
	if (typeof auth === 'string') return auth;
	const {username, password}: typeof auth = Object.assign(Object.create(null), auth);
	if (username || password) return `${username ?? ''}:${password ?? ''}`;
	throw new MtlsConfigError('ERR_MTLS_BAD_OPTION', 'proxy.auth', 'neither a user nor a password');
}

// Security: the text may hold a password, so it is in no message.
function fromText(text: string): HttpProxy {
	const url = URL.parse(text.includes('://') ? text : `http://${text}`);
	if (url === null) {
		throw new MtlsConfigError(
			'ERR_MTLS_BAD_OPTION',
			'proxy',
			'the proxy of the environment is not a URL',
		);
	}
	return fromUrl(url);
}

function fromUrl({protocol, hostname, port, username, password}: URL): HttpProxy {
	const secure = isSecure(protocol, 'proxy');
	return new HttpProxy(
		bareHost(hostname),
		portOf(port, secure),
		username || password ? `${decodePercent(username)}:${decodePercent(password)}` : undefined,
		secure,
	);
}

function isSecure(protocol: string, option: string): boolean {
	if (/^https?:?$/i.test(protocol)) return /^https/i.test(protocol);
	throw new MtlsConfigError(
		'ERR_MTLS_BAD_OPTION',
		option,
		`expected an http or https proxy, found '${protocol}'`,
	);
}
