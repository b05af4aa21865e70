import type {SecureContext, SecureVersion} from 'node:tls';
import type {AxiosError, AxiosInstance, AxiosResponse, CreateAxiosDefaults} from 'axios';
import type {CookieJar} from 'tough-cookie';
import type {ConnectionFacts} from './facts.ts';

/** PEM text, its bytes, or the path of a file that holds it. */
export type Source = string | Uint8Array;

/** Who we are and whom we believe. The words are those of `node:tls`. */
export interface MtlsOptions {
	/** Our certificate, followed by its intermediates in any order. Needs `key`, or a key in the same file. */
	cert?: Source;
	/** The private key of `cert`: PKCS#8, PKCS#1 or SEC1 PEM, encrypted or not. */
	key?: Source;
	/** Certificate and key in one PKCS#12 file, in place of `cert` and `key`. A CA in it is not trusted. */
	pfx?: Source;
	/** Decrypts `key` or `pfx`; a function is called once a load, when the file turns out to be encrypted. */
	passphrase?: string | (() => string);
	/**
	 * Fetches who we are, in place of `cert`, `key` and `pfx`: from a vault, a SPIFFE agent, an HSM.
	 * What is returned at once is checked when the client is made; for a promise the first requests wait.
	 */
	identity?: IdentityLoader;
	/**
	 * Looks for new files, or asks `identity` again, and goes over to what is found: the requests in
	 * flight finish as they began, every later one is on the new identity, CA and revocation list. What
	 * cannot be loaded is told to the logger as `rotation_failed`, and the old stays; it is tried again at
	 * once when a file changes, else ever more rarely, after up to 15 times `everyMs`.
	 *
	 * A file is also looked at as soon as its directory says that something has changed; `everyMs` is for
	 * the file systems that say nothing. @defaultValue `false`; `true` is every 60,000 ms
	 */
	reload?: boolean | {readonly everyMs?: number};
	/**
	 * Whom we believe: one source or a list. The words `'default'`, `'system'` and `'bundled'` stand
	 * for the sets of `tls.getCACertificates()`, so `['default', 'corp.pem']` adds a CA and
	 * `'corp.pem'` replaces them all.
	 * @defaultValue what Node trusts by default
	 */
	ca?: Source | readonly Source[];
	/** Revocation lists, PEM or DER (RFC 5280 §5): every CA of a chain must then have a current one. */
	crl?: Source | readonly Source[];
	/**
	 * Public keys of which the server's chain must have one: `sha256//BASE64`, as curl's
	 * `--pinnedpubkey` writes them. Any certificate of the chain may match. Checked after the chain and
	 * the name: a pin only narrows.
	 */
	pins?: string | readonly string[];
	/**
	 * The SPIFFE ID that the server must have, in place of a name: `spiffe://example.org/billing`, or
	 * a trust domain, `spiffe://example.org`.
	 */
	spiffeId?: string;
	/**
	 * `'report'` lets a request go on though the server could not be verified, and tells the logger
	 * `verification_failed` each time: to turn verification on without an outage.
	 *
	 * Security: with `'report'` anyone on the way can read and answer the requests.
	 * @defaultValue `'strict'`
	 */
	verify?: 'strict' | 'report';
	/**
	 * Fail before a byte of the request is sent when the server did not ask for our certificate, so
	 * that each answer was given to us and nobody else. @defaultValue `false`
	 */
	requireClientAuth?: boolean;
	/**
	 * The name to verify, sent as SNI too, in place of the URL's host. A `Host` header never changes it.
	 */
	servername?: string;
	/** @defaultValue `'TLSv1.2'` */
	minVersion?: SecureVersion;
	/** @defaultValue Node's own, `'TLSv1.3'` */
	maxVersion?: SecureVersion;
	/** OpenSSL's cipher list, for TLS 1.2 and 1.3. */
	ciphers?: string;
	/**
	 * Further origins (`https://files.bank.example`, `https://*.bank.example`) that may see our
	 * certificate when a redirect leads there. The origin of each URL that the app itself asks for always
	 * may; any other never does. A `*` stands for one or more labels.
	 *
	 * In a list of several `mtls` it is where this one is used at all, and has to be given. A redirect
	 * from there to any of them shows the certificate; one from elsewhere does not.
	 */
	origins?: readonly string[];
	/**
	 * In a list of several `mtls`: further origins whose redirects to `origins` are sent as this identity,
	 * with its certificate and the jar's cookies. Without it such a request goes there as nobody's, and
	 * what it is answered sets no cookie, so that no server can have another one told something in your
	 * name. Written as `origins` are.
	 *
	 * Security: who is named here chooses method, path and query of what is done as this identity.
	 * @defaultValue none: a redirect shows the certificate where it comes from `origins`, or leads back to
	 * the origin that the app asked for
	 */
	allowRedirectsFrom?: readonly string[];
	/**
	 * Load a certificate whose validity has ended or not begun, or that is not for clients; it is told
	 * to the logger instead. @defaultValue `false`
	 */
	allowExpired?: boolean;
	/**
	 * TLS to an `https://` proxy. It is verified always, and sees no certificate but one that is given
	 * here. @defaultValue what Node trusts by default, and no certificate
	 */
	proxy?: ProxyTlsOptions;
}

/** What {@link MtlsOptions.identity} gives: the options of the same names, or a context that holds the key. */
export interface IdentityMaterial
	extends Pick<MtlsOptions, 'cert' | 'key' | 'pfx' | 'passphrase' | 'ca' | 'crl'> {
	/**
	 * A context of your own, for a key that cannot be read, as in an HSM; `cert` is then given for its
	 * facts alone. What it trusts and which versions it speaks is up to you where our certificate is
	 * shown; `ca` and the other options of `mtls` hold where it is not.
	 */
	secureContext?: SecureContext;
}

/** Gives our certificate when it is asked for, at once or later. */
export type IdentityLoader =
	| (() => IdentityMaterial | Promise<IdentityMaterial>)
	| {load(): IdentityMaterial | Promise<IdentityMaterial>};

/** Who we are to an `https://` proxy and whom we believe to be it: words of {@link MtlsOptions}. */
export type ProxyTlsOptions = Pick<
	MtlsOptions,
	| 'cert'
	| 'key'
	| 'pfx'
	| 'passphrase'
	| 'ca'
	| 'crl'
	| 'pins'
	| 'servername'
	| 'minVersion'
	| 'maxVersion'
	| 'ciphers'
	| 'allowExpired'
>;

/** An HTTP proxy, by its parts. */
export interface ProxyOptions {
	/** Name or address, without scheme and port. */
	host: string;
	/** @defaultValue 80, or 443 of an `https` proxy */
	port?: number;
	/** How the proxy itself is spoken to: `http` or `https`. @defaultValue `'http'` */
	protocol?: string;
	/** Sent to the proxy as `Proxy-Authorization: Basic` (RFC 7617). */
	auth?: {username: string; password: string};
	/**
	 * Sent with CONNECT, which asks for a tunnel to an https origin: a `User-Agent`, or a
	 * `Proxy-Authorization` of another scheme in place of `auth`. They never reach an origin, so a plain
	 * http request that the proxy passes on has none of them but `Proxy-Authorization`.
	 */
	headers?: Readonly<Record<string, string>>;
}

/**
 * An HTTP proxy: its URL, such as `'http://user:password@proxy.example:3128'` (without a scheme it is
 * `http://`), its parts, or `false` for none. Without it `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
 * `NO_PROXY` decide.
 */
export type ProxySetting = string | URL | ProxyOptions | false;

/** Takes what failed: `(fields, message)`, as pino does. `console` fits. */
export interface Logger {
	error(fields: object, message: string): void;
	warn(fields: object, message: string): void;
}

/**
 * Whose cookies a jar keeps and sends. What RFC 6265bis refuses is refused in any case, whoever made
 * the jar: a cookie for a public suffix or a stranger's domain, a `Secure` one without TLS (on
 * localhost too), a `__Host-` or `__Secure-` one that does not keep its promise. It never fails the
 * request: the logger is told `cookie_refused`, once per cookie and reason; of a host and reason ten,
 * then the 11th, 100th, 1,000th and so on with their `count`.
 *
 * The limits are those of browsers: 4,096 bytes of name and value, 1,024 of an attribute, 400 days, 180
 * cookies of a domain, 3,000 in all. What has to go for others is told as `cookie_evicted`.
 *
 * The lists are those of Python's `DefaultCookiePolicy`: `bank.example` is what that host keeps for
 * itself, `.bank.example` what it keeps for all below it with `Domain=bank.example`, and all that
 * the names below it keep. What is to hold for both needs both.
 */
export interface CookieOptions {
	/** Only their cookies are kept and sent. @defaultValue all */
	allowedDomains?: readonly string[];
	/** Their cookies are neither kept nor sent, whatever `allowedDomains` says. @defaultValue none */
	blockedDomains?: readonly string[];
	/**
	 * Names without a dot, such as `intranet`, that may share cookies with the names below them: after
	 * `Domain=intranet` a cookie of `wiki.intranet` is sent to `files.intranet` too. A jar that you
	 * bring needs `rejectPublicSuffixes: false` for it.
	 *
	 * Security: of a public suffix this would share cookies with strangers.
	 * @defaultValue none: such a name keeps its cookies for itself
	 */
	internalDomains?: readonly string[];
}

/** A cookie that was not kept, or had to go for others. Its value is not told. */
export interface CookieRefusal {
	/** Empty where none could be read. */
	readonly name: string;
	/** Who sent it; of one that had to go, the domain that it was for. */
	readonly host: string;
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
		/** It had to go: servers have set more than 180 for its domain. */
		| 'domain-full'
		/** The same, and more than 3,000 in all. */
		| 'jar-full';
}

/**
 * How long the parts of a request may take, in whole milliseconds; 0 is for ever. Each part fails with
 * a code of its own, in an AxiosError that tells who was waited for. axios's own `timeout` holds besides.
 */
export interface Timeouts {
	/**
	 * To a TCP connection, the look-up of the name included. Through a proxy: to the tunnel, and a proxy
	 * that is too slow is an {@link MtlsError} of kind `proxy-timeout`. A request that finds a connection
	 * kept alive waits for none. Where it is given, the wait for a free connection is a part of it.
	 * `ERR_MTLS_CONNECT_TIMEOUT`
	 * @defaultValue 60,000 with `handshakeMs`; when one of them is given, 60,000 for the other
	 */
	readonly connectMs?: number;
	/** From there until the server is verified. `ERR_MTLS_HANDSHAKE_TIMEOUT` */
	readonly handshakeMs?: number;
	/**
	 * From when a request is out, its body too, to the head of its answer, on each hop.
	 * `ERR_MTLS_FIRST_BYTE_TIMEOUT` @defaultValue 0
	 */
	readonly firstByteMs?: number;
	/**
	 * All of it: the jar, our identity, redirects, a login, and the answer's body. A body that is streamed
	 * is destroyed with the error. `ERR_MTLS_REQUEST_TIMEOUT` @defaultValue 0
	 */
	readonly requestMs?: number;
}

/**
 * How many connections there may be, of whatever kind: HTTP/1.1, HTTP/2 sessions, tunnels. Requests that
 * find none free wait for one, first in, first out, for as long as `timeouts.connectMs` where it is
 * given, axios's `timeout` and the `signal` let them. An answer that is streamed holds its connection until
 * it is read or destroyed; a request that is to be answered meanwhile needs another.
 */
export interface ConnectionBounds {
	/** Per origin and identity; the connections of an identity that was replaced count with those of the new one. @defaultValue `Infinity` */
	maxSockets?: number;
	/** In all. Where another origin needs one, the one that is idle for longest is closed. @defaultValue `Infinity` */
	maxTotalSockets?: number;
}

/** What {@link createAdapter} takes. */
export interface AdapterOptions extends ConnectionBounds {
	/**
	 * Who we are and whom we believe. Without it: no certificate of ours, and Node's default trust. Of a
	 * list, the one whose `origins` name the request's origin most closely; where none does, no
	 * certificate is shown.
	 */
	mtls?: MtlsOptions | readonly MtlsOptions[];
	/** Of several `mtls`, how many are kept loaded; the one unused for longest goes first. @defaultValue 1,000 */
	maxIdentities?: number;
	/**
	 * `true` makes a jar, `false` or nothing none; a tough-cookie jar with an asynchronous store works
	 * too. A string is the path of a cookie file: `fileJar` says what it may hold and when it is saved.
	 */
	jar?: boolean | string | CookieJar;
	/** Which cookies are kept and sent, in any jar. */
	cookies?: CookieOptions;
	/**
	 * Follow a redirect from https to http. What is sent there can be read and changed by anyone on
	 * the way. @defaultValue `false`
	 */
	allowInsecureRedirects?: boolean;
	/** Deadlines of each request, which may have its own in place of these. */
	timeouts?: Timeouts;
}

/** What {@link withMtls} takes. */
export interface ClientOptions extends AdapterOptions {
	/**
	 * How to log in, and how to tell that it has to be done again; needs a jar. An instance that the
	 * client creates is in the same session, unless it has a jar of its own, or says `false`.
	 */
	session?: SessionOptions | false;
	/** Told each failure once. `false` silences. @defaultValue `console` */
	logger?: Logger | false;
}

/** What {@link createClient} takes: every axios option, and ours. */
export type ClientConfig = Omit<CreateAxiosDefaults, keyof ClientOptions | 'proxy'> &
	ClientOptions & {
		/** For all requests that do not say otherwise. @defaultValue the environment decides */
		proxy?: ProxySetting;
	};

/**
 * What a login is made with: an instance with the client's defaults, certificate, connections and
 * jar, whose requests neither wait for the login nor ask for another. As every instance that
 * `create()` makes it has none of the client's interceptors.
 */
export interface SessionClient extends AxiosInstance {
	readonly mtls: {
		/** Where the login's cookies go. */
		readonly jar: CookieJar | undefined;
	};
}

/** How to log in, and how to tell that it has to be done again. The session is that of the client's jar. */
export interface SessionOptions {
	/**
	 * Logs in: before the first request, and again once the session is over. All requests wait for
	 * that one login; those that met the end of the session are sent once more after it. It has
	 * failed when it throws or rejects. What the requests of a session set as cookies is not kept once
	 * the login after it has begun: it would take the place of the new ones.
	 *
	 * It must use the `client` it is given: a request of any other would wait for this very login.
	 */
	login(client: SessionClient): unknown;
	/**
	 * Whether an answer says that the session is over, whatever its status; its `data` is what
	 * `transformResponse` makes of it, which runs once more when `data` is read here.
	 *
	 * An answer that says so for other reasons, such as a missing right, costs a login each time.
	 *
	 * @defaultValue status 401, or a redirect to `loginUrl`
	 */
	isExpired?(response: AxiosResponse): boolean | Promise<boolean>;
	/**
	 * Where the server sends those who are not logged in, absolute or relative to `baseURL`; its
	 * query does not matter. A request that asks for this URL itself is not taken for one that was
	 * sent there.
	 */
	loginUrl?: string;
	/** A login that takes longer has failed, and its requests are cancelled. @defaultValue 30000 */
	loginTimeoutMs?: number;
	/**
	 * After a login that failed, requests fail at once for this long, and twice as long after each
	 * further one. A login after which the session is still over has failed as well; but then
	 * requests are sent, and the app gets their answers as they are. @defaultValue 1000
	 */
	backoffMs?: number;
	/** The longest time between two logins that fail. @defaultValue 60000 */
	maxBackoffMs?: number;
}

/**
 * What a request fails with when there is no session to send it in.
 *
 * `code` is `ERR_MTLS_LOGIN_FAILED`, or `ERR_MTLS_LEDGER_FAILED` where the store that tells
 * processes of each other's logins failed; `cause` is the original error, one for all requests that
 * waited.
 */
export interface SessionError extends AxiosError {
	/** No login is tried before this time is over; requests fail at once meanwhile. */
	readonly retryAfterMs: number;
}

/** An axios instance, also that of a CommonJS app: TypeScript tells the two apart. */
export type AnyAxiosInstance =
	| AxiosInstance
	| import('axios', { with: {'resolution-mode': 'require'}}).AxiosInstance;

declare module 'axios' {
	interface AxiosRequestConfig {
		// The very type of axios-cookiejar-support: TypeScript lets two packages declare a field
		// only when they agree. `false` is offered by MtlsRequestConfig, and so is what `proxy` takes besides.
		jar?: CookieJar;
		/** `false`: a request that neither waits for the login nor asks for another. */
		session?: false;
		/** Follow a redirect from https to http. @defaultValue that of the client */
		allowInsecureRedirects?: boolean;
		/** Deadlines of this request; one that is not given is the client's. */
		timeouts?: Timeouts;
	}
	interface AxiosResponse {
		/** Facts of the connection that answered; absent over plain http or through an agent of another make. */
		tls?: ConnectionFacts;
	}
}
