/*
 * The shape of a client.
 */
import type {AxiosInstance, AxiosRequestConfig, AxiosResponse} from 'axios';
import type {CookieJar} from 'tough-cookie';
import type {MtlsAgent} from '../connection/mtls-agent.ts';
import type {MtlsStats} from '../connection/stats.ts';
import type {CertificateFacts} from '../facts.ts';
import type {ClientConfig, ProxySetting} from '../options.ts';

/** `client.mtls`: what stands behind the instance. */
export interface MtlsHandle {
	/** The client's cookies; `undefined` without `jar`. */
	readonly jar: CookieJar | undefined;
	/** The agent of all https connections; may be given to any other Node client. */
	readonly agent: MtlsAgent;
	/** The facts of our certificate; `null` when we have none, or several, or one that is yet to be fetched. */
	readonly identity: CertificateFacts | null;
	/**
	 * Reads the files, or asks `mtls.identity`, again, and goes over to what is found: requests in flight
	 * finish as they began, every later one is on the new identity, CA and revocation list.
	 *
	 * @throws {MtlsConfigError} when it cannot be used, or what the loader threw; the old then stays.
	 */
	reload(): Promise<void>;
	/** Resolves at the next swap, with the facts of the certificate that took effect. */
	nextIdentity(): Promise<CertificateFacts | null>;
	/** What the connections do, in numbers; `String(client.mtls)` is the same in one line. */
	stats(): MtlsStats;
	/**
	 * Refuses new requests with `ERR_MTLS_CLIENT_CLOSED`, waits for those in flight, ends all
	 * connections, and saves a jar that is a file. Twice is fine. Redirects of what is in flight are
	 * followed, and a body that is streamed is in flight until it is closed.
	 *
	 * @param options - `deadlineMs`: how long to wait, 10,000 ms by default; what is still in flight then
	 * fails with the same code.
	 */
	close(options?: {readonly deadlineMs?: number}): Promise<void>;
	[Symbol.asyncDispose](): Promise<void>;
	toString(): string;
}

/** What a request of a client takes: the options of axios and ours. */
export type MtlsRequestConfig<D = unknown> = Omit<AxiosRequestConfig<D>, 'jar' | 'proxy'> & {
	/** `false`: a request that carries and keeps no cookies. @defaultValue the client's */
	jar?: CookieJar | false;
	/** @defaultValue the client's */
	proxy?: ProxySetting;
};

/** A request that carries and keeps no cookies. */
export type CookielessConfig<D = unknown> = MtlsRequestConfig<D> & {jar: false};

interface MtlsInstance extends AxiosInstance {
	readonly mtls: MtlsHandle;
	/** `mtls.close()`, for `await using client = createClient(…)`. */
	[Symbol.asyncDispose](): Promise<void>;
	/** An instance on the same certificate, jar and connections, unless `config` brings its own. */
	create(config?: ClientConfig): MtlsClient;
}

// The verbs once more: a field that axios, or axios-cookiejar-support, has declared cannot be widened.
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

/** An axios instance that has a certificate, a jar and a handle on both. */
export type MtlsClient = MtlsInstance & MtlsRequests;
