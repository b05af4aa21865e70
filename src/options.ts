import type {AxiosError, AxiosInstance, AxiosResponse, CreateAxiosDefaults} from 'axios';
import type {CookieJar} from 'tough-cookie';
import type {ConnectionFacts} from './facts.ts';
import type {MtlsOptions} from './options/mtls.ts';

/** A proxy, by its parts. */
export interface ProxyOptions {
	/** Name or address, without scheme and port. */
	host: string;
	/** @defaultValue 80; 443 for `https`; 1080 for SOCKS */
	port?: number;
	/**
	 * The protocol of the proxy itself: `http`, `https`, `socks5`, or `socks5h`, which leaves it to the proxy
	 * to look up the name of the server. @defaultValue `'http'`
	 */
	protocol?: string;
	/**
	 * Sent to the proxy as `Proxy-Authorization: Basic` (RFC 7617); to a SOCKS proxy as RFC 1929 says, with
	 * at most 255 bytes each.
	 */
	auth?: {username: string; password: string};
	/**
	 * Sent with CONNECT, which requests a tunnel to an https origin: a `User-Agent`, or a
	 * `Proxy-Authorization` of another scheme than that of `auth`. They never reach an origin, so a plain
	 * http request that the proxy forwards has only `Proxy-Authorization` of them. Not for a SOCKS proxy.
	 */
	headers?: Readonly<Record<string, string>>;
}

/**
 * An HTTP or SOCKS 5 proxy: its URL, such as `'http://user:password@proxy.example:3128'` (without a scheme
 * it is `http://`; in user and password `@ # / ?` are `%40 %23 %2F %3F`), its parts, or `false` for none. A SOCKS proxy (RFC 1928) gives a tunnel for plain http
 * too: with `socks5://` the name of the server is looked up here (by axios's `lookup` if given), with `socks5h://` by
 * the proxy. Without it `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
 * `NO_PROXY` decide.
 */
export type ProxySetting = string | URL | ProxyOptions | false;

/** Called with `(fields, message)`, as pino is; with `(message, fields)` if it has a method `log`, as winston. `console` gets lines to read. */
export interface Logger {
	error(fields: object, message: string): void;
	warn(fields: object, message: string): void;
}

/**
 * Which cookies a jar stores and sends. What RFC 6265bis refuses is always refused, also in a jar of your
 * own: a cookie for a public suffix or another domain, a `Secure` one without TLS (on localhost too), a
 * `__Host-` or `__Secure-` one without what its prefix requires. That never fails the request:
 * `cookie_refused` is logged, once per cookie and reason; per host and reason the first ten, then the
 * 11th, 100th, 1,000th and so on with their `count`.
 *
 * The limits are those of browsers: 4,096 bytes of name and value, 1,024 of an attribute, 400 days, 180
 * cookies of a domain, 3,000 in all. A cookie that is removed to make room is logged as `cookie_evicted`.
 *
 * The lists are those of Python's `DefaultCookiePolicy`: `bank.example` matches the cookies of that host
 * alone, `.bank.example` those it sets with `Domain=bank.example` and all cookies of the names below it.
 * List both to match both.
 */
export interface CookieOptions {
	/** Only cookies of these are stored and sent. @defaultValue all */
	allowedDomains?: readonly string[];
	/** Cookies of these are neither stored nor sent, whatever `allowedDomains` says. @defaultValue none */
	blockedDomains?: readonly string[];
	/**
	 * Names without a dot, such as `intranet`, that may share cookies with the names below them: after
	 * `Domain=intranet` a cookie of `wiki.intranet` is sent to `files.intranet` too. A jar that you
	 * bring needs `rejectPublicSuffixes: false` for it.
	 *
	 * Security: of a public suffix this would share cookies with strangers.
	 * @defaultValue none: the cookies of such a name are sent to it alone
	 */
	internalDomains?: readonly string[];
}

/** A cookie that was not stored, or was removed to make room for others. Its value is not included. */
export interface CookieRefusal {
	/** Empty where none could be read. */
	readonly name: string;
	/** The host that sent it; for a removed cookie, its domain. */
	readonly host: string;
	/** Its `Domain` attribute, if it has one. */
	readonly domain?: string;
	readonly reason:
		| 'malformed'
		| 'foreign-domain'
		| 'public-suffix'
		| 'domain-blocked'
		| 'domain-not-allowed'
		| 'secure-over-http'
		| 'hides-secure'
		| 'prefix'
		/** Its name and value together have more than 4,096 bytes. */
		| 'too-large'
		| 'refused-by-jar'
		/** Removed: servers have set more than 180 for its domain. */
		| 'domain-full'
		/** Removed: servers have set more than 3,000 in all. */
		| 'jar-full';
}

/**
 * How long the parts of a request may take, in whole milliseconds; 0 is no limit. Each part fails with an
 * AxiosError that has a code of its own and names the host. axios's own `timeout` applies as well.
 */
export interface Timeouts {
	/**
	 * Until there is a TCP connection, DNS lookup included; through a proxy: until there is a tunnel, where a
	 * proxy that is too slow is an {@link MtlsError} of kind `proxy-timeout`. A request on a kept-alive
	 * connection does not need it. If given, it includes the wait for a free connection.
	 * `ERR_MTLS_CONNECT_TIMEOUT`
	 * @defaultValue 60,000 together with `handshakeMs`; if you set one, the other stays at 60,000
	 */
	readonly connectMs?: number;
	/** From that connection or tunnel until the server is verified. `ERR_MTLS_HANDSHAKE_TIMEOUT` */
	readonly handshakeMs?: number;
	/**
	 * From when a request is sent, its body included, to the head of its response, for each redirect anew.
	 * `ERR_MTLS_FIRST_BYTE_TIMEOUT` @defaultValue 0
	 */
	readonly firstByteMs?: number;
	/**
	 * The whole request: the jar, the client certificate, redirects, a login, and the response's body. A
	 * streamed body is destroyed with the error, which says how far the request had come.
	 * `ERR_MTLS_REQUEST_TIMEOUT` @defaultValue 0
	 */
	readonly requestMs?: number;
}

/**
 * How many connections there may be: HTTP/1.1, HTTP/2 and tunnels together. A request that finds none
 * free waits for one, first in, first out, until `timeouts.connectMs` (if given), axios's `timeout` or the
 * `signal` end it. A streamed response holds its connection until it is read or destroyed.
 */
export interface ConnectionBounds {
	/** Per origin and identity; the connections of a replaced identity count with those of the new one. @defaultValue `Infinity` */
	maxSockets?: number;
	/** In all. If another origin needs one, the one that has been idle for longest is closed. @defaultValue `Infinity` */
	maxTotalSockets?: number;
}

/** What {@link createAdapter} takes. */
export interface AdapterOptions extends ConnectionBounds {
	/**
	 * Client certificate, trusted CAs and verification. Without it: no client certificate, and the CAs that
	 * Node trusts. In a list, the one whose `origins` match the request's origin most specifically is used;
	 * if none matches, no certificate is presented.
	 */
	mtls?: MtlsOptions | readonly MtlsOptions[];
	/** How many of several `mtls` stay loaded; the least recently used is dropped. @defaultValue 1,000 */
	maxIdentities?: number;
	/**
	 * `true` makes a jar, `false` or nothing makes none; a tough-cookie jar may have an asynchronous store. A
	 * string is the path of a cookie file: see `fileJar` for its formats and when it is saved.
	 */
	jar?: boolean | string | CookieJar;
	/** Which cookies are stored and sent, in any jar. */
	cookies?: CookieOptions;
	/**
	 * Follow a redirect from https to http. Anyone on the path can then read and change the request.
	 * @defaultValue `false`
	 */
	allowInsecureRedirects?: boolean;
	/** Defaults for each request, which may have its own. */
	timeouts?: Timeouts;
}

/** What {@link withMtls} takes. */
export interface ClientOptions extends AdapterOptions {
	/**
	 * How to log in, and how to detect that the session has ended; needs a jar. Instances that `create()`
	 * makes share the session, unless they have a jar of their own or `false` here; with credentials of
	 * their own they have to say it.
	 */
	session?: SessionOptions | false;
	/** Logs each failure once; `false` logs nothing. @defaultValue `console` */
	logger?: Logger | false;
}

/** What {@link createClient} takes: every axios option, and those of {@link ClientOptions}. */
export type ClientConfig = Omit<CreateAxiosDefaults, keyof ClientOptions | 'proxy'> &
	ClientOptions & {
		/** For all requests without one of their own. @defaultValue the environment decides */
		proxy?: ProxySetting;
	};

/**
 * The instance that a login uses: it has the client's defaults, certificate, connections and jar, and its
 * requests neither wait for a login nor start one. Like every instance that `create()` makes, it has none
 * of the client's interceptors.
 */
export interface SessionClient extends AxiosInstance {
	readonly mtls: {
		/** Where the login's cookies are stored. */
		readonly jar: CookieJar | undefined;
	};
}

/** How to log in, and how to detect that the session has ended. The session is in the client's jar. */
export interface SessionOptions {
	/**
	 * Logs in: before the first request, and again once the session has ended. All requests wait for that
	 * one login; those that met the end of the session are sent again after it. A login fails when it
	 * throws or rejects. Once the next login has begun, cookies set by requests of the old session are not
	 * stored: they would replace the new ones.
	 *
	 * It must use the `client` that it gets: a request of any other would wait for this very login.
	 */
	login(client: SessionClient): unknown;
	/**
	 * Whether a response says that the session has ended, whatever its status; its `data` is the result of
	 * `transformResponse`, which runs once more if `data` is read here.
	 *
	 * A response that is mistaken for it, such as one for a missing permission, costs a login each time.
	 *
	 * @defaultValue status 401, or a redirect to `loginUrl`
	 */
	isExpired?(response: AxiosResponse): boolean | Promise<boolean>;
	/**
	 * The URL to which the server redirects without a session, absolute or relative to `baseURL`; its
	 * query does not matter. A request for this URL itself is not taken for the end of the session.
	 */
	loginUrl?: string;
	/** A login that takes longer fails, and its requests are cancelled. @defaultValue 30000 */
	loginTimeoutMs?: number;
	/**
	 * After a failed login, requests fail at once for this long, and twice as long after each further one.
	 * A login that does not end the "session has ended" responses counts as failed too; but then requests
	 * are sent, and the app gets their responses as they are. @defaultValue 1000
	 */
	backoffMs?: number;
	/** The longest time between two failed logins. @defaultValue 60000 */
	maxBackoffMs?: number;
}

/**
 * The error of a request that needs a session when there is none.
 *
 * `code` is `ERR_MTLS_LOGIN_FAILED`, or `ERR_MTLS_LEDGER_FAILED` if the store through which processes
 * share a login failed; `cause` is the original error, one for all requests that waited.
 */
export interface SessionError extends AxiosError {
	/** How long requests fail at once, without another login. */
	readonly retryAfterMs: number;
}

/** An axios instance, also that of a CommonJS app: TypeScript tells the two apart. */
export type AnyAxiosInstance =
	| AxiosInstance
	| import('axios', { with: {'resolution-mode': 'require'}}).AxiosInstance;

declare module 'axios' {
	interface AxiosRequestConfig {
		/** The IP address of this machine to connect from. @defaultValue that which the system chooses */
		localAddress?: string;
		// The same type as in axios-cookiejar-support: TypeScript lets two packages declare a field only
		// with one type. MtlsRequestConfig adds `false`, and the other types of `proxy`.
		jar?: CookieJar;
		/** `false`: a request that neither waits for a login nor starts one. */
		session?: false;
		/** Follow a redirect from https to http. @defaultValue that of the client */
		allowInsecureRedirects?: boolean;
		/** Timeouts of this request; one that is not given is the client's. */
		timeouts?: Timeouts;
	}
	interface AxiosResponse {
		/** Facts of the connection; absent over plain http or through another agent. */
		tls?: ConnectionFacts;
	}
}
