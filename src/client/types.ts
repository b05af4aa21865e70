import type {AxiosInstance, AxiosRequestConfig, AxiosResponse} from 'axios';
import type {CookieJar} from 'tough-cookie';
import type {MtlsAgent} from '../connection/mtls-agent.ts';
import type {CertificateFacts} from '../facts.ts';
import type {ClientConfig, ProxySetting} from '../options.ts';
import type {MtlsStats} from './stats.ts';

/** `client.mtls`: the agent, the jar, and `close()`. */
export interface MtlsHandle {
	/**
	 * The jar that the client's requests use: that of its `jar` option, or of the instance's own
	 * `defaults.jar`, as axios-cookiejar-support has it. `undefined` without one.
	 */
	readonly jar: CookieJar | undefined;
	/** An agent with the same client certificate and trusted CAs, for any other Node client. */
	readonly agent: MtlsAgent;
	/** The facts of the client certificate; `null` without one, with several, or while it is not loaded yet. */
	readonly identity: CertificateFacts | null;
	/**
	 * Reads the files, or calls `mtls.identity`, again. Requests in flight finish as they started; every
	 * later one uses the new certificate, CAs and revocation lists.
	 *
	 * @throws {MtlsConfigError} when they cannot be used, or what the loader threw; the old ones stay.
	 */
	reload(): Promise<void>;
	/** Resolves at the next rotation, with the facts of the new certificate. */
	nextIdentity(): Promise<CertificateFacts | null>;
	/** Counts connections and handshakes; `String(client.mtls)` is the same in one line. */
	stats(): MtlsStats;
	/**
	 * Refuses new requests with `ERR_MTLS_CLIENT_CLOSED`, waits for those in flight, closes all
	 * connections, and saves a jar that is a file. May be called twice. Redirects of a request in flight
	 * are followed, and a streamed body is in flight until it is closed.
	 *
	 * @param options - `deadlineMs`: how long to wait, 10,000 ms by default; requests that are still in
	 * flight then fail with the same code.
	 */
	close(options?: {readonly deadlineMs?: number}): Promise<void>;
	[Symbol.asyncDispose](): Promise<void>;
	toString(): string;
}

/** The options of a request: those of axios, and those of this package. */
export type MtlsRequestConfig<D = unknown> = Omit<AxiosRequestConfig<D>, 'jar' | 'proxy'> & {
	/** `false`: the request sends and stores no cookies. @defaultValue the client's */
	jar?: CookieJar | false;
	/** @defaultValue the client's */
	proxy?: ProxySetting;
};

/** For a request that sends and stores no cookies. */
export type CookielessConfig<D = unknown> = MtlsRequestConfig<D> & {jar: false};

interface MtlsInstance extends AxiosInstance {
	readonly mtls: MtlsHandle;
	/** `mtls.close()`, for `await using client = createClient(…)`. */
	[Symbol.asyncDispose](): Promise<void>;
	/**
	 * Creates an instance with the defaults of this one, that shares its certificate, connections, jar and
	 * login unless `config` has its own.
	 *
	 * Security: with credentials in `config.mtls` (`cert`, `key`, `pfx` or `identity`, in one entry of a list
	 * at least) it is somebody else, and shares neither cookies nor login. In place of a jar that `jar: true`
	 * made it gets a new one.
	 *
	 * @throws {MtlsConfigError} when an option cannot be used; also for `jar` or `session` where an instance
	 * with credentials of its own would inherit a jar or a login of the app, and `config` does not say which
	 * it has. The same `jar` shares its cookies, and its login, on purpose.
	 */
	create(config?: ClientConfig): MtlsClient;
}

// The verbs again: a field that axios, or axios-cookiejar-support, has declared cannot be widened.
interface MtlsRequests {
	<T = unknown, D = unknown>(config: MtlsRequestConfig<D>): Promise<AxiosResponse<T, D>>;
	<T = unknown, D = unknown>(
		url: string,
		config: MtlsRequestConfig<D>,
	): Promise<AxiosResponse<T, D>>;
	request<T = unknown, D = unknown>(config: MtlsRequestConfig<D>): Promise<AxiosResponse<T, D>>;
	get: MtlsVerb;
	delete: MtlsVerb;
	head: MtlsVerb;
	options: MtlsVerb;
	post: MtlsBodyVerb;
	put: MtlsBodyVerb;
	patch: MtlsBodyVerb;
	postForm: MtlsBodyVerb;
	putForm: MtlsBodyVerb;
	patchForm: MtlsBodyVerb;
}
type MtlsVerb = <T = unknown, D = unknown>(
	url: string,
	config: MtlsRequestConfig<D>,
) => Promise<AxiosResponse<T, D>>;
type MtlsBodyVerb = <T = unknown, D = unknown>(
	url: string,
	data: D | undefined,
	config: MtlsRequestConfig<D>,
) => Promise<AxiosResponse<T, D>>;

/** An axios instance with a client certificate, a cookie jar, and `mtls` as the handle on both. */
export type MtlsClient = MtlsInstance & MtlsRequests;
