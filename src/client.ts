/*
 * The shape of a client.
 */
import type {AxiosInstance, AxiosRequestConfig, AxiosResponse} from 'axios';
import type {CookieJar} from 'tough-cookie';
import type {CertificateFacts} from './certificate.ts';
import type {MtlsAgent} from './net/agent.ts';
import type {ClientConfig} from './options.ts';

/** `client.mtls`: what stands behind the instance. */
export interface MtlsHandle {
	/** The client's cookies; `undefined` without `jar`. */
	readonly jar: CookieJar | undefined;
	/** The agent of all https connections; may be given to any other Node client. */
	readonly agent: MtlsAgent;
	/** The facts of our certificate; `null` when we have none. */
	readonly identity: CertificateFacts | null;
	/** Ends all connections, those in use included; a request after it is refused. Twice is fine. */
	close(): Promise<void>;
}

/** A request that carries and keeps no cookies. */
export type CookielessConfig<D = unknown> = Omit<AxiosRequestConfig<D>, 'jar'> & {jar: false};

interface MtlsInstance extends AxiosInstance {
	readonly mtls: MtlsHandle;
	/** An instance on the same certificate, jar and connections, unless `config` brings its own. */
	create(config?: ClientConfig): MtlsClient;
}

// The verbs once more for `jar: false`, which the field shared with axios-cookiejar-support cannot say.
interface CookielessRequests {
	<T = unknown, D = unknown>(config: CookielessConfig<D>): Promise<AxiosResponse<T, D>>;
	<T = unknown, D = unknown>(
		url: string,
		config: CookielessConfig<D>,
	): Promise<AxiosResponse<T, D>>;
	request<T = unknown, D = unknown>(config: CookielessConfig<D>): Promise<AxiosResponse<T, D>>;
	get: CookielessVerb;
	delete: CookielessVerb;
	head: CookielessVerb;
	options: CookielessVerb;
	post: CookielessBodyVerb;
	put: CookielessBodyVerb;
	patch: CookielessBodyVerb;
}
type CookielessVerb = <T = unknown, D = unknown>(
	url: string,
	config: CookielessConfig<D>,
) => Promise<AxiosResponse<T, D>>;
type CookielessBodyVerb = <T = unknown, D = unknown>(
	url: string,
	data: D | undefined,
	config: CookielessConfig<D>,
) => Promise<AxiosResponse<T, D>>;

/** An axios instance that has a certificate, a jar and a handle on both. */
export type MtlsClient = MtlsInstance & CookielessRequests;
